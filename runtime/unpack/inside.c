#include "unpack/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/path.h"

/* Takes the last component off. */
static size_t up(const char *path, size_t len)
{
	while (len && path[len - 1] != '/')
		len--;
	return len ? len - 1 : 0;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && !strcmp(text + len - n, end);
}

int inside_clean(const char *path, char out[PATH_MAX])
{
	const char *tail = ends_with(path, "/.") || !strcmp(path, ".") ? "/." :
			   ends_with(path, "/") ? "/" : "";
	size_t len = 0;

	for (const char *p = path; *p;) {
		size_t n;

		p += strspn(p, "/");
		n = strcspn(p, "/");
		if (n == 2 && !memcmp(p, "..", 2)) {
			len = up(out, len);
		} else if (n && !(n == 1 && *p == '.')) {
			if (n > NAME_MAX || len + n + 4 > PATH_MAX)
				return -ENAMETOOLONG;
			out[len++] = '/';
			memcpy(out + len, p, n);
			len += n;
		}
		p += n;
	}
	strcpy(out + len, len ? tail : *tail && tail[1] ? "/." : "/");
	return 0;
}

const char *inside_base(const char *clean, char out[NAME_MAX + 1])
{
	size_t len = strlen(clean), from;

	while (len > 1 && clean[len - 1] == '/')
		len--;
	for (from = len; from && clean[from - 1] != '/'; from--)
		;
	if (from == len)
		from = 0; /* the root */
	snprintf(out, NAME_MAX + 1, "%.*s", (int)(len - from), clean + from);
	return out;
}

int inside_open(struct inside *in, const struct view *v, const char *path, const char *container,
		struct err *e)
{
	in->fd = -1;
	if (inside_clean(path, in->path) < 0)
		return err_set(e, -EINVAL, "the path is longer than %d bytes", PATH_MAX);
	inside_base(in->path, in->base);
	in->fd = path_open_in(v->root, in->path, O_PATH | O_NOFOLLOW, 0, NULL);
	if (in->fd == -ENOENT)
		return err_set(e, -ENOENT, "Could not find the file %.300s in container %.100s", path,
			       container);
	if (in->fd < 0)
		return err_code(e, in->fd == -ENOTDIR || in->fd == -ELOOP ? -EINVAL : in->fd,
				"look at \"%.300s\" in container %.100s", path, container);
	return fstat(in->fd, &in->st) < 0 ? err_sys(e, "look at \"%.300s\"", path) : 0;
}

/* Go's os.FileMode: its own bits for kinds. */
static uint32_t go_mode(mode_t mode)
{
	static const struct {
		mode_t type;
		uint32_t bits;
	} kinds[] = {
		{ S_IFDIR, 1U << 31 },  { S_IFLNK, 1U << 27 },  { S_IFBLK, 1U << 26 },
		{ S_IFIFO, 1U << 25 },  { S_IFSOCK, 1U << 24 }, { S_IFCHR, 1U << 26 | 1U << 21 },
	};
	uint32_t out = mode & 0777;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		out |= kinds[i].type == (mode & S_IFMT) ? kinds[i].bits : 0;
	out |= mode & S_ISUID ? 1U << 23 : 0;
	out |= mode & S_ISGID ? 1U << 22 : 0;
	return out | (mode & S_ISVTX ? 1U << 20 : 0);
}

static ssize_t name_of(int fd, char out[PATH_MAX])
{
	char link[40];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, out, PATH_MAX - 1);
	out[n > 0 ? n : 0] = '\0';
	return n;
}

/* Where the link leads in the end, from the container's root; of a broken one what it says. */
static void link_target(const struct inside *in, const struct view *v, char out[PATH_MAX])
{
	autoclose int end = path_open_in(v->root, in->path, O_PATH, 0, NULL);
	char root[PATH_MAX], whole[PATH_MAX];
	ssize_t len = name_of(v->root, root);

	*out = '\0';
	if (end < 0) {
		ssize_t n = readlinkat(in->fd, "", out, PATH_MAX - 1);

		out[n > 0 ? n : 0] = '\0';
		return;
	}
	if (name_of(end, whole) < 0 || len <= 0 || strncmp(whole, root, (size_t)len) != 0)
		return;
	snprintf(out, PATH_MAX, "%s", whole[len] ? whole + len : "/");
}

void inside_describe(const struct inside *in, const struct view *v, struct buf *json)
{
	char time[CLOCK_RFC3339_MAX], target[PATH_MAX] = "";

	if (S_ISLNK(in->st.st_mode))
		link_target(in, v, target);
	buf_adds(json, "{\"name\":");
	buf_add_json_string(json, in->base, strlen(in->base));
	buf_addf(json, ",\"size\":%" PRId64 ",\"mode\":%" PRIu32 ",\"mtime\":\"%s\",\"linkTarget\":",
		 (int64_t)in->st.st_size, go_mode(in->st.st_mode),
		 clock_rfc3339((int64_t)in->st.st_mtim.tv_sec * 1000000000 + in->st.st_mtim.tv_nsec,
			       time));
	buf_add_json_string(json, target, strlen(target));
	buf_adds(json, "}\n");
}
