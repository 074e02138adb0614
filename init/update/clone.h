/* The running system onto another disk, as a fresh one: the same layout with GUIDs of its own, the
 * running version in slot A, nothing in slot B, a data partition that takes the rest.
 *
 * The order: zeros over both partition tables, flushed; the partitions' contents, flushed, read
 * back and compared; the tables; last the boot sector. After a power cut nothing there boots. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "update/gpt.h"
#include "update/slots.h"

enum { CLONE_DATA_BYTES_MIN = 64 << 20 };

/* The new disk's table. -ENOSPC: too small. `guids`: GPT_ENTRIES_MAX + 1 of 16 random bytes. */
int clone_layout(const struct gpt *source, uint64_t disk_sectors, const unsigned char (*guids)[16],
		 struct gpt *out, struct err *e);

/* LBA 0: the loader's code of `source`, and a protective partition over the whole disk. */
void clone_boot_sector(const unsigned char source[512], uint64_t disk_sectors,
		       unsigned char out[512]);

struct clone {
	int source, target;       /* whole disks, of device_open */
	int table;                /* the target once more, through the page cache */
	const struct gpt *from, *to;
	enum slot running;
	uint64_t boot_bytes, root_bytes; /* of the running slot's images */
};

typedef void clone_progress_fn(void *arg, const char *doing, uint64_t done, uint64_t total);

int clone_write(const struct clone *c, clone_progress_fn *progress, void *arg, struct err *e);
