#include "oci/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

#define FOLDER "notify"
#define SOCKET "notify.sock"
#define INSIDE "/run/notify"

enum { MESSAGE_MAX = 4096 };

static const char *host_socket(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	return path && path[0] ? path : NULL;
}

static int add_mount(const char *source, struct oci_spec *spec)
{
	/* Read-only, for it lies on the host: a message can be sent, a file cannot be made. */
	static const char *const options[] = { "bind", "ro", "nosuid", "nodev", "noexec" };
	struct oci_mount *m = record_list_add(&spec->mounts, sizeof(*m));
	int rc = m ? 0 : -ENOMEM;

	if (rc < 0)
		return rc;
	m->destination = strdup(INSIDE);
	m->type = strdup("bind");
	m->source = strdup(source);
	for (size_t i = 0; !rc && i < ARRAY_LEN(options); i++)
		rc = string_list_add(&m->options, options[i]);
	return m->destination && m->type && m->source ? rc : -ENOMEM;
}

int notify_plan(const char *root, const char *id, struct oci_spec *spec, struct err *e)
{
	autofree char *source = NULL;

	if (!host_socket() || !spec->process)
		return 0;
	if (asprintf(&source, "%s/%s/" FOLDER, root, id) < 0 || add_mount(source, spec) < 0 ||
	    string_list_add(&spec->process->env, "NOTIFY_SOCKET=" INSIDE "/" SOCKET) < 0)
		return err_set(e, -ENOMEM, "out of memory");
	return 0;
}

int notify_make(int state_dir, struct err *e)
{
	if (host_socket() && (mkdirat(state_dir, FOLDER, 0755) < 0 ||
			      fchmodat(state_dir, FOLDER, 0755, 0) < 0))
		return err_sys(e, "make the folder of the notify socket");
	return 0;
}

int notify_listen(int state_dir, struct err *e)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	autoclose int fd = -1;

	if (!host_socket() || faccessat(state_dir, FOLDER, F_OK, 0) < 0)
		return -1;
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" FOLDER "/" SOCKET,
		 state_dir);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || (unlink(address.sun_path) < 0 && errno != ENOENT) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    chmod(address.sun_path, 0777) < 0)
		return err_sys(e, "make the container's notify socket");
	return take_fd(&fd);
}

static bool says_ready(const char *message)
{
	for (const char *line = message; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, "READY=1", 7) && (!line[7] || line[7] == '\n'))
			return true;
	}
	return false;
}

/* A message that cannot be delivered is lost, as it would be for a service of the host. */
static void tell_host(const char *path, pid_t pid)
{
	autoclose int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	char text[64];
	int size = snprintf(text, sizeof(text), "READY=1\nMAINPID=%d\n", pid);

	if (fd < 0 || len >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, len);
	if (path[0] == '@') /* an abstract address */
		address.sun_path[0] = '\0';
	if (sendto(fd, text, (size_t)size, MSG_NOSIGNAL, (struct sockaddr *)&address,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		return;
}

int notify_pass_on(int fd, pid_t pid)
{
	const char *path = host_socket();
	char message[MESSAGE_MAX];
	ssize_t n = recv(fd, message, sizeof(message) - 1, MSG_DONTWAIT);

	if (n <= 0)
		return false;
	message[n] = '\0';
	if (!path || !says_ready(message))
		return false;
	tell_host(path, pid);
	return true;
}

void notify_wait(int fd, pid_t pid, int pidfd)
{
	struct pollfd p[] = { { .fd = fd, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };

	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return;
		/* A message that was sent just before the end counts. */
		if (p[0].revents && notify_pass_on(fd, pid))
			return;
		if (p[1].revents)
			return;
	}
}
