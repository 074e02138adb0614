#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "oci/commands.h"
#include "oci/late_hooks.h"
#include "oci/notify.h"
#include "oci/start.h"
#include "oci/state.h"
#include "oci/sys.h"

static int connect_to(int dir, struct err *e)
{
	autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dir,
		 STATE_START_SOCKET);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return err_sys(e, "connect to the container's first process");
	return take_fd(&fd);
}

/* The end of the connection without a word is exec's: it has happened. */
int start_release(int dir, struct err *e)
{
	autoclose int fd = connect_to(dir, e);
	autobuf struct buf reason = { 0 };
	int rc;

	if (fd < 0)
		return fd;
	/* Gone before the word is said: a "start" that dies here leaves a container that ends, not
	 * one that runs while it is called "created". */
	if (unlinkat(dir, STATE_START_SOCKET, 0) < 0)
		return err_sys(e, "remove the start socket");
	if (send(fd, "s", 1, MSG_NOSIGNAL) != 1)
		return err_sys(e, "start the container's first process");
	rc = file_read_fd(fd, ERR_TEXT_MAX, &reason, e);
	if (rc < 0)
		return rc;
	return reason.len ? err_set(e, -ENOEXEC, "unable to start container process: %s",
				    buf_text(&reason)) :
			    0;
}

/* runc's words, which callers know. */
static int check_status(enum status status, struct err *e)
{
	switch (status) {
	case STATUS_CREATED:
		return 0;
	case STATUS_RUNNING:
		return err_set(e, -EALREADY, "cannot start an already running container");
	case STATUS_STOPPED:
		return err_set(e, -EINVAL, "cannot start a container that has stopped");
	case STATUS_PAUSED:
		return err_set(e, -EINVAL, "cannot start a container in the paused state");
	case STATUS_CREATING:
		break;
	}
	return err_set(e, -EINVAL, "cannot start a container that was not wholly created");
}

static int start(int dir, const struct state *s, int *notify, struct err *e)
{
	int rc = check_status(state_status(dir, s), e);

	if (rc < 0)
		return rc;
	*notify = notify_listen(dir, e);
	rc = *notify < -1 ? *notify : start_release(dir, e);
	if (!rc)
		late_hooks_run(dir, s, HOOK_POSTSTART, "running");
	return rc;
}

int cmd_start(const struct options *o, int argc, char **argv, struct err *e)
{
	autostate struct state s = { 0 };
	autoclose int pidfd = -1;
	int notify = -1, dir, rc;
	const char *id;

	rc = command_only_id(argc, argv, &id, e);
	dir = rc < 0 ? rc : state_load(o->root, id, true, &s, e);
	if (dir < 0)
		return dir;
	pidfd = sys_pidfd_open((int)s.pid);
	rc = start(dir, &s, &notify, e);
	/* The lock goes before the wait for a container's READY=1, which may take long. */
	close(dir);
	if (notify < 0)
		return rc;
	if (!rc && pidfd >= 0)
		notify_wait(notify, (pid_t)s.pid, pidfd);
	close(notify);
	return rc;
}
