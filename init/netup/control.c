#include "netup/control.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "netup/netup.h"

enum { WAITING_MAX = 16, LINE_MAX_BYTES = 32 };

static int waiting[WAITING_MAX]; /* fds of those who wait */
static size_t waiting_count;

static void say(int fd, const char *text)
{
	send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void control_tell(struct manager *m)
{
	for (size_t i = 0; i < waiting_count && strcmp(m->online, "online") == 0; i++) {
		say(waiting[i], "online\n");
		close(waiting[i]);
	}
	if (strcmp(m->online, "online") == 0)
		waiting_count = 0;
}

static void reload(struct manager *m, int fd)
{
	struct err e = { "" };
	char text[ERR_TEXT_MAX + 16];

	if (manager_load(m, &e) < 0)
		snprintf(text, sizeof(text), "error: %s\n", e.text);
	else
		snprintf(text, sizeof(text), "ok\n");
	say(fd, text);
	control_tell(m);
}

/* Who waits and goes away is found out when there is news; the oldest makes room. */
static void wait_for_network(struct manager *m, int fd)
{
	if (waiting_count == WAITING_MAX) {
		close(waiting[0]);
		memmove(waiting, waiting + 1, sizeof(waiting) - sizeof(waiting[0]));
		waiting_count--;
	}
	waiting[waiting_count++] = fd;
	control_tell(m);
}

static bool is_root(int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) && who.uid == 0;
}

/* The line is there when the client connects: control_ask sends it at once. A client that is slower
 * is none of ours. */
static void on_connect(struct loop *l, int listener, uint32_t events, void *arg)
{
	autoclose int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	struct timeval patience = { .tv_sec = 1 };
	char line[LINE_MAX_BYTES] = "";
	ssize_t n;

	(void)l, (void)events;
	if (fd < 0 || !is_root(fd))
		return;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	n = recv(fd, line, sizeof(line) - 1, 0);
	if (n <= 0)
		return;
	if (strcmp(line, "reload\n") == 0)
		reload(arg, fd);
	else if (strcmp(line, "wait\n") == 0)
		wait_for_network(arg, take_fd(&fd));
	else
		say(fd, "error: expected \"reload\" or \"wait\"\n");
}

static int socket_at(struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX, .sun_path = NETUP_SOCKET };
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

int control_listen(struct manager *m, struct err *e)
{
	struct sockaddr_un address;
	autoclose int fd = socket_at(&address);

	unlink(NETUP_SOCKET);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    chmod(NETUP_SOCKET, 0600) < 0 || listen(fd, WAITING_MAX) < 0)
		return err_sys(e, "cannot listen on %s", NETUP_SOCKET);
	if (!loop_fd(m->loop, fd, EPOLLIN, on_connect, m))
		return err_sys(e, "cannot watch %s", NETUP_SOCKET);
	take_fd(&fd);
	return 0;
}

int control_ask(const char *line, int timeout_ms)
{
	struct sockaddr_un address;
	autoclose int fd = socket_at(&address);
	char answer[ERR_TEXT_MAX + 16] = "";
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    send(fd, line, strlen(line), MSG_NOSIGNAL) < 0) {
		log_error("cannot reach the network service: %s", strerror(errno));
		return 1;
	}
	if (poll(&p, 1, timeout_ms) == 0) {
		log_error("the network is not ready within %d s", timeout_ms / 1000);
		return 2;
	}
	if (recv(fd, answer, sizeof(answer) - 1, 0) <= 0) {
		log_error("the network service gave no answer");
		return 1;
	}
	answer[strcspn(answer, "\n")] = '\0';
	if (strncmp(answer, "error: ", 7) != 0)
		return 0;
	log_error("%s", answer + 7);
	return 1;
}
