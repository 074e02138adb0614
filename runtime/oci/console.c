#include "oci/console.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/cleanup.h"
#include "oci/fdpass.h"
#include "oci/sys.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

int console_check(bool terminal, bool detached, const char *socket, struct err *e)
{
	if (terminal && detached && !socket)
		return err_set(e, -EINVAL, "cannot allocate tty if runtime will detach without "
					   "setting console socket");
	if (socket && !(terminal && detached))
		return err_set(e, -EINVAL, "cannot use console socket if runtime will not detach or "
					   "allocate tty");
	return 0;
}

int console_connect(const char *path, struct err *e)
{
	return fdpass_connect(path, "console socket", e);
}

int console_receive(int socket, struct err *e)
{
	int fd = fdpass_receive(socket);

	return fd < 0 ? err_code(e, fd, "receive the terminal") : fd;
}

int console_open(int devpts, int socket, const struct oci_box *size, struct err *e)
{
	/* Of this very mount: the container may have put something else over it. */
	autoclose int master = sys_openat2(devpts, "ptmx", O_RDWR | O_NOCTTY,
					   RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
	autoclose int terminal = -1;
	struct winsize window = { .ws_row = (unsigned short)size->height,
				  .ws_col = (unsigned short)size->width };
	int unlock = 0, rc;

	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return err_sys(e, "open a terminal");
	terminal = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (terminal < 0)
		return err_sys(e, "open a terminal");
	if (window.ws_row && window.ws_col && ioctl(master, TIOCSWINSZ, &window) < 0)
		return err_sys(e, "set the terminal's size");
	rc = fdpass_send(socket, master, "/dev/ptmx");
	return rc < 0 ? err_code(e, rc, "send the terminal to the console socket") :
			take_fd(&terminal);
}

int console_bind(int terminal, int root, struct err *e)
{
	autoclose int tree = sys_open_tree(terminal, "",
					   AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	autoclose int target = sys_openat2(root, "/dev/console", O_PATH,
					   RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);

	if (tree < 0 || target < 0 || sys_move_mount(tree, target) < 0)
		return err_sys(e, "mount the terminal on \"/dev/console\"");
	return 0;
}

int console_take(int terminal, struct err *e)
{
	if (ioctl(terminal, TIOCSCTTY, 0) < 0)
		return err_sys(e, "make the terminal the session's");
	for (int fd = 0; fd < 3; fd++)
		if (dup2(terminal, fd) < 0)
			return err_sys(e, "make the terminal standard input and output");
	return 0;
}
