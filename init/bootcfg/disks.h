/* Disks and partitions with a file system that may hold a configuration: found by their label,
 * which a jailed child reads, and mounted read-only in a mount namespace that ends with this
 * program. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct disk {
	char device[64]; /* "/dev/vdb" */
	char type[16];   /* "vfat", "iso9660" */
};

/* The first disk by name whose label is this one (any case; one that ends in "*": begins so). The
 * disks are looked at once; on a machine with USB, until a label that is asked for is there, or 3 s
 * after the kernel started. 1, 0, or -errno. */
int disk_by_label(const char *label, struct disk *out, struct err *e);

/* The EFI system partition of the disk that the root is on. As above. */
int disk_esp(struct disk *out, struct err *e);

/* An fd of its root directory, or -errno. */
int disk_mount(const struct disk *d, struct err *e);
void disk_unmount(void);

/* Appends a regular file's bytes: a disk made by anybody may hold other things under the name.
 * -ENOENT if there is none. */
int disk_read(int root, const char *path, size_t max, struct buf *out, struct err *e);
