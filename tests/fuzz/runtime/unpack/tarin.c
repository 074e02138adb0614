/* A tar from outside, read once as docker cp, load and import read it: no fault, and no entry
 * that lies outside, is larger than it says or has a target that leads out. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unpack/tarin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { BYTES_MAX = 1 << 20 };

static uint64_t left;

static void check_path(const char *path)
{
	char clean[TREE_PATH_MAX];

	if (tree_clean(path, clean, NULL) < 0 || strcmp(path, clean) != 0)
		abort();
}

static int on_entry(void *ctx, const struct entry *entry, struct err *e)
{
	(void)ctx;
	(void)e;
	check_path(entry->path);
	if (entry->kind == ENTRY_HARDLINK)
		check_path(entry->target);
	if (entry->kind >= ENTRY_WHITEOUT || entry->mode > 07777)
		abort();
	left = entry->size_bytes;
	return left > BYTES_MAX ? -1 : 0;
}

static int on_data(void *ctx, const void *data, size_t len, struct err *e)
{
	(void)ctx;
	(void)data;
	(void)e;
	if (len > left)
		abort();
	left -= len;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct sink sink = { on_entry, on_data, NULL };
	static int fd = -1;
	struct err e = { 0 };

	if (fd < 0)
		fd = memfd_create("tar", MFD_CLOEXEC);
	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, len, 0) != (ssize_t)len ||
	    lseek(fd, 0, SEEK_SET) < 0)
		abort();
	tarin_all(fd, BYTES_MAX, &sink, &e);
	return 0;
}
