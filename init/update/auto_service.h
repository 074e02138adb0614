/* The service of automatic updates: what it remembers, and its acts (auto_acts.c). Its loop is
 * command_auto.c. */
#pragma once

#include "update/auto_settings.h"
#include "update/command.h"

enum {
	ACT_COUNT = ACT_END + 1,
	MACHINE_ID_MAX = 33,
	REBOOT_LIMIT_MS = 10 * 60 * 1000, /* PID 1 is done, one way or the other, long before */
};

struct service {
	struct settings settings;
	struct auto_settings autos;
	char version[MANIFEST_TEXT_MAX];  /* that runs */
	char machine_id[MACHINE_ID_MAX], boot_id[BOOT_ID_MAX], lock_id[FLEETLOCK_ID_MAX];
	bool offered;
	struct channel offer;
	char installed[SHA256_HEX_MAX];   /* in this boot; its record may not be writable */
	int64_t checked_s;
	char answer[ERR_TEXT_MAX];
	int64_t reboot_ms;                /* when it was asked for */
	bool lock_granted, lock_greeted;  /* in this boot; greeted: given back once, whatever was */
	bool lock_useless;                /* the reboot for which it was taken did not happen */
	/* By act, fetching with installing; ACT_WAIT: of looking how everything is. */
	unsigned failures[ACT_COUNT];     /* in a row */
	char failure[ACT_COUNT][ERR_TEXT_MAX];
	int64_t next_ms[ACT_COUNT];       /* not before, since boot */
	enum auto_why said;
	char said_of[MANIFEST_TEXT_MAX];
};

/* What is being done, for programs and for people. */
const char *auto_act_name(enum auto_act act);
const char *auto_act_text(enum auto_act act);

/* `act` is neither ACT_WAIT nor ACT_END. `store` as in struct machine. */
void auto_do(struct service *s, enum auto_act act, int store);

/* The bundle that the channel names lies in the store. */
bool auto_is_fetched(const struct service *s, int store);

/* Which lock to give back: that of the file, else the configured one. True: it is not the
 * configured one. */
bool auto_old_lock(const struct service *s, int store, struct fleetlock *out, bool *there);

/* What was tried failed: said when it is another reason than the last time, tried again after a
 * pause. */
void auto_failed(struct service *s, enum auto_act act, int64_t most_ms, const struct err *e);

int64_t auto_at_most(int64_t a, int64_t b);
uint32_t auto_random(void);
