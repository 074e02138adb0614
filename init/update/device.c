#include "update/device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

int device_open(const char *path, struct err *e)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_DIRECT);

	/* A file system in memory, which tests use, may know no O_DIRECT. */
	if (fd < 0 && errno == EINVAL)
		fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open \"%s\"", path) : fd;
}

int device_size(int fd, uint64_t *bytes, struct err *e)
{
	struct stat st;

	if (ioctl(fd, BLKGETSIZE64, bytes) == 0)
		return 0;
	if (fstat(fd, &st) < 0)
		return err_sys(e, "read the partition's size");
	*bytes = (uint64_t)st.st_size;
	return 0;
}

void *device_buffer(size_t bytes)
{
	void *p;

	return posix_memalign(&p, DEVICE_BLOCK_BYTES, bytes) ? NULL : p;
}

int device_read(int fd, void *data, size_t len, uint64_t offset)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(fd, (char *)data + done, len - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

int device_write(int fd, const void *data, size_t len, uint64_t offset)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pwrite(fd, (const char *)data + done, len - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

int device_flush(int fd)
{
	return fsync(fd) < 0 ? -errno : 0;
}

int device_read_block(void *reader, uint64_t block, void *data)
{
	struct device_reader *r = reader;
	uint64_t offset = block * DEVICE_BLOCK_BYTES;

	if (offset >= r->bytes)
		return -EIO;
	if (offset < r->at || offset >= r->at + r->len) {
		uint64_t len = r->bytes - offset;
		int rc;

		r->len = 0;
		len = len < DEVICE_AHEAD_BYTES ? len : DEVICE_AHEAD_BYTES;
		rc = device_read(r->fd, r->held, (size_t)len, offset);
		if (rc < 0)
			return rc;
		r->at = offset;
		r->len = (size_t)len;
	}
	memcpy(data, r->held + (offset - r->at), DEVICE_BLOCK_BYTES);
	return 0;
}
