#include "update/statefs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "base/spawn.h"
#include "update/device.h"

static int write_copies(const char *folder, const struct bootstate *b, struct err *e)
{
	autoclose int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return err_sys(e, "open \"%s\"", folder);
	for (unsigned i = 0; i < BOOTSTATE_COPIES; i++) {
		char name[16], copy[BOOTSTATE_BYTES];
		int rc;

		snprintf(name, sizeof(name), "copy-%u", i);
		bootstate_format(b, i, copy);
		rc = file_replace_at(dir, name, copy, sizeof(copy), 0644, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The same file system as image-build/disk/make-disk's. */
static int make(const char *device, const char *folder, struct err *e)
{
	const char *const argv[] = {
		"/usr/sbin/mke2fs", "-q", "-F", "-t", "ext2", "-b", "4096", "-m", "0", "-I", "128",
		"-N", "16", "-O", "none,filetype,sparse_super", "-d", folder, device, NULL,
	};
	const struct spawn s = { .argv = argv };

	return spawn_run(&s, e);
}

static int blank_copies(const char *device, struct err *e)
{
	autoclose int fd = device_open(device, e);

	return fd < 0 ? fd : bootstate_blank(fd, e);
}

int statefs_make(const char *device, const struct bootstate *b, struct err *e)
{
	char folder[] = "/tmp/berth-state-XXXXXX";
	autoclose int fd = -1;
	struct bootstate back;
	int rc;

	if (!mkdtemp(folder))
		return err_sys(e, "make a folder in /tmp");
	rc = write_copies(folder, b, e);
	if (!rc)
		rc = blank_copies(device, e);
	if (!rc)
		rc = make(device, folder, e);
	path_remove_tree(AT_FDCWD, folder, NULL);
	if (rc < 0)
		return rc;
	fd = device_open(device, e);
	if (fd < 0)
		return fd;
	if (bootstate_read(fd, &back, NULL) < 0)
		return err_set(e, -EIO, "mke2fs put the copies of the boot state elsewhere on %s", device);
	return bootstate_write(fd, b, e);
}
