/* A layer on its way from the jailed process that reads its tar to the one that may write files:
 * records over a pipe. The reader checks everything anew, because the jailed process may have been
 * taken over by what it read. Both ends are one program: numbers are as they lie in memory. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "unpack/entry.h"
#include "unpack/layer.h"

struct wire;

enum wire_kind {
	WIRE_ENTRY,  /* an entry; a file's data follows as WIRE_DATA up to its size */
	WIRE_DATA,
	WIRE_END,    /* of the layer: what it was */
	WIRE_FAULT,  /* a sentence; nothing follows */
};

/* `fd` stays the caller's. NULL: out of memory. */
struct wire *wire_new(int fd);
void wire_free(struct wire *w); /* NULL is fine */

/* ---- the writing end: 0 or -errno ---- */
struct sink wire_sink(struct wire *w);
int wire_put_entry(struct wire *w, const struct entry *entry, struct err *e);
int wire_put_end(struct wire *w, const struct layer_result *result, struct err *e);
int wire_put_fault(struct wire *w, const struct err *fault);

/* ---- the reading end ---- */
struct wire_record {
	enum wire_kind kind;
	struct entry entry;          /* WIRE_ENTRY */
	const void *data;            /* WIRE_DATA: valid until the next call */
	size_t len;
	struct layer_result result;  /* WIRE_END */
	struct err fault;            /* WIRE_FAULT */
};

/* The next record, checked: kinds, lengths, paths (tree_clean), xattr names. -EPIPE: the other end
 * is gone. 0 or -errno. */
int wire_get(struct wire *w, struct wire_record *out, struct err *e);
