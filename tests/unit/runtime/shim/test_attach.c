/* A client joined to a container's streams, over real sockets and pipes: frames, stdin and its end,
 * a slow client, and what an attach line may say. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "shim/shim.h"

static const struct {
	const char *line;
	int rc;
	bool in, out, err, patient;
	size_t early;
} lines[] = {
	{ "attach oe 0", 0, false, true, true, false, 0 },
	{ "attach ioep 12", 0, true, true, true, true, 12 },
	{ "attach i 16384", 0, true, false, false, false, 16384 },
	{ "attach i 16385", -EINVAL, false, false, false, false, 0 },
	{ "attach x 0", -EINVAL, false, false, false, false, 0 },
	{ "attach i", -EINVAL, false, false, false, false, 0 },
	{ "attach i 0 more", -EINVAL, false, false, false, false, 0 },
	{ "resize 1 2", -EINVAL, false, false, false, false, 0 },
	{ "", -EINVAL, false, false, false, false, 0 },
};

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct attach_wish w = { 0 };

		assert_int_equal(attach_parse(lines[i].line, &w), lines[i].rc);
		assert_int_equal(w.in, lines[i].in);
		assert_int_equal(w.out, lines[i].out);
		assert_int_equal(w.err, lines[i].err);
		assert_int_equal(w.patient, lines[i].patient);
		assert_int_equal(w.early, lines[i].early);
	}
}

/* A shim without a container: the test holds the container's ends. */
struct bench {
	struct shim shim;
	struct options options;
	int peer[2];      /* the clients' ends */
	int stdin_end;    /* the container's */
};

static void on_time(struct loop *l, void *arg)
{
	(void)arg;
	loop_stop(l, 0);
}

static void turn(struct bench *b)
{
	assert_non_null(loop_timer(b->shim.loop, 5, on_time, NULL));
	loop_run(b->shim.loop);
}

static void open_bench(struct bench *b, bool tty, bool once)
{
	int in[2];

	memset(b, 0, sizeof(*b));
	b->options = (struct options){ .tty = tty, .stdin_open = true, .stdin_once = once };
	b->shim.options = &b->options;
	b->shim.outputs[0].fd = b->shim.outputs[1].fd = -1;
	b->shim.listener = -1;
	assert_int_equal(loop_new(&b->shim.loop, NULL), 0);
	assert_int_equal(pipe2(in, O_CLOEXEC | O_NONBLOCK), 0);
	b->stdin_end = in[0];
	b->shim.input.fd = in[1];
}

static void add_client(struct bench *b, size_t i, struct attach_wish wish)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	b->shim.clients[i] = (struct client){ .shim = &b->shim, .used = true, .fd = -1 };
	assert_int_equal(attach_client(&b->shim.clients[i], pair[0], &wish, "early"), 0);
	b->peer[i] = pair[1];
}

static void close_bench(struct bench *b)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (b->shim.clients[i].used)
			client_drop(&b->shim.clients[i]);
	stdin_close(&b->shim);
	close(b->stdin_end);
	loop_free(b->shim.loop);
}

static void expect(int fd, const char *bytes, size_t len)
{
	char got[64];

	assert_int_equal(read(fd, got, sizeof(got)), (ssize_t)len);
	assert_memory_equal(got, bytes, len);
}

static void test_frames_and_who_wants_them(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, false, false);
	add_client(&b, 0, (struct attach_wish){ .out = true, .err = true });
	add_client(&b, 1, (struct attach_wish){ .err = true });
	attach_output(&b.shim, LOG_STDOUT, "hello\n", 6);
	attach_output(&b.shim, LOG_STDERR, "no", 2);
	expect(b.peer[0], "\1\0\0\0\0\0\0\6hello\n\2\0\0\0\0\0\0\2no", 24);
	expect(b.peer[1], "\2\0\0\0\0\0\0\2no", 10);
	close_bench(&b);
	close(b.peer[0]);
	close(b.peer[1]);
}

static void test_a_terminal_is_raw(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, true, true);
	add_client(&b, 0, (struct attach_wish){ .in = true, .out = true });
	attach_output(&b.shim, LOG_STDOUT, "$ ", 2);
	expect(b.peer[0], "$ ", 2);
	/* Its stdin has no end: not even when the client's has. */
	shutdown(b.peer[0], SHUT_WR);
	turn(&b);
	assert_true(b.shim.input.fd >= 0);
	attach_output(&b.shim, LOG_STDOUT, "more", 4);
	expect(b.peer[0], "more", 4);
	close_bench(&b);
	close(b.peer[0]);
}

