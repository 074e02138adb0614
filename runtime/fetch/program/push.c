/* push: what the registry does not have yet, and at last the manifest. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "fetch/program/fetch.h"
#include "image/manifest.h"
#include "image/talk.h"

enum { SOURCES_MAX = 8, ANSWER_MAX = 64 * 1024, PROGRESS_MS = 200 };

struct push {
	struct fetch *f;
	char *sources[SOURCES_MAX]; /* repositories of the same registry */
	size_t source_count;
	char location[WEB_HEADER_MAX]; /* of the upload that is open; "": none */
};

/* One blob on its way. */
struct upload {
	struct push *of;
	const char *digest;
	int fd;
	uint64_t size_bytes, sent;
	int64_t told_at;
};

static int refused(struct fetch *f, const char *what, const struct web_answer *answer,
		   const struct buf *body, struct err *e)
{
	autobuf struct buf why = { 0 };

	web_explain(answer, body, &why);
	f->status = (int)answer->status;
	if (answer->status == 401 || answer->status == 403)
		return err_set(e, -EACCES, "%s", answer->status == 401 && !f->credentials.user ?
			       "no basic auth credentials" : buf_text(&why));
	return err_set(e, -EIO, "%s: %s", what, buf_text(&why));
}

static int call(struct push *p, const char *method, const char *path, struct web_answer *answer,
		struct buf *body, struct err *e)
{
	struct web_request rq = { .method = method, .path = path, .max = ANSWER_MAX };

	return web_call(&p->f->web, &rq, answer, body, e);
}

/* 1: the registry has it in this repository. */
static int is_there(struct push *p, const char *digest, struct err *e)
{
	autobuf struct buf body = { 0 };
	struct web_answer answer;
	char path[WEB_HEADER_MAX];
	int rc;

	snprintf(path, sizeof(path), "/v2/%s/blobs/%s", p->f->ref.path, digest);
	rc = call(p, "HEAD", path, &answer, &body, e);
	if (rc < 0)
		return rc;
	if (answer.status == 200)
		return 1;
	return answer.status == 404 ? 0 : refused(p->f, "ask for a layer", &answer, &body, e);
}

/* A registry may answer a mount with an upload (202), which is then used. 1: mounted. */
static int open_upload(struct push *p, const char *digest, const char *source, struct err *e)
{
	autobuf struct buf body = { 0 };
	struct web_answer answer;
	char path[WEB_HEADER_MAX];
	int rc;

	snprintf(path, sizeof(path), source ? "/v2/%s/blobs/uploads/?mount=%s&from=%s" :
		 "/v2/%s/blobs/uploads/", p->f->ref.path, digest, source);
	rc = call(p, "POST", path, &answer, &body, e);
	if (rc < 0)
		return rc;
	if (answer.status == 201 && source)
		return 1;
	if (answer.status != 202 || !*answer.location)
		return refused(p->f, "begin an upload", &answer, &body, e);
	snprintf(p->location, sizeof(p->location), "%s", answer.location);
	return 0;
}

static size_t on_read(char *out, size_t one, size_t len, void *arg)
{
	struct upload *u = arg;
	ssize_t n = pread(u->fd, out, one * len, (off_t)u->sent);
	int64_t now = clock_boot_ms();

	if (n < 0)
		return CURL_READFUNC_ABORT;
	u->sent += (uint64_t)n;
	if (now - u->told_at >= PROGRESS_MS) {
		u->told_at = now;
		talk_send(u->of->f->sock, -1, "at %s %" PRIu64, u->digest, u->sent);
	}
	return (size_t)n;
}

