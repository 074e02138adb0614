#include "unpack/push.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "unpack/blobs.h"
#include "unpack/fetcher.h"
#include "unpack/report.h"
#include "unpack/summary.h"

struct pushing {
	const struct push *push;
	struct blobs blobs;
	struct ref ref;
	struct fetcher fetch;
	struct buf manifest, config;
	struct summary image;
};

static int read_image(struct pushing *p, const char *config_digest, struct err *e)
{
	struct summary_input in;
	int rc = blobs_read(&p->blobs, p->push->digest, MANIFEST_MAX_BYTES, &p->manifest, e);

	if (!rc)
		rc = blobs_read(&p->blobs, config_digest, CONFIG_MAX_BYTES, &p->config, e);
	if (rc < 0)
		return rc;
	in = (struct summary_input){
		.manifest = buf_text(&p->manifest), .manifest_len = p->manifest.len,
		.config = buf_text(&p->config), .config_len = p->config.len,
		.manifest_digest = p->push->digest,
	};
	return summary_read(&in, &p->image, e);
}

static struct layers_one *layer_of(struct pushing *p, const char *text)
{
	for (size_t i = 0; i < p->image.count; i++)
		if (!strncmp(p->image.layers[i].digest, text, REF_DIGEST_MAX - 1))
			return &p->image.layers[i];
	return NULL;
}

/* Layers go by their diff ids in docker's progress of a push. True: this blob is settled. */
static bool tell(struct pushing *p)
{
	static const struct {
		const char *word, *status;
	} ends[] = {
		{ "there", "Layer already exists" }, { "done", "Pushed" }, { "mounted", "Mounted from" },
	};
	const char *rest = fetcher_said(&p->fetch, "at");
	struct layers_one *one = rest ? layer_of(p, rest) : NULL;

	if (one)
		report_progress(one->diff_id, "Pushing", strtoull(rest + strlen(one->digest), NULL, 10),
				one->blob_bytes);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		char status[REF_NAME_MAX + 32];

		rest = fetcher_said(&p->fetch, ends[i].word);
		if (!rest)
			continue;
		one = layer_of(p, rest);
		snprintf(status, sizeof(status), "%s%s", ends[i].status,
			 one ? rest + strlen(one->digest) : "");
		if (one)
			report_status(one->diff_id, status);
		return true;
	}
	return false;
}

/* One at a time: so neither end can be stuck in what it has to say. */
static int put_blob(struct pushing *p, const char *digest, uint64_t bytes, struct err *e)
{
	autoclose int fd = blobs_open(&p->blobs, digest);
	int rc = talk_send(p->fetch.sock, fd, "put %s %" PRIu64, digest, bytes);

	if (rc < 0)
		return err_code(e, rc, "fetch");
	while ((rc = fetcher_hear(&p->fetch, e)) == 1)
		if (tell(p))
			return 0;
	return rc ? rc : err_set(e, -EIO, "fetch ended early");
}

static int put_blobs(struct pushing *p, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < p->push->source_count; i++)
		talk_send(p->fetch.sock, -1, "from %s", p->push->sources[i]);
	for (size_t i = 0; i < p->image.count; i++)
		report_status(p->image.layers[i].diff_id, "Preparing");
	for (size_t i = 0; !rc && i < p->image.count; i++)
		rc = put_blob(p, p->image.layers[i].digest, p->image.layers[i].blob_bytes, e);
	return rc ? rc : put_blob(p, p->image.config_digest, p->config.len, e);
}

static int put_manifest(struct pushing *p, struct err *e)
{
	autoclose int manifest = talk_document("manifest", p->manifest.data, p->manifest.len);
	int rc = manifest < 0 ? manifest : talk_send(p->fetch.sock, manifest, "manifest %s",
						     p->image.media_type);

	if (rc < 0)
		return err_code(e, rc, "hand on the manifest");
	rc = fetcher_hear(&p->fetch, e);
	return rc < 0 || fetcher_said(&p->fetch, "pushed") ? (rc < 0 ? rc : 0) :
		err_set(e, -EIO, "fetch ended early");
}

static void tell_end(struct pushing *p)
{
	autobuf struct buf aux = { 0 };

	report_text("%s: digest: %s size: %zu", p->ref.tag, p->push->digest, p->manifest.len);
	buf_adds(&aux, "{\"progressDetail\":{},\"aux\":{\"Tag\":");
	buf_add_json_string(&aux, p->ref.tag, strlen(p->ref.tag));
	buf_addf(&aux, ",\"Digest\":\"%s\",\"Size\":%zu}}", p->push->digest, p->manifest.len);
	report_raw(buf_text(&aux));
}

int push_image(const struct push *push, struct err *e)
{
	const char *const argv[] = { push->fetch, "push", "--registries", push->registries, push->ref,
				     NULL };
	struct pushing p = { .push = push, .blobs = { push->dirs, push->dir_count } };
	char name[REF_TEXT_MAX];
	struct ref bare;
	int rc = ref_parse(&p.ref, push->ref, e);

	p.fetch.sock = p.fetch.fd = -1;
	if (!rc)
		rc = read_image(&p, push->config_digest, e);
	if (!rc) {
		bare = p.ref;
		*bare.tag = '\0';
		report_text("The push refers to repository [%s]", ref_familiar(&bare, name));
		rc = fetcher_start(&p.fetch, argv, e);
	}
	if (!rc)
		rc = put_blobs(&p, e);
	if (!rc)
		rc = put_manifest(&p, e);
	if (!rc)
		tell_end(&p);
	fetcher_end(&p.fetch);
	summary_free(&p.image);
	buf_free(&p.manifest);
	buf_free(&p.config);
	return rc;
}
