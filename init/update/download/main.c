/* download: a URL's bytes to standard output. The only program of the host that speaks HTTP and
 * TLS: it is started for one download, as nobody, and holds nothing but its output.
 *
 *   download [--max BYTES] [--offset N] [--ca FILE] URL    the body, from byte N on
 *   download --ranges [--ca FILE] URL                      standard input has lines FIRST LAST; the
 *                                                          parts, one behind the other
 *
 * A connection that is cut is taken up where it ended, as often as it gets further. A proxy is
 * taken from http_proxy, https_proxy and no_proxy, as by other programs. Exit codes: 0, 1 failed (a
 * sentence on standard error), 2 usage, 3 the server sends no parts. */
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"

enum { NOBODY = 65534, TRIES = 6, CONNECT_S = 30, SLOW_BYTES = 64, SLOW_S = 30, REDIRECTS = 5 };
enum { EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_NO_PARTS };

struct download {
	CURL *curl;
	const char *url;
	char why[CURL_ERROR_SIZE];
	uint64_t first, last; /* bytes wanted; last UINT64_MAX: to the end */
	uint64_t written;     /* of them */
	uint64_t skip;        /* of an answer that begins at 0 although it was asked for less */
	uint64_t max;         /* more is an error */
	bool parts_only;      /* an answer with the whole is of no use */
	bool too_large, cannot_write, judged, no_parts;
};

/* An answer to a request for a part may be the whole all the same (status 200). */
static void judge_answer(struct download *d)
{
	long status = 0;

	if (d->judged)
		return;
	d->judged = true;
	curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &status);
	d->skip = status == 206 ? 0 : d->first + d->written;
	d->no_parts = d->parts_only && status != 206;
}

static size_t on_body(char *data, size_t one, size_t len, void *arg)
{
	struct download *d = arg;
	size_t total = one * len, skipped;

	judge_answer(d);
	if (d->no_parts)
		return 0;
	skipped = d->skip < total ? (size_t)d->skip : total;
	d->skip -= skipped;
	data += skipped;
	len = total - skipped;
	if (d->last != UINT64_MAX && len > d->last - d->first + 1 - d->written)
		len = (size_t)(d->last - d->first + 1 - d->written);
	if (len > d->max - d->written) {
		d->too_large = true;
		return 0;
	}
	if (file_write_all(STDOUT_FILENO, data, len) < 0) {
		d->cannot_write = true;
		return 0;
	}
	d->written += len;
	return total;
}

static bool set_options(struct download *d, const char *ca)
{
	CURL *c = d->curl;
	const char *protocols = strncmp(d->url, "https:", 6) ? "http,https" : "https";

	return curl_easy_setopt(c, CURLOPT_URL, d->url) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       /* What began protected stays protected. */
	       curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, protocols) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)REDIRECTS) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)SLOW_S) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_USERAGENT, "berth/" BERTH_VERSION) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_ERRORBUFFER, d->why) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_WRITEDATA, d) == CURLE_OK &&
	       (!ca || curl_easy_setopt(c, CURLOPT_CAINFO, ca) == CURLE_OK);
}

static CURLcode ask(struct download *d)
{
	char range[64] = "";
	uint64_t from = d->first + d->written;

	d->judged = false;
	d->why[0] = '\0';
	if (d->last != UINT64_MAX)
		snprintf(range, sizeof(range), "%llu-%llu", (unsigned long long)from,
			 (unsigned long long)d->last);
	else if (from)
		snprintf(range, sizeof(range), "%llu-", (unsigned long long)from);
	curl_easy_setopt(d->curl, CURLOPT_RANGE, *range ? range : NULL);
	return curl_easy_perform(d->curl);
}

