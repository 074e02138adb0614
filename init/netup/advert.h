/* What routers say in their advertisements besides addresses and routes, which the kernel takes by
 * itself: name servers and search domains. The kernel hands these options on as they came; they
 * are read in a jail, once for each text, and checked like a DHCP server's (lease.h). Each has a
 * time of its own, which the same option said again renews.
 * Source: RFC 8106, section 5; RFC 1035, 3.1 (names); linux/rtnetlink.h (nduseroptmsg). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "netup/lease.h"

enum { ADVERT_OPTIONS_MAX = 8, ADVERT_BYTES_MAX = 512 };

struct advert_option {
	uint8_t bytes[ADVERT_BYTES_MAX];
	size_t size;
	int64_t until_ms;  /* clock_boot_ms(); INT64_MAX: for ever */
	bool read;
	char *words; /* as advert_read gives them; NULL: nonsense */
};

struct adverts {
	struct advert_option options[ADVERT_OPTIONS_MAX];
	size_t count;
};

/* An option of an advertisement; true: something is new. Others than the two kinds are ignored. */
bool advert_note(struct adverts *a, const uint8_t *option, size_t size, int64_t now_ms);

/* What holds now, as a lease without an address (`out->valid`: there is something), until the first
 * of its options ends. `link` is for the log. */
void advert_collect(struct adverts *a, const char *link, int64_t now_ms, struct lease_file *out);
void advert_free(struct adverts *a);

/* The parser: "dns=ADDRESS ..." or "search=DOMAIN ..." into `out`. 0 or -EINVAL. */
int advert_read(const uint8_t *option, size_t size, struct buf *out);
