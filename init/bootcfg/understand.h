/* From a source's texts to one configuration: its parts over each other, the provider's vendor-data
 * beneath them, and what the metadata says where they say nothing. */
#pragma once

#include <yyjson.h>

#include "bootcfg/fault.h"
#include "bootcfg/source.h"

/* One text, whatever it is wrapped in (parts.h): its parts over each other. Returns as
 * understand(). Of -EAGAIN `*out` has what is there without the network. */
int understand_text(const struct buf *raw, const char *file, bool online, yyjson_mut_doc **out,
		    struct faults *faults);

/* `online`: what is included may be asked for. 0; -EBADMSG: it is no configuration, `faults`
 * says why and `*out` has its SSH keys alone; -EAGAIN: something is included and `online` was
 * not given. `*out` is the caller's, whatever is returned. */
int understand(const struct source *s, bool online, yyjson_mut_doc **out, struct faults *faults);
