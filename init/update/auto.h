/* Automatic updates: what is to be done next, as a function of how everything is. Pure; the service
 * around it is command_auto.c.
 *
 *   the channel is asked -> a new version -> its turn in the roll-out -> fetched, installed
 *     -> a window is open -> the fleet's lock is taken -> reboot
 *     -> trial, by the gate -> confirmed, or the version before -> the lock is given back */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum auto_level { AUTO_OFF, AUTO_CHECK, AUTO_FETCH, AUTO_INSTALL, AUTO_REBOOT, AUTO_LEVEL_COUNT };

/* What the channel names, seen from here. */
enum auto_offer {
	OFFER_NONE,      /* it has not answered since this boot */
	OFFER_RUNNING,   /* it is what runs */
	OFFER_REFUSED,   /* it failed here, or a person went back from it */
	OFFER_NEW,
	OFFER_FETCHED,   /* new, and its bundle lies here */
	OFFER_INSTALLED, /* in the other slot, which boots next */
};

/* Whether the fleet's lock may be ours (lockfile.h). */
enum auto_lock {
	LOCK_NONE,
	LOCK_ASKED, /* in this boot, without an answer that is known */
	LOCK_HELD,  /* granted in this boot */
	LOCK_STALE, /* from a boot before, or of another server or group than is configured now */
};

struct auto_view {
	enum auto_level level;
	enum auto_offer offer;
	enum auto_lock lock;
	int64_t now_ms;       /* since boot: for what is repeated */
	int64_t now_s;        /* Unix time: for turns and windows ... */
	bool clock_set;       /* ... which count for nothing before this */
	bool on_trial;        /* the gate has not decided about the running version yet */
	bool unsettled;       /* the gate has not seen yet that the other slot failed */
	int64_t turn_s;       /* 0: at once */
	bool has_windows, window_open, lock_wanted;
	int64_t window_s;     /* when window_open changes */
	bool rebooting;       /* asked for a moment ago */
	/* Not before, since boot: */
	int64_t check_ms, try_ms, lock_ms, release_ms;
};

enum auto_act {
	ACT_WAIT, ACT_CHECK, ACT_FETCH, ACT_INSTALL, ACT_LOCK, ACT_REBOOT, ACT_RELEASE, ACT_END
};

enum auto_why {
	WHY_OFF, WHY_TRIAL, WHY_SETTLE, WHY_UNKNOWN, WHY_NEWEST, WHY_REFUSED, WHY_AVAILABLE,
	WHY_FETCHED, WHY_INSTALLED, WHY_CLOCK, WHY_TURN, WHY_RETRY, WHY_WINDOW, WHY_LOCK, WHY_RELEASE,
	WHY_REBOOT, WHY_COUNT
};

struct auto_plan {
	enum auto_act act;
	enum auto_why why;  /* ... it waits, or does that */
	int64_t until_s;    /* Unix time at which it ends, 0: not known */
	int64_t wake_ms;    /* since boot: look again then at the latest */
};

struct auto_plan auto_decide(const struct auto_view *v);

/* A sentence without its end, such as "waits for a window"; the name for programs, "window". */
const char *auto_why_text(enum auto_why why);
const char *auto_why_name(enum auto_why why);
const char *auto_level_name(enum auto_level level);

/* ---- when things are repeated ---- */

/* The interval, give or take a tenth. `random` is any number. */
int64_t auto_interval_ms(int64_t interval_ms, uint32_t random);

/* After `failures` in a row: half a minute, doubling up to the interval; of that three quarters to
 * all. */
int64_t auto_backoff_ms(unsigned failures, int64_t interval_ms, uint32_t random);
