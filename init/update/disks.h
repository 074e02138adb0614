/* Disks besides Berth's own, as the boot configuration wants them: partition tables, file systems,
 * mounts, swap. What holds data is never touched unless "overwrite" is said, and then once for each
 * instance. Each function does the whole list, says on stderr what it did and what it could not do,
 * and returns the number of failures. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "base/buf.h"
#include "base/err.h"

int disks_partition(yyjson_val *config); /* disk_setup */
int disks_format(yyjson_val *config);    /* fs_setup */
int disks_mount(yyjson_val *config);     /* mounts */
int disks_swap(yyjson_val *config);      /* swap, berth.zram */

/* ---- parts ---- */

/* "data.1" with the alias data: /dev/vdb is /dev/vdb1 (or /dev/nvme0n1p1). Pure. */
void disks_name(yyjson_val *config, const char *name, struct buf *out);
void disks_partition_name(const char *disk, unsigned number, struct buf *out);

/* Opens for reading and writing; never Berth's own disk, nor what is mounted. fd or -errno. */
int disks_open(const char *path, struct err *e);

/* Nothing but zeros in its first megabyte. */
bool disks_is_blank(int fd);

/* Whether it holds `type`, "ext4" or "swap". */
bool disks_has_magic(int fd, const char *type);

/* Whether overwriting `what` was not done yet for this instance; from now on it was. False too
 * when it could not be remembered. */
bool disks_may_overwrite(yyjson_val *config, const char *what);

/* The six fields of fstab(5), those left out taken from `defaults` (an array or NULL). */
enum {
	FSTAB_SPEC, FSTAB_FILE, FSTAB_TYPE, FSTAB_OPTIONS, FSTAB_FREQUENCY, FSTAB_PASS,
	FSTAB_FIELDS
};
void disks_fields(yyjson_val *mount, yyjson_val *defaults, const char *out[FSTAB_FIELDS]);

/* Size of a swap file for "auto": as the memory, from 128 MiB on; an eighth of the room at most. */
uint64_t disks_swap_size(uint64_t memory, uint64_t room, uint64_t max);

/* Bytes of the swap file that is there; 0: none, or one that was not finished. */
uint64_t disks_swap_there(const char *path);

/* A swap area's first page. 0 or -errno. */
int disks_make_swap(int fd, uint64_t bytes, struct err *e);
