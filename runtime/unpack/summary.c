#include "unpack/summary.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/jail.h"
#include "base/sha256.h"

enum { TIMEOUT_MS = 30000, LINE_BYTES = 256 };

void summary_free(struct summary *s)
{
	free(s->layers);
	*s = (struct summary){ 0 };
}

/* ---- in the jail ---- */

static int check_index(const struct summary_input *in, struct err *e)
{
	struct index index = { 0 };
	bool found = false;
	int rc;

	if (!in->index)
		return 0;
	rc = index_parse(&index, in->index, in->index_len, e);
	if (rc < 0) {
		err_prefix(e, "image index");
		return rc;
	}
	for (size_t i = 0; i < index.count; i++)
		found |= !strcmp(index.entries[i].digest, in->manifest_digest);
	index_free(&index);
	return found ? 0 : err_set(e, -EBADMSG, "the image index does not list manifest %s",
				   in->manifest_digest);
}

static int check_config(const struct summary_input *in, const struct manifest *m, struct err *e)
{
	char sum[SHA256_HEX_MAX];

	if (m->config.kind != MEDIA_CONFIG)
		return err_set(e, -EINVAL, "its config is of type \"%s\": expected a container image's",
			       m->config.media_type);
	sha256_hex(in->config, in->config_len, sum);
	if (strcmp(sum, digest_hex(m->config.digest)) != 0)
		return err_set(e, -EBADMSG, "config %s: its content has the digest sha256:%s",
			       m->config.digest, sum);
	return 0;
}

static int write_layers(const struct manifest *m, const struct diff_ids *ids, struct buf *out,
			struct err *e)
{
	if (ids->count != m->layer_count)
		return err_set(e, -EINVAL, "lists %zu layers, its config %zu", m->layer_count,
			       ids->count);
	buf_addf(out, "%s %s\n", m->config.digest,
		 *m->media_type ? m->media_type : "application/vnd.oci.image.manifest.v1+json");
	for (size_t i = 0; i < m->layer_count; i++) {
		const struct descriptor *d = &m->layers[i];

		if (d->kind != MEDIA_LAYER)
			return err_set(e, -EINVAL, "layer %s: its type is \"%s\": %s", d->digest,
				       d->media_type, d->kind == MEDIA_LAYER_FOREIGN ?
				       "foreign layers, which are not in the registry, are not "
				       "supported" : "expected a tar layer, plain, gzip or zstd");
		buf_addf(out, "%s %s %" PRIu64 "\n", d->digest, ids->ids[i], d->size_bytes);
	}
	return 0;
}

static int read_documents(void *arg, struct buf *out, struct err *e)
{
	const struct summary_input *in = arg;
	struct manifest m = { 0 };
	struct diff_ids ids = { 0 };
	int rc = check_index(in, e);

	if (!rc)
		rc = manifest_parse(&m, in->manifest, in->manifest_len, e);
	if (!rc)
		rc = check_config(in, &m, e);
	if (!rc) {
		rc = diff_ids_parse(&ids, in->config, in->config_len, e);
		if (rc < 0)
			err_prefix(e, "config %s", m.config.digest);
	}
	if (!rc)
		rc = write_layers(&m, &ids, out, e);
	if (rc < 0)
		err_prefix(e, "manifest %s", in->manifest_digest);
	manifest_free(&m);
	diff_ids_free(&ids);
	return rc;
}

/* ---- out of it ---- */

static int read_line(struct summary *s, const char *line)
{
	struct layers_one *one;

	if (!*s->config_digest)
		return sscanf(line, "%71s %127s", s->config_digest, s->media_type) == 2 &&
			       digest_valid(s->config_digest) ? 0 : -EBADMSG;
	one = reallocarray(s->layers, s->count + 1, sizeof(*one));
	if (!one)
		return -ENOMEM;
	s->layers = one;
	one += s->count;
	*one = (struct layers_one){ .blob = -1, .dir = -1 };
	if (sscanf(line, "%71s %71s %" SCNu64, one->digest, one->diff_id, &one->blob_bytes) != 3 ||
	    !digest_valid(one->digest) || !digest_valid(one->diff_id))
		return -EBADMSG;
	s->count++;
	return 0;
}

int summary_read(const struct summary_input *in, struct summary *out, struct err *e)
{
	struct jail_task task = {
		.jail = JAIL_PARSE,
		.fn = read_documents,
		.arg = (void *)(uintptr_t)in,
		.max_bytes = (MANIFEST_LAYERS_MAX + 1) * LINE_BYTES,
		.timeout_ms = TIMEOUT_MS,
	};
	autobuf struct buf said = { 0 };
	struct summary s = { 0 };
	char *rest = NULL;
	int rc = jail_run(&task, &said, e);

	for (char *line = rc || !said.data ? NULL : strtok_r(said.data, "\n", &rest); !rc && line;
	     line = strtok_r(NULL, "\n", &rest)) {
		rc = read_line(&s, line);
		if (rc < 0)
			err_set(e, rc, "the image's documents could not be read");
	}
	if (!rc && !*s.config_digest)
		rc = err_set(e, -EBADMSG, "the image's documents could not be read");
	if (rc < 0) {
		summary_free(&s);
		return rc;
	}
	*out = s;
	return 0;
}
