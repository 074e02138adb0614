/* What a jailed task may do and what ends it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/jail.h"

static int answer_text(void *arg, struct buf *out, struct err *e)
{
	(void)e;
	buf_adds(out, arg);
	return 0;
}

static int answer_much(void *arg, struct buf *out, struct err *e)
{
	(void)arg, (void)e;
	for (int i = 0; i < 100000; i++)
		buf_adds(out, "0123456789");
	return 0;
}

static int fail_badly(void *arg, struct buf *out, struct err *e)
{
	(void)arg, (void)out;
	return err_set(e, -EBADMSG, "the text is bad");
}

static int open_file(void *arg, struct buf *out, struct err *e)
{
	(void)out, (void)e;
	return open(arg, O_RDONLY) < 0 ? -EIO : 0;
}

static int open_socket(void *arg, struct buf *out, struct err *e)
{
	(void)arg, (void)out, (void)e;
	return socket(AF_INET, SOCK_STREAM, 0) < 0 ? -EIO : 0;
}

static int start_process(void *arg, struct buf *out, struct err *e)
{
	(void)arg, (void)out, (void)e;
	return fork() < 0 ? -EIO : 0;
}

static int map_code(void *arg, struct buf *out, struct err *e)
{
	(void)arg, (void)out, (void)e;
	mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return 0;
}

static int spin(void *arg, struct buf *out, struct err *e)
{
	volatile unsigned long n = 0;

	(void)arg, (void)out, (void)e;
	while (n + 1)
		n |= 1;
	return 0;
}

static int read_fd(void *arg, struct buf *out, struct err *e)
{
	char text[8] = "";

	(void)e;
	if (pread(*(int *)arg, text, 4, 0) != 4)
		return -EIO;
	buf_add(out, text, 4);
	return 0;
}

static const struct row {
	const char *what;
	jail_fn *fn;
	void *arg;
	size_t max_bytes;
	int timeout_ms;
	int code;
	const char *text; /* the result, or a part of the sentence */
} rows[] = {
	{ "a result", answer_text, "hello", 100, 5000, 0, "hello" },
	{ "an empty result", answer_text, "", 100, 5000, 0, "" },
	{ "its own error", fail_badly, NULL, 100, 5000, -EBADMSG, "the text is bad" },
	{ "too long a result", answer_much, NULL, 1000, 5000, -EFBIG, "too long" },
	{ "a long result", answer_much, NULL, 2000000, 5000, 0, NULL },
	{ "opening a file", open_file, "/etc/passwd", 100, 5000, -EIO, "signal 31" },
	{ "a socket", open_socket, NULL, 100, 5000, -EIO, "signal 31" },
	{ "a process", start_process, NULL, 100, 5000, -EIO, "signal 31" },
	{ "executable memory", map_code, NULL, 100, 5000, -EIO, "signal 31" },
	{ "no end", spin, NULL, 100, 100, -ETIMEDOUT, "no answer within 100 ms" },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct jail_task task = { .jail = JAIL_PARSE, .fn = r->fn, .arg = r->arg,
			.max_bytes = r->max_bytes, .timeout_ms = r->timeout_ms };
		autobuf struct buf out = { 0 };
		struct err e = { "" };
		int code = jail_run(&task, &out, &e);

		if (code != r->code)
			fail_msg("%s: %d instead of %d: %s", r->what, code, r->code, e.text);
		if (r->text && code == 0)
			assert_string_equal(buf_text(&out), r->text);
		if (r->text && code < 0 && !strstr(e.text, r->text))
			fail_msg("%s: \"%s\" does not say \"%s\"", r->what, e.text, r->text);
	}
}

static void test_kept_fd(void **state)
{
	char path[] = "/tmp/jail-test-XXXXXX";
	autoclose int fd = mkstemp(path);
	struct jail_task task = { .jail = JAIL_PROBE, .fn = read_fd, .arg = &fd,
		.keep_fds = &fd, .keep_fd_count = 1, .max_bytes = 100, .timeout_ms = 5000 };
	autobuf struct buf out = { 0 };
	struct err e = { "" };

	(void)state;
	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(write(fd, "disk", 4), 4);
	assert_int_equal(jail_run(&task, &out, &e), 0);
	assert_string_equal(buf_text(&out), "disk");
	task.keep_fd_count = 0;
	assert_int_equal(jail_run(&task, &out, &e), -EIO);
	task.jail = JAIL_PARSE;
	assert_int_equal(jail_run(&task, &out, &e), -EIO);
	assert_non_null(strstr(e.text, "signal 31"));
}

static void test_unknown_jail(void **state)
{
	struct jail_task task = { .jail = "nowhere", .fn = fail_badly, .max_bytes = 10,
		.timeout_ms = 5000 };
	autobuf struct buf out = { 0 };
	struct err e = { "" };

	(void)state;
	assert_int_equal(jail_run(&task, &out, &e), -EINVAL);
	assert_string_equal(e.text, "there is no jail \"nowhere\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_kept_fd),
		cmocka_unit_test(test_unknown_jail),
	};

	return cmocka_run_group_tests_name("jail", tests, NULL, NULL);
}
