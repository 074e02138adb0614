#include "oci/pid_file.h"

#include <fcntl.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "oci/fdpass.h"

int pid_file_write(const char *path, pid_t pid, struct err *e)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", pid);

	return path ? file_replace_at(AT_FDCWD, path, text, (size_t)len, 0644, e) : 0;
}

int pid_file_send(const char *socket, int pidfd, struct err *e)
{
	autoclose int fd = -1;
	int rc;

	if (!socket)
		return 0;
	fd = fdpass_connect(socket, "pidfd socket", e);
	if (fd < 0)
		return fd;
	rc = fdpass_send(fd, pidfd, "pidfd");
	return rc < 0 ? err_code(e, rc, "send the pidfd to \"%s\"", socket) : 0;
}
