/* One container: what was asked for, what it is now, and what holds it while it lives. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/loop.h"
#include "engine/state.h"
#include "engine/timetable.h"
#include "net/ruleset.h"
#include "spec/container.h"

struct attachment;
struct bring;
struct engine;
struct health;
struct network;
struct start;
struct waiter;

enum { CONTAINER_ID_LEN = 64, CONTAINER_SHORT_ID_LEN = 12, USERNS_SIZE = 65536 };

/* Its part of one network. */
struct endpoint {
	struct spec_network asked;    /* on disk; its name is the network's */
	char *address;                /* on disk: the last one, kept to be taken again */
	int64_t slot;                 /* on disk: it is eth0, eth1 ... */
	struct network *network;      /* while it lives; NULL: not taken */
	uint32_t ip;                  /* host order */
	bool wired;                   /* the link is in the container */
};

struct endpoint_list {
	struct endpoint *items;
	size_t count;
};

struct container {
	struct engine *engine;

	/* On disk, in container.json. */
	char id[CONTAINER_ID_LEN + 1];
	char *name;
	struct container_spec spec;   /* with anonymous volumes named */
	char *declaration;            /* the boot configuration's JSON; NULL: made by the API */
	char *image_id;               /* "sha256:..."; NULL: the image was not there */
	struct string_list argv;      /* what it runs */
	int64_t created_ns;
	int64_t started_ns;           /* Unix time; 0: never */
	int64_t finished_ns;
	enum container_state state;
	int64_t exit_code;
	bool oom_killed;
	bool stopped_by_hand;
	bool interrupted;             /* it ran until the machine went down */
	char *error;                  /* why it could not be started; NULL: nothing wrong */
	int64_t restarts;
	int64_t userns;               /* its user namespace is 0x10000 * (userns + 1) */
	struct endpoint_list endpoints;
	char *boot_id;                /* of the boot in which it last ran */
	struct run_list runs;         /* of its schedule: the last ones */
	struct string_list chosen;    /* host ports of spec.ports that left the choice to us */

	/* While it is handled. */
	bool record_stale;            /* container.json is older than this */
	struct bring *bring;          /* its image is being pulled */
	bool declared_now;            /* the configuration of this boot has it */
	bool boot_pending;            /* waits for what it depends on */
	bool ever_started;            /* in this run of the engine: dependants may go */
	struct publish *published;    /* while it lives: its ports, neighbours joined to ranges */
	size_t published_count;
	unsigned writers;             /* jobs that change its files while it does not run */
	bool removed;                 /* off the list; freed when the turn ends */
	bool begin_again;             /* its start is taken back only to be tried once more */
	int64_t started_boot_ms;
	int64_t stop_grace_ms;        /* of the stop under way */
	int stop_signal;              /* of the next stop, asked for with it; 0: the container's own */
	int64_t back_off_ms;
	pid_t pid;
	int pidfd;                    /* of its first process; -1 */
	int shim_fd;                  /* socket that ends with the container; -1 */
	struct loop_source *shim_source;
	struct loop_source *timer;    /* back-off, or the grace time of a stop */
	int kills;                    /* steps of a stop that took place */
	struct start *start;          /* while starting */
	const struct container *pid_owner, *net_owner; /* at its start: whose it joined */
	struct timetable *timetable;  /* NULL: it has no schedule */
	struct health *health;        /* NULL: it has no check, or never ran */
	struct waiter *waiters;
	struct attachment *attachments; /* clients that wait for its start */
	unsigned console_rows, console_columns; /* asked for at its making; 0: not */
};

bool container_is_live(const struct container *c);   /* has, or may have, a process */
bool container_has_wires(const struct container *c); /* or may have: it is in no other's network */
bool container_uses_host_network(const struct container *c);
const char *container_short_id(const struct container *c, char out[CONTAINER_SHORT_ID_LEN + 1]);

/* Does `text` (an id, its beginning, or a name with or without "/") mean it? */
enum container_match { MATCH_NONE, MATCH_PREFIX, MATCH_EXACT };
enum container_match container_matches(const struct container *c, const char *text);

/* docker's rule for names: [a-zA-Z0-9][a-zA-Z0-9_.-]+ */
bool container_name_valid(const char *name);

struct container *container_new(struct engine *engine);
void container_free(struct container *c);
void strings_clear(struct string_list *list);
int container_random_id(char out[CONTAINER_ID_LEN + 1]);
