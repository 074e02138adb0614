/* Where the configuration comes from: the first source that has one, in the order of the table
 * in source.c. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "bootcfg/fault.h"

struct source {
	const char *kind;       /* "cmdline", "nocloud", "installed", "default", "none" */
	char where[96];         /* "/dev/vdb": for people */
	const char *file;       /* the name in faults: "user-data" */
	struct buf user_data;
	struct buf meta_data;   /* empty if there is none */
};

void source_free(struct source *s);

/* Fills `out`; what a source had but could not give is told in `faults`. Always succeeds: with
 * nothing anywhere, the kind is "none" and the text empty. */
void source_find(struct source *out, struct faults *faults);

/* The image's default, for when the one that was found is of no use. 0 or -errno. */
int source_default(struct source *out, struct err *e);

/* ---- the sources, one file each ----
 * 1: it has a configuration; 0: it has none; -errno with `e`: it should have and is broken. */
int source_cmdline(struct source *out, struct err *e);
int source_nocloud(struct source *out, struct err *e);

/* The text of berth.config= in a kernel command line. As above. */
int cmdline_config(const char *cmdline, struct buf *out, struct err *e);
