/* The container's log: lines as docker cuts and writes them, rotation, what a full disk costs. */
#include <errno.h>
#include <fcntl.h>
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

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "shim/lines.h"
#include "shim/logfile.h"

static char top[] = "/tmp/berth-log-XXXXXX";
static char log_path[64];

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(top))
		return -1;
	snprintf(log_path, sizeof(log_path), "%s/log", top);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return path_remove_tree(AT_FDCWD, top, NULL);
}

static void remove_logs(void)
{
	static const char *const suffixes[] = { "", ".1", ".2", ".3" };

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		char path[80];

		snprintf(path, sizeof(path), "%s%s", log_path, suffixes[i]);
		unlink(path);
	}
}

static void read_log(const char *suffix, struct buf *out)
{
	char path[80];

	snprintf(path, sizeof(path), "%s%s", log_path, suffix);
	buf_reset(out);
	file_read_at(AT_FDCWD, path, 1 << 20, out, NULL);
}

static const struct {
	const char *text;
	size_t len;
	const char *expected[4]; /* the lines' "log" members */
} cuts[] = {
	{ "", 0, { NULL } },
	{ "a\n", 2, { "\"a\\n\"" } },
	{ "a\nb\n\n", 5, { "\"a\\n\"", "\"b\\n\"", "\"\\n\"" } },
	{ "no newline", 10, { "\"no newline\"" } },
	{ "a\nrest", 6, { "\"a\\n\"", "\"rest\"" } },
	{ "tty\r\n", 5, { "\"tty\\r\\n\"" } },
	{ "q\"\\\t\n", 5, { "\"q\\\"\\\\\\t\\n\"" } },
	{ "\0\033\n", 3, { "\"\\u0000\\u001b\\n\"" } },
	{ "\xff\xc3\n", 3, { "\"\\ufffd\\ufffd\\n\"" } },
	{ "\xc3\xa4\n", 3, { "\"\xc3\xa4\\n\"" } },
	{ "\xed\xa0\x80\n", 4, { "\"\\ufffd\\ufffd\\ufffd\\n\"" } },
};

static void add_all(const char *text, size_t len, struct logfile *log)
{
	static struct lines lines;
	int pipe_fds[2];

	assert_int_equal(pipe(pipe_fds), 0);
	fcntl(pipe_fds[1], F_SETPIPE_SZ, 1 << 20);
	assert_int_equal(file_write_all(pipe_fds[1], text, len), 0);
	close(pipe_fds[1]);
	while (lines_read(&lines, pipe_fds[0], log) > 0)
		;
	lines_end(&lines, log);
	close(pipe_fds[0]);
}

static void cuts_and_escapes(void **state)
{
	autobuf struct buf text = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
		struct logfile *log;
		const char *at;

		remove_logs();
		assert_int_equal(logfile_open(&log, log_path, 1 << 20, 2, NULL), 0);
		add_all(cuts[i].text, cuts[i].len, log);
		logfile_close(log);
		read_log("", &text);
		at = buf_text(&text);
		for (size_t k = 0; k < 4 && cuts[i].expected[k]; k++) {
			char begin[64];
			int n = snprintf(begin, sizeof(begin), "{\"log\":%s,\"stream\":\"stdout\",\"time\":\"",
					 cuts[i].expected[k]);

			if (strncmp(at, begin, (size_t)n) != 0)
				fail_msg("row %zu line %zu: %s", i, k, at);
			at = strchr(at, '\n') + 1;
		}
		assert_string_equal(at, "");
	}
}

