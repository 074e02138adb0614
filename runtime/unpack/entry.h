/* One entry of a layer, checked: what may go into a layer directory and what a sink is given. */
#pragma once

#include <archive_entry.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "unpack/tree.h"

enum {
	XATTRS_MAX = 64,
	XATTR_VALUE_MAX = 65536, /* the kernel's XATTR_SIZE_MAX */
};

enum entry_kind {
	ENTRY_DIR,
	ENTRY_FILE,
	ENTRY_SYMLINK,
	ENTRY_HARDLINK,  /* `target`: clean path of the other name, earlier in the same layer */
	ENTRY_CHAR,
	ENTRY_BLOCK,
	ENTRY_FIFO,
	ENTRY_WHITEOUT,  /* `path` is the hidden name */
	ENTRY_OPAQUE,    /* `path` is the directory */
	ENTRY_IGNORED,   /* AUFS's own bookkeeping */
};

struct xattr {
	char name[256];
	const void *value;
	size_t len;
};

struct entry {
	enum entry_kind kind;
	char path[TREE_PATH_MAX];     /* clean; "" is the layer's root */
	char target[TREE_PATH_MAX];
	uint32_t mode, uid, gid;      /* mode: permission bits only */
	int64_t mtime;
	uint32_t mtime_nsec;
	uint64_t size_bytes;
	uint32_t major, minor;
	struct xattr xattrs[XATTRS_MAX];
	size_t xattr_count;
	unsigned char capability[20]; /* an xattr's value that had to be rewritten */
};

/* Reads and checks one header. Refused with a sentence (without the entry's name): what could
 * reach outside the layer or is no file. Dropped: xattrs that are the host's business. Values of
 * xattrs point into `from`. `layer`: names that begin with ".wh." are whiteouts. 0 or -errno. */
int entry_read(struct entry *out, struct archive_entry *from, bool layer, struct err *e);

/* Sets an xattr; -E2BIG when there is no room. `value` stays the caller's. */
int entry_add_xattr(struct entry *entry, const char *name, const void *value, size_t len);

/* The same for one that is kept; any other is dropped. */
int entry_add_known_xattr(struct entry *entry, const char *name, const void *value, size_t len);
