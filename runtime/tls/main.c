/* api-tls: takes connections, gives each to a process of its own, and the way to the engine to
 * those whose client is known. This process reads nothing of a client's but the sentence of a
 * refusal. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/spawn.h"
#include "tls/tls.h"

static const char engine_path[] = "/run/berth/engine.sock";

enum {
	SESSIONS_MAX = 128,  /* the engine takes 256 connections */
	STRANGERS_MAX = 16,  /* of them, whose handshake is not done */
	LINES_A_MINUTE = 20, /* about refusals: strangers do not fill the log */
	MINUTE_MS = 60000,
	CLIENT_FD = 3, PARENT_FD = 4,
};

struct session {
	pid_t pid;
	int fd; /* to its process */
	struct loop_source *source;
	bool known;
	char peer[INET6_ADDRSTRLEN];
	struct server *server;
	struct session *next;
};

struct server {
	struct loop *loop;
	struct identity identity;
	int listener;
	struct loop_source *source;
	struct session *sessions;
	int64_t minute_ms;
	unsigned lines;
};

/* ---- taking connections, or not ---- */

static void accept_or_wait(struct server *s)
{
	size_t all = 0, strangers = 0;

	for (struct session *one = s->sessions; one; one = one->next) {
		all++;
		strangers += !one->known;
	}
	loop_fd_events(s->loop, s->source, all < SESSIONS_MAX && strangers < STRANGERS_MAX ? POLLIN : 0);
}

static void session_end(struct session *one)
{
	struct server *s = one->server;
	struct session **at = &s->sessions;

	while (*at != one)
		at = &(*at)->next;
	*at = one->next;
	loop_remove(s->loop, one->source);
	close(one->fd);
	free(one);
	accept_or_wait(s);
}

/* ---- what a session's process says ---- */

static void log_refusal(struct server *s, const struct session *one, const char *why)
{
	int64_t now = clock_boot_ms();

	if (now - s->minute_ms >= MINUTE_MS) {
		s->minute_ms = now;
		s->lines = 0;
	}
	if (s->lines++ < LINES_A_MINUTE)
		log_warn("%s is refused: %s", one->peer, why);
	if (s->lines == LINES_A_MINUTE)
		log_warn("what is refused besides in this minute is not told");
}

static int connect_engine(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(to.sun_path, engine_path, sizeof(engine_path));
	if (fd >= 0 && (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
			fcntl(fd, F_SETFL, O_NONBLOCK) < 0)) {
		log_error("cannot reach the engine: %s", strerror(errno));
		close(fd);
		fd = -1;
	}
	return fd;
}

static bool give_engine(int to)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { .room = { 0 } };
	struct iovec iov = { (char *)"\n", 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room,
			    .msg_controllen = sizeof(control.room) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	autoclose int engine = connect_engine();

	if (engine < 0)
		return false;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &engine, sizeof(engine));
	return sendmsg(to, &m, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

static void on_word(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct session *one = arg;
	char text[SESSION_SENTENCE_MAX] = "";
	ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	(void)l, (void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && !strcmp(text, SESSION_KNOWN) && !one->known) {
		one->known = give_engine(fd);
		accept_or_wait(one->server);
		if (one->known)
			return;
	} else if (n > 0) {
		/* Written by a process that strangers talk to. */
		for (char *c = text; *c; c++)
			*c = *c < ' ' || *c > '~' ? '?' : *c;
		log_refusal(one->server, one, text);
	}
	session_end(one);
}

/* ---- a new one ---- */

static void set_up_client(int client)
{
	static const struct {
		int level, option, value;
	} rows[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },	{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, 60 },	{ IPPROTO_TCP, TCP_KEEPINTVL, 15 },
		{ IPPROTO_TCP, TCP_KEEPCNT, 4 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		setsockopt(client, rows[i].level, rows[i].option, &rows[i].value, sizeof(int));
}

/* In the child. What it holds of ours is its client and its way to us. */
static void be_session(const struct server *s, int client, int parent)
{
	pid_t ours = getppid();

	spawn_reset_signals();
	signal(SIGPIPE, SIG_IGN);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != ours)
		_exit(1);
	/* Beyond both places first, so that neither overwrites the other. */
	client = fcntl(client, F_DUPFD, PARENT_FD + 1);
	parent = fcntl(parent, F_DUPFD, PARENT_FD + 1);
	if (dup2(client, CLIENT_FD) < 0 || dup2(parent, PARENT_FD) < 0 ||
	    syscall(SYS_close_range, PARENT_FD + 1, ~0U, 0) < 0)
		_exit(1);
	session_run(&s->identity, CLIENT_FD, PARENT_FD);
	_exit(0);
}

static void set_peer(struct session *one, const struct sockaddr_storage *from)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)from;
	const struct sockaddr_in *four = (const struct sockaddr_in *)from;
	const void *at = from->ss_family == AF_INET6 ? (const void *)&six->sin6_addr : &four->sin_addr;
	const char *text = inet_ntop(from->ss_family, at, one->peer, sizeof(one->peer));

	if (text && !strncmp(text, "::ffff:", 7))
		memmove(one->peer, text + 7, strlen(text + 7) + 1);
}

