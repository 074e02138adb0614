#include "shim/syslog.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

enum { PORT = 514, SEVERITY_ERROR = 3, SEVERITY_INFO = 6, HOST_MAX = 65 };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
};

struct syslog {
	struct syslog_options options;
	char host[HOST_MAX];
	union address to;
	socklen_t to_len;
	int fd;
};

/* ---- the address ---- */

static int parse_local(const char *path, union address *out, socklen_t *len, struct err *e)
{
	if (*path != '/' || strlen(path) >= sizeof(out->local.sun_path))
		return err_set(e, -EINVAL, "syslog address: \"%.100s\" is no path of a socket", path);
	out->local.sun_family = AF_UNIX;
	strcpy(out->local.sun_path, path);
	*len = sizeof(out->local);
	return 0;
}

/* Numbers alone: a name would have to be looked up, and again when it changes. */
static int parse_udp(const char *text, union address *out, socklen_t *len, struct err *e)
{
	const char *close = *text == '[' ? strchr(text, ']') : NULL;
	const char *host = close ? text + 1 : text, *end = close ? close : text + strcspn(text, ":");
	const char *port = close ? close + 1 : end;
	char copy[INET6_ADDRSTRLEN], *rest = NULL;
	long number = *port == ':' ? strtol(port + 1, &rest, 10) : PORT;

	if ((*port && *port != ':') || (rest && (rest == port + 1 || *rest)) || number < 1 ||
	    number > 65535 || (size_t)(end - host) >= sizeof(copy))
		return err_set(e, -EINVAL, "syslog address: \"%.100s\" is not ADDRESS[:PORT]", text);
	snprintf(copy, sizeof(copy), "%.*s", (int)(end - host), host);
	if (inet_pton(AF_INET, copy, &out->v4.sin_addr) == 1) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons((uint16_t)number);
		*len = sizeof(out->v4);
		return 0;
	}
	if (inet_pton(AF_INET6, copy, &out->v6.sin6_addr) != 1)
		return err_set(e, -EINVAL, "syslog address: \"%.100s\" is no IP address (names are not "
			       "supported)", copy);
	out->v6.sin6_family = AF_INET6;
	out->v6.sin6_port = htons((uint16_t)number);
	*len = sizeof(out->v6);
	return 0;
}

static int parse(const char *text, union address *out, socklen_t *len, struct err *e)
{
	static const char unix_head[] = "unix://", unixgram_head[] = "unixgram://", udp_head[] = "udp://";

	memset(out, 0, sizeof(*out));
	if (!strncmp(text, unix_head, sizeof(unix_head) - 1))
		return parse_local(text + sizeof(unix_head) - 1, out, len, e);
	if (!strncmp(text, unixgram_head, sizeof(unixgram_head) - 1))
		return parse_local(text + sizeof(unixgram_head) - 1, out, len, e);
	if (!strncmp(text, udp_head, sizeof(udp_head) - 1))
		return parse_udp(text + sizeof(udp_head) - 1, out, len, e);
	return err_set(e, -EINVAL, "syslog address: \"%.100s\" does not begin with udp:// or unix:// "
		       "(others are not supported)", text);
}

/* ---- the line ---- */

size_t syslog_line(const struct syslog_options *o, const char *host, int pid, int64_t wall_ns,
		   enum log_stream stream, const char *text, size_t len, char out[SYSLOG_LINE_MAX])
{
	unsigned int priority = o->facility * 8 + (stream == LOG_STDERR ? SEVERITY_ERROR : SEVERITY_INFO);
	char at[CLOCK_RFC3339_MAX];
	int n;

	if (!strncmp(o->format, "rfc5424", 7)) {
		clock_rfc3339(wall_ns, at);
		/* Six digits after the point are all that the format knows; without "micro", none. */
		if (strlen(at) == sizeof("2026-11-24T00:00:00.123456789Z") - 1)
			strcpy(at + (o->format[7] ? 26 : 19), "Z");
		n = snprintf(out, SYSLOG_LINE_MAX, "<%u>1 %s %s %s %d %s - ", priority, at, host, o->tag, pid,
			     o->tag);
	} else {
		time_t seconds = (time_t)(wall_ns / 1000000000);
		struct tm tm;

		gmtime_r(&seconds, &tm);
		strftime(at, sizeof(at), "%b %e %H:%M:%S", &tm);
		n = snprintf(out, SYSLOG_LINE_MAX, "<%u>%s %s %s[%d]: ", priority, at, host, o->tag, pid);
	}
	while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	if (n < 0 || n >= SYSLOG_LINE_MAX)
		return 0;
	if (len > SYSLOG_LINE_MAX - (size_t)n)
		len = SYSLOG_LINE_MAX - (size_t)n;
	memcpy(out + n, text, len);
	return (size_t)n + len;
}

/* ---- sending ---- */

int syslog_open(struct syslog **out, const struct syslog_options *o, struct err *e)
{
	struct syslog *s = calloc(1, sizeof(*s));
	struct utsname host;
	int rc = s ? parse(o->address, &s->to, &s->to_len, e) : err_set(e, -ENOMEM, "out of memory");

	if (!rc) {
		s->options = *o;
		snprintf(s->host, sizeof(s->host), "%s", uname(&host) < 0 ? "-" : host.nodename);
		s->fd = socket(s->to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (s->fd < 0)
			rc = err_sys(e, "syslog");
	}
	if (rc < 0) {
		free(s);
		return rc;
	}
	*out = s;
	return 0;
}

void syslog_close(struct syslog *s)
{
	if (!s)
		return;
	close(s->fd);
	free(s);
}

/* To the address each time, and not connected: a server that was away for a while is no error. */
void syslog_send(struct syslog *s, enum log_stream stream, const char *text, size_t len)
{
	char line[SYSLOG_LINE_MAX];
	size_t n = syslog_line(&s->options, s->host, (int)getpid(), clock_wall_ns(), stream, text, len,
			       line);

	sendto(s->fd, line, n, MSG_NOSIGNAL | MSG_DONTWAIT, &s->to.any, s->to_len);
}
