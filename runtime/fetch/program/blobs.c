/* Layers, a few at a time (curl's multi interface). A transfer that breaks goes on where it was;
 * the digest is made while the bytes pass. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/sha256.h"
#include "fetch/program/fetch.h"
#include "image/manifest.h"
#include "image/talk.h"

enum { PARALLEL = 3, PROGRESS_MS = 200, POLL_MS = 500,
       KNOCK_BYTES = 64 * 1024 };

enum blob_state { BLOB_WAITS, BLOB_RUNS, BLOB_DONE };

struct blob {
	struct download *of;
	char digest[REF_DIGEST_MAX];
	uint64_t size_bytes, have;
	int fd;
	enum blob_state state;
	CURL *curl;
	struct web_answer answer;
	struct sha256 sum;
	int failures, tried;
	int64_t not_before;         /* CLOCK_BOOTTIME in ms */
	int64_t told_at;
	uint64_t before, skip;      /* of this try: what was there; bytes that are there already */
	bool judged, failed, misfit;
	int write_rc;
	char why[CURL_ERROR_SIZE];
};

struct download {
	struct fetch *f;
	CURLM *multi;
	struct blob *all;
	size_t count, running;
};

/* ---- the bytes ---- */

/* A server may send the whole although it was asked for the rest. */
static void judge(struct blob *b)
{
	long status = 0;

	if (b->judged)
		return;
	b->judged = true;
	curl_easy_getinfo(b->curl, CURLINFO_RESPONSE_CODE, &status);
	b->skip = status == 206 ? 0 : b->have;
	b->failed = status != 200 && status != 206;
	/* It was let in: a token may end as often as a long download is taken up. */
	if (!b->failed)
		b->tried = 0;
}

static void tell(struct blob *b)
{
	int64_t now = clock_boot_ms();

	if (now - b->told_at < PROGRESS_MS)
		return;
	b->told_at = now;
	talk_send(b->of->f->sock, -1, "at %s %" PRIu64, b->digest, b->have);
}

static size_t on_body(char *data, size_t one, size_t len, void *arg)
{
	struct blob *b = arg;
	size_t all = one * len, skipped;

	judge(b);
	if (b->failed)
		return all; /* an error's page; the status says enough */
	skipped = b->skip < all ? (size_t)b->skip : all;
	b->skip -= skipped;
	data += skipped;
	len = all - skipped;
	if (len > b->size_bytes - b->have) {
		b->misfit = true;
		return 0;
	}
	b->write_rc = file_write_all(b->fd, data, len);
	if (b->write_rc < 0)
		return 0;
	sha256_add(&b->sum, data, len);
	b->have += len;
	tell(b);
	return all;
}

/* ---- one transfer ---- */

