/* One thing that is brought into the image store: its own directory under tmp/, locked for as long
 * as it is used, and the order in which its parts get their names (image/keep.h). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "unpack/layers.h"

enum { SESSION_STORES_MAX = 4 };

struct session {
	int store;                       /* the store that is written */
	int tmp;                         /* our directory in it */
	char name[64];                   /* "tmp/..." */
	int others[SESSION_STORES_MAX];  /* further stores that are looked at */
	size_t other_count;
};

/* What `dirs` names: the store that is written, then the others. 0 or -errno. */
int session_open(struct session *s, const char *const *dirs, size_t count, struct err *e);
void session_close(struct session *s); /* what was not committed is removed */

/* The unpacked layer in whichever store has it: its fd, or -1. */
int session_find_layer(const struct session *s, const char *diff_id);

/* A new directory and a new file of this session, "layer-N" and "blob-N". An fd or -errno. */
int session_new_layer(struct session *s, size_t n, struct err *e);
int session_new_blob(struct session *s, size_t n, struct err *e);

struct session_document {
	const char *text;
	size_t len;
};

/* All layers that have a blob are there: synced, named, and the two documents with them. */
int session_commit(struct session *s, const struct layers *layers,
		   const struct session_document *config,
		   const struct session_document *manifest, struct err *e);

/* Empties tmp/ of what nobody uses any more. */
void session_clean(int store);

/* The line by which the engine learns what has come: "image DIGEST TYPE BYTES SIZES". */
int session_tell(int fd, const char *manifest_digest, const char *media_type, size_t len,
		 const char *layer_sizes);
