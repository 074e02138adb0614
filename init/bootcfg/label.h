/* The label of an ISO 9660 or FAT file system, read from the disk's own bytes with bounded
 * reads: what a seed disk is told by before anything is mounted.
 * Source: ECMA-119 8.4; Microsoft's FAT specification (2000), "Boot Sector and BPB". */
#pragma once

enum { LABEL_MAX = 33 };

/* Returns the file system's name as mount(2) knows it ("iso9660", "vfat") and fills the label
 * without its padding; NULL: neither. Only reads (pread). */
const char *label_read(int fd, char label[LABEL_MAX]);