static int on_seek(void *arg, curl_off_t offset, int origin)
{
	struct upload *u = arg;

	if (origin != SEEK_SET)
		return CURL_SEEKFUNC_FAIL;
	u->sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static size_t on_answer(char *data, size_t one, size_t len, void *arg)
{
	struct buf *body = arg;

	if (body->len < ANSWER_MAX)
		buf_add(body, data, one * len);
	return one * len;
}

static CURLcode put_once(struct upload *u, struct web_answer *answer, struct buf *body, char *why)
{
	struct web *w = &u->of->f->web;
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/octet-stream");
	autobuf struct buf url = { 0 };
	CURLcode code = CURLE_OUT_OF_MEMORY;

	buf_addf(&url, "%s%cdigest=%s", u->of->location, strchr(u->of->location, '?') ? '&' : '?',
		 u->digest);
	curl_easy_reset(w->curl);
	*answer = (struct web_answer){ .status = 0 };
	if (headers && buf_ok(&url) && web_prepare(w, w->curl, url.data, answer)) {
		curl_easy_setopt(w->curl, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(w->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)u->size_bytes);
		curl_easy_setopt(w->curl, CURLOPT_READFUNCTION, on_read);
		curl_easy_setopt(w->curl, CURLOPT_READDATA, u);
		curl_easy_setopt(w->curl, CURLOPT_SEEKFUNCTION, on_seek);
		curl_easy_setopt(w->curl, CURLOPT_SEEKDATA, u);
		curl_easy_setopt(w->curl, CURLOPT_WRITEFUNCTION, on_answer);
		curl_easy_setopt(w->curl, CURLOPT_WRITEDATA, body);
		curl_easy_setopt(w->curl, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(w->curl, CURLOPT_ERRORBUFFER, why);
		code = curl_easy_perform(w->curl);
		curl_easy_getinfo(w->curl, CURLINFO_RESPONSE_CODE, &answer->status);
		curl_easy_setopt(w->curl, CURLOPT_ERRORBUFFER, NULL);
	}
	curl_slist_free_all(headers);
	return code;
}

/* A broken upload begins anew: few registries can go on with one. */
static int send_blob(struct upload *u, struct err *e)
{
	struct push *p = u->of;
	int tried = 0;

	for (int failures = 0;;) {
		autobuf struct buf body = { 0 };
		struct web_answer answer;
		char why[CURL_ERROR_SIZE] = "";
		int rc = *p->location ? 0 : open_upload(p, u->digest, NULL, e);
		CURLcode code;

		if (rc < 0)
			return rc;
		u->sent = 0;
		code = put_once(u, &answer, &body, why);
		*p->location = '\0';
		if (code == CURLE_OK && answer.status == 201)
			return 0;
		if (code == CURLE_OK && answer.status == 401) {
			if (web_authenticate(&p->f->web, &answer, &tried, e))
				continue;
			return refused(p->f, "upload", &answer, &body, e);
		}
		if (code == CURLE_OK && !web_may_pass(code, answer.status))
			return refused(p->f, "upload", &answer, &body, e);
		if (++failures >= WEB_TRIES || !web_may_pass(code, answer.status))
			return err_set(e, -EIO, "upload of %s: %s", u->digest, *why ? why :
				       curl_easy_strerror(code));
		poll(NULL, 0, (int)web_pause_ms(failures, &answer));
	}
}

static int mount(struct push *p, const char *digest, struct err *e)
{
	*p->location = '\0';
	for (size_t i = 0; i < p->source_count; i++) {
		int rc = open_upload(p, digest, p->sources[i], e);

		if (rc == 1)
			talk_send(p->f->sock, -1, "mounted %s %s", digest, p->sources[i]);
		if (rc)
			return rc;
	}
	return 0;
}

static int put_blob(struct push *p, const char *text, int fd, struct err *e)
{
	char digest[REF_DIGEST_MAX];
	struct upload u = { .of = p, .fd = fd, .digest = digest };
	int rc;

	if (sscanf(text, "put %71s %" SCNu64, digest, &u.size_bytes) != 2)
		return err_set(e, -EINVAL, "expected \"put DIGEST BYTES\"");
	rc = is_there(p, digest, e);
	if (rc == 1)
		return talk_send(p->f->sock, -1, "there %s", digest);
	if (!rc)
		rc = mount(p, digest, e);
	if (rc)
		return rc < 0 ? rc : 0;
	if (fd < 0)
		return err_set(e, -ENOENT, "layer %s is part of this machine's own system, which does not "
			       "keep its archive, and the registry does not have it", digest);
	rc = send_blob(&u, e);
	return rc ? rc : talk_send(p->f->sock, -1, "done %s", digest);
}

static int put_manifest(struct push *p, const char *type, int fd, struct err *e)
{
	autobuf struct buf text = { 0 }, body = { 0 };
	struct web_answer answer;
	char path[WEB_HEADER_MAX], header[160];
	const char *const headers[] = { header, NULL };
	struct web_request rq = { .method = "PUT", .path = path, .headers = headers,
				  .max = ANSWER_MAX };
	int rc = file_read_fd(fd, MANIFEST_MAX_BYTES, &text, e);

	if (rc < 0)
		return rc;
	rq.body = buf_text(&text);
	rq.body_len = text.len;
	snprintf(header, sizeof(header), "Content-Type: %s", type);
	snprintf(path, sizeof(path), "/v2/%s/manifests/%s", p->f->ref.path, p->f->ref.tag);
	rc = web_call(&p->f->web, &rq, &answer, &body, e);
	if (rc < 0)
		return rc;
	if (answer.status != 201 && answer.status != 200)
		return refused(p->f, "put the manifest", &answer, &body, e);
	return talk_send(p->f->sock, -1, "pushed");
}

/* True: that was the last one. */
static bool hear(struct push *p, int *rc, struct err *e)
{
	char text[TALK_MAX];
	autoclose int fd = -1;

	if (talk_receive(p->f->sock, text, &fd) <= 0) {
		*rc = err_set(e, -EPIPE, "nobody waits for the push any more");
		return true;
	}
	if (!strncmp(text, "manifest ", 9)) {
		*rc = put_manifest(p, text + 9, fd, e);
		return true;
	}
	if (strncmp(text, "from ", 5))
		*rc = put_blob(p, text, fd, e);
	else if (p->source_count < SOURCES_MAX && (p->sources[p->source_count] = strdup(text + 5)))
		p->source_count++;
	return *rc < 0;
}

int fetch_push(struct fetch *f, struct err *e)
{
	struct push *p = calloc(1, sizeof(*p));
	int rc = p ? fetch_open(f, f->endpoints.count - 1, "pull,push", e) :
		     err_set(e, -ENOMEM, "out of memory");

	if (p)
		p->f = f;
	while (!rc && !hear(p, &rc, e))
		;
	for (size_t i = 0; p && i < p->source_count; i++)
		free(p->sources[i]);
	free(p);
	return rc;
}
