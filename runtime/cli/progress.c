#include "cli/progress.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <yyjson.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/human.h"
#include "cli/json.h"

enum { IDS_MAX = 512, BAR = 50, LINE_MAX_BYTES = 1 << 20 };

struct progress {
	char *ids[IDS_MAX]; /* in the order of their lines on the terminal */
	size_t count;
	bool terminal;
	FILE *to;           /* NULL: nothing is shown */
};

char *progress_bar(uint64_t current, uint64_t total, char out[PROGRESS_BAR_MAX])
{
	char have[HUMAN_MAX], all[HUMAN_MAX], bar[BAR + 1];
	size_t done = total ? (size_t)(current >= total ? BAR : current * BAR / total) : 0;

	human_size(current, have);
	if (!total) {
		snprintf(out, PROGRESS_BAR_MAX, "%s", have);
		return out;
	}
	memset(bar, '=', done);
	if (done < BAR) {
		memset(bar + done, ' ', BAR - done);
		bar[done] = '>';
	} else {
		bar[BAR - 1] = '>';
	}
	bar[BAR] = '\0';
	snprintf(out, PROGRESS_BAR_MAX, "[%s]  %s/%s", bar, have, human_size(total, all));
	return out;
}

/* What comes from the engine may come from a registry: nothing of it moves the cursor. */
static void put_text(FILE *to, const char *text)
{
	for (; *text; text++)
		fputc((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text, to);
}

/* How far up its line is; a new one gets the line below the others. */
static size_t lines_up(struct progress *p, const char *id)
{
	for (size_t i = 0; i < p->count; i++)
		if (!strcmp(p->ids[i], id))
			return p->count - i;
	if (p->count < IDS_MAX && (p->ids[p->count] = strdup(id))) {
		p->count++;
		fputc('\n', p->to);
		return 1;
	}
	return 0;
}

static void show_on_terminal(struct progress *p, const char *id, const char *status,
			     const char *bar)
{
	size_t up = lines_up(p, id);

	if (up)
		fprintf(p->to, "\033[%zuA\r\033[2K", up);
	put_text(p->to, id);
	fputs(": ", p->to);
	put_text(p->to, status);
	fprintf(p->to, " %s", bar);
	if (up)
		fprintf(p->to, "\r\033[%zuB", up);
	fflush(p->to);
}

static void show(struct progress *p, yyjson_val *line)
{
	yyjson_val *detail = yyjson_obj_get(line, "progressDetail");
	uint64_t current = yyjson_get_uint(yyjson_obj_get(detail, "current"));
	const char *id = text_of(line, "id"), *status = text_of(line, "status");
	const char *stream = text_of(line, "stream");
	char bar[PROGRESS_BAR_MAX] = "";

	if (!p->to || yyjson_obj_get(line, "aux"))
		return;
	if (*stream) {
		fputs(stream, p->to);
		return;
	}
	if (current && !p->terminal)
		return;
	if (current)
		progress_bar(current, yyjson_get_uint(yyjson_obj_get(detail, "total")), bar);
	if (*id && p->terminal && detail) {
		show_on_terminal(p, id, status, bar);
		return;
	}
	if (*id) {
		put_text(p->to, id);
		fputs(": ", p->to);
	}
	put_text(p->to, status);
	fputc('\n', p->to);
	fflush(p->to);
}

static int take_line(struct progress *p, const char *text, size_t len, struct err *e)
{
	yyjson_doc *doc = yyjson_read(text, len, 0);
	yyjson_val *line = yyjson_doc_get_root(doc);
	const char *error = yyjson_get_str(yyjson_obj_get(line, "error"));
	int rc = error ? err_set(e, -EIO, "%s", error) : 0;

	if (!error && line)
		show(p, line);
	yyjson_doc_free(doc);
	return rc;
}

static int take_lines(struct progress *p, struct buf *b, struct err *e)
{
	char *end;
	int rc = 0;

	while (!rc && b->len && (end = memchr(b->data, '\n', b->len))) {
		rc = take_line(p, b->data, (size_t)(end - b->data), e);
		buf_consume(b, (size_t)(end - b->data) + 1);
	}
	return rc;
}

int progress_show(struct http_response *answer, FILE *to, struct err *e)
{
	struct progress *p = calloc(1, sizeof(*p));
	autobuf struct buf lines = { 0 };
	char chunk[8192];
	ssize_t n = 0;
	int rc = p ? 0 : err_set(e, -ENOMEM, "out of memory");

	if (p) {
		p->to = to;
		p->terminal = to && isatty(fileno(to));
	}
	while (!rc && (n = http_read(answer, chunk, sizeof(chunk), e)) > 0) {
		buf_add(&lines, chunk, (size_t)n);
		rc = lines.len > LINE_MAX_BYTES ? err_set(e, -EPROTO, "the engine's line is too long") :
						  take_lines(p, &lines, e);
	}
	http_close(answer);
	for (size_t i = 0; p && i < p->count; i++)
		free(p->ids[i]);
	free(p);
	return rc ? rc : n < 0 ? (int)n : 0;
}
