/* The word that a version leaves when it failed where it could write nothing on the data partition:
 * the record of that boot (boots.h), in a block of the state partition that no file has. The other
 * slot's gate takes it over into the history of boots, and clears it.
 *
 *   0x80000    "berth-note-1\0\0\0\0", size of the text (4 bytes, little endian),
 *              SHA-256 of the text, the text, zeros up to one block
 *
 * It cannot harm what decides a boot: it lies half a partition away from the copies of the boot
 * state, and the file system that GRUB reads (made with the image, never allocating) ends its
 * files long before. Nothing that boots a machine reads it. The order of writes:
 *
 *   the note, flushed           cut here: tried again; whoever runs next finds the note
 *   boot state: given up        one sector, elsewhere
 *   reboot, in the other slot: record, refusal (data partition)
 *   zeros over the note         cut before: the record is there already and is known by its time
 *
 * A half written note has the wrong sum, and is none. */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	FAILNOTE_OFFSET = 0x80000, /* a multiple of FAILNOTE_BYTES */
	FAILNOTE_BYTES = 4096,
	FAILNOTE_TEXT_MAX = FAILNOTE_BYTES - 16 - 4 - 32,
};

/* `fd` is of device_open, on the state partition. -E2BIG: the text is longer. */
int failnote_write(int fd, const char *text, size_t len, struct err *e);

/* -ENOENT: there is none, or half of one. */
int failnote_read(int fd, struct buf *out, struct err *e);

/* Zeros over it; nothing is written where there is none. */
int failnote_clear(int fd, struct err *e);
