/* What a block device holds, as far as the decision whether it may be formatted needs it. */
#pragma once

#include <stdint.h>

#include "base/err.h"

enum content {
	CONTENT_EXT4,    /* an ext superblock with a good checksum-independent magic and state */
	CONTENT_BLANK,   /* the first MiB is all zeros */
	CONTENT_FOREIGN, /* anything else: never touched */
};

/* 0 or -errno. */
int content_of(int device, enum content *out, struct err *e);

enum { CONTENT_EXT_START = 2048 };

/* An ext2 or ext4 file system's size, from its first bytes. -EBADMSG: it is none. */
int content_ext_bytes(const unsigned char start[CONTENT_EXT_START], uint64_t *bytes);
