/* From a source's text to the normalised configuration (README.md, "config.json", without
 * version, source and faults, which are added when it is written). */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "bootcfg/fault.h"
#include "bootcfg/schema.h"

enum { CONFIG_TEXT_MAX = 1024 * 1024 };

struct config_text {
	const struct type *schema; /* NULL: schema_root */
	const char *file; /* the name in faults: "user-data" */
	const char *text; /* NUL-terminated */
	size_t len;
};

/* Parses in a jailed child. What is understood goes to `out`, what is not to `faults`.
 * 0: there is a configuration, perhaps without the parts that have faults.
 * -EBADMSG: the text is no configuration at all, `faults` says why; its SSH keys, as far as they
 * can still be told, are the only thing in `out` (see salvage.h). `*out` is the caller's. */
int config_parse(const struct config_text *in, yyjson_mut_doc **out, struct faults *faults);

/* The same in this process, without a jail: for the jailed child itself and for fuzzing. Appends
 * the answer as JSON {"usable":bool,"config":{..},"faults":[..]}. */
int config_read(const struct config_text *in, struct buf *out, struct err *e);
