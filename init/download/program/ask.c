#include "download/program/ask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"

enum { REQUEST_MAX = 1024 * 1024, HEADERS_MAX = 64 * 1024 };

struct ask {
	CURL *curl;
	const struct http_options *o;
	char why[CURL_ERROR_SIZE];
	struct curl_slist *lines;
	const char *body;
	size_t body_bytes;
	bool typed; /* the caller says what the body is */
	struct buf headers, answer;
	bool too_large;
};

/* A new answer (after a redirection, or "100 Continue") begins with its status line. */
static size_t on_header(char *data, size_t one, size_t len, void *arg)
{
	struct ask *a = arg;
	size_t total = one * len, used = total;

	if (total > 5 && memcmp(data, "HTTP/", 5) == 0) {
		buf_reset(&a->headers);
		buf_reset(&a->answer);
		return total;
	}
	while (used && (data[used - 1] == '\r' || data[used - 1] == '\n'))
		used--;
	a->too_large = a->headers.len + used > HEADERS_MAX;
	if (a->too_large)
		return 0;
	if (used && memchr(data, ':', used)) {
		buf_add(&a->headers, data, used);
		buf_addc(&a->headers, '\n');
	}
	return total;
}

static size_t on_body(char *data, size_t one, size_t len, void *arg)
{
	struct ask *a = arg;
	size_t total = one * len;

	a->too_large = total > a->o->max - a->answer.len;
	if (a->too_large)
		return 0;
	buf_add(&a->answer, data, total);
	return buf_ok(&a->answer) ? total : 0;
}

static bool add_line(struct ask *a, const char *line)
{
	struct curl_slist *longer = curl_slist_append(a->lines, line);

	if (longer)
		a->lines = longer;
	return longer != NULL;
}

/* What libcurl would add by itself: a body's type that nobody said, and a question to wait for. */
static bool add_own_lines(struct ask *a)
{
	return add_line(a, "Expect:") && (a->typed || add_line(a, "Content-Type:"));
}

/* Cuts the text into header lines and the body. */
static int read_request(struct ask *a, struct buf *text, struct err *e)
{
	char *at = text->data;

	while (at && *at && *at != '\n') {
		size_t len = strcspn(at, "\n");
		char *next = at[len] ? at + len + 1 : at + len;

		at[len] = '\0';
		if (strchr(at, '\r') || !strchr(at, ':') || *at == ':')
			return err_set(e, -EINVAL, "a request's header is not \"Name: value\"");
		a->typed = a->typed || strncasecmp(at, "Content-Type:", 13) == 0;
		if (!add_line(a, at))
			return err_set(e, -ENOMEM, "there is not enough memory");
		at = next;
	}
	if (at && *at == '\n') {
		a->body = at + 1;
		a->body_bytes = (size_t)(text->data + text->len - a->body);
	}
	if (!add_own_lines(a))
		return err_set(e, -ENOMEM, "there is not enough memory");
	return 0;
}

/* POST and its like say how long their body is, also when there is none. */
static bool set_method(const struct ask *a)
{
	static const char *const with_body[] = { "POST", "PUT", "PATCH" };
	bool sends = a->body_bytes > 0;

	for (size_t i = 0; i < ARRAY_LEN(with_body); i++)
		sends = sends || strcmp(a->o->method, with_body[i]) == 0;
	if (strcmp(a->o->method, "HEAD") == 0)
		return curl_easy_setopt(a->curl, CURLOPT_NOBODY, 1L) == CURLE_OK;
	return (!sends ||
		(curl_easy_setopt(a->curl, CURLOPT_POSTFIELDSIZE, (long)a->body_bytes) == CURLE_OK &&
		 curl_easy_setopt(a->curl, CURLOPT_POSTFIELDS, a->body ? a->body : "") == CURLE_OK)) &&
	       curl_easy_setopt(a->curl, CURLOPT_CUSTOMREQUEST, a->o->method) == CURLE_OK;
}

static bool prepare(struct ask *a)
{
	a->curl = http_new(a->o, a->why);
	return a->curl && set_method(a) &&
	       curl_easy_setopt(a->curl, CURLOPT_HTTPHEADER, a->lines) == CURLE_OK &&
	       curl_easy_setopt(a->curl, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
	       curl_easy_setopt(a->curl, CURLOPT_HEADERDATA, a) == CURLE_OK &&
	       curl_easy_setopt(a->curl, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	       curl_easy_setopt(a->curl, CURLOPT_WRITEDATA, a) == CURLE_OK;
}

static int perform(struct ask *a, struct err *e)
{
	for (unsigned failures = 1;; failures++) {
		CURLcode code;

		a->why[0] = '\0';
		buf_reset(&a->headers);
		buf_reset(&a->answer);
		code = curl_easy_perform(a->curl);
		if (failures < a->o->tries && http_may_pass(a->curl, code)) {
			http_pause(failures);
			continue;
		}
		if (code == CURLE_OK && buf_ok(&a->headers))
			return 0;
		if (a->too_large)
			return err_set(e, -EFBIG, "the answer of \"%s\" is larger than %llu bytes", a->o->url,
				       (unsigned long long)a->o->max);
		return err_set(e, -EIO, "\"%s\": %s", a->o->url,
			       a->why[0] ? a->why : curl_easy_strerror(code));
	}
}

static int answer(const struct ask *a, struct err *e)
{
	autobuf struct buf head = { 0 };
	int rc;

	buf_addf(&head, "%ld\n%s\n", http_status(a->curl), buf_text(&a->headers));
	if (!buf_ok(&head))
		return err_set(e, -ENOMEM, "there is not enough memory");
	rc = file_write_all(STDOUT_FILENO, head.data, head.len);
	if (rc == 0)
		rc = file_write_all(STDOUT_FILENO, buf_text(&a->answer), a->answer.len);
	return rc < 0 ? err_code(e, rc, "write the answer") : 0;
}

int ask(const struct http_options *o)
{
	struct ask a = { .o = o };
	autobuf struct buf text = { 0 };
	struct err e = { "" };
	int rc = file_read_fd(STDIN_FILENO, REQUEST_MAX, &text, &e);

	if (rc == 0)
		rc = read_request(&a, &text, &e);
	if (rc == 0 && !prepare(&a))
		rc = err_set(&e, -EIO, "the HTTP client does not start");
	if (rc == 0)
		rc = perform(&a, &e);
	if (rc == 0)
		rc = answer(&a, &e);
	else
		file_write_all(STDOUT_FILENO, e.text, strlen(e.text));
	curl_easy_cleanup(a.curl);
	curl_slist_free_all(a.lines);
	buf_free(&a.headers);
	buf_free(&a.answer);
	return rc < 0 ? EXIT_FAILED : EXIT_DONE;
}
