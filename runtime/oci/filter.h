/* linux.seccomp as a BPF program. Compiling one with libseccomp takes longer than everything
 * else that create does, so programs are kept in ROOT/.seccomp, by the profile's text. */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "yyjson.h"

/* Docker's default profile, compiled when the image was built. */
#define FILTER_SHIPPED "/usr/share/berth/seccomp.filter"

enum { FILTER_NOTIFIES = 1 << 30 }; /* in flags: an action is SCMP_ACT_NOTIFY */

struct filter {
	struct buf code;    /* struct sock_filter[]; empty: no filter */
	unsigned int flags; /* SECCOMP_FILTER_FLAG_*, FILTER_NOTIFIES */
	/* Who gets the listener of a filter that notifies; borrowed from the profile. */
	const char *listener_path, *listener_metadata;
};

static inline bool filter_notifies(const struct filter *f)
{
	return f->flags & FILTER_NOTIFIES;
}

/* Takes the filter from the cache, or compiles and stores it. A cache that cannot be read or
 * written costs time, not the container. NULL profile: no filter. */
int filter_prepare(const char *root, yyjson_val *profile, struct filter *out,
		    struct err *e);

/* Compiles the profile into the file that is to become FILTER_SHIPPED. */
int filter_ship(const char *path, yyjson_val *profile, struct err *e);

/* Locks the calling thread in. Needs no_new_privs or CAP_SYS_ADMIN. 0, or for a filter that
 * notifies the listener's fd. */
int filter_load(const struct filter *filter, struct err *e);
