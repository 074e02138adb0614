/* A user-data as it comes is one configuration, or several in a wrapping: base64, gzip, MIME
 * multi-part, #cloud-config-archive, #include. Unwrapped by a jailed child, as deep as it goes.
 * Source: docs.cloud-init.io "User-data formats". */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "bootcfg/fault.h"

enum {
	PARTS_MAX = 64,         /* configurations in all */
	PARTS_DEPTH_MAX = 6,    /* wrappings in each other */
	PARTS_INCLUDES_MAX = 16 /* addresses in all */
};

struct part {
	char *file;      /* owned; the name in faults: "user-data", or "user-data[2]" of several */
	struct buf text; /* YAML */
	bool typed;      /* its wrapping says that it is cloud-config: it needs no first line */
};

struct parts {
	struct part items[PARTS_MAX];
	size_t count;
	size_t includes;     /* addresses that were met */
	bool needs_network;  /* some were not asked, because `online` was not given */
	bool refused;        /* a part of another kind was left out; `faults` says which */
};

#define autoparts __attribute__((cleanup(parts_free)))
void parts_free(struct parts *p);

/* Adds the parts of `raw`; `online`: addresses are asked. 0, or -errno when nothing can be told of
 * it, with a fault. What could not be used of several is in `faults` alone. */
int parts_read(const struct buf *raw, const char *file, bool online, struct parts *out,
	       struct faults *faults);

/* Base64 and gzip alone are taken off, in a jailed child: 0 or -errno. */
int parts_plain(const struct buf *raw, struct buf *out, struct err *e);

/* In this process, for the jailed child and for fuzzing: sections (section.h) "config", "typed",
 * "include" (lines of addresses) and "error" (a sentence), in their order. */
int parts_split(const struct buf *raw, struct buf *out, struct err *e);

/* ---- inside of parts*.c, in the jail ---- */

/* Takes off base64 and gzip; `out` is the text itself if there is neither. -EBADMSG, -EFBIG. */
int parts_decode(const char *data, size_t len, struct buf *out, struct err *e);

/* gzip alone. -EBADMSG, -EFBIG: larger than CONFIG_TEXT_MAX. */
int parts_gunzip(const char *data, size_t len, struct buf *out, struct err *e);

/* What a text is, by the type that its wrapping gives it ("" or "text/plain": by its beginning). */
int parts_add(const char *type, const struct buf *text, unsigned depth, struct buf *out,
	      struct err *e);

/* A MIME message whose headers are in it. */
int mime_split(const struct buf *text, unsigned depth, struct buf *out, struct err *e);
bool mime_is(const struct buf *text);