static void long_lines_are_parts(void **state)
{
	static char text[40001];
	autobuf struct buf out = { 0 };
	struct logfile *log;
	size_t lengths[3] = { 16384, 16384, 7232 }, i = 0;

	(void)state;
	memset(text, 'x', 40000);
	text[40000] = '\n';
	remove_logs();
	assert_int_equal(logfile_open(&log, log_path, 1 << 20, 2, NULL), 0);
	add_all(text, sizeof(text), log);
	logfile_close(log);
	read_log("", &out);
	for (char *line = out.data, *end; line && *line; line = end + 1, i++) {
		end = strchr(line, '\n');
		assert_true(i < 3);
		assert_int_equal(strspn(line + strlen("{\"log\":\""), "x"), lengths[i]);
		/* Only the last part has the newline. */
		assert_int_equal(memmem(line, (size_t)(end - line), "\\n", 2) != NULL, i == 2);
	}
	assert_int_equal(i, 3);
}

static void rotates(void **state)
{
	autobuf struct buf text = { 0 };
	struct logfile *log;
	struct stat st;
	char path[80];
	int next = 0;

	(void)state;
	remove_logs();
	assert_int_equal(logfile_open(&log, log_path, 1000, 3, NULL), 0);
	for (int i = 0; i < 100; i++) {
		char line[16];

		logfile_add(log, LOG_STDERR, line, (size_t)snprintf(line, sizeof(line), "%d\n", i));
		if (i % 7 == 0)
			logfile_flush(log);
	}
	logfile_close(log);
	for (int i = 2; i >= 0; i--) {
		static const char *const suffixes[] = { "", ".1", ".2" };

		snprintf(path, sizeof(path), "%s%s", log_path, suffixes[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_true(st.st_size <= 1000);
		read_log(suffixes[i], &text);
		for (char *at = text.data; at && (at = strstr(at, "{\"log\":\"")); at += 8) {
			int number = atoi(at + 8);

			if (next)
				assert_int_equal(number, next);
			next = number + 1;
		}
	}
	assert_int_equal(next, 100);
	snprintf(path, sizeof(path), "%s.3", log_path);
	assert_int_equal(stat(path, &st), -1);
}

static void one_file_starts_again(void **state)
{
	autobuf struct buf text = { 0 };
	struct logfile *log;

	(void)state;
	remove_logs();
	assert_int_equal(logfile_open(&log, log_path, 150, 1, NULL), 0);
	for (int i = 0; i < 3; i++) {
		logfile_add(log, LOG_STDOUT, "x\n", 2);
		logfile_flush(log);
	}
	logfile_close(log);
	read_log("", &text);
	assert_true(text.len && text.len <= 150);
	read_log(".1", &text);
	assert_int_equal(text.len, 0);
}

static void goes_on_in_the_same_file(void **state)
{
	autobuf struct buf text = { 0 };
	size_t lines = 0;

	(void)state;
	remove_logs();
	for (int i = 0; i < 3; i++) {
		struct logfile *log;

		assert_int_equal(logfile_open(&log, log_path, 1 << 20, 2, NULL), 0);
		logfile_add(log, LOG_STDOUT, "x\n", 2);
		logfile_close(log);
	}
	read_log("", &text);
	for (const char *at = buf_text(&text); (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(lines, 3);
}

/* RLIMIT_FSIZE would send a signal; a full device does not. */
static void losses_are_counted(void **state)
{
	struct logfile *log = NULL;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(logfile_open(&log, "/dev/full", 1 << 20, 2, &e), 0);
	logfile_add(log, LOG_STDOUT, "x\n", 2);
	logfile_flush(log);
	logfile_add(log, LOG_STDOUT, "y\n", 2);
	logfile_flush(log);
	logfile_close(log);
	assert_int_equal(logfile_open(&log, "/nowhere/log", 1 << 20, 2, &e), -ENOENT);
	assert_non_null(strstr(e.text, "open log \"/nowhere/log\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_and_escapes),
		cmocka_unit_test(long_lines_are_parts),
		cmocka_unit_test(rotates),
		cmocka_unit_test(one_file_starts_again),
		cmocka_unit_test(goes_on_in_the_same_file),
		cmocka_unit_test(losses_are_counted),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
