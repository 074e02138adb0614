/* config.json, read and held. The bundle's is copied into the container's state directory, and the
 * commands that come after "create" read that one: a change of the bundle must not change a
 * container that exists (runtime.md, "Lifecycle"). */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "spec/oci.h"

struct config {
	struct buf text;
	yyjson_doc *doc; /* linux.seccomp is borrowed from it */
	struct oci_spec spec;
};

/* Reads `dir`/config.json. */
int config_read(int dir, struct config *out, struct err *e);

/* config.json may lack a process as long as nobody calls "start" (runtime.md, "Start"): one without
 * a program stands in for it. */
int config_add_process(struct config *c, struct err *e);

/* Writes its text to `dir`/config.json. */
int config_save(const struct config *c, int dir, struct err *e);

void config_free(struct config *c);

#define autoconfig __attribute__((cleanup(config_free)))
