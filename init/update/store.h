/* What this machine remembers of updates, on the data partition: which version lies in which slot
 * and how that went, and which versions are refused. All of it may be missing (a data partition
 * that cannot be mounted), so nothing that a boot depends on is here: that is the boot state.
 *
 *   /var/lib/berth/update/slot-a.json  slot-b.json   struct slot_record
 *   /var/lib/berth/update/refused.json               the last REFUSED_MAX refusals
 *   /var/lib/berth/update/good.json                  the machine, last good configuration */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sha256.h"
#include "update/bootstate.h"
#include "update/manifest.h"

#define STORE_PATH "/var/lib/berth/update"

enum { REFUSED_MAX = 16, REASON_MAX = 256, CRITICAL_MAX = 32, NAME_MAX_BYTES = 128 };

enum result {
	RESULT_INSTALLED, /* to be tried at the next boots */
	RESULT_CONFIRMED,
	RESULT_FAILED,
	RESULT_COUNT
};

const char *result_name(enum result r);

/* How the machine was when the update was installed: the gate asks for no more than that. */
struct before {
	bool known;          /* false: nothing was written down */
	bool data;           /* /var was on the data partition */
	unsigned links;      /* network links that had an address, loopback aside */
	bool route;          /* a default route */
	bool router4, router6; /* a default route's router answered */
	unsigned healthy_count;
	char healthy[CRITICAL_MAX][NAME_MAX_BYTES]; /* containers that were healthy */
};

struct slot_record {
	char digest[SHA256_HEX_MAX]; /* of the manifest; empty: it came with the disk */
	char version[MANIFEST_TEXT_MAX];
	char reason[REASON_MAX];     /* for RESULT_FAILED */
	char config[SHA256_HEX_MAX]; /* digest of the configuration in force when it was installed, then
				      * of the last one that it is good with */
	int64_t time_ns;             /* of the installation, Unix time; 0: it came with the disk */
	enum result result;
	struct before before;
};

/* A store is a directory's fd; store_open makes it. Returns an fd or -errno. */
int store_open(const char *path, struct err *e);

/* -ENOENT: nothing is known of the slot. */
int store_read_slot(int store, enum slot s, struct slot_record *out, struct err *e);
int store_write_slot(int store, enum slot s, const struct slot_record *r, struct err *e);

/* How the machine was when a configuration passed its gate: what the next one may not cost. */
void store_read_good(int store, struct before *out);
int store_write_good(int store, const struct before *b, struct err *e);

struct refusal {
	char digest[SHA256_HEX_MAX];
	char version[MANIFEST_TEXT_MAX];
	char reason[REASON_MAX];
};

struct refusals {
	unsigned count;
	struct refusal rows[REFUSED_MAX]; /* oldest first */
};

/* A list that is missing or damaged is empty. */
void store_read_refusals(int store, struct refusals *out);
const struct refusal *refusals_find(const struct refusals *r, const char *digest);

/* Adds the version; the oldest goes when the list is full. */
int store_refuse(int store, const struct refusal *r, struct err *e);

/* Those whose digest or version begins with `what` (NULL: all). Returns how many, or -errno. */
int store_forget(int store, const char *what, struct err *e);

/* The slot's version failed: written down, and refused from now on if it came as a bundle. */
int store_fail_slot(int store, enum slot s, const char *reason, struct err *e);
