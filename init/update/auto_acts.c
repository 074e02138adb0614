#include "update/auto_service.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/spawn.h"
#include "update/bundle.h"
#include "update/store.h"
#include "update/trust.h"

#define PROGRAM "/usr/lib/berth/update"
#define FETCHED_PATH STORE_PATH "/" FETCHED_NAME

enum { LOCK_RETRY_MS = 5 * 60 * 1000, OLD_LOCK_TRIES = 5 };

uint32_t auto_random(void)
{
	uint32_t n = 0;

	/* A pool that is not full yet is good enough for a pause. */
	if (getrandom(&n, sizeof(n), GRND_INSECURE) < 0)
		n = (uint32_t)clock_boot_ms();
	return n;
}

/* ---- how what was tried ended ---- */

static void went_well(struct service *s, enum auto_act act, int64_t pause_ms)
{
	s->failures[act] = 0;
	s->failure[act][0] = '\0';
	s->next_ms[act] = clock_boot_ms() + pause_ms;
}

void auto_failed(struct service *s, enum auto_act act, int64_t most_ms, const struct err *e)
{
	s->failures[act]++;
	s->next_ms[act] = clock_boot_ms() + auto_backoff_ms(s->failures[act], most_ms, auto_random());
	if (strcmp(s->failure[act], e->text) != 0)
		log_warn("%s", e->text);
	snprintf(s->failure[act], sizeof(s->failure[act]), "%s", e->text);
}

