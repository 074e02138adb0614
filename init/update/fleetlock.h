/* A reboot lock for a whole fleet, in FleetLock's protocol: a server lets as many machines reboot
 * at once as it likes. Taken before a reboot, given back when the machine is itself again.
 *
 *   POST URL/v1/pre-reboot, URL/v1/steady-state    with the header fleet-lock-protocol: true
 *   {"client_params": {"id": "...", "group": "..."}}
 *   2xx: done; else {"kind": "...", "value": "..."} says why not
 *
 * That it may be ours is written down on the data partition, in an order that loses no lock:
 *
 *   the file is written, flushed       cut here: given back though not taken, which is no error
 *   the server is asked to lock        cut here: it may be taken, and the file says so
 *   refused: the file is removed       granted: reboot
 *   the gate decides
 *   the server is asked to unlock      cut here: asked once more
 *   the file is removed
 *
 * Source: coreos.github.io/zincati/development/fleetlock/protocol. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "download/fetch.h"

#define FLEETLOCK_FILE "reboot-lock.json"

enum { FLEETLOCK_GROUP_MAX = 128, FLEETLOCK_ID_MAX = 33, BOOT_ID_MAX = 40 };

struct fleetlock {
	char url[URL_BYTES_MAX]; /* empty: none */
	char group[FLEETLOCK_GROUP_MAX];
	char boot[BOOT_ID_MAX];  /* in the file: when it was asked for */
};

enum fleetlock_step { FLEETLOCK_TAKE, FLEETLOCK_GIVE_BACK };

/* This machine's name for the server: made of the machine id, which it does not give away. */
void fleetlock_id(const char *machine_id, char out[FLEETLOCK_ID_MAX]);

/* 0, -EAGAIN: refused, with the server's reason; -EIO: no answer. */
int fleetlock_ask(const struct fleetlock *l, enum fleetlock_step step, const char *id,
		  const struct fetch_way *way, struct err *e);

/* ---- its parts ---- */
int fleetlock_address(const struct fleetlock *l, enum fleetlock_step step, char out[URL_BYTES_MAX],
		      struct err *e);
void fleetlock_body(const struct fleetlock *l, const char *id, struct buf *out);
int fleetlock_judge(int status, const char *body, size_t len, struct err *e);

/* ---- the file, in the store ---- */

/* -ENOENT: there is none. */
int fleetlock_read(int store, struct fleetlock *out, struct err *e);
int fleetlock_write(int store, const struct fleetlock *l, struct err *e);
int fleetlock_remove(int store, struct err *e);