static int session_start(struct server *s, int client, const struct sockaddr_storage *from)
{
	struct session *one = calloc(1, sizeof(*one));
	int ends[2];

	if (!one)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		free(one);
		return -errno;
	}
	*one = (struct session){ .fd = ends[0], .server = s, .next = s->sessions };
	set_peer(one, from);
	one->pid = fork();
	if (one->pid == 0)
		be_session(s, client, ends[1]);
	close(ends[1]);
	one->source = one->pid < 0 ? NULL : loop_fd(s->loop, one->fd, POLLIN, on_word, one);
	if (!one->source) {
		int code = one->pid < 0 ? -errno : -ENOMEM;

		close(one->fd); /* which ends a child, too, when it asks for the engine */
		free(one);
		return code;
	}
	s->sessions = one;
	accept_or_wait(s);
	return 0;
}

static void on_client(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct server *s = arg;
	struct sockaddr_storage from = { 0 };
	socklen_t len = sizeof(from);
	autoclose int client = accept4(fd, (struct sockaddr *)&from, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int code;

	(void)l, (void)events;
	if (client < 0)
		return;
	set_up_client(client);
	code = session_start(s, client, &from);
	if (code < 0)
		log_error("a connection is dropped: %s", strerror(-code));
}

static void on_child(struct loop *l, int sig, void *arg)
{
	int status;

	(void)l, (void)sig, (void)arg;
	while (waitpid(-1, &status, WNOHANG) > 0)
		if (WIFSIGNALED(status))
			log_error("a session was ended by signal %d", WTERMSIG(status));
}

/* ---- start ---- */

/* Both families through one socket, or the one that there is. */
static int listen_on(uint16_t port, struct err *e)
{
	const struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	const struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };
	const int flags = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, yes = 1;
	autoclose int fd = socket(AF_INET6, flags, 0);
	bool both = fd >= 0;

	if (!both)
		fd = socket(AF_INET, flags, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
	    bind(fd, both ? (const struct sockaddr *)&six : (const struct sockaddr *)&four,
		 both ? sizeof(six) : sizeof(four)) < 0 ||
	    listen(fd, STRANGERS_MAX) < 0)
		return err_sys(e, "listen on TCP port %u", port);
	return take_fd(&fd);
}

static int start(struct server *s, const char *path, struct err *e)
{
	struct settings settings;
	int rc = settings_read(path, &settings, e);

	if (rc < 0)
		return rc == -ENOENT ? err_set(e, rc, "berth.api is not configured") : rc;
	rc = identity_make(&settings, &s->identity, e);
	if (!rc)
		rc = s->listener = listen_on(settings.port, e);
	if (rc >= 0)
		rc = loop_new(&s->loop, e);
	if (rc < 0) {
		settings_free(&settings);
		return rc;
	}
	s->source = loop_fd(s->loop, s->listener, POLLIN, on_client, s);
	if (!s->source || !loop_signal(s->loop, SIGCHLD, on_child, s))
		rc = err_set(e, -ENOMEM, "out of memory");
	log_info("the API is on TCP port %u, for clients with a certificate", settings.port);
	settings_free(&settings);
	return rc;
}

int main(int argc, char **argv)
{
	static struct server server = { .minute_ms = -MINUTE_MS };
	struct err e = { "" };

	log_name("api-tls");
	signal(SIGPIPE, SIG_IGN);
	if (start(&server, argc > 1 ? argv[1] : "/run/berth/config.json", &e) < 0) {
		log_error("%s", e.text);
		return 1;
	}
	return loop_run(server.loop) < 0;
}
