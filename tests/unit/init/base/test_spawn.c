/* spawn.h and loop.h: real children, real events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/loop.h"
#include "base/spawn.h"

static void exit_codes(void **state)
{
	static const struct {
		const char *script;
		int code;
	} rows[] = { { "exit 0", 0 }, { "exit 7", 7 }, { "kill -9 $$", 137 }, { "kill $$", 143 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct spawn s = {
			.argv = (const char *[]){ "/bin/sh", "-c", rows[i].script, NULL },
		};
		struct child c;
		struct err e = { 0 };

		assert_int_equal(spawn(&s, &c, &e), 0);
		assert_int_equal(spawn_wait(&c), rows[i].code);
	}
}

static void a_missing_program_is_an_error(void **state)
{
	const struct spawn s = { .argv = (const char *[]){ "/nowhere/prog", NULL } };
	struct child c;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(spawn(&s, &c, &e), -ENOENT);
	assert_string_equal(e.text, "start \"/nowhere/prog\": No such file or directory");
}

static void the_path_may_differ_from_the_name(void **state)
{
	const struct spawn s = {
		.argv = (const char *[]){ "other", "-c", "[ $0 = other ]", NULL },
		.path = "/bin/sh",
	};
	struct err e = { 0 };

	(void)state;
	assert_int_equal(spawn_run(&s, &e), 0);
}

static const char list_fds[] =
	"for i in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$i ] && printf '%s ' $i; done; exit 0";

/* Two fds whose numbers cross must both arrive, and nothing else. */
static void fds_arrive_and_no_others(void **state)
{
	int out[2], stray = open("/dev/null", O_RDONLY), low, high; /* no CLOEXEC on purpose */
	autobuf struct buf b = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	low = dup(stray);
	high = dup(low);
	{
		const struct spawn_fd fds[] = { { out[1], 1 }, { high, low }, { low, high } };
		const struct spawn s = {
			.argv = (const char *[]){ "/bin/sh", "-c", list_fds, NULL },
			.fds = fds,
			.fd_count = ARRAY_LEN(fds),
		};
		char expected[64];

		assert_int_equal(spawn_run(&s, &e), 0);
		close(out[1]);
		assert_int_equal(file_read_fd(out[0], 4096, &b, &e), 0);
		snprintf(expected, sizeof(expected), "0 1 2 %d %d ", low, high);
		assert_string_equal(buf_text(&b), expected);
	}
	close(out[0]);
	close(stray);
	close(low);
	close(high);
}

struct seen {
	int timers, reads, signals;
};

static void on_timer(struct loop *l, void *arg)
{
	struct seen *seen = arg;

	(void)l;
	seen->timers++;
	kill(getpid(), SIGUSR1);
}

static void on_signal(struct loop *l, int sig, void *arg)
{
	struct seen *seen = arg;

	assert_int_equal(sig, SIGUSR1);
	seen->signals++;
	loop_stop(l, 5);
}

static void on_read(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct seen *seen = arg;
	char c;

	assert_true(events & EPOLLIN);
	assert_int_equal(read(fd, &c, 1), 1);
	seen->reads++;
	loop_timer(l, 5, on_timer, arg);
}

static void loop_delivers(void **state)
{
	struct seen seen = { 0 };
	struct loop *l = NULL;
	struct err e = { 0 };
	int p[2];

	(void)state;
	assert_int_equal(loop_new(&l, &e), 0);
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_non_null(loop_fd(l, p[0], EPOLLIN, on_read, &seen));
	assert_non_null(loop_signal(l, SIGUSR1, on_signal, &seen));
	loop_remove(l, loop_timer(l, 0, on_timer, &seen));
	assert_int_equal(write(p[1], "x", 1), 1);
	assert_int_equal(loop_run(l), 5);
	assert_int_equal(seen.reads, 1);
	assert_int_equal(seen.timers, 1);
	assert_int_equal(seen.signals, 1);
	loop_free(l);
	close(p[0]);
	close(p[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exit_codes),
		cmocka_unit_test(a_missing_program_is_an_error),
		cmocka_unit_test(the_path_may_differ_from_the_name),
		cmocka_unit_test(fds_arrive_and_no_others),
		cmocka_unit_test(loop_delivers),
	};

	return cmocka_run_group_tests_name("base/spawn", tests, NULL, NULL);
}
