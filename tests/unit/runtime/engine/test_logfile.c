/* Logs read back: tails over rotated files, growing files, rotation while reading, rubbish. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "engine/logfile.h"

static char top[32];
static char path[64];

static int setup(void **state)
{
	(void)state;
	snprintf(top, sizeof(top), "/tmp/berth-logs-XXXXXX");
	if (!mkdtemp(top))
		return -1;
	snprintf(path, sizeof(path), "%s/log", top);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return path_remove_tree(AT_FDCWD, top, NULL);
}

/* Appends lines "FROM" to "TO" to the file with this suffix. */
static void add(const char *suffix, int from, int to)
{
	autobuf struct buf text = { 0 };
	char name[80];
	int fd;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	fd = open(name, O_WRONLY | O_CREAT | O_APPEND, 0600);
	assert_true(fd >= 0);
	for (int i = from; i <= to; i++)
		buf_addf(&text, "{\"log\":\"%d\\n\",\"stream\":\"%s\",\"time\":\"2026-11-23T22:12:40.%09dZ\"}"
			 "\n", i, i % 2 ? "stdout" : "stderr", i);
	assert_int_equal(file_write_all(fd, text.data, text.len), 0);
	close(fd);
}

static void add_raw(const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);

	assert_int_equal(file_write_all(fd, text, len), 0);
	close(fd);
}

static void expect(struct logfile *l, int from, int to)
{
	struct log_line line;
	char want[16];

	for (int i = from; i <= to; i++) {
		assert_int_equal(logfile_next(l, &line), 1);
		snprintf(want, sizeof(want), "%d\n", i);
		assert_int_equal(line.len, strlen(want));
		assert_memory_equal(line.text, want, line.len);
		assert_int_equal(line.stream, i % 2 ? LOG_STDOUT : LOG_STDERR);
	}
	assert_int_equal(logfile_next(l, &line), 0);
}

static void tails(void **state)
{
	static const struct { int64_t tail; int first; } rows[] = {
		{ -1, 1 }, { 0, 3001 }, { 1, 3000 }, { 5, 2996 }, { 1000, 2001 }, { 1001, 2000 },
		{ 2500, 501 }, { 2999, 2 }, { 3000, 1 }, { 3001, 1 }, { 99999, 1 },
	};

	add(".2", 1, 1000);
	add(".1", 1001, 2000);
	add("", 2001, 3000);
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct logfile *l;

		assert_int_equal(logfile_open(&l, path, rows[i].tail, NULL), 0);
		expect(l, rows[i].first, 3000);
		logfile_close(l);
	}
}

static void it_follows_growth_and_rotation(void **state)
{
	struct logfile *l;
	char rotated[80];

	(void)state;
	assert_int_equal(logfile_open(&l, path, -1, NULL), 0); /* no file yet */
	expect(l, 1, 0);
	add("", 1, 10);
	expect(l, 1, 10);
	add("", 11, 20);
	snprintf(rotated, sizeof(rotated), "%s.1", path);
	assert_int_equal(rename(path, rotated), 0);
	add("", 21, 30);
	expect(l, 11, 30);
	add("", 31, 31);
	expect(l, 31, 31);
	logfile_close(l);
}

static void a_line_that_is_not_finished_waits(void **state)
{
	static const char half[] = "{\"log\":\"1\\n\",\"stream\":\"std";
	static const char rest[] = "out\",\"time\":\"2026-11-23T22:12:40Z\"}\n";
	struct logfile *l;

	(void)state;
	add_raw(half, sizeof(half) - 1);
	assert_int_equal(logfile_open(&l, path, -1, NULL), 0);
	expect(l, 1, 0);
	add_raw(rest, sizeof(rest) - 1);
	expect(l, 1, 1);
	logfile_close(l);
}

static void rubbish_is_skipped(void **state)
{
	static const char *const rubbish[] = {
		"\n", "not json\n", "{\"log\":5}\n", "[]\n", "{\"log\":\"x\"}\n", "\0\0\0\n",
	};
	char *huge = malloc(LOGFILE_LINE_MAX * 2);
	struct logfile *l;

	(void)state;
	add("", 1, 1);
	for (size_t i = 0; i < ARRAY_LEN(rubbish); i++)
		add_raw(rubbish[i], i == 5 ? 4 : strlen(rubbish[i]));
	memset(huge, 'x', LOGFILE_LINE_MAX * 2);
	add_raw(huge, LOGFILE_LINE_MAX * 2);
	free(huge);
	add_raw("\n", 1);
	add("", 2, 3);
	assert_int_equal(logfile_open(&l, path, -1, NULL), 0);
	expect(l, 1, 3);
	logfile_close(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tails, setup, teardown),
		cmocka_unit_test_setup_teardown(it_follows_growth_and_rotation, setup, teardown),
		cmocka_unit_test_setup_teardown(a_line_that_is_not_finished_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(rubbish_is_skipped, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
