/* How the machine is right now, as far as an update may not make it worse. Asked of the kernel, of
 * PID 1's control socket, and of `berth`, which asks the engine. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "download/fetch.h"
#include "update/store.h"

struct settings {
	int64_t hold_ms;  /* the checks must hold this long */
	int64_t limit_ms; /* ... and begin to within this time */
	char channel[URL_BYTES_MAX]; /* address of the channel's text; empty: none */
	struct fetch_way way;
	bool critical_known;
	unsigned critical_count;
	char critical[CRITICAL_MAX][NAME_MAX_BYTES]; /* else: every declared container */
};

/* From /run/berth/config.json ("berth.update"); without one, what holds without a configuration.
 * A CA of the configuration's own is written to a file for the download. */
void facts_settings(struct settings *out);

/* Is /var on the data partition? 0, or -EAGAIN with why not. */
int facts_data(struct err *e);

/* The data partition and the network. */
void facts_host(struct before *out);

/* host, and which of the critical containers are healthy. */
void facts_all(const struct settings *s, struct before *out);

/* Is the container healthy (or, without a health check, running)? 0, or -errno with why not.
 * `*since` changes whenever it was started anew. */
int facts_container(const char *name, uint64_t *since, struct err *e);
/* The same of what `berth inspect` says. */
int facts_judge(const char *name, const char *inspected, size_t len, uint64_t *since,
		struct err *e);

/* The supervised services: 0 when all do what they are there for. `*restarts` is their sum. */
int facts_services(uint64_t *restarts, struct err *e);
