/* The disk that this system booted from, and partitions on that very disk: never one that some
 * label names, since two disks with the same image must not be confused. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

enum { BOOTDISK_NAME_MAX = 64 }; /* the kernel's own limit is 32 (DISK_NAME_LEN) */

struct bootdisk {
	char disk[BOOTDISK_NAME_MAX]; /* kernel name: "vda", "nvme0n1" */
};

/* Follows the root's dm device (dm-0) to the partition under it and to that one's disk, in
 * sysfs. Booted without a disk of ours (direct boot): -ENODEV. */
int bootdisk_find(struct bootdisk *out, struct err *e);

/* The system came over the network: its disk is in memory (init/netboot). */
bool bootdisk_in_memory(const struct bootdisk *d);

/* Kernel name of the partition under the root's dm device. -ENODEV as above. */
int bootdisk_root_partition(char out[BOOTDISK_NAME_MAX], struct err *e);

/* Kernel name of partition `number` (from 1): "vda8", "nvme0n1p8". */
void bootdisk_partition(const struct bootdisk *d, int number, char out[BOOTDISK_NAME_MAX]);

/* Whether a block device is that disk or a partition of it. 1, 0 or -errno. */
int bootdisk_holds(const struct bootdisk *d, dev_t device, struct err *e);

/* The same of its link in /sys/dev/block; pure. */
bool bootdisk_holds_link(const struct bootdisk *d, const char *link);