static int begin(struct blob *b, struct err *e)
{
	struct fetch *f = b->of->f;
	char path[WEB_HEADER_MAX], range[64];

	b->judged = b->failed = false;
	b->before = b->have;
	b->why[0] = '\0';
	b->answer = (struct web_answer){ .status = 0 };
	snprintf(path, sizeof(path), "/v2/%s/blobs/%s", f->ref.path, b->digest);
	snprintf(range, sizeof(range), "%" PRIu64 "-", b->have);
	b->curl = curl_easy_init();
	if (!b->curl || !web_prepare(&f->web, b->curl, path, &b->answer))
		return err_set(e, -ENOMEM, "the HTTP client does not start");
	curl_easy_setopt(b->curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(b->curl, CURLOPT_WRITEDATA, b);
	curl_easy_setopt(b->curl, CURLOPT_PRIVATE, b);
	curl_easy_setopt(b->curl, CURLOPT_ERRORBUFFER, b->why);
	curl_easy_setopt(b->curl, CURLOPT_RANGE, b->have ? range : NULL);
	if (curl_multi_add_handle(b->of->multi, b->curl) != CURLM_OK)
		return err_set(e, -ENOMEM, "the HTTP client does not start");
	b->state = BLOB_RUNS;
	b->of->running++;
	return 0;
}

static void stop(struct blob *b)
{
	if (!b->curl)
		return;
	curl_multi_remove_handle(b->of->multi, b->curl);
	curl_easy_cleanup(b->curl);
	b->curl = NULL;
	b->of->running--;
}

static int finish(struct blob *b, struct err *e)
{
	char hex[SHA256_HEX_MAX];

	sha256_end_hex(&b->sum, hex);
	if (strcmp(hex, digest_hex(b->digest)) != 0)
		return err_set(e, -EBADMSG, "layer %s: the registry sent content of digest sha256:%s",
			       b->digest, hex);
	b->state = BLOB_DONE;
	cleanup_fd(&b->fd);
	b->fd = -1;
	return talk_send(b->of->f->sock, -1, "done %s", b->digest) < 0 ?
		       err_set(e, -EPIPE, "nobody waits for the layers any more") : 0;
}

static int give_up(struct blob *b, CURLcode code, struct err *e)
{
	if (b->write_rc < 0)
		return err_code(e, b->write_rc, "write layer %s", b->digest);
	if (b->misfit)
		return err_set(e, -EBADMSG, "layer %s: the registry sends more than the %" PRIu64
			       " bytes that the manifest says", b->digest, b->size_bytes);
	b->of->f->status = (int)b->answer.status;
	if (code == CURLE_OK && b->failed)
		return err_set(e, b->answer.status == 404 ? -ENOENT : -EIO, "layer %s: the registry "
			       "answers %ld", b->digest, b->answer.status);
	if (code == CURLE_OK)
		return err_set(e, -EBADMSG, "layer %s: the registry sent %" PRIu64 " bytes, the manifest "
			       "says %" PRIu64, b->digest, b->have, b->size_bytes);
	return err_set(e, -EIO, "layer %s: %s", b->digest, *b->why ? b->why :
		       curl_easy_strerror(code));
}

static int again(struct blob *b, CURLcode code, struct err *e)
{
	int64_t pause;

	/* Tries count only as long as none gets further. */
	b->failures = b->have > b->before ? 1 : b->failures + 1;
	if (b->failures >= WEB_TRIES)
		return give_up(b, code, e);
	pause = web_pause_ms(b->failures, &b->answer);
	b->not_before = clock_boot_ms() + pause;
	talk_send(b->of->f->sock, -1, "again %s Retrying in %" PRId64 " seconds", b->digest,
		  (pause + 999) / 1000);
	return 0;
}

static int ended(struct blob *b, CURLcode code, struct err *e)
{
	long status = 0;
	int rc;

	curl_easy_getinfo(b->curl, CURLINFO_RESPONSE_CODE, &status);
	b->answer.status = status;
	judge(b);
	stop(b);
	b->state = BLOB_WAITS;
	if (b->misfit || b->write_rc < 0)
		return give_up(b, code, e);
	/* However it ended: of what is whole there is no rest to ask for. */
	if (!b->failed && b->have == b->size_bytes)
		return finish(b, e);
	if (code == CURLE_OK && status == 401) {
		rc = web_authenticate(&b->of->f->web, &b->answer, &b->tried, e);
		return rc ? 0 : *e->text ? -EACCES : give_up(b, code, e);
	}
	if (web_may_pass(code, status) || (code == CURLE_OK && b->have < b->size_bytes && !b->failed))
		return again(b, code, e);
	return give_up(b, code, e);
}

/* ---- all of them ---- */

static int start_some(struct download *d, bool *left, struct err *e)
{
	int64_t now = clock_boot_ms();
	int rc = 0;

	*left = false;
	for (size_t i = 0; !rc && i < d->count; i++) {
		struct blob *b = &d->all[i];

		*left |= b->state != BLOB_DONE;
		if (b->state == BLOB_WAITS && d->running < PARALLEL && b->not_before <= now)
			rc = begin(b, e);
	}
	return rc;
}

static int run_all(struct download *d, struct err *e)
{
	bool left = true;
	int rc = start_some(d, &left, e);

	while (!rc && left) {
		CURLMsg *message;
		int running, waiting;

		curl_multi_perform(d->multi, &running);
		while (!rc && (message = curl_multi_info_read(d->multi, &waiting))) {
			CURLcode code = message->data.result;
			struct blob *b;

			if (message->msg != CURLMSG_DONE)
				continue;
			curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&b);
			rc = ended(b, code, e);
		}
		if (!rc)
			rc = start_some(d, &left, e);
		if (!rc && left)
			curl_multi_poll(d->multi, NULL, 0, POLL_MS, NULL);
	}
	return rc;
}

