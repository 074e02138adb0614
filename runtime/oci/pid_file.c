#include "oci/pid_file.h"

#include <fcntl.h>
#include <stdio.h>

#include "base/file.h"

int pid_file_write(const char *path, pid_t pid, struct err *e)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", pid);

	return path ? file_replace_at(AT_FDCWD, path, text, (size_t)len, 0644, e) : 0;
}
