/* download: the only program of the host that speaks HTTP and TLS (see ../README.md). It is started
 * for one download, as nobody, and holds nothing but what it was given.
 *
 *   download [--max BYTES] [--offset N] [options] URL   the body to standard output, from byte N on
 *   download --ranges [options] URL                     standard input has lines FIRST LAST; the
 *                                                       parts, one behind the other
 *   download --ask METHOD [--max BYTES] [--redirects N] [options] URL
 *                                                       one request, the whole answer (ask.h)
 *   options: --ca FILE, --tries N, --seconds N (of one try)
 *
 * A proxy is taken from http_proxy, https_proxy and no_proxy, as by other programs, else from the
 * host's configuration (base/proxy.h). Exit codes: 0, 1 failed (a sentence on standard error, with
 * --ask on standard output), 2 usage, 3 the server sends no parts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/nobody.h"
#include "base/proxy.h"
#include "download/program/ask.h"
#include "download/program/transfer.h"

enum { TRIES = 6, REDIRECTS = 5, TRIES_MAX = 1000, SECONDS_MAX = 86400 };

static struct http_options given = { .max = UINT64_MAX, .redirects = REDIRECTS, .tries = TRIES };

static const struct {
	const char *name;
	uint64_t *number;
	const char **text;
	uint64_t least, most;
} options[] = {
	{ "--max", &given.max, NULL, 0, UINT64_MAX },
	{ "--offset", &given.offset, NULL, 0, UINT64_MAX },
	{ "--tries", &given.tries, NULL, 1, TRIES_MAX },
	{ "--seconds", &given.seconds, NULL, 1, SECONDS_MAX },
	{ "--redirects", &given.redirects, NULL, 0, 20 },
	{ "--ca", NULL, &given.ca, 0, 0 },
	{ "--ask", NULL, &given.method, 0, 0 },
};

static bool read_number(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno && *out >= least && *out <= most;
}

static bool read_option(const char *name, const char *value)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if (strcmp(options[i].name, name) != 0)
			continue;
		if (options[i].text)
			*options[i].text = value;
		return options[i].text ||
		       read_number(value, options[i].least, options[i].most, options[i].number);
	}
	return false;
}

static bool read_arguments(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--ranges") == 0)
			given.ranges = true;
		else if (argv[i][0] != '-' && !given.url)
			given.url = argv[i];
		else if (i + 1 >= argc || !read_option(argv[i], argv[i + 1]))
			return false;
		else
			i++;
	}
	/* Parts have no place in a whole answer; another method's redirection is the caller's. */
	if (given.method && (given.ranges || given.offset))
		return false;
	if (given.method && strcmp(given.method, "GET") != 0)
		given.redirects = 0;
	return given.url && *given.url;
}

int main(int argc, char **argv)
{
	struct err e = { 0 };

	log_name("download");
	if (!read_arguments(argc, argv)) {
		log_error("expected [--max BYTES] [--offset N] [--ranges] [--ask METHOD] [--redirects N] "
			  "[--ca FILE] [--tries N] [--seconds N] URL");
		return EXIT_USAGE;
	}
	proxy_load();
	/* Nothing that comes over the network finds a right here. */
	if (nobody_become(&e) < 0) {
		log_error("%s", e.text);
		return EXIT_FAILED;
	}
	return given.method ? ask(&given) : transfer(&given);
}
