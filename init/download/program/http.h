/* What every request of this program has in common. Inside of download. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <curl/curl.h>

struct http_options {
	const char *url, *ca;
	const char *method;     /* --ask: a whole answer; NULL: the body's bytes */
	uint64_t max;           /* bytes of the body; more is an error */
	uint64_t offset;        /* the body from there on */
	uint64_t tries, seconds; /* seconds 0: as long as bytes come */
	uint64_t redirects;
	bool ranges;
};

enum { EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_NO_PARTS };

/* A handle with the options that do not depend on the kind of request, or NULL. `why`:
 * CURL_ERROR_SIZE bytes that live as long as the handle. */
CURL *http_new(const struct http_options *o, char *why);

long http_status(CURL *curl);

/* A fault, or a status, that another try may not meet. */
bool http_may_pass(CURL *curl, CURLcode code);

/* Before the next try. */
void http_pause(unsigned failures);
