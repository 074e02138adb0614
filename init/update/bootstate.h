/* The boot state: which slot to boot, which is confirmed, how many tries are left. The loader
 * (image-build/disk/grub.cfg) reads it at each boot and counts the tries down; Linux changes it for
 * updates. The format is in image-build/disk/README.md: two copies, each one GRUB environment block
 * in one sector of the partition `state`; the older is overwritten, the newer valid one counts.
 *
 * Why no cut breaks it: a write touches the sector of the older copy only. Before it is whole the
 * newer copy counts, afterwards the written one does. A half written sector has the new `seq` in
 * front and the old `end` behind, or no signature, so it does not count. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum slot { SLOT_A, SLOT_B, SLOT_COUNT };

enum {
	BOOTSTATE_TRIES = 3,
	BOOTSTATE_BYTES = 512, /* one copy */
	BOOTSTATE_COPIES = 2,
};

/* Where the copies lie in the partition; make-disk checks that its file system puts them there.
 * Not in the same 4 KiB: a disk with such sectors must not write both at once. */
#define BOOTSTATE_OFFSETS { 0xa000, 0xb000 }

struct bootstate {
	enum slot prefer;
	struct {
		bool good;      /* confirmed: boots cost nothing */
		unsigned tries; /* else: boots left, 0 to BOOTSTATE_TRIES */
	} slot[SLOT_COUNT];
};

char slot_letter(enum slot s);             /* 'a', 'b' */
enum slot slot_other(enum slot s);

/* ---- the format ---- */

/* seq counts 0 1 2 3 0 ... */
void bootstate_format(const struct bootstate *b, unsigned seq, char out[BOOTSTATE_BYTES]);

/* False: garbage, half written, or values that nobody writes. */
bool bootstate_parse(const char sector[BOOTSTATE_BYTES], struct bootstate *out, unsigned *seq);

/* The index of the copy that counts, or -1. */
int bootstate_newer(const bool valid[BOOTSTATE_COPIES], const unsigned seq[BOOTSTATE_COPIES]);

/* ---- what Linux does to it; pure ---- */

/* Before the slot's content is touched: nobody boots it while it is half written. The other slot
 * must be a confirmed one (-EPERM), and becomes the preferred. */
int bootstate_disarm(struct bootstate *b, enum slot target, struct err *e);

/* The slot is whole and verified: it is tried BOOTSTATE_TRIES times. */
void bootstate_arm(struct bootstate *b, enum slot target);

/* The slot passed its gate, or a person says so. */
void bootstate_confirm(struct bootstate *b, enum slot s);

/* Away from the slot for good. It stays the preferred one, by which the other slot's next boot sees
 * that it failed. -EPERM when the other slot could not be booted either. */
int bootstate_give_up(struct bootstate *b, enum slot s, struct err *e);

/* `running` was booted because the preferred slot was of no use. True when it is the preferred one
 * now and was not before. */
bool bootstate_settle(struct bootstate *b, enum slot running);

/* A clean end of an unconfirmed boot that had cost a try. True when that changed something. */
bool bootstate_give_back(struct bootstate *b, enum slot s);

/* ---- the partition ---- */

/* `fd` is open on it, past the page cache (device_open), so that exactly one sector is written.
 * -EBADMSG: both copies are damaged. */
int bootstate_read(int fd, struct bootstate *out, struct err *e);

/* Zeros over both copies: a half written sector over one that was half written before could hold
 * the seq of the one and the same end of the other. To be done before both are made anew. */
int bootstate_blank(int fd, struct err *e);

/* Overwrites the older copy, flushes, reads it back. With no valid copy both are made anew. */
int bootstate_write(int fd, const struct bootstate *b, struct err *e);