int64_t auto_at_most(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* ---- the acts ---- */

static void check_channel(struct service *s, int store)
{
	struct channel c;
	struct err e = { "" };

	s->checked_s = clock_wall_ns() / 1000000000;
	if (command_channel(NULL, &s->settings, store, &c, &e) < 0) {
		snprintf(s->answer, sizeof(s->answer), "%s", e.text);
		auto_failed(s, ACT_CHECK, s->autos.interval_ms, &e);
		return;
	}
	snprintf(s->answer, sizeof(s->answer), "it has %s", c.version);
	if (!s->offered || strcmp(c.digest, s->offer.digest) != 0)
		s->failures[ACT_INSTALL] = 0, s->next_ms[ACT_INSTALL] = 0;
	s->offered = true;
	s->offer = c;
	went_well(s, ACT_CHECK, auto_interval_ms(s->autos.interval_ms, auto_random()));
}

/* One of our own verbs, which tells what happens on our standard error. */
static void run_verb(struct service *s, const char *const *argv)
{
	const struct spawn_fd fds[] = { { STDERR_FILENO, STDERR_FILENO } };
	const struct spawn run = { .argv = argv, .fds = fds, .fd_count = ARRAY_LEN(fds) };
	struct child child;
	struct err e = { "" };
	int code = spawn(&run, &child, &e);

	if (code >= 0)
		code = spawn_wait(&child);
	if (code == 0) {
		/* Should it not show in the slots, it is not done again and again. */
		went_well(s, ACT_INSTALL, s->autos.interval_ms);
		return;
	}
	if (!*e.text)
		err_set(&e, -EIO, "%s could not be %s; /run/berth/log/update.log says why", s->offer.version,
			!strcmp(argv[1], "fetch") ? "fetched" : "installed");
	auto_failed(s, ACT_INSTALL, s->autos.interval_ms, &e);
}

static void fetch(struct service *s, int store)
{
	static const char *const argv[] = { PROGRAM, "fetch", NULL };

	(void)store;
	run_verb(s, argv);
}

bool auto_is_fetched(const struct service *s, int store)
{
	automanifest struct manifest m = { 0 };
	struct keyring keys = { 0 };
	autoclose int fd = openat(store, FETCHED_NAME, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && keyring_load(&keys, TRUST_KEYS_PATH, NULL) == 0 &&
	       bundle_read_start(fd, &keys, &m, NULL, NULL) == 0 && !strcmp(m.digest, s->offer.digest);
}

static void install(struct service *s, int store)
{
	const char *const argv[] = { PROGRAM, "install", "--digest", s->offer.digest,
				     auto_is_fetched(s, store) ? FETCHED_PATH : s->offer.bundle, NULL };

	run_verb(s, argv);
	if (s->failures[ACT_INSTALL] == 0)
		memcpy(s->installed, s->offer.digest, sizeof(s->installed));
}

/* In the order that fleetlock.h explains. */
static void take_lock(struct service *s, int store)
{
	struct fleetlock lock = s->autos.lock;
	struct err e = { "" };
	int rc;

	memcpy(lock.boot, s->boot_id, sizeof(lock.boot));
	rc = fleetlock_write(store, &lock, &e);
	if (!rc)
		rc = fleetlock_ask(&lock, FLEETLOCK_TAKE, s->lock_id, &s->settings.way, &e);
	if (rc == -EAGAIN)
		fleetlock_remove(store, NULL);
	s->lock_granted = rc == 0;
	if (rc < 0) {
		err_prefix(&e, "the fleet's reboot lock");
		auto_failed(s, ACT_LOCK, auto_at_most(LOCK_RETRY_MS, s->autos.interval_ms), &e);
		return;
	}
	log_info("the fleet's reboot lock is granted by %s", lock.url);
	went_well(s, ACT_LOCK, 0);
}

static void restart(struct service *s, int store)
{
	struct err e = { "" };

	(void)store;
	log_info("rebooting into %s", s->offer.version);
	s->reboot_ms = clock_boot_ms();
	if (command_reboot(&e) < 0)
		auto_failed(s, ACT_REBOOT, REBOOT_LIMIT_MS, &e);
}

bool auto_old_lock(const struct service *s, int store, struct fleetlock *out, bool *there)
{
	*there = fleetlock_read(store, out, NULL) == 0;
	if (!*there)
		*out = s->autos.lock;
	return strcmp(out->url, s->autos.lock.url) != 0 || strcmp(out->group, s->autos.lock.group) != 0;
}

static void release_lock(struct service *s, int store)
{
	struct fleetlock lock;
	bool there, old = auto_old_lock(s, store, &lock, &there);
	struct err e = { "" };
	int rc = fleetlock_ask(&lock, FLEETLOCK_GIVE_BACK, s->lock_id, &s->settings.way, &e);

	/* A server that is configured no more may be gone for good; it must not stop all reboots. */
	if (rc < 0 && old && s->failures[ACT_RELEASE] + 1 >= OLD_LOCK_TRIES) {
		log_warn("the reboot lock of %s is forgotten: %s", lock.url, e.text);
		rc = 0;
	}
	if (!rc)
		rc = fleetlock_remove(store, &e);
	if (rc < 0) {
		err_prefix(&e, "give the fleet's reboot lock back");
		auto_failed(s, ACT_RELEASE, auto_at_most(LOCK_RETRY_MS, s->autos.interval_ms), &e);
		return;
	}
	if (there)
		log_info("the fleet's reboot lock is given back to %s", lock.url);
	s->lock_granted = s->lock_useless = false;
	s->lock_greeted |= !old;
	went_well(s, ACT_RELEASE, 0);
}

static const struct {
	const char *name, *text;
	void (*run)(struct service *s, int store);
} acts[ACT_COUNT] = {
	[ACT_CHECK] = { "checking", "asks the channel", check_channel },
	[ACT_FETCH] = { "fetching", "is being fetched", fetch },
	[ACT_INSTALL] = { "installing", "is being installed", install },
	[ACT_LOCK] = { "locking", "asks for the fleet's reboot lock", take_lock },
	[ACT_REBOOT] = { "rebooting", "reboots", restart },
	[ACT_RELEASE] = { "releasing", "gives the fleet's reboot lock back", release_lock },
};

const char *auto_act_name(enum auto_act act)
{
	return acts[act].name;
}

const char *auto_act_text(enum auto_act act)
{
	return acts[act].text;
}

void auto_do(struct service *s, enum auto_act act, int store)
{
	acts[act].run(s, store);
}
