/* pull: a reference to a manifest, its config, and then its layers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sha256.h"
#include "fetch/program/fetch.h"
#include "image/manifest.h"
#include "image/talk.h"

static const char *const accept_manifests[] = {
	"Accept: application/vnd.docker.distribution.manifest.v2+json, "
	"application/vnd.docker.distribution.manifest.list.v2+json, "
	"application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json",
	NULL,
};

static int send_document(struct fetch *f, const char *what, const char *type, const struct buf *b,
			 struct err *e)
{
	autoclose int fd = talk_document(what, buf_text(b), b->len);
	int rc = fd < 0 ? fd : talk_send(f->sock, fd, "%s %s", what, type);

	return rc < 0 ? err_code(e, rc, "hand on the %s", what) : 0;
}

/* docker's sentences, which people and programs look for. */
static int refused(struct fetch *f, const char *what, const struct web_answer *answer,
		   const struct buf *body, struct err *e)
{
	autobuf struct buf why = { 0 };
	char name[REF_TEXT_MAX];
	struct ref bare = f->ref;

	*bare.tag = *bare.digest = '\0';
	web_explain(answer, body, &why);
	f->status = (int)answer->status;
	if (answer->status == 401 || answer->status == 403) {
		f->status = 404;
		return err_set(e, -EACCES, "pull access denied for %s, repository does not exist or may "
			       "require 'docker login': %s", ref_familiar(&bare, name), buf_text(&why));
	}
	if (answer->status == 404 && !strcmp(what, "manifest"))
		return err_set(e, -ENOENT, "manifest for %s not found: %s", ref_familiar(&f->ref, name),
			       buf_text(&why));
	return err_set(e, -EIO, "%s of %s: %s", what, ref_familiar(&f->ref, name), buf_text(&why));
}

static int get(struct fetch *f, const char *what, const char *name, size_t max,
	       struct web_answer *answer, struct buf *body, struct err *e)
{
	char path[WEB_HEADER_MAX];
	bool manifest = !strcmp(what, "manifest");
	struct web_request rq = { .method = "GET", .path = path, .max = max,
				  .headers = manifest ? accept_manifests : NULL };
	int rc;

	snprintf(path, sizeof(path), "/v2/%s/%s/%s", f->ref.path, manifest ? "manifests" : "blobs",
		 name);
	rc = web_call(&f->web, &rq, answer, body, e);
	if (rc == -EACCES) {
		struct err why = *e;

		rc = refused(f, what, &(struct web_answer){ .status = 401 }, body, e);
		err_prefix(&why, "%s", e->text);
		*e = why;
	}
	if (rc < 0)
		return rc;
	return answer->status == 200 ? 0 : refused(f, what, answer, body, e);
}

static int check_digest(const struct buf *body, const char *digest, const char *what, struct err *e)
{
	char sum[SHA256_HEX_MAX];

	sha256_hex(buf_text(body), body->len, sum);
	if (strcmp(sum, digest_hex(digest)) != 0)
		return err_set(e, -EBADMSG, "%s %s: the registry sent content of digest sha256:%s", what,
			       digest, sum);
	return 0;
}

/* Media types may carry parameters; schema 1's is told by name. */
static int check_type(struct fetch *f, char *type, const struct buf *body, struct err *e)
{
	type[strcspn(type, "; ")] = '\0';
	if (strstr(type, "manifest.v1+") && strstr(type, "docker")) {
		f->status = 400;
		return err_set(e, -EINVAL, "the registry has this image in Docker's schema 1 only, which "
			       "is not supported: push it again with a current tool");
	}
	if (media_kind(type) == MEDIA_UNKNOWN)
		snprintf(type, 128, "%s", document_kind(buf_text(body), body->len) == MEDIA_INDEX ?
			 "application/vnd.oci.image.index.v1+json" :
			 "application/vnd.oci.image.manifest.v1+json");
	return 0;
}