static void test_stdin_and_its_end(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, false, true);
	add_client(&b, 0, (struct attach_wish){ .in = true, .out = true, .early = 5 });
	expect(b.stdin_end, "early", 5);
	assert_int_equal(write(b.peer[0], "later", 5), 5);
	shutdown(b.peer[0], SHUT_WR);
	turn(&b);
	expect(b.stdin_end, "later", 5);
	assert_int_equal(read(b.stdin_end, &(char){ 0 }, 1), 0);
	/* Half of the connection is over, the other is not. */
	attach_output(&b.shim, LOG_STDOUT, "x", 1);
	expect(b.peer[0], "\1\0\0\0\0\0\0\1x", 9);
	close_bench(&b);
	close(b.peer[0]);
}

static void test_stdin_stays_open_for_others(void **state)
{
	struct bench b;
	char byte;

	(void)state;
	open_bench(&b, false, false);
	add_client(&b, 0, (struct attach_wish){ .in = true });
	assert_int_equal(write(b.peer[0], "a", 1), 1);
	close(b.peer[0]);
	turn(&b);
	expect(b.stdin_end, "a", 1);
	assert_int_equal(read(b.stdin_end, &byte, 1), -1);
	assert_int_equal(errno, EAGAIN);
	assert_false(b.shim.clients[0].used);
	close_bench(&b);
}

/* More than pipe and socket hold, from a client that has hung up before it was all taken. */
static void test_nothing_of_stdin_is_lost(void **state)
{
	enum { CHUNKS = 40, CHUNK = 4096 };
	static char chunk[CHUNK];
	struct bench b;
	size_t sent = 0, got = 0;
	ssize_t n;

	(void)state;
	open_bench(&b, false, true);
	add_client(&b, 0, (struct attach_wish){ .in = true });
	for (int i = 0; i < CHUNKS; i++) {
		n = write(b.peer[0], chunk, CHUNK);
		if (n > 0)
			sent += (size_t)n;
		turn(&b);
	}
	close(b.peer[0]);
	assert_true(sent > 65536);
	while ((n = read(b.stdin_end, chunk, CHUNK)) != 0) {
		if (n > 0)
			got += (size_t)n;
		turn(&b);
	}
	assert_int_equal(got, sent);
	close_bench(&b);
}

static void test_a_slow_client_pauses_the_output_and_loses_nothing(void **state)
{
	enum { CHUNKS = 64, CHUNK = 16 * 1024 };
	static char chunk[CHUNK];
	struct bench b;
	size_t got = 0;
	ssize_t n;
	int sent = 0;

	(void)state;
	open_bench(&b, true, false);
	add_client(&b, 0, (struct attach_wish){ .out = true, .patient = true });
	add_client(&b, 1, (struct attach_wish){ .out = true });
	while (!b.shim.paused && sent < CHUNKS) {
		attach_output(&b.shim, LOG_STDOUT, chunk, CHUNK);
		while (read(b.peer[1], chunk, CHUNK) > 0)
			;
		sent++;
	}
	assert_true(b.shim.paused);
	for (int i = 0; i < 200 && got < (size_t)sent * CHUNK; i++) {
		while ((n = read(b.peer[0], chunk, CHUNK)) > 0)
			got += (size_t)n;
		turn(&b);
	}
	assert_int_equal(got, (size_t)sent * CHUNK);
	assert_false(b.shim.paused);
	close_bench(&b);
	close(b.peer[0]);
	close(b.peer[1]);
}

static void test_a_client_that_hangs_up_is_forgotten(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, false, false);
	add_client(&b, 0, (struct attach_wish){ .out = true });
	close(b.peer[0]);
	turn(&b);
	assert_false(b.shim.clients[0].used);
	close_bench(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_frames_and_who_wants_them),
		cmocka_unit_test(test_a_terminal_is_raw),
		cmocka_unit_test(test_stdin_and_its_end),
		cmocka_unit_test(test_stdin_stays_open_for_others),
		cmocka_unit_test(test_nothing_of_stdin_is_lost),
		cmocka_unit_test(test_a_slow_client_pauses_the_output_and_loses_nothing),
		cmocka_unit_test(test_a_client_that_hangs_up_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
