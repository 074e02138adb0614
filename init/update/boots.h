/* The history of boots, on the data partition: one record each, and for a boot of a slot that was
 * not confirmed its kernel and service logs, so that they can be read after the roll-back.
 *
 *   /var/lib/berth/boots/00000012.json      struct boot_record
 *   /var/lib/berth/boots/00000012.logs/     kernel.log, engine.log ...
 *
 * The last BOOTS_KEPT are kept. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sha256.h"
#include "update/gate.h"
#include "update/manifest.h"

#define BOOTS_PATH "/var/lib/berth/boots"

enum { BOOTS_KEPT = 16 };

struct boot_record {
	unsigned number;
	char slot;                       /* 'a', 'b' */
	char why[24];                    /* the loader's reason (image-build/disk/README.md) */
	char version[MANIFEST_TEXT_MAX];
	char outcome[24];                /* "running", "confirmed", "failed", "degraded", "rebooted" */
	char reason[REASON_MAX];         /* of a failure */
	int64_t time_ns;                 /* when it was begun, Unix time */
	char config[SHA256_HEX_MAX];     /* digest of the configuration in force */
	bool on_trial;
	bool looked;                     /* `look` was filled */
	struct gate_look look;
};

/* Gives the record the next number, writes it, and drops the oldest. `boots` is the directory. */
int boots_begin(int boots, struct boot_record *r, struct err *e);

/* `timings`: PID 1's status, one JSON object, or NULL. */
int boots_write(int boots, const struct boot_record *r, const char *timings, struct err *e);

/* The record as it is written, a JSON object and a newline. */
void boots_json(const struct boot_record *r, const char *timings, struct buf *out);

/* The record of another boot, as boots_json made it there, gets the next number here. One of the
 * same time is the same boot: then nothing is done. -EBADMSG: it is none. */
int boots_adopt(int boots, const char *json, size_t len, struct err *e);

/* Copies the kernel's log and those of the services as they are now. */
int boots_save_logs(int boots, const struct boot_record *r, struct err *e);

/* Calls `fn` with each record's text, the newest first, at most `max`. */
typedef void boots_fn(void *arg, unsigned number, const char *json, size_t len);
int boots_each(int boots, unsigned max, boots_fn *fn, void *arg, struct err *e);
