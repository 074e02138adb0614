#include "download/program/transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

struct transfer {
	CURL *curl;
	const struct http_options *o;
	char why[CURL_ERROR_SIZE];
	uint64_t first, last; /* bytes wanted; last UINT64_MAX: to the end */
	uint64_t written;     /* of them */
	uint64_t skip;        /* of an answer that begins at 0 although it was asked for less */
	bool too_large, cannot_write, judged, no_parts;
};

/* An answer to a request for a part may be the whole all the same (status 200). */
static void judge_answer(struct transfer *t)
{
	long status = http_status(t->curl);

	if (t->judged)
		return;
	t->judged = true;
	t->skip = status == 206 ? 0 : t->first + t->written;
	t->no_parts = t->o->ranges && status != 206;
}

static size_t on_body(char *data, size_t one, size_t len, void *arg)
{
	struct transfer *t = arg;
	size_t total = one * len, skipped;

	judge_answer(t);
	if (t->no_parts)
		return 0;
	skipped = t->skip < total ? (size_t)t->skip : total;
	t->skip -= skipped;
	data += skipped;
	len = total - skipped;
	if (t->last != UINT64_MAX && len > t->last - t->first + 1 - t->written)
		len = (size_t)(t->last - t->first + 1 - t->written);
	if (len > t->o->max - t->written) {
		t->too_large = true;
		return 0;
	}
	if (file_write_all(STDOUT_FILENO, data, len) < 0) {
		t->cannot_write = true;
		return 0;
	}
	t->written += len;
	return total;
}

static CURLcode ask(struct transfer *t)
{
	char range[64] = "";
	uint64_t from = t->first + t->written;

	t->judged = false;
	t->why[0] = '\0';
	if (t->last != UINT64_MAX)
		snprintf(range, sizeof(range), "%llu-%llu", (unsigned long long)from,
			 (unsigned long long)t->last);
	else if (from)
		snprintf(range, sizeof(range), "%llu-", (unsigned long long)from);
	curl_easy_setopt(t->curl, CURLOPT_RANGE, *range ? range : NULL);
	return curl_easy_perform(t->curl);
}

static const char *reason(const struct transfer *t, CURLcode code)
{
	return t->why[0] ? t->why : curl_easy_strerror(code);
}

static int tell(const struct transfer *t, CURLcode code)
{
	/* 416: the part is behind the file's end. */
	if (code == CURLE_RANGE_ERROR || http_status(t->curl) == 416 || t->no_parts)
		return EXIT_NO_PARTS;
	if (t->too_large)
		log_error("\"%s\" is larger than the %llu bytes that are expected", t->o->url,
			  (unsigned long long)t->o->max);
	else if (t->cannot_write)
		log_error("the receiver of \"%s\" is gone", t->o->url);
	else
		log_error("download \"%s\": %s", t->o->url, reason(t, code));
	return EXIT_FAILED;
}

/* Until it is there, or as many times as allowed without any progress. */
static int fetch(struct transfer *t)
{
	unsigned failures = 0;

	for (;;) {
		uint64_t before = t->written;
		CURLcode code = ask(t);

		if (code == CURLE_OK && (t->last == UINT64_MAX || t->written == t->last - t->first + 1))
			return EXIT_DONE;
		if (code == CURLE_OK)
			return EXIT_NO_PARTS; /* shorter than the part that was asked for */
		failures = t->written > before ? 1 : failures + 1;
		if (!http_may_pass(t->curl, code) || failures >= t->o->tries)
			return tell(t, code);
		log_warn("\"%s\": %s; once more", t->o->url, reason(t, code));
		http_pause(failures);
	}
}

static int fetch_ranges(struct transfer *t)
{
	char line[64];
	int code = EXIT_DONE;

	while (code == EXIT_DONE && fgets(line, sizeof(line), stdin)) {
		char *end;

		t->first = strtoull(line, &end, 10);
		t->last = strtoull(end, NULL, 10);
		t->written = 0;
		code = t->last < t->first ? EXIT_USAGE : fetch(t);
	}
	return code;
}

int transfer(const struct http_options *o)
{
	struct transfer t = { .o = o, .first = o->offset, .last = UINT64_MAX };
	int code = EXIT_FAILED;

	t.curl = http_new(o, t.why);
	if (t.curl && curl_easy_setopt(t.curl, CURLOPT_FAILONERROR, 1L) == CURLE_OK &&
	    curl_easy_setopt(t.curl, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	    curl_easy_setopt(t.curl, CURLOPT_WRITEDATA, &t) == CURLE_OK)
		code = o->ranges ? fetch_ranges(&t) : fetch(&t);
	else
		log_error("the HTTP client does not start");
	curl_easy_cleanup(t.curl);
	return code;
}
