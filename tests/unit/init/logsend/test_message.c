/* Lines of logs as syslog messages, and the server's settings. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "logsend/message.h"
#include "logsend/settings.h"

enum { BOOTED_S = 1790000000 }; /* 2026-09-21T14:13:20Z */

static const struct {
	enum record_kind kind;
	const char *app, *text, *message; /* NULL: none */
} rows[] = {
	{ RECORD_KERNEL, "kernel", "6,339,5140900,-;NET: Registered PF_INET\n SUBSYSTEM=net\n",
	  "<6>1 2026-09-21T14:13:25.140900Z web-1 kernel - kernel - NET: Registered PF_INET" },
	{ RECORD_KERNEL, "kernel", "30,1,0,c;x", "<30>1 2026-09-21T14:13:20.000000Z web-1 kernel - kernel - x" },
	{ RECORD_KERNEL, "kernel", "nothing", NULL },
	{ RECORD_KERNEL, "kernel", "400,1,0,-;x", NULL },
	{ RECORD_SERVICE, "engine", "2026-11-24T20:15:00.123Z engine: ready",
	  "<30>1 2026-11-24T20:15:00.123Z web-1 engine - service - engine: ready" },
	{ RECORD_SERVICE, "engine", "2026-11-24T20:15:00.123Z engine: error: no",
	  "<27>1 2026-11-24T20:15:00.123Z web-1 engine - service - engine: error: no" },
	{ RECORD_SERVICE, "ssh", "2026-11-24T20:15:00.123Z a: warning: b",
	  "<28>1 2026-11-24T20:15:00.123Z web-1 ssh - service - a: warning: b" },
	{ RECORD_SERVICE, "", "2026-11-24T20:15:00.123Z x", "<30>1 2026-11-24T20:15:00.123Z web-1 - - service - x" },
	{ RECORD_SERVICE, "ssh", "half a line", NULL },
	{ RECORD_CONTAINER, "a b\x7f", "{\"log\":\"h\\u00e9llo\\n\",\"stream\":\"stdout\","
	  "\"time\":\"2026-11-24T20:15:00.123456789Z\"}",
	  "<30>1 2026-11-24T20:15:00.123456Z web-1 a_b_ - container - h\u00e9llo" },
	{ RECORD_CONTAINER, "db",
	  "{\"log\":\"no\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-24T20:15:00.123456789Z\"}",
	  "<27>1 2026-11-24T20:15:00.123456Z web-1 db - container - no" },
	{ RECORD_CONTAINER, "db", /* of the boot before */
	  "{\"log\":\"no\\n\",\"stream\":\"stderr\",\"time\":\"2026-09-21T14:13:19.123456789Z\"}", NULL },
	{ RECORD_CONTAINER, "db", "{\"log\":7,\"time\":\"2026-11-24T20:15:00.123456789Z\"}", NULL },
	{ RECORD_CONTAINER, "db", "{\"log\":\"x\",\"time\":\"now\"}", NULL },
	{ RECORD_CONTAINER, "db", "{", NULL },
	{ RECORD_NAME, "db", "{}", NULL },
};

static void messages(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct message_of m = { .host = "web-1", .app = rows[i].app,
					      .booted_ns = (int64_t)BOOTED_S * 1000000000 };
		autobuf struct buf out = { 0 };
		bool made = message_make(&m, rows[i].kind, rows[i].text, strlen(rows[i].text), &out);

		if (made != !!rows[i].message || (made && strcmp(buf_text(&out), rows[i].message)))
			fail_msg("%s: \"%s\"", rows[i].text, buf_text(&out));
	}
}

static void a_long_line_is_cut(void **unused)
{
	static char text[3 * MESSAGE_MAX];
	const struct message_of m = { .host = "h", .app = "a" };
	autobuf struct buf out = { 0 };

	(void)unused;
	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "2026-11-24T20:15:00.123Z ", 25);
	assert_true(message_make(&m, RECORD_SERVICE, text, sizeof(text) - 1, &out));
	assert_int_equal(out.len, MESSAGE_MAX);
}

static void names(void **unused)
{
	static const struct {
		const char *json, *name;
	} cases[] = {
		{ "{\"id\":\"aa\",\"name\":\"web\"}", "web" },
		{ "{\"name\":\"\"}", NULL },
		{ "{\"name\":7}", NULL },
		{ "[]", NULL },
		{ "x", NULL },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char name[RECORD_NAME_MAX] = "";

		assert_int_equal(message_name(cases[i].json, strlen(cases[i].json), name), !!cases[i].name);
		assert_string_equal(name, cases[i].name ? cases[i].name : "");
	}
}

static void settings(void **unused)
{
	static const struct {
		const char *text;
		int code, family;
		bool tcp, kernel, services, containers;
	} cases[] = {
		{ "udp 192.0.2.1 514\nweb-1\nkernel services containers \n", 0, AF_INET, false, true, true, true },
		{ "tcp 2001:db8::1 601\nweb-1\nservices \n", 0, AF_INET6, true, false, true, false },
		{ "tls 192.0.2.1 514\nweb-1\nkernel\n", -EINVAL, 0, false, false, false, false },
		{ "udp example.org 514\nweb-1\nkernel\n", -EINVAL, 0, false, false, false, false },
		{ "udp 192.0.2.1 70000\nweb-1\nkernel\n", -EINVAL, 0, false, false, false, false },
		{ "udp 192.0.2.1 514\n", -EINVAL, 0, false, false, false, false },
		{ "", -EINVAL, 0, false, false, false, false },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct settings s = { 0 };

		if (settings_parse(cases[i].text, &s, NULL) != cases[i].code)
			fail_msg("%s", cases[i].text);
		assert_int_equal(s.to.any.sa_family, cases[i].family);
		assert_true(s.tcp == cases[i].tcp && s.kernel == cases[i].kernel);
		assert_true(s.services == cases[i].services && s.containers == cases[i].containers);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages),
		cmocka_unit_test(a_long_line_is_cut),
		cmocka_unit_test(names),
		cmocka_unit_test(settings),
	};

	return cmocka_run_group_tests_name("logsend messages", tests, NULL, NULL);
}
