/* Files that grow, are put aside and go, told line by line into a pipe; and the sender at its other
 * end, against a server. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/jail.h"
#include "base/path.h"
#include "logsend/record.h"
#include "logsend/sender.h"
#include "logsend/tail.h"

enum { PATIENCE_S = 60 };

static char services[64], containers[64];

static void write_to(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "a");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void rename_in(const char *dir, const char *from, const char *to)
{
	char old[256], new[256];

	snprintf(old, sizeof(old), "%s/%s", dir, from);
	snprintf(new, sizeof(new), "%s/%s", dir, to);
	assert_int_equal(rename(old, new), 0);
}

static pid_t start_tail(bool from_end, int64_t booted_ns, int *out)
{
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		const struct tail_options o = {
			.services = true, .containers = true, .from_end = from_end, .booted_ns = booted_ns,
			.service_dir = services, .container_dir = containers, .pipe_fd = fds[1],
		};

		signal(SIGPIPE, SIG_IGN);
		close(fds[0]);
		_exit(tail_run(&o, NULL) == -EPIPE ? 0 : 1);
	}
	close(fds[1]);
	*out = fds[0];
	return pid;
}

static void read_whole(int fd, void *into, size_t len)
{
	for (char *at = into; len;) {
		ssize_t n = read(fd, at, len);

		assert_true(n > 0);
		at += n;
		len -= (size_t)n;
	}
}

/* The next record, "NAME|TEXT". */
static void expect(int fd, const char *wanted)
{
	struct record r;
	char got[1024] = "";
	size_t used;

	alarm(PATIENCE_S);
	read_whole(fd, &r, sizeof(r));
	used = (size_t)snprintf(got, sizeof(got), "%s|", r.name);
	assert_true(r.len < sizeof(got) - used);
	read_whole(fd, got + used, r.len);
	assert_string_equal(got, wanted);
}

static void end(pid_t pid, int fd)
{
	int status;

	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static int make_folders(void **state)
{
	(void)state;
	strcpy(services, "/tmp/logsend-s-XXXXXX");
	strcpy(containers, "/tmp/logsend-c-XXXXXX");
	return mkdtemp(services) && mkdtemp(containers) ? 0 : -1;
}

static int remove_folders(void **state)
{
	(void)state;
	path_remove_tree(AT_FDCWD, services, NULL);
	path_remove_tree(AT_FDCWD, containers, NULL);
	return 0;
}

static void services_from_the_beginning(void **state)
{
	int fd;
	pid_t pid;

	(void)state;
	write_to(services, "ssh.log", "one\nhal");
	write_to(services, "ssh.log.1", "what was put aside before is not told\n");
	pid = start_tail(false, 0, &fd);
	expect(fd, "ssh|one");
	write_to(services, "ssh.log", "f\n");
	expect(fd, "ssh|half");
	write_to(services, "net.log", "new\n");
	expect(fd, "net|new");
	write_to(services, "ssh.log", "last\n");
	rename_in(services, "ssh.log", "ssh.log.1");
	write_to(services, "ssh.log", "first\n");
	expect(fd, "ssh|last");
	expect(fd, "ssh|first");
	end(pid, fd);
}

static void containers_come_and_go(void **state)
{
	char dir[128], log[160];
	int fd;
	pid_t pid = start_tail(false, 0, &fd);

	(void)state;
	/* Made elsewhere, as the engine does it: the folder appears with what is in it or without. */
	snprintf(dir, sizeof(dir), "%s/aa", containers);
	assert_int_equal(mkdir(dir, 0700), 0);
	write_to(dir, "container.json", "{}");
	write_to(services, "x.log", "s\n"); /* by then the folder is seen */
	for (int i = 0; i < 2; i++) {
		struct record r;
		char text[16] = "";

		alarm(PATIENCE_S);
		read_whole(fd, &r, sizeof(r));
		assert_true(r.len < sizeof(text));
		read_whole(fd, text, r.len);
		assert_true(r.kind == RECORD_NAME || r.kind == RECORD_SERVICE);
		if (r.kind == RECORD_SERVICE)
			break;
	}
	write_to(dir, "aa-json.log", "{\"log\":\"x\"}\n");
	do {
		struct record r;
		char text[64] = "";

		read_whole(fd, &r, sizeof(r));
		read_whole(fd, text, r.len < sizeof(text) ? r.len : 0);
		if (r.kind != RECORD_CONTAINER)
			continue;
		assert_string_equal(r.name, "aa");
		assert_string_equal(text, "{\"log\":\"x\"}");
		break;
	} while (true);
	snprintf(log, sizeof(log), "%s/aa-json.log", dir);
	assert_int_equal(path_remove_tree(AT_FDCWD, dir, NULL), 0);
	write_to(services, "x.log", "still there\n");
	expect(fd, "x|still there");
	end(pid, fd);
}

static void from_the_end_after_a_restart(void **state)
{
	struct pollfd told = { .events = POLLIN };
	struct record r;
	char text[16];
	pid_t pid;
	int fd;

	(void)state;
	write_to(services, "ssh.log", "old\n");
	pid = start_tail(true, 0, &fd);
	told.fd = fd;
	/* A new file is told from its beginning: when one is, the others are watched. */
	for (int i = 0; poll(&told, 1, 100) == 0; i++) {
		char name[32];

		snprintf(name, sizeof(name), "new%d.log", i);
		write_to(services, name, "begin\n");
	}
	read_whole(fd, &r, sizeof(r));
	read_whole(fd, text, r.len);
	assert_true(r.len == 5 && !strncmp(r.name, "new", 3));
	write_to(services, "ssh.log", "young\n");
	expect(fd, "ssh|young");
	end(pid, fd);
}

/* ---- the sender ---- */

static int listen_on(int type, struct settings *s)
{
	int fd = socket(AF_INET, type, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	*s = (struct settings){ .tcp = type == SOCK_STREAM, .to_len = sizeof(s->to.v4), .host = "h" };
	s->to.v4.sin_family = AF_INET;
	s->to.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, &s->to.any, s->to_len), 0);
	assert_int_equal(getsockname(fd, &s->to.any, &s->to_len), 0);
	if (s->tcp)
		assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static pid_t start_sender(const struct settings *s, int server, int *to)
{
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		close(fds[1]);
		close(server);
		tzset(); /* glibc's gmtime_r reads the time zone once, musl's never */
		if (jail_enter(JAIL_SEND, NULL) < 0)
			_exit(9);
		_exit(sender_run(s, 0, fds[0]));
	}
	close(fds[0]);
	*to = fds[1];
	return pid;
}

