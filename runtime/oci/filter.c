#include "oci/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "oci/filter_compile.h"

enum { CACHE_MAX_BYTES = 4 << 20 };

/* A cache file: this head, the profile's text, the program. The text is compared whole, so that
 * two profiles whose hashes collide are still two. */
struct cache_head {
	char magic[8];
	uint32_t flags;
	uint32_t text_len;
	uint32_t code_len;
	uint32_t compiler; /* libseccomp's version: a newer one may know more system calls */
};

static const char cache_magic[8] = "BERTHSC1";

static uint64_t hash(const char *text, size_t len)
{
	uint64_t h = 0xcbf29ce484222325; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)text[i]) * 0x100000001b3;
	return h;
}

static int open_dir(const char *path)
{
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

static int open_cache(const char *root)
{
	char path[4096];
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/.seccomp", root) >= sizeof(path))
		return -ENAMETOOLONG;
	fd = open_dir(path);
	if (fd < 0 && (!mkdir(path, 0700) || errno == EEXIST))
		fd = open_dir(path);
	return fd;
}

static bool head_fits(const struct cache_head *h, size_t size, size_t text_len)
{
	return !memcmp(h->magic, cache_magic, sizeof(cache_magic)) &&
	       h->compiler == filter_compiler() && h->text_len == text_len &&
	       h->code_len % sizeof(struct sock_filter) == 0 && h->code_len &&
	       size == sizeof(*h) + (size_t)h->text_len + h->code_len;
}

static bool cache_get(int cache, const char *name, const char *text, size_t len,
		      struct filter *out)
{
	struct cache_head head;

	if (file_read_at(cache, name, CACHE_MAX_BYTES, &out->code, NULL) < 0 ||
	    out->code.len < sizeof(head))
		return false;
	memcpy(&head, out->code.data, sizeof(head));
	if (!head_fits(&head, out->code.len, len) ||
	    memcmp(out->code.data + sizeof(head), text, len) != 0)
		return false;
	out->flags = head.flags;
	buf_consume(&out->code, sizeof(head) + len);
	return true;
}

static int cache_put(int cache, const char *name, const char *text, size_t len,
		      const struct filter *filter)
{
	struct cache_head head = {
		.flags = filter->flags,
		.text_len = (uint32_t)len,
		.code_len = (uint32_t)filter->code.len,
		.compiler = filter_compiler(),
	};
	autobuf struct buf file = { 0 };
	char temporary[4096];
	int rc = 0;

	memcpy(head.magic, cache_magic, sizeof(head.magic));
	buf_add(&file, &head, sizeof(head));
	buf_add(&file, text, len);
	buf_add(&file, filter->code.data, filter->code.len);
	/* Two first containers of one profile may be here at once, each with its own temporary. */
	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.%d", name, getpid()) >=
	    sizeof(temporary))
		return -ENAMETOOLONG;
	if (!buf_ok(&file))
		return -ENOMEM;
	rc = file_replace_at(cache, temporary, file.data, file.len, 0600, NULL);
	if (!rc && renameat(cache, temporary, cache, name) < 0)
		rc = -errno;
	if (rc < 0)
		unlinkat(cache, temporary, 0);
	return rc;
}

/* The one that the image brings, then those of this boot. */
static bool look_up(int cache, const char *name, const char *text, size_t len, struct filter *out)
{
	if (cache_get(AT_FDCWD, FILTER_SHIPPED, text, len, out))
		return true;
	buf_reset(&out->code);
	if (cache >= 0 && cache_get(cache, name, text, len, out))
		return true;
	buf_free(&out->code);
	return false;
}

int filter_prepare(const char *root, yyjson_val *profile, struct filter *out, struct err *e)
{
	autoclose int cache = -1;
	autofree char *text = NULL;
	char name[32];
	size_t len;
	int rc;

	*out = (struct filter){ 0 };
	if (!profile)
		return 0;
	text = yyjson_val_write(profile, 0, &len);
	if (!text)
		return err_set(e, -ENOMEM, "out of memory");
	snprintf(name, sizeof(name), "%016llx", (unsigned long long)hash(text, len));
	cache = open_cache(root);
	if (look_up(cache, name, text, len, out))
		return 0;
	rc = filter_compile(profile, out, e);
	if (!rc && cache >= 0)
		cache_put(cache, name, text, len, out);
	return rc;
}

int filter_ship(const char *path, yyjson_val *profile, struct err *e)
{
	autofree char *text = NULL;
	struct filter made = { 0 };
	size_t len;
	int rc;

	text = yyjson_val_write(profile, 0, &len);
	if (!text)
		return err_set(e, -ENOMEM, "out of memory");
	rc = filter_compile(profile, &made, e);
	if (!rc) {
		rc = cache_put(AT_FDCWD, path, text, len, &made);
		if (rc < 0)
			err_code(e, rc, "write \"%s\"", path);
	}
	buf_free(&made.code);
	return rc;
}

int filter_load(const struct filter *filter, struct err *e)
{
	const struct sock_fprog program = {
		.len = (unsigned short)(filter->code.len / sizeof(struct sock_filter)),
		.filter = (struct sock_filter *)filter->code.data,
	};

	if (!filter->code.len)
		return 0;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, filter->flags, &program) < 0)
		return err_sys(e, "load the seccomp filter");
	return 0;
}
