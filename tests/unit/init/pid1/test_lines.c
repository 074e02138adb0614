/* Services' output: cutting into lines, what the console shows of it, the bounded log file. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/path.h"
#include "pid1/lines.h"
#include "pid1/logfile.h"

static void collect(const char *line, size_t len, void *arg)
{
	buf_addc(arg, '[');
	buf_add(arg, line, len);
	buf_addc(arg, ']');
}

static void cutting(void **state)
{
	static const struct {
		const char *parts[4];
		const char *lines;
	} rows[] = {
		{ { "a\nb\n" }, "[a][b]" },
		{ { "a", "b", "\n" }, "[ab]" },
		{ { "\n\n" }, "[][]" },
		{ { "a\nrest" }, "[a]" },
		{ { "x", "y\nz", "\n" }, "[xy][z]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct lines l = { .len = 0 };
		autobuf struct buf out = { 0 };

		for (size_t k = 0; k < 4 && rows[i].parts[k]; k++)
			lines_feed(&l, rows[i].parts[k], strlen(rows[i].parts[k]), collect, &out);
		assert_string_equal(buf_text(&out), rows[i].lines);
	}
}

static void long_lines_come_in_pieces(void **state)
{
	struct lines l = { .len = 0 };
	autobuf struct buf out = { 0 };
	char data[2 * LINES_MAX + 10];

	(void)state;
	memset(data, 'x', sizeof(data));
	data[sizeof(data) - 1] = '\n';
	lines_feed(&l, data, sizeof(data), collect, &out);
	assert_int_equal(out.len, sizeof(data) - 1 + 3 * 2); /* three pieces in brackets */
	assert_int_equal(l.len, 0);
}

static void loud_lines(void **state)
{
	static const struct {
		const char *line;
		bool loud;
	} rows[] = {
		{ "bootcfg: error: user-data:3: a tab", true },
		{ "netup: warning: eth0 has no carrier", true },
		{ "engine: listening", false },
		{ "engine: web: error: gone", false }, /* of a container; the engine's affair */
		{ "error: ", false },
		{ "x: error:", false },
		{ "x: error: ", true },
		{ "", false },
		{ ":", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (line_is_loud(rows[i].line, strlen(rows[i].line)) != rows[i].loud)
			fail_msg("\"%s\" is not %s", rows[i].line, rows[i].loud ? "loud" : "quiet");
}

static void printable(void **state)
{
	static const struct {
		const char *line, *out;
	} rows[] = {
		{ "plain", "plain" },
		{ "a\033[2Jb", "a?[2Jb" },
		{ "tab\there", "tab here" },
		{ "\177\001", "??" },
		{ "gr\303\274n", "gr\303\274n" },
		{ "0123456789abcdefXXX", "0123456789abcde" },
	};
	char out[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		line_make_printable(rows[i].line, strlen(rows[i].line), out, sizeof(out));
		assert_string_equal(out, rows[i].out);
	}
}

static void log_is_bounded(void **state)
{
	char folder[] = "/tmp/berth-logfile-XXXXXX", data[1000];
	struct logfile f;
	struct stat now, old;
	size_t written = 0;
	autoclose int dir = -1;

	(void)state;
	assert_non_null(mkdtemp(folder));
	dir = open(folder, O_RDONLY | O_DIRECTORY);
	memset(data, '\n', sizeof(data));
	logfile_open(&f, dir, "web");
	for (; written < 5 * LOGFILE_MAX_BYTES; written += sizeof(data))
		logfile_write(&f, data, sizeof(data));
	logfile_close(&f);
	assert_int_equal(fstatat(dir, "web.log", &now, 0), 0);
	assert_int_equal(fstatat(dir, "web.log.1", &old, 0), 0);
	assert_in_range(now.st_size, 1, LOGFILE_MAX_BYTES);
	assert_in_range(old.st_size, LOGFILE_MAX_BYTES - 1000, LOGFILE_MAX_BYTES);
	/* Opened again, it goes on where it was. */
	logfile_open(&f, dir, "web");
	assert_int_equal(f.bytes, now.st_size);
	logfile_close(&f);
	assert_int_equal(path_remove_tree(AT_FDCWD, folder, NULL), 0);
}

static void log_lines_have_a_time(void **state)
{
	autobuf struct buf out = { 0 };

	(void)state;
	logfile_format(&out, "hello", 5);
	assert_int_equal(out.len, strlen("2026-11-23T23:15:00.123Z hello\n"));
	assert_int_equal(out.data[10], 'T');
	assert_string_equal(out.data + 23, "Z hello\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cutting),
		cmocka_unit_test(long_lines_come_in_pieces),
		cmocka_unit_test(loud_lines),
		cmocka_unit_test(printable),
		cmocka_unit_test(log_is_bounded),
		cmocka_unit_test(log_lines_have_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
