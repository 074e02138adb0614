/* A line of a log as a syslog message. Source: RFC 5424; Documentation/ABI/testing/dev-kmsg. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "logsend/record.h"

enum { MESSAGE_MAX = 8192 }; /* bytes; a longer line is cut */

struct message_of {
	const char *host;   /* this machine */
	int64_t booted_ns;  /* Unix time of the kernel's start; containers' older lines are left out */
	const char *app;    /* the service's, or the container's name */
};

/* Appends the message. `text` has a NUL behind it. False: the record is none, or too old. */
bool message_make(const struct message_of *m, enum record_kind kind, const char *text, size_t len,
		  struct buf *out);

/* The name in a container.json; false: there is none. */
bool message_name(const char *json, size_t len, char out[RECORD_NAME_MAX]);
