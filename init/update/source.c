#include "update/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "update/bundle.h"
#include "update/medium.h"

enum { CMDLINE_BYTES_MAX = 64 * 1024 };

bool source_is_address(const char *from)
{
	return !strncmp(from, "http://", 7) || !strncmp(from, "https://", 8);
}

/* One part of the server's file, in memory. */
static int fetch_part(struct source *s, uint64_t first, size_t len, void *out, struct err *e)
{
	autobuf struct buf list = { 0 };
	struct fetch f;
	int ended, rc;

	buf_addf(&list, "%llu %llu\n", (unsigned long long)first, (unsigned long long)(first + len - 1));
	rc = fetch_parts(s->url, s->way, &list, &f, e);
	if (rc < 0)
		return rc;
	rc = bundle_read_exactly(f.out, out, len, e);
	ended = fetch_end(&f, e);
	return ended < 0 ? ended : rc;
}

/* Head and texts by parts; the chunks are asked for later. */
static int open_parts(struct source *s, struct err *e)
{
	unsigned char head[BUNDLE_HEAD_BYTES];
	autofree unsigned char *texts = NULL;
	struct bundle_head h;
	size_t len;
	int rc = fetch_part(s, 0, sizeof(head), head, e);

	if (!rc)
		rc = bundle_head_parse(head, &h, e);
	if (rc < 0)
		return rc;
	s->payload_offset = bundle_payload_offset(&h);
	len = (size_t)h.manifest_bytes + h.signature_bytes;
	texts = malloc(len);
	if (!texts)
		return err_set(e, -ENOMEM, "read the manifest: out of memory");
	rc = fetch_part(s, BUNDLE_HEAD_BYTES, len, texts, e);
	return rc < 0 ? rc : bundle_open_texts(texts, h.manifest_bytes, texts + h.manifest_bytes,
					       h.signature_bytes, s->keys, &s->manifest, s->comment, e);
}

/* The whole, from its beginning. */
static int open_stream(struct source *s, struct err *e)
{
	const struct fetch_request r = { .url = s->url, .way = s->way, .max = INT64_MAX, .into = -1,
					 .parts = -1 };
	int rc = fetch_start(&r, &s->fetch, e);

	if (rc < 0)
		return rc;
	s->fetching = true;
	s->fd = s->fetch.out;
	manifest_free(&s->manifest);
	return bundle_read_start(s->fd, s->keys, &s->manifest, s->comment, e);
}

/* A file, standard input, or a disk. */
static int open_local(const char *from, struct err *e)
{
	int fd;

	if (medium_is_disk(from))
		return medium_open(from, e);
	fd = strcmp(from, "-") ? open(from, O_RDONLY | O_CLOEXEC) :
				 fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? err_sys(e, "open \"%s\"", from) : fd;
}

int source_open(struct source *s, const char *from, const struct fetch_way *way,
		const struct keyring *keys, struct err *e)
{
	int rc;

	*s = (struct source){ .way = way, .keys = keys, .fd = -1 };
	s->stored = malloc(CHUNK_BYTES);
	if (!s->stored)
		return err_set(e, -ENOMEM, "read the bundle: out of memory");
	if (source_is_address(from)) {
		if (snprintf(s->url, sizeof(s->url), "%s", from) >= (int)sizeof(s->url))
			return err_set(e, -ENAMETOOLONG, "the address is too long");
		rc = open_parts(s, e);
		return rc == -ENOTSUP ? open_stream(s, e) : rc;
	}
	s->fd = open_local(from, e);
	return s->fd < 0 ? s->fd : bundle_read_start(s->fd, keys, &s->manifest, s->comment, e);
}

static int begin_delta(struct source *s, const struct slots *slots, struct err *e)
{
	autobuf struct buf cmdline = { 0 };
	struct delta_source from = {
		.url = s->url, .way = s->way, .manifest = &s->manifest,
		.payload_offset = s->payload_offset, .boot = slots->boot[slots->running],
		.root = slots->root[slots->running],
	};
	int rc = file_read_at(AT_FDCWD, "/proc/cmdline", CMDLINE_BYTES_MAX, &cmdline, e);

	if (!rc && delta_running_tree(buf_text(&cmdline), &from.running) < 0)
		rc = err_set(e, -EINVAL, "the running root's hash tree is not on the kernel's command line");
	return rc < 0 ? rc : delta_open(&from, &s->delta, e);
}

int source_begin(struct source *s, const struct slots *slots, bool whole, struct err *e)
{
	char digest[SHA256_HEX_MAX];
	int rc;

	if (s->fd >= 0)
		return 0;
	rc = whole ? -ENOTSUP : begin_delta(s, slots, e);
	if (rc != -ENOTSUP)
		return rc;
	memcpy(digest, s->manifest.digest, sizeof(digest));
	rc = open_stream(s, e);
	/* What was trusted a moment ago is what is read now. */
	if (!rc && strcmp(digest, s->manifest.digest) != 0)
		rc = err_set(e, -EAGAIN, "the server's bundle changed meanwhile");
	return rc;
}

int source_chunk(void *source, const struct image *image, uint32_t i, void *out, struct err *e)
{
	struct source *s = source;

	return s->delta ? delta_chunk(s->delta, image, i, out, e) :
			  bundle_read_chunk(s->fd, image, i, s->stored, out, e);
}

int source_end(struct source *s, uint64_t *fetched, uint64_t *whole, struct err *e)
{
	struct delta *d = take_ptr(s->delta);
	int rc = 0;

	*fetched = *whole = s->manifest.boot.stored_bytes + s->manifest.root.stored_bytes;
	if (d)
		return delta_close(d, fetched, whole, e);
	if (s->fetching) {
		s->fetching = false;
		s->fd = -1; /* it is the pipe, which fetch_end closes */
		rc = fetch_end(&s->fetch, e);
	}
	return rc;
}

void source_close(struct source *s)
{
	uint64_t unused;

	source_end(s, &unused, &unused, NULL);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	free(s->stored);
	s->stored = NULL;
	manifest_free(&s->manifest);
}
