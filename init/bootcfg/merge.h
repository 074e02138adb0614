/* Putting one configuration together from the source's, the metadata and the defaults. */
#pragma once

#include <yyjson.h>

#include "bootcfg/fault.h"
#include "bootcfg/source.h"

yyjson_mut_doc *merge_empty(void);

/* Puts `from` over `into`: objects are merged key by key; lists and all else are replaced, but a
 * list at the top whose items have names is merged by them, and SSH keys are added. */
void merge_over(yyjson_mut_doc *into, yyjson_mut_doc *from);

/* Adds the keys of `from` that `into` does not have yet. */
void merge_ssh_keys(yyjson_mut_doc *into, yyjson_mut_doc *from);

/* The metadata's host name, unless there is one; its keys; its instance id. */
void merge_metadata(yyjson_mut_doc *into, yyjson_mut_doc *meta);

/* Everything that a reader of config.json may rely on is there afterwards. */
void merge_defaults(yyjson_mut_doc *config);

/* config.json: with version, source and faults. The caller frees it; NULL: out of memory. */
char *merge_result(yyjson_mut_doc *config, const struct source *source, const char *used,
		   const struct faults *faults, size_t *len);