/* Faults that another try may not meet. */
static bool may_pass(const struct download *d, CURLcode code)
{
	static const CURLcode passing[] = {
		CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT,
		CURLE_PARTIAL_FILE,         CURLE_OPERATION_TIMEDOUT,    CURLE_GOT_NOTHING,
		CURLE_SEND_ERROR,           CURLE_RECV_ERROR,            CURLE_SSL_CONNECT_ERROR,
	};
	long status = 0;

	curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_HTTP_RETURNED_ERROR)
		return status >= 500 || status == 429;
	for (size_t i = 0; i < ARRAY_LEN(passing); i++)
		if (passing[i] == code)
			return true;
	return false;
}

static int tell(const struct download *d, CURLcode code)
{
	long status = 0;

	curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &status);
	/* 416: the part is behind the file's end. */
	if (code == CURLE_RANGE_ERROR || status == 416 || d->no_parts)
		return EXIT_NO_PARTS;
	if (d->too_large)
		log_error("\"%s\" is larger than the %llu bytes that are expected", d->url,
			  (unsigned long long)d->max);
	else if (d->cannot_write)
		log_error("the receiver of \"%s\" is gone", d->url);
	else
		log_error("download \"%s\": %s", d->url, d->why[0] ? d->why : curl_easy_strerror(code));
	return EXIT_FAILED;
}

/* Until it is there, or TRIES times without any progress. */
static int fetch(struct download *d)
{
	int failures = 0;

	for (;;) {
		uint64_t before = d->written;
		CURLcode code = ask(d);

		if (code == CURLE_OK && (d->last == UINT64_MAX || d->written == d->last - d->first + 1))
			return EXIT_DONE;
		if (code == CURLE_OK)
			return EXIT_NO_PARTS; /* shorter than the part that was asked for */
		failures = d->written > before ? 1 : failures + 1;
		if (!may_pass(d, code) || failures >= TRIES)
			return tell(d, code);
		log_warn("\"%s\": %s; once more", d->url, d->why[0] ? d->why : curl_easy_strerror(code));
		poll(NULL, 0, 250 << failures);
	}
}

static int fetch_ranges(struct download *d)
{
	char line[64];
	int code = EXIT_DONE;

	while (code == EXIT_DONE && fgets(line, sizeof(line), stdin)) {
		char *end;

		d->first = strtoull(line, &end, 10);
		d->last = strtoull(end, NULL, 10);
		d->written = 0;
		code = d->last < d->first ? EXIT_USAGE : fetch(d);
	}
	return code;
}

/* Nothing that comes over the network finds a right here. */
static int drop_rights(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (geteuid() != 0)
		return 0;
	if (setgroups(0, NULL) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
		return -errno;
	return 0;
}

static const char *value_of(int *i, int argc, char **argv, const char *name)
{
	if (strcmp(argv[*i], name) != 0 || *i + 1 >= argc)
		return NULL;
	return argv[++*i];
}

int main(int argc, char **argv)
{
	struct download d = { .last = UINT64_MAX, .max = UINT64_MAX };
	const char *ca = NULL, *value;
	bool ranges = false;
	int code;

	log_name("download");
	for (int i = 1; i < argc; i++) {
		if ((value = value_of(&i, argc, argv, "--max")))
			d.max = strtoull(value, NULL, 10);
		else if ((value = value_of(&i, argc, argv, "--offset")))
			d.first = strtoull(value, NULL, 10);
		else if ((value = value_of(&i, argc, argv, "--ca")))
			ca = value;
		else if (!strcmp(argv[i], "--ranges"))
			ranges = true;
		else if (!d.url && argv[i][0] != '-')
			d.url = argv[i];
		else
			d.url = "", i = argc;
	}
	if (!d.url || !*d.url) {
		log_error("expected [--max BYTES] [--offset N] [--ranges] [--ca FILE] URL");
		return EXIT_USAGE;
	}
	if (drop_rights() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) || !(d.curl = curl_easy_init()) ||
	    !set_options(&d, ca)) {
		log_error("the HTTP client does not start");
		return EXIT_FAILED;
	}
	d.parts_only = ranges;
	code = ranges ? fetch_ranges(&d) : fetch(&d);
	curl_easy_cleanup(d.curl);
	return code;
}
