/* state.json: any bytes, as a crash or a full disk may leave them. What is read is written, and
 * read again as the same. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "oci/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static char folder[] = "/dev/shm/fuzz-state.XXXXXX";

static void remove_folder(void)
{
	path_remove_tree(AT_FDCWD, folder, NULL);
}

static int open_folder(void)
{
	if (!mkdtemp(folder))
		abort();
	atexit(remove_folder);
	return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void put(int dir, const void *data, size_t len)
{
	autoclose int fd = openat(dir, "state.json", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static int dir = -1;
	autostate struct state first = { 0 };
	autostate struct state second = { 0 };
	struct err e = { 0 };

	if (dir < 0)
		dir = open_folder();
	put(dir, data, len);
	if (state_read(dir, &first, &e) < 0) {
		if (!e.text[0])
			abort();
		return 0;
	}
	status_name(state_status(dir, &first));
	if (state_write(dir, &first, &e) < 0 || state_read(dir, &second, &e) < 0)
		abort();
	if (first.pid != second.pid || first.startTime != second.startTime ||
	    strcmp(first.id, second.id) != 0 || strcmp(first.cgroup, second.cgroup) != 0)
		abort();
	return 0;
}
