/* Lines for a syslog server, its address, and a server on this machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "shim/syslog.h"

enum { SECOND = 1000000000 };

static void lines(void **state)
{
	static const struct {
		const char *format;
		unsigned int facility;
		enum log_stream stream;
		const char *text, *line;
	} rows[] = {
		{ "", 3, LOG_STDOUT, "hello\n", "<30>Jan  2 10:17:36 host web[7]: hello" },
		{ "rfc3164", 3, LOG_STDERR, "bad\r\n", "<27>Jan  2 10:17:36 host web[7]: bad" },
		{ "rfc5424", 23, LOG_STDOUT, "no end",
		  "<190>1 1970-01-02T10:17:36Z host web 7 web - no end" },
		{ "rfc5424micro", 0, LOG_STDOUT, "\n",
		  "<6>1 1970-01-02T10:17:36.123456Z host web 7 web - " },
	};
	char out[SYSLOG_LINE_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct syslog_options o = { .tag = "web", .format = rows[i].format,
						  .facility = rows[i].facility };
		size_t len = syslog_line(&o, "host", 7, 123456ll * SECOND + 123456789, rows[i].stream,
					 rows[i].text, strlen(rows[i].text), out);

		assert_int_equal(len, strlen(rows[i].line));
		assert_memory_equal(out, rows[i].line, len);
	}
}

static void a_long_line_is_cut(void **state)
{
	static char text[2 * SYSLOG_LINE_MAX], out[SYSLOG_LINE_MAX];
	const struct syslog_options o = { .tag = "web", .format = "" };

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(syslog_line(&o, "host", 7, 0, LOG_STDOUT, text, sizeof(text), out),
			 SYSLOG_LINE_MAX);
}

static void addresses(void **state)
{
	static const struct {
		const char *address, *said; /* NULL: fine */
	} rows[] = {
		{ "udp://192.0.2.1", NULL }, { "udp://192.0.2.1:1514", NULL },
		{ "udp://[2001:db8::1]:514", NULL }, { "udp://[2001:db8::1]", NULL },
		{ "unix:///dev/log", NULL }, { "unixgram:///run/x", NULL },
		{ "udp://logs.example.org", "is no IP address" }, { "udp://192.0.2.1:x", "is not ADDRESS[:PORT]" },
		{ "udp://192.0.2.1:70000", "is not ADDRESS[:PORT]" }, { "udp://[::1", "is not ADDRESS[:PORT]" },
		{ "udp://", "is no IP address" }, { "unix://log", "is no path of a socket" },
		{ "tcp://192.0.2.1", "does not begin with udp:// or unix://" }, { "", "does not begin" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct syslog_options o = { .address = rows[i].address, .tag = "t", .format = "" };
		struct syslog *s = NULL;
		struct err e = { 0 };
		int rc = syslog_open(&s, &o, &e);

		/* A machine without IPv6 has no socket for it. */
		if (rc == -EAFNOSUPPORT)
			continue;
		assert_int_equal(rc, rows[i].said ? -EINVAL : 0);
		if (rows[i].said && !strstr(e.text, rows[i].said))
			fail_msg("%s: %s", rows[i].address, e.text);
		syslog_close(s);
	}
}

static void a_server_gets_them(void **state)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	autoclose int server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct timeval wait = { .tv_sec = 20 };
	socklen_t len = sizeof(to);
	char address[64], got[256] = "";
	struct syslog *s;
	struct logfile *log;

	(void)state;
	assert_int_equal(bind(server, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(getsockname(server, (struct sockaddr *)&to, &len), 0);
	setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	snprintf(address, sizeof(address), "udp://127.0.0.1:%u", ntohs(to.sin_port));
	assert_int_equal(syslog_open(&s, &(struct syslog_options){ .address = address, .tag = "web",
								   .format = "rfc5424", .facility = 16 },
				     NULL), 0);
	log = logfile_of_syslog(s);
	logfile_add(log, LOG_STDERR, "one line\n", 9);
	logfile_flush(log);
	assert_true(recv(server, got, sizeof(got) - 1, 0) > 0);
	assert_int_equal(strncmp(got, "<131>1 20", 9), 0);
	assert_non_null(strstr(got, " web - one line"));
	logfile_close(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(a_long_line_is_cut),
		cmocka_unit_test(addresses),
		cmocka_unit_test(a_server_gets_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
