#include "cli/tarfile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"

enum { BLOCK = 512 };

struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100];
	char magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

static void fill_sum(struct header *h)
{
	const unsigned char *p = (const unsigned char *)h;
	unsigned sum = 0;

	memset(h->sum, ' ', sizeof(h->sum));
	for (size_t i = 0; i < BLOCK; i++)
		sum += p[i];
	snprintf(h->sum, sizeof(h->sum), "%06o", sum);
}

int tarfile_add(int fd, const char *name, const void *data, size_t len, int64_t mtime_s,
		struct err *e)
{
	static const char zeros[BLOCK];
	struct header h = { .mode = "0000600", .uid = "0000000", .gid = "0000000", .type = '0',
			    .magic = "ustar", .version = { '0', '0' }, .user = "root", .group = "root" };
	int rc;

	if (!*name || strlen(name) >= sizeof(h.name) || *name == '/')
		return err_set(e, -ENAMETOOLONG, "\"%s\" is no name for an archive", name);
	snprintf(h.name, sizeof(h.name), "%s", name);
	snprintf(h.size, sizeof(h.size), "%011llo", (unsigned long long)len & 077777777777);
	snprintf(h.mtime, sizeof(h.mtime), "%011llo", (unsigned long long)mtime_s & 077777777777);
	fill_sum(&h);
	rc = file_write_all(fd, &h, sizeof(h));
	if (!rc)
		rc = file_write_all(fd, data, len);
	if (!rc && len % BLOCK)
		rc = file_write_all(fd, zeros, BLOCK - len % BLOCK);
	return rc < 0 ? err_code(e, rc, "write the archive") : 0;
}

int tarfile_end(int fd, struct err *e)
{
	static const char zeros[2 * BLOCK];
	int rc = file_write_all(fd, zeros, sizeof(zeros));

	return rc < 0 ? err_code(e, rc, "write the archive") : 0;
}
