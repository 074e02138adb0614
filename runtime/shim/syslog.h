/* A container's log that goes to a syslog server, a datagram a line: over UDP, or to a unix socket.
 * Nothing waits for it: what the network or the server does not take is lost.
 * Source: RFC 5424; RFC 3164 (docker's default form); docker's syslog driver. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "shim/logfile.h"

struct syslog;

struct syslog_options {
	const char *address;  /* "udp://192.0.2.1:514", "udp://[2001:db8::1]", "unix:///dev/log" */
	const char *tag;      /* the program's name in the lines */
	const char *format;   /* "", "rfc3164", "rfc5424", "rfc5424micro" */
	unsigned int facility;
};

enum { SYSLOG_LINE_MAX = 17 * 1024 };

int syslog_open(struct syslog **out, const struct syslog_options *o, struct err *e);
void syslog_close(struct syslog *s); /* NULL is fine */
void syslog_send(struct syslog *s, enum log_stream stream, const char *text, size_t len);

/* One datagram's text without its newline; how long it is. */
size_t syslog_line(const struct syslog_options *o, const char *host, int pid, int64_t wall_ns,
		   enum log_stream stream, const char *text, size_t len, char out[SYSLOG_LINE_MAX]);