static void give(int fd, enum record_kind kind, const char *name, const char *text)
{
	struct record r = { .kind = kind, .len = (uint32_t)strlen(text) };

	snprintf(r.name, sizeof(r.name), "%s", name);
	assert_int_equal(file_write_all(fd, &r, sizeof(r)), 0);
	assert_int_equal(file_write_all(fd, text, r.len), 0);
}

static void expect_text(int fd, const char *wanted)
{
	char got[512] = "";
	size_t len = strlen(wanted), used = 0;
	ssize_t n = 1;

	alarm(PATIENCE_S);
	while (used < len && (n = recv(fd, got + used, sizeof(got) - 1 - used, 0)) > 0)
		used += (size_t)n;
	assert_string_equal(got, wanted);
}

#define LINE "{\"log\":\"hello\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-24T20:15:00.123456789Z\"}"
#define SENT(app) "<30>1 2026-11-24T20:15:00.123456Z h " app " - container - hello"

static void udp(void **state)
{
	struct settings s;
	int server = listen_on(SOCK_DGRAM, &s), to;
	pid_t pid = start_sender(&s, server, &to);

	(void)state;
	give(to, RECORD_CONTAINER, "aa", LINE);
	expect_text(server, SENT("aa"));
	give(to, RECORD_NAME, "aa", "{\"name\":\"web\"}");
	give(to, RECORD_CONTAINER, "aa", "{ no JSON");
	give(to, RECORD_CONTAINER, "aa", LINE);
	expect_text(server, SENT("web"));
	end(pid, to);
	close(server);
}

/* A server that ends the connection, and one that is not there for a while. */
static void tcp(void **state)
{
	struct settings s;
	int server = listen_on(SOCK_STREAM, &s), to, one = 1, client;
	pid_t pid = start_sender(&s, server, &to);

	(void)state;
	give(to, RECORD_CONTAINER, "web", LINE);
	client = accept(server, NULL, NULL);
	expect_text(client, "59 " SENT("web"));
	close(client);
	close(server);
	give(to, RECORD_CONTAINER, "db", LINE);
	server = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(server, &s.to.any, s.to_len), 0);
	assert_int_equal(listen(server, 4), 0);
	client = accept(server, NULL, NULL);
	expect_text(client, "58 " SENT("db"));
	close(client);
	close(server);
	end(pid, to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(services_from_the_beginning, make_folders, remove_folders),
		cmocka_unit_test_setup_teardown(containers_come_and_go, make_folders, remove_folders),
		cmocka_unit_test_setup_teardown(from_the_end_after_a_restart, make_folders, remove_folders),
		cmocka_unit_test(udp),
		cmocka_unit_test(tcp),
	};

	return cmocka_run_group_tests_name("logsend", tests, NULL, NULL);
}
