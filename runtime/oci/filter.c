#include "oci/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

enum { CACHE_MAX_BYTES = 4 << 20, CACHE_MAX_ENTRIES = 64 };

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

/* The oldest makes room, so that profiles made by the thousand do not fill the disk. */
static void cache_trim(int cache)
{
	autoclose int fd = openat(cache, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autodir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct timespec oldest = { 0 };
	char name[NAME_MAX + 1] = "";
	struct dirent *entry;
	int count = 0;

	if (!dir)
		return;
	take_fd(&fd);
	while ((entry = readdir(dir))) {
		struct stat st;

		if (entry->d_name[0] == '.' || fstatat(cache, entry->d_name, &st, 0) < 0)
			continue;
		count++;
		if (name[0] && (st.st_mtim.tv_sec > oldest.tv_sec ||
				(st.st_mtim.tv_sec == oldest.tv_sec &&
				 st.st_mtim.tv_nsec >= oldest.tv_nsec)))
			continue;
		oldest = st.st_mtim;
		snprintf(name, sizeof(name), "%s", entry->d_name);
	}
	if (count >= CACHE_MAX_ENTRIES)
		unlinkat(cache, name, 0);
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

/* Only for who notifies; else the keys are without effect (config-linux.md). */
static int find_listener(yyjson_val *profile, struct filter *out, struct err *e)
{
	if (!filter_notifies(out))
		return 0;
	out->listener_path = yyjson_get_str(yyjson_obj_get(profile, "listenerPath"));
	out->listener_metadata = yyjson_get_str(yyjson_obj_get(profile, "listenerMetadata"));
	return out->listener_path ? 0 :
				    err_set(e, -EINVAL, "linux.seccomp: SCMP_ACT_NOTIFY needs a "
							"listenerPath");
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
		return find_listener(profile, out, e);
	rc = filter_compile(profile, out, e);
	if (!rc && cache >= 0) {
		cache_trim(cache);
		cache_put(cache, name, text, len, out);
	}
	return rc < 0 ? rc : find_listener(profile, out, e);
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

	unsigned int flags = filter->flags & ~(unsigned int)FILTER_NOTIFIES;
	long rc;

	if (!filter->code.len)
		return 0;
	/* To wait killably is about notifications; without any the kernel refuses the flag. */
	if (filter_notifies(filter))
		flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	else
		flags &= ~(unsigned int)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	return rc < 0 ? err_sys(e, "load the seccomp filter") : (int)rc;
}
