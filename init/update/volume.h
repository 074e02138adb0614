/* The data partition, as a place on the disk that booted. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "update/bootdisk.h"

struct volume {
	char disk[BOOTDISK_NAME_MAX + 8];   /* "/dev/vda"; empty: a device given by name */
	char device[BOOTDISK_NAME_MAX + 8]; /* "/dev/vda8" */
	int index;                          /* of the entry in the table */
	bool empty;                         /* GPT_ATTR_EMPTY is set */
	bool grew;
	uint64_t grew_mib;
};

/* By the disk under the root, or by berth.data=/dev/X on the kernel's command line. 0 or -errno. */
int volume_find(struct volume *v, struct err *e);

/* Takes what room there is behind it: the table, and what the kernel knows of it. 0 or -errno. */
int volume_grow(struct volume *v, struct err *e);

/* Sets or clears the mark in the table that allows a new file system to be made. 0 or -errno. */
int volume_set_empty(const struct volume *v, bool empty, struct err *e);
