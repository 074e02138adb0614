/* Test tool: what a host has around a runtime, in one program for the test machine.
 *   stagehand as UID PROGRAM...    runs it as that user and group, with no other group
 *   stagehand agent SOCKET         a seccomp agent: prints what it gets, answers every call with
 *                                  "Device or resource busy" until its container has gone
 *   stagehand kill-at N PROGRAM...  kills it (SIGKILL) at its Nth stop at a system call, of which
 *                                  each has two; exit code 0: it was killed, 1: it ended before
 *   newuidmap, newgidmap           as those of the shadow package, and grants whatever is asked */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int die(const char *what)
{
	perror(what);
	return 1;
}

static int as(char **argv)
{
	uid_t id = (uid_t)atoi(argv[0]);

	if (setgroups(0, NULL) < 0 || setresgid(id, id, id) < 0 || setresuid(id, id, id) < 0)
		return die("stagehand: become a user");
	execvp(argv[1], argv + 1);
	return die(argv[1]);
}

/* ---- the seccomp agent ---- */

static int receive(int socket)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char text[8192];
	struct iovec data = { text, sizeof(text) - 1 };
	struct msghdr m = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.room,
			    .msg_controllen = sizeof(control.room) };
	ssize_t n = recvmsg(socket, &m, 0);
	int fd = -1;

	if (n <= 0 || !CMSG_FIRSTHDR(&m))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	text[n] = '\0';
	printf("agent: %s\n", text);
	/* One state for a connection, which the runtime closes. */
	printf("agent: then %zd\n", read(socket, text, sizeof(text)));
	fflush(stdout);
	return fd;
}

static int answer(int listener)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };

	for (;;) {
		struct seccomp_notif call = { 0 };
		struct seccomp_notif_resp response = { .error = -EBUSY };

		if (poll(&p, 1, 20000) <= 0 || !(p.revents & POLLIN))
			return 0;
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
			return 0;
		response.id = call.id;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
	}
}

static int agent(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int socket_fd = socket(AF_UNIX, SOCK_STREAM, 0), listener;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	unlink(path);
	if (bind(socket_fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(socket_fd, 1) < 0)
		return die("stagehand: listen");
	listener = receive(accept(socket_fd, NULL, NULL));
	return listener < 0 ? die("stagehand: receive") : answer(listener);
}

/* ---- the killer ---- */

static int kill_at(int count, char **argv)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execv(argv[0], argv);
		_exit(127);
	}
	for (int stops = 0; waitpid(pid, &status, 0) == pid && WIFSTOPPED(status); stops++) {
		if (stops == count) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return 0;
		}
		ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	}
	return 1;
}

/* ---- newuidmap ---- */

static int map(const char *file, int argc, char **argv)
{
	char path[64], text[4096] = "";
	size_t len = 0;
	int fd;

	for (int i = 2; i + 2 < argc; i += 3)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s %s %s\n", argv[i], argv[i + 1],
					argv[i + 2]);
	if (setresuid(0, 0, 0) < 0)
		return die(file);
	snprintf(path, sizeof(path), "/proc/%s/%s", argv[1], file);
	fd = open(path, O_WRONLY);
	return fd < 0 || write(fd, text, len) != (ssize_t)len ? die(path) : 0;
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];

	if (!strcmp(name, "newuidmap"))
		return map("uid_map", argc, argv);
	if (!strcmp(name, "newgidmap"))
		return map("gid_map", argc, argv);
	if (argc > 3 && !strcmp(argv[1], "as"))
		return as(argv + 2);
	if (argc > 3 && !strcmp(argv[1], "kill-at"))
		return kill_at(atoi(argv[2]), argv + 3);
	if (argc == 3 && !strcmp(argv[1], "agent"))
		return agent(argv[2]);
	fprintf(stderr, "usage: stagehand as UID PROGRAM... | agent SOCKET | kill-at N PROGRAM...\n");
	return 2;
}
