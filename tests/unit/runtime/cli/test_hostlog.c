#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "cli/hostlog.h"

static char dir[] = "/tmp/hostlog.XXXXXX";

static void put(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int make_logs(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	hostlog_dir = dir;
	put("engine.log.1", "2026-11-24T10:00:01.000Z one\n");
	put("engine.log", "2026-11-24T10:00:03.000Z three\n2026-11-24T10:00:03.000Z three and a bit\n"
			  "2026-11-24T10:00:09.000Z no end");
	put("ssh.log", "2026-11-24T10:00:02.000Z two\n");
	put("notes.txt", "2026-11-24T10:00:02.000Z not a log\n");
	return 0;
}

static int remove_logs(void **state)
{
	static const char *const names[] = { "engine.log.1", "engine.log", "ssh.log", "notes.txt" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	return rmdir(dir);
}

static void shows(const char *name, long tail, const char *expected)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);
	struct hostlog_options o = { .name = name, .tail = tail, .to = to };
	struct err e = { 0 };

	assert_int_equal(hostlog_show(&o, &e), 0);
	fclose(to);
	assert_string_equal(text, expected);
	free(text);
}

static void one_service(void **state)
{
	(void)state;
	shows("engine", -1, "2026-11-24T10:00:01.000Z one\n2026-11-24T10:00:03.000Z three\n"
			    "2026-11-24T10:00:03.000Z three and a bit\n");
	shows("engine", 1, "2026-11-24T10:00:03.000Z three and a bit\n");
	shows("ssh", 0, "");
}

static void shows_between(const char *since, const char *until, const char *expected)
{
	char from[HOSTLOG_TIME_MAX], to[HOSTLOG_TIME_MAX], *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	struct hostlog_options o = { .name = "engine", .tail = -1, .since = from, .until = to, .to = out };
	struct err e = { 0 };

	assert_int_equal(hostlog_time(since, from, &e), 0);
	assert_int_equal(hostlog_time(until, to, &e), 0);
	assert_int_equal(hostlog_show(&o, &e), 0);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void between_two_times(void **state)
{
	static const char first[] = "2026-11-24T10:00:01.000Z one\n";
	static const char *const nonsense[] = { "", "soon", "2026-11-24T10:00:01+01:00", "T", "-5", "1e300" };
	char out[HOSTLOG_TIME_MAX];

	(void)state;
	shows_between("2026-11-24", "2026-11-24T10:00:03Z", first);
	shows_between("2026-11-24T10:00:01.000Z", "1795514402", first); /* 10:00:02 */
	shows_between("2026-11-24T10:00:01.001Z", "2026-11-24T10:00:03", "");
	shows_between("1795514401.5", "2026-11-24T10:00:03.000Z", "");
	shows_between("2026", "999999h", "");
	for (size_t i = 0; i < ARRAY_LEN(nonsense); i++) {
		struct err e = { 0 };

		assert_int_equal(hostlog_time(nonsense[i], out, &e), -EINVAL);
		assert_non_null(strstr(e.text, "is no time"));
	}
}

/* The kernel's lines depend on the machine that this runs on: only ours are looked at. */
static void all_in_the_order_of_time(void **state)
{
	static const char *const order[] = {
		"2026-11-24T10:00:01.000Z engine     one\n",
		"2026-11-24T10:00:02.000Z ssh        two\n",
		"2026-11-24T10:00:03.000Z engine     three\n",
		"2026-11-24T10:00:03.000Z engine     three and a bit\n",
	};
	char *text = NULL, *at;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);
	struct hostlog_options o = { .tail = -1, .to = to };

	(void)state;
	assert_int_equal(hostlog_show(&o, NULL), 0);
	fclose(to);
	at = text;
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		at = strstr(at, order[i]);
		assert_non_null(at);
	}
	free(text);
}

static void no_such_service(void **state)
{
	static const char *const rows[] = { "nginx", "", "..", "../ssh", "/etc/passwd" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct hostlog_options o = { .name = rows[i], .tail = -1, .to = stdout };
		struct err e = { 0 };

		assert_false(hostlog_exists(rows[i]));
		assert_int_equal(hostlog_show(&o, &e), -ESRCH);
		assert_non_null(strstr(e.text, "berth services"));
	}
}

static void kernel_records(void **state)
{
	static const struct {
		const char *record, *line; /* NULL: no record */
	} rows[] = {
		{ "6,339,5140900,-;NET: Registered PF_PACKET\n",
		  "1970-01-02T00:00:05.140Z NET: Registered PF_PACKET" },
		{ "30,340,5690716,-,caller=T1;udevd[80]: starting; really\n SUBSYSTEM=acpi\n",
		  "1970-01-02T00:00:05.690Z udevd[80]: starting; really" },
		{ "4,1,0,-;\n", "1970-01-02T00:00:00.000Z " },
		{ "no record", NULL },
		{ ";text", NULL },
		{ "6,1;2,3\n", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autobuf struct buf out = { 0 };
		bool is = hostlog_kernel_line(rows[i].record, 86400000000000, &out);

		assert_int_equal(is, rows[i].line != NULL);
		assert_string_equal(buf_text(&out), rows[i].line ? rows[i].line : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_service),
		cmocka_unit_test(between_two_times),
		cmocka_unit_test(all_in_the_order_of_time),
		cmocka_unit_test(no_such_service),
		cmocka_unit_test(kernel_records),
	};

	return cmocka_run_group_tests_name("hostlog", tests, make_logs, remove_logs);
}
