#include "unpack/pull.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/sha256.h"
#include "image/keep.h"
#include "unpack/fetcher.h"
#include "unpack/report.h"
#include "unpack/summary.h"

struct document {
	char *text;
	size_t len;
	char digest[REF_DIGEST_MAX];
	char media_type[128];
};

struct pulling {
	const struct pull *pull;
	struct ref ref;
	struct session session;
	struct fetcher fetch;
	struct document index, manifest, config;
	struct summary image;
	struct layers layers;
	bool *whole;            /* the blob has come */
	bool known;             /* manifest and layers are in the store already */
	size_t next_ready;      /* the first layer whose blob the unpacker was not told of */
	int ready;              /* its end of the pipe */
	int unpacked;           /* its reports */
	pid_t unpacker;
};

/* What the unpacker says: of layer `i`. */
struct step {
	uint64_t bytes, files_bytes;
	struct stream_sums sums;
	struct err fault;
	uint32_t layer;
	enum { STEP_AT, STEP_DONE, STEP_FAULT } what;
};

/* ---- the documents ---- */

static void set_digest(struct document *d)
{
	char hex[SHA256_HEX_MAX];

	snprintf(d->digest, sizeof(d->digest), "sha256:%s", sha256_hex(d->text, d->len, hex));
}

static int take_document(struct pulling *p, struct document *d, size_t max, const char *type,
			 struct err *e)
{
	int rc = fetcher_document(&p->fetch, max, &d->text, &d->len, e);

	if (rc < 0)
		return rc;
	snprintf(d->media_type, sizeof(d->media_type), "%s", type);
	set_digest(d);
	return 0;
}

