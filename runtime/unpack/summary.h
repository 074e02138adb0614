/* What an image's documents say, read in a jail: this process holds the image store, they come from
 * a registry or an archive. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "unpack/layers.h"

struct summary {
	char config_digest[REF_DIGEST_MAX];
	char media_type[128];        /* of the manifest */
	struct layers_one *layers;   /* digest, diff id and size; blob and dir -1 */
	size_t count;
};

/* `index` (may be NULL) is the list that the manifest must be in. The config's digest and
 * the layers' kinds are checked. 0 or -errno. */
struct summary_input {
	const char *manifest, *config, *index;
	size_t manifest_len, config_len, index_len;
	const char *manifest_digest;
};
int summary_read(const struct summary_input *in, struct summary *out, struct err *e);
void summary_free(struct summary *s);
