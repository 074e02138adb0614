#include "base/initctl.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

enum { ANSWER_MAX_BYTES = 256 * 1024 };

static const char error_word[] = "error: ";

int initctl_ask(const char *request, struct buf *out, struct err *e)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = "/run/berth/init.sock" };
	autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	autobuf struct buf line = { 0 };
	int rc;

	if (fd < 0)
		return err_sys(e, "socket");
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_sys(e, "cannot ask PID 1 at %s (is this a Berth machine, and are you root?)",
			       addr.sun_path);
	buf_addf(&line, "%s\n", request);
	rc = buf_ok(&line) ? file_write_all(fd, line.data, line.len) : -ENOMEM;
	if (rc < 0)
		return err_code(e, rc, "ask PID 1");
	rc = file_read_fd(fd, ANSWER_MAX_BYTES, out, e);
	if (rc < 0)
		return rc;
	if (!strncmp(buf_text(out), error_word, strlen(error_word)))
		return err_set(e, -EIO, "%.*s", (int)strcspn(buf_text(out) + strlen(error_word), "\n"),
			       buf_text(out) + strlen(error_word));
	return 0;
}