static void begin_anew(struct blob *b)
{
	stop(b);
	if (b->state == BLOB_DONE)
		return;
	lseek(b->fd, 0, SEEK_SET);
	sha256_init(&b->sum);
	b->have = 0;
	b->failures = b->tried = 0;
	b->not_before = 0;
	b->misfit = false;
	b->state = BLOB_WAITS;
}

/* Finds out how this place is spoken with: over TLS or not, with a token or without. */
static int knock(struct fetch *f, struct err *e)
{
	autobuf struct buf body = { 0 };
	struct web_request rq = { .method = "GET", .path = "/v2/", .max = KNOCK_BYTES };
	struct web_answer answer;

	return web_call(&f->web, &rq, &answer, &body, e);
}

/* What a mirror does not bring, the next place may. Nothing of a layer is mixed. */
static bool next_place(struct download *d, struct err *e)
{
	struct fetch *f = d->f;
	int rc;

	if (!f->web.at->mirror)
		return false;
	for (size_t i = 0; i < d->count; i++) {
		if (d->all[i].write_rc < 0)
			return false;
		begin_anew(&d->all[i]);
	}
	do {
		web_close(&f->web);
		*e = (struct err){ 0 };
		f->status = 0;
		rc = fetch_open(f, f->endpoint + 1, "pull", e);
		if (!rc)
			rc = knock(f, e);
	} while (rc < 0 && f->web.at->mirror);
	return !rc;
}

static int add_blob(struct download *d, const char *text, int fd, struct err *e)
{
	struct blob *more = reallocarray(d->all, d->count + 1, sizeof(*more));

	if (!more)
		return err_set(e, -ENOMEM, "out of memory");
	d->all = more;
	more += d->count;
	*more = (struct blob){ .of = d, .fd = fd };
	sha256_init(&more->sum);
	if (sscanf(text, "get %71s %" SCNu64, more->digest, &more->size_bytes) != 2 || fd < 0)
		return err_set(e, -EINVAL, "expected \"get DIGEST BYTES\" and a file");
	d->count++;
	return 0;
}

static int hear_wishes(struct download *d, struct err *e)
{
	char text[TALK_MAX];
	int fd, rc = 0;

	while (!rc) {
		ssize_t n = talk_receive(d->f->sock, text, &fd);

		if (n <= 0)
			return err_set(e, -EPIPE, "nobody waits for the layers any more");
		if (!strcmp(text, "all"))
			break;
		rc = add_blob(d, text, fd, e);
	}
	return rc;
}

int blobs_download(struct fetch *f, struct err *e)
{
	struct download d = { .f = f };
	int rc = hear_wishes(&d, e);

	if (!rc) {
		d.multi = curl_multi_init();
		if (!d.multi)
			rc = err_set(e, -ENOMEM, "the HTTP client does not start");
	}
	if (!rc)
		do
			rc = run_all(&d, e);
		while (rc < 0 && next_place(&d, e));
	for (size_t i = 0; i < d.count; i++) {
		stop(&d.all[i]);
		cleanup_fd(&d.all[i].fd);
	}
	curl_multi_cleanup(d.multi);
	free(d.all);
	return rc;
}
