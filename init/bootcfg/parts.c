#include "bootcfg/parts.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/jail.h"
#include "bootcfg/ask.h"
#include "bootcfg/config.h"
#include "bootcfg/section.h"

enum { ANSWER_MAX = 8 * 1024 * 1024, SPLIT_MS = 20000, REDIRECTS = 5, URL_MAX = 180 };

/* One unwrapping, through all that it includes. */
struct reader {
	const char *file; /* of the whole */
	bool online;
	struct parts *out;
	struct faults *faults;
	struct ask ask;   /* the addresses share its patience */
	bool dead;        /* nobody has answered */
	unsigned depth;
	unsigned number;  /* of parts that have been met */
};

void parts_free(struct parts *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->items[i].file);
		buf_free(&p->items[i].text);
	}
	p->count = 0;
}

static int split_jailed(void *arg, struct buf *out, struct err *e)
{
	return parts_split(arg, out, e);
}

static int decode_jailed(void *arg, struct buf *out, struct err *e)
{
	const struct buf *raw = arg;

	return parts_decode(buf_text(raw), raw->len, out, e);
}

static int run_jailed(jail_fn *fn, const struct buf *raw, struct buf *out, struct err *e)
{
	struct jail_task task = { .jail = JAIL_PARSE, .fn = fn, .arg = (void *)(uintptr_t)raw,
				  .max_bytes = ANSWER_MAX, .timeout_ms = SPLIT_MS };

	return jail_run(&task, out, e);
}

int parts_plain(const struct buf *raw, struct buf *out, struct err *e)
{
	return run_jailed(decode_jailed, raw, out, e);
}

static void refuse(struct reader *r, const char *sentence, size_t len)
{
	fault_add(r->faults, FAULT_ERROR, r->file, 0, 0, "", "%.*s", (int)len, sentence);
	r->out->refused = true;
}

static void refuse_text(struct reader *r, const char *sentence)
{
	refuse(r, sentence, strlen(sentence));
}

static void add_config(struct reader *r, const struct section *s, bool typed)
{
	struct part *p = &r->out->items[r->out->count];

	r->number++;
	if (r->out->count == PARTS_MAX) {
		if (r->number == PARTS_MAX + 1)
			refuse_text(r, "there are more than 64 parts; the later ones are left out");
		return;
	}
	*p = (struct part){ .typed = typed };
	if (asprintf(&p->file, "%s[%u]", r->file, r->number) < 0)
		p->file = NULL;
	buf_add(&p->text, s->data, s->len);
	r->out->count++;
}

static int read_one(struct reader *r, const struct buf *raw);

static void include(struct reader *r, const char *url)
{
	autobuf struct buf text = { 0 };
	struct err e = { "" };
	int code;

	if (r->out->includes++ >= PARTS_INCLUDES_MAX || r->depth >= PARTS_DEPTH_MAX) {
		refuse_text(r, "more is included than the 16 addresses that are allowed; the rest is left out");
		return;
	}
	if (!r->online || r->dead) {
		r->out->needs_network = !r->online;
		return;
	}
	code = ask_need(&r->ask, url, &text, &e);
	if (code < 0) {
		/* A silent network has had its time: the other addresses are not asked. */
		r->dead = !r->ask.answered;
		err_prefix(&e, "#include");
		refuse_text(r, e.text);
		return;
	}
	r->depth++;
	read_one(r, &text);
	r->depth--;
}

static void include_all(struct reader *r, const struct section *s)
{
	const char *end = s->data + s->len;

	for (const char *at = s->data; at < end && r->out->includes <= PARTS_INCLUDES_MAX;) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((line_end ? line_end : end) - at);
		char url[URL_MAX];

		snprintf(url, sizeof(url), "%.*s", (int)len, at);
		if (len >= sizeof(url) ||
		    (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0))
			refuse_text(r, "#include: only http:// and https:// addresses of up to 179 bytes");
		else
			include(r, url);
		at += len + 1;
	}
}

static int read_one(struct reader *r, const struct buf *raw)
{
	autobuf struct buf answer = { 0 };
	struct section s;
	struct err e = { "" };
	int code = run_jailed(split_jailed, raw, &answer, &e);

	if (code < 0) {
		refuse_text(r, e.text);
		return code;
	}
	for (size_t at = 0; section_next(&answer, &at, &s);) {
		if (strcmp(s.name, "include") == 0)
			include_all(r, &s);
		else if (strcmp(s.name, "error") == 0)
			refuse(r, s.data, s.len);
		else
			add_config(r, &s, strcmp(s.name, "typed") == 0);
	}
	return 0;
}

int parts_read(const struct buf *raw, const char *file, bool online, struct parts *out,
	       struct faults *faults)
{
	struct reader r = { .file = file, .online = online, .out = out, .faults = faults,
			    .ask = { .redirects = REDIRECTS } };
	int code = read_one(&r, raw);

	if (out->count == 1 && out->items[0].file) /* the only one needs no number */
		*strrchr(out->items[0].file, '[') = '\0';
	return code;
}