static int pick(struct fetch *f, const struct buf *body, char digest[REF_DIGEST_MAX], struct err *e)
{
	struct index index = { 0 };
	const struct descriptor *d;
	char name[REF_TEXT_MAX];
	int rc = index_parse(&index, buf_text(body), body->len, e);

	if (rc < 0) {
		err_prefix(e, "image index of %s", ref_familiar(&f->ref, name));
		return rc;
	}
	d = index_pick(&index, f->platform);
	if (!d)
		rc = err_set(e, -ENOENT, "no matching manifest for %s in the manifest list entries",
			     f->platform);
	else if (d->kind != MEDIA_MANIFEST)
		rc = err_set(e, -EINVAL, "the image index names \"%s\" for %s: expected an image manifest",
			     d->media_type, f->platform);
	else
		strcpy(digest, d->digest);
	if (rc < 0)
		f->status = 404;
	index_free(&index);
	return rc;
}

/* `index` stays empty if the reference is a manifest's own. */
static int get_manifest(struct fetch *f, struct buf *index, struct buf *body,
			struct web_answer *answer, struct err *e)
{
	char digest[REF_DIGEST_MAX];
	int rc = get(f, "manifest", *f->ref.digest ? f->ref.digest : f->ref.tag, MANIFEST_MAX_BYTES,
		     answer, body, e);

	if (!rc && *f->ref.digest)
		rc = check_digest(body, f->ref.digest, "manifest", e);
	if (!rc)
		rc = check_type(f, answer->type, body, e);
	if (rc || document_kind(buf_text(body), body->len) != MEDIA_INDEX)
		return rc;
	buf_add(index, body->data, body->len);
	rc = pick(f, body, digest, e);
	if (!rc)
		rc = get(f, "manifest", digest, MANIFEST_MAX_BYTES, answer, body, e);
	if (!rc)
		rc = check_digest(body, digest, "manifest", e);
	return rc ? rc : check_type(f, answer->type, body, e);
}

static int get_config(struct fetch *f, const struct buf *manifest, struct buf *out, struct err *e)
{
	struct web_answer answer;
	struct manifest m = { 0 };
	int rc = manifest_parse(&m, buf_text(manifest), manifest->len, e);

	if (rc < 0)
		err_prefix(e, "manifest");
	else
		rc = get(f, "config", m.config.digest, CONFIG_MAX_BYTES, &answer, out, e);
	if (!rc)
		rc = check_digest(out, m.config.digest, "config", e);
	manifest_free(&m);
	return rc;
}

/* They go out together: what a mirror had of them alone is not mixed with another's. */
static int send_documents(struct fetch *f, struct err *e)
{
	autobuf struct buf index = { 0 }, manifest = { 0 }, config = { 0 };
	struct web_answer answer;
	int rc = get_manifest(f, &index, &manifest, &answer, e);

	if (!rc)
		rc = get_config(f, &manifest, &config, e);
	if (!rc && index.len)
		rc = send_document(f, "index", "application/vnd.oci.image.index.v1+json", &index, e);
	if (!rc)
		rc = send_document(f, "manifest", answer.type, &manifest, e);
	return rc ? rc : send_document(f, "config", "application/json", &config, e);
}

int fetch_open(struct fetch *f, size_t endpoint, const char *actions, struct err *e)
{
	char scope[REF_NAME_MAX + 64];

	snprintf(scope, sizeof(scope), "repository:%s:%s", f->ref.path, actions);
	f->endpoint = endpoint;
	return web_open(&f->web, &f->endpoints.all[endpoint], &f->credentials, scope, e);
}

/* A mirror that does not have it, or does not answer, is passed over. */
int fetch_pull(struct fetch *f, struct err *e)
{
	int rc = -EIO;

	for (size_t i = 0; rc < 0 && i < f->endpoints.count; i++) {
		*e = (struct err){ 0 };
		f->status = 0; /* a mirror's is none of the registry's */
		web_close(&f->web);
		rc = fetch_open(f, i, "pull", e);
		if (!rc)
			rc = send_documents(f, e);
	}
	return rc ? rc : blobs_download(f, e);
}
