/* Lines on /run/berth/init.sock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "pid1/request.h"

#define NO_SUCH "; there are status, summary, start, stop, restart, reboot, poweroff, halt, rescue and " \
	"watchdog"

static const struct {
	const char *line;
	enum request_verb verb;
	const char *name;
} good[] = {
	{ "status", REQUEST_STATUS, "" },
	{ "summary\r", REQUEST_SUMMARY, "" },
	{ "start engine", REQUEST_START, "engine" },
	{ "stop console-ttyS0", REQUEST_STOP, "console-ttyS0" },
	{ "restart ssh\r", REQUEST_RESTART, "ssh" },
	{ "reboot", REQUEST_REBOOT, "" },
	{ "poweroff", REQUEST_POWEROFF, "" },
	{ "halt", REQUEST_HALT, "" },
	{ "rescue", REQUEST_RESCUE, "" },
	{ "watchdog 90", REQUEST_WATCHDOG, "90" },
	{ "watchdog off", REQUEST_WATCHDOG, "off" },
};

static const struct {
	const char *line, *says;
} bad[] = {
	{ "", "no such request \"\"" NO_SUCH },
	{ "Status", "no such request \"Status\"" NO_SUCH },
	{ "\033[2J", "no such request \"?[2J\"" NO_SUCH },
	{ " status", "no such request \"\"" NO_SUCH },
	{ "start", "\"start\" needs the name of a service" },
	{ "start ", "\"start\" needs the name of a service" },
	{ "stop a b", "\"stop\" needs the name of a service" },
	{ "stop ../a", "\"stop\" needs the name of a service" },
	{ "stop aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	  "\"stop\" needs the name of a service" },
	{ "watchdog", "\"watchdog\" needs seconds, or off" },
	{ "reboot now", "\"reboot\" takes no name" },
};

static void good_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct request r;
		struct err e = { 0 };

		if (request_parse(good[i].line, strlen(good[i].line), &r, &e) < 0)
			fail_msg("\"%s\": %s", good[i].line, e.text);
		assert_int_equal(r.verb, good[i].verb);
		assert_string_equal(r.name, good[i].name);
	}
}

static void bad_lines(void **state)
{
	char huge[4096];
	struct request r;
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		e = (struct err){ 0 };
		assert_true(request_parse(bad[i].line, strlen(bad[i].line), &r, &e) < 0);
		assert_string_equal(e.text, bad[i].says);
	}
	memset(huge, 'a', sizeof(huge));
	assert_true(request_parse(huge, sizeof(huge), &r, &e) < 0);
	assert_string_equal(e.text, "a request is one line of text, at most 127 bytes");
	assert_true(request_parse("sta\0tus", 7, &r, &e) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_lines),
		cmocka_unit_test(bad_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
