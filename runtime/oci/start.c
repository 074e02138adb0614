#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "oci/args.h"
#include "oci/commands.h"
#include "oci/state.h"

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
static int release_process(int dir, struct err *e)
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

int cmd_start(const struct options *o, int argc, char **argv, struct err *e)
{
	static const struct arg rows[] = { { NULL, 0, NULL, NULL, NULL } };
	autostate struct state s = { 0 };
	autoclose int dir = -1;
	const char *id;
	int next = args_parse(rows, argc, argv, e);
	int rc = next < 0 ? next : command_id(argc, argv, next, &id, e);

	if (rc < 0)
		return rc;
	dir = state_open(o->root, id, true, e);
	rc = dir < 0 ? dir : state_read(dir, &s, e);
	if (rc < 0)
		return rc;
	switch (state_status(dir, &s)) {
	case STATUS_CREATED:
		return release_process(dir, e);
	case STATUS_RUNNING:
		return err_set(e, -EALREADY, "cannot start an already running container");
	case STATUS_STOPPED:
		return err_set(e, -EINVAL, "cannot start a container that has stopped");
	case STATUS_CREATING:
		break;
	}
	return err_set(e, -EINVAL, "cannot start a container that was not wholly created");
}
