/* A disk's GUID partition table (UEFI specification 2.10, section 5.3): read, checked, and
 * rewritten when the disk has grown. Numbers are little endian on the disk and native here;
 * sectors are the disk's logical blocks. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { GPT_ENTRIES_MAX = 128, GPT_NAME_MAX = 36 };

/* Attribute bit 48 (the first that belongs to the partition type's owner): nothing was ever
 * written to this data partition, so it may be formatted. Set by the image build, cleared once
 * the file system is whole. */
#define GPT_ATTR_EMPTY (1ULL << 48)

struct gpt_entry {
	unsigned char type[16], unique[16];
	uint64_t first, last; /* sectors, both included; first 0: unused entry */
	uint64_t attributes;
	char name[GPT_NAME_MAX + 1]; /* ASCII part of the UTF-16 name, for finding and messages */
	uint16_t raw_name[GPT_NAME_MAX];
};

struct gpt {
	uint32_t sector_bytes;
	uint64_t disk_sectors;
	uint64_t first_usable, last_usable;
	uint64_t backup;              /* sector of the other header, as the table says */
	unsigned char guid[16];
	uint32_t entry_count;
	struct gpt_entry entries[GPT_ENTRIES_MAX];
};

/* Reads the primary table, or the backup at the disk's end when the primary is damaged. */
int gpt_read(int disk, struct gpt *out, struct err *e);

/* Index of the entry with this name, or -ENOENT. */
int gpt_find(const struct gpt *t, const char *name);

/* Moves the table's end to the disk's end and extends entry `index`, which must be the last on
 * the disk, down to a whole MiB. True when something changed. Memory only. */
bool gpt_grow(struct gpt *t, int index);

/* Writes both copies. Order: backup (at the disk's new end), flush, primary, flush. A power cut
 * leaves the old primary with what it described, or a torn primary and a whole new backup, which
 * gpt_read and the kernel (command line `gpt`) take. */
int gpt_write(int disk, const struct gpt *t, struct err *e);