static int hear_documents(struct pulling *p, struct err *e)
{
	while (!p->config.text) {
		const char *type;
		int rc = fetcher_hear(&p->fetch, e);

		if (rc <= 0)
			return rc ? rc : err_set(e, -EBADMSG, "fetch brought no image");
		if ((type = fetcher_said(&p->fetch, "index")))
			rc = take_document(p, &p->index, MANIFEST_MAX_BYTES, type, e);
		else if ((type = fetcher_said(&p->fetch, "manifest")))
			rc = take_document(p, &p->manifest, MANIFEST_MAX_BYTES, type, e);
		else if ((type = fetcher_said(&p->fetch, "config")))
			rc = take_document(p, &p->config, CONFIG_MAX_BYTES, type, e);
		else
			rc = err_set(e, -EBADMSG, "fetch said \"%.40s\"", p->fetch.text);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The digest that a reference pins is compared here, where the bytes are. */
static int check_pinned(const struct pulling *p, struct err *e)
{
	const struct document *top = p->index.text ? &p->index : &p->manifest;

	if (!*p->ref.digest || !strcmp(top->digest, p->ref.digest))
		return 0;
	return err_set(e, -EBADMSG, "the registry sent a manifest of digest %s for %s", top->digest,
		       p->ref.digest);
}

static int read_documents(struct pulling *p, struct err *e)
{
	struct summary_input in;
	int rc = hear_documents(p, e);

	if (rc < 0)
		return rc;
	if (!p->manifest.text)
		return err_set(e, -EBADMSG, "fetch brought no manifest");
	rc = check_pinned(p, e);
	if (rc < 0)
		return rc;
	in = (struct summary_input){
		.manifest = p->manifest.text, .manifest_len = p->manifest.len,
		.config = p->config.text, .config_len = p->config.len,
		.index = p->index.text, .index_len = p->index.len,
		.manifest_digest = p->manifest.digest,
	};
	rc = summary_read(&in, &p->image, e);
	p->layers.all = p->image.layers;
	p->layers.count = p->image.count;
	return rc;
}

/* ---- which layers are missing ---- */

/* The same layer further down in this image: when its turn comes, that one is unpacked. */
static int twin_dir(const struct pulling *p, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!strcmp(p->layers.all[k].diff_id, p->layers.all[i].diff_id))
			return dup(p->layers.all[k].dir);
	return -1;
}

static int ask_for(struct pulling *p, size_t i, struct err *e)
{
	struct layers_one *one = &p->layers.all[i];
	int rc;

	if (one->dir < 0)
		one->dir = twin_dir(p, i);
	if (one->dir >= 0) {
		report_status(one->digest, "Already exists");
		return 0;
	}
	report_status(one->digest, "Pulling fs layer");
	one->dir = session_new_layer(&p->session, i, e);
	if (one->dir < 0)
		return one->dir;
	one->blob = session_new_blob(&p->session, i, e);
	if (one->blob < 0)
		return one->blob;
	rc = talk_send(p->fetch.sock, one->blob, "get %s %" PRIu64, one->digest, one->blob_bytes);
	return rc < 0 ? err_code(e, rc, "fetch") : 0;
}

/* An image that is there, with all its layers, is not looked through again. */
static bool look_for_layers(struct pulling *p)
{
	autoclose int manifest = keep_blob(p->session.store, p->manifest.digest);
	bool all = true;

	for (size_t i = 0; i < p->layers.count; i++) {
		p->layers.all[i].dir = session_find_layer(&p->session, p->layers.all[i].diff_id);
		all &= p->layers.all[i].dir >= 0;
	}
	return all && manifest >= 0;
}

static int ask_for_layers(struct pulling *p, struct err *e)
{
	int rc = 0;

	char said[REF_NAME_MAX + 32];

	snprintf(said, sizeof(said), "Pulling from %s", p->ref.path);
	report_id(said, *p->ref.digest ? p->ref.digest : p->ref.tag);
	p->known = look_for_layers(p);
	if (p->known)
		return 0;
	p->whole = calloc(p->layers.count + 1, sizeof(*p->whole));
	if (!p->whole)
		return err_set(e, -ENOMEM, "out of memory");
	for (size_t i = 0; !rc && i < p->layers.count; i++) {
		rc = ask_for(p, i, e);
		p->whole[i] = p->layers.all[i].blob < 0;
	}
	if (!rc && talk_send(p->fetch.sock, -1, "all") < 0)
		rc = err_set(e, -EIO, "fetch ended early");
	return rc;
}

/* ---- the unpacker ---- */

static void tell_step(void *arg, size_t i, uint64_t bytes, bool done)
{
	struct pulling *p = arg;
	struct step step = { .what = done ? STEP_DONE : STEP_AT, .layer = (uint32_t)i,
			     .bytes = bytes };

	if (done) {
		step.files_bytes = p->layers.all[i].files_bytes;
		step.sums = p->layers.all[i].sums;
	}
	if (write(p->unpacked, &step, sizeof(step)) < 0)
		_exit(1);
}

static _Noreturn void unpacker_main(struct pulling *p)
{
	struct step step = { .what = STEP_FAULT };
	int rc;

	p->layers.ready = p->ready;
	p->layers.progress = tell_step;
	p->layers.arg = p;
	rc = layers_unpack(&p->layers, &step.fault);
	if (rc < 0 && write(p->unpacked, &step, sizeof(step)) < 0)
		_exit(1);
	_exit(rc < 0);
}

static int start_unpacker(struct pulling *p, struct err *e)
{
	int go[2], said[2];

	if (pipe2(go, O_CLOEXEC) < 0 || pipe2(said, O_CLOEXEC) < 0)
		return err_sys(e, "unpack");
	p->unpacker = fork();
	if (!p->unpacker) {
		close(go[1]);
		close(said[0]);
		/* The parent's end is its own: this one hears when it is gone. */
		cleanup_fd(&p->fetch.sock);
		p->ready = go[0];
		p->unpacked = said[1];
		unpacker_main(p);
	}
	close(go[0]);
	close(said[1]);
	p->ready = go[1];
	p->unpacked = said[0];
	return p->unpacker < 0 ? err_sys(e, "unpack") : 0;
}

static int hear_unpacker(struct pulling *p, bool *over, struct err *e)
{
	struct step step;
	ssize_t n = read(p->unpacked, &step, sizeof(step));
	struct layers_one *one;

	if (n == 0) {
		*over = true;
		return 0;
	}
	if (n != sizeof(step) || (step.what != STEP_FAULT && step.layer >= p->layers.count))
		return err_set(e, -EBADMSG, "the process that unpacks ended early");
	if (step.what == STEP_FAULT)
		return err_set(e, -EBADMSG, "%s", step.fault.text);
	one = &p->layers.all[step.layer];
	if (step.what == STEP_AT) {
		report_progress(one->digest, "Extracting", step.bytes, 0);
		return 0;
	}
	one->files_bytes = step.files_bytes;
	one->sums = step.sums;
	if (one->blob >= 0)
		report_status(one->digest, "Pull complete");
	return 0;
}

/* ---- while it comes ---- */

static struct layers_one *layer_of(struct pulling *p, const char *digest, size_t *i)
{
	for (*i = 0; *i < p->layers.count; ++*i)
		if (!strncmp(p->layers.all[*i].digest, digest, strlen(p->layers.all[*i].digest)))
			return &p->layers.all[*i];
	return NULL;
}

static int tell_ready(struct pulling *p, struct err *e)
{
	for (; p->next_ready < p->layers.count && p->whole[p->next_ready]; p->next_ready++)
		if (p->layers.all[p->next_ready].blob >= 0 && write(p->ready, "", 1) != 1)
			return err_set(e, -EPIPE, "the process that unpacks ended early");
	return 0;
}

static int hear_fetch(struct pulling *p, bool *over, struct err *e)
{
	struct layers_one *one;
	const char *rest;
	size_t i;
	int rc = fetcher_hear(&p->fetch, e);

	if (rc <= 0) {
		*over = rc == 0;
		return rc;
	}
	if ((rest = fetcher_said(&p->fetch, "at")) && (one = layer_of(p, rest, &i))) {
		report_progress(one->digest, "Downloading",
				strtoull(rest + strlen(one->digest), NULL, 10), one->blob_bytes);
	} else if ((rest = fetcher_said(&p->fetch, "again")) && (one = layer_of(p, rest, &i))) {
		report_status(one->digest, rest + strlen(one->digest) + 1);
	} else if ((rest = fetcher_said(&p->fetch, "done")) && (one = layer_of(p, rest, &i))) {
		p->whole[i] = true;
		report_status(one->digest, "Download complete");
		return tell_ready(p, e);
	}
	return 0;
}

static int wait_for_layers(struct pulling *p, struct err *e)
{
	bool fetched = false, unpacked = false;
	int rc = tell_ready(p, e);

	while (!rc && !(fetched && unpacked)) {
		struct pollfd fds[] = { { fetched ? -1 : p->fetch.sock, POLLIN, 0 },
					{ unpacked ? -1 : p->unpacked, POLLIN, 0 } };

		if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
			return err_sys(e, "wait for the download");
		if (fds[0].revents)
			rc = hear_fetch(p, &fetched, e);
		if (!rc && fds[1].revents)
			rc = hear_unpacker(p, &unpacked, e);
		if (!rc && fetched && p->next_ready < p->layers.count)
			rc = err_set(e, -EIO, "the download ended early");
	}
	return rc;
}

static void end_unpacker(struct pulling *p)
{
	cleanup_fd(&p->ready);
	cleanup_fd(&p->unpacked);
	if (p->unpacker > 0) {
		kill(p->unpacker, SIGKILL);
		waitpid(p->unpacker, NULL, 0);
	}
}

/* ---- the whole ---- */

static int bring_layers(struct pulling *p, struct err *e)
{
	int rc = start_unpacker(p, e);

	return rc ? rc : wait_for_layers(p, e);
}

static int commit(struct pulling *p, struct err *e)
{
	struct session_document config = { p->config.text, p->config.len };
	struct session_document manifest = { p->manifest.text, p->manifest.len };
	autobuf struct buf sizes = { 0 };
	const struct document *top = p->index.text ? &p->index : &p->manifest;
	int rc = session_commit(&p->session, &p->layers, &config, &manifest, e);

	for (size_t i = 0; i < p->layers.count; i++)
		buf_addf(&sizes, "%s%" PRIu64, i ? "," : "", p->layers.all[i].files_bytes);
	if (rc < 0)
		return rc;
	report_text("Digest: %s", top->digest);
	rc = session_tell(p->pull->result, p->manifest.digest, p->image.media_type,
			  p->manifest.len, p->known ? "" : buf_text(&sizes));
	if (!rc && p->index.text)
		rc = dprintf(p->pull->result, "also %s\n", p->index.digest) < 0 ? -EIO : 0;
	return rc < 0 ? err_code(e, rc, "tell the engine") : 0;
}

static int start(struct pulling *p, struct err *e)
{
	const char *const argv[] = { p->pull->fetch, "pull", "--platform", p->pull->platform,
				     "--registries", p->pull->registries, p->pull->ref, NULL };
	int rc = ref_parse(&p->ref, p->pull->ref, e);

	if (!rc)
		rc = session_open(&p->session, p->pull->dirs, p->pull->dir_count, e);
	return rc ? rc : fetcher_start(&p->fetch, argv, e);
}

int pull_image(const struct pull *pull, struct err *e)
{
	struct pulling p = { .pull = pull, .ready = -1, .unpacked = -1, .session = { .store = -1 } };
	int rc;

	p.fetch.sock = p.fetch.fd = p.session.tmp = -1;
	rc = start(&p, e);
	if (!rc)
		rc = read_documents(&p, e);
	if (!rc)
		rc = ask_for_layers(&p, e);
	if (!rc && !p.known)
		rc = bring_layers(&p, e);
	if (!rc)
		rc = commit(&p, e);
	end_unpacker(&p);
	fetcher_end(&p.fetch);
	session_close(&p.session);
	summary_free(&p.image);
	free(p.whole);
	free(p.index.text);
	free(p.manifest.text);
	free(p.config.text);
	return rc;
}
