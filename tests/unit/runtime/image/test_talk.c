/* The conversation with fetch, which is not trusted: what may come with a message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "image/talk.h"

static int pair[2];

/* The fd that the next one to be opened gets: it grows when one is left open. */
static int next_fd(void)
{
	autoclose int fd = dup(pair[0]);

	return fd;
}

static void a_message_brings_its_file(void **state)
{
	char text[TALK_MAX], content[8];
	autoclose int sent = talk_document("x", "bytes", 5);
	int fd;

	(void)state;
	assert_true(sent >= 0);
	assert_int_equal(talk_send(pair[0], sent, "config %s", "type"), 0);
	assert_int_equal(talk_receive(pair[1], text, &fd), 11);
	assert_string_equal(text, "config type");
	assert_true(fd >= 0);
	assert_int_equal(read(fd, content, sizeof(content)), 5);
	close(fd);
	assert_int_equal(write(sent, "x", 1), -1);
	assert_int_equal(talk_send(pair[0], -1, "all"), 0);
	assert_int_equal(talk_receive(pair[1], text, &fd), 3);
	assert_int_equal(fd, -1);
}

static void more_files_than_one_are_not_taken(void **state)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(2 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (char[]){ "at" }, 2 };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *c = &control.header;
	char text[TALK_MAX];
	int fd, before = next_fd();

	(void)state;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(c), pair, 2 * sizeof(int));
	assert_int_equal(sendmsg(pair[0], &message, 0), 2);
	assert_int_equal(talk_receive(pair[1], text, &fd), 2);
	cleanup_fd(&fd);
	assert_int_equal(next_fd(), before);
}

static int set_up(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_brings_its_file),
		cmocka_unit_test(more_files_than_one_are_not_taken),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
