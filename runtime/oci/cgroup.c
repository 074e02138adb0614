#include "oci/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "oci/cgroup_files.h"
#include "oci/sys.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

enum {
	CGROUP2_MAGIC = 0x63677270,
	REMOVE_TIMEOUT_MS = 10000,
	PROCS_MAX_BYTES = 4 << 20,
};

static int open_root(struct err *e)
{
	autoclose int root = open(CGROUP_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (root < 0 || fstatfs(root, &fs) < 0)
		return err_sys(e, "open \"" CGROUP_ROOT "\"");
	if (fs.f_type != CGROUP2_MAGIC)
		return err_set(e, -EOPNOTSUPP,
			       "\"" CGROUP_ROOT "\" is not cgroup v2, which this runtime needs "
			       "(systemd.unified_cgroup_hierarchy=1 switches to it)");
	return take_fd(&root);
}

/* Below the root a path is walked without symlinks, ".." or another mount: cgroupfs has none. */
static int open_below(int root, const char *path)
{
	return sys_openat2(root, path, O_RDONLY | O_DIRECTORY,
			   RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
}

int cgroup_put(int cgroup, const char *file, const char *value, struct err *e)
{
	autoclose int fd = sys_openat2(cgroup, file, O_WRONLY,
				       RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return err_sys(e, "write \"%s\" to \"%s\"", value, file);
	return 0;
}

static bool leaves_root(const char *path)
{
	for (const char *p = path; (p = strstr(p, "..")); p += 2)
		if ((p == path || p[-1] == '/') && (!p[2] || p[2] == '/'))
			return true;
	return false;
}

char *cgroup_path(const char *cgroups_path, const char *id, struct err *e)
{
	const char *path = cgroups_path && cgroups_path[0] ? cgroups_path : id;
	const char *colon = strchr(path, ':');
	char *copy;
	size_t len;

	if (leaves_root(path)) {
		err_set(e, -EINVAL, "linux.cgroupsPath: \"%s\" leaves the cgroup root", path);
		return NULL;
	}
	if (colon && strchr(colon + 1, ':')) {
		err_set(e, -EINVAL, "linux.cgroupsPath: \"%s\" is systemd's form, which is not supported",
			path);
		return NULL;
	}
	copy = strdup(path + strspn(path, "/"));
	for (len = copy ? strlen(copy) : 0; len && copy[len - 1] == '/'; len--)
		copy[len - 1] = '\0';
	if (!copy || !copy[0]) {
		err_set(e, -EINVAL, "linux.cgroupsPath: \"%s\" is the root", path);
		free(copy);
		return NULL;
	}
	return copy;
}

static int make_levels(int root, const char *path, struct err *e)
{
	autofree char *part = strdup(path);

	if (!part)
		return err_set(e, -ENOMEM, "out of memory");
	for (char *p = part;; p++) {
		char c = *p;

		if (c && c != '/')
			continue;
		*p = '\0';
		if (mkdirat(root, part, 0755) < 0 && errno != EEXIST)
			return err_sys(e, "make cgroup \"%s\"", part);
		*p = c;
		if (!c)
			return 0;
	}
}

int cgroup_create(const char *path, struct err *e)
{
	autoclose int root = open_root(e);
	autoclose int cgroup = -1;
	int rc;

	if (root < 0)
		return root;
	if (mkdirat(root, path, 0755) < 0) {
		autobuf struct buf events = { 0 };

		rc = errno == EEXIST ? 0 : make_levels(root, path, e);
		if (rc < 0)
			return rc;
		cgroup = open_below(root, path);
		if (cgroup >= 0)
			file_read_at(cgroup, "cgroup.events", 4096, &events, NULL);
		/* config-linux.md: "fit for purpose". */
		if (strstr(buf_text(&events), "populated 1"))
			return err_set(e, -EBUSY, "cgroup \"%s\" is not empty", path);
		if (strstr(buf_text(&events), "frozen 1"))
			return err_set(e, -EBUSY, "cgroup \"%s\" is frozen", path);
	}
	if (cgroup < 0)
		cgroup = open_below(root, path);
	return cgroup < 0 ? err_sys(e, "open cgroup \"%s\"", path) : take_fd(&cgroup);
}

int cgroup_give(int cgroup, uid_t owner, struct err *e)
{
	autobuf struct buf list = { 0 };
	char *rest = NULL;

	if (file_read_at(AT_FDCWD, "/sys/kernel/cgroup/delegate", 4096, &list, NULL) < 0) {
		buf_reset(&list);
		buf_adds(&list, "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n");
	}
	if (!buf_ok(&list))
		return err_set(e, -ENOMEM, "out of memory");
	if (fchown(cgroup, owner, (gid_t)-1) < 0)
		return err_sys(e, "give the cgroup to user %u", owner);
	for (char *f = strtok_r(list.data, "\n", &rest); f; f = strtok_r(NULL, "\n", &rest))
		if (!strchr(f, '/') &&
		    fchownat(cgroup, f, owner, (gid_t)-1, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
			return err_sys(e, "give the cgroup's \"%s\" to user %u", f, owner);
	return 0;
}

int cgroup_enable(const char *path, const char *controller, struct err *e)
{
	autoclose int root = open_root(e);
	autofree char *part = strdup(path);
	char word[64];

	if (root < 0 || !part)
		return root < 0 ? root : err_set(e, -ENOMEM, "out of memory");
	snprintf(word, sizeof(word), "+%s", controller);
	/* Top down: the root first, then each level above the cgroup itself. */
	for (char *p = part;; p = strchr(p, '/') + 1) {
		autoclose int level = -1;
		char *slash = strchr(p, '/');

		if (p == part) {
			level = dup(root);
		} else {
			p[-1] = '\0';
			level = open_below(root, part);
			p[-1] = '/';
		}
		if (level < 0 || cgroup_put(level, "cgroup.subtree_control", word, NULL) < 0)
			return err_set(e, -EOPNOTSUPP,
				       "cgroup controller \"%s\" is not available above \"%s\"",
				       controller, path);
		if (!slash)
			return 0;
	}
}

int cgroup_open(const char *path, struct err *e)
{
	autoclose int root = open_root(e);
	int fd;

	if (root < 0)
		return root;
	fd = open_below(root, path);
	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	return fd < 0 ? err_sys(e, "open cgroup \"%s\"", path) : fd;
}

int cgroup_signal(const char *path, int sig, struct err *e)
{
	autoclose int cgroup = cgroup_open(path, e);
	autobuf struct buf procs = { 0 };
	char *rest = NULL;
	int rc;

	if (cgroup < 0)
		return cgroup == -ENOENT ? 0 : cgroup;
	if (sig == SIGKILL)
		return cgroup_kill(path, e);
	rc = file_read_at(cgroup, "cgroup.procs", PROCS_MAX_BYTES, &procs, e);
	if (rc < 0 || !procs.len)
		return rc;
	for (char *p = strtok_r(procs.data, "\n", &rest); p; p = strtok_r(NULL, "\n", &rest)) {
		int pid = atoi(p);

		if (pid > 0)
			kill(pid, sig);
	}
	return 0;
}

int cgroup_kill(const char *path, struct err *e)
{
	autoclose int cgroup = cgroup_open(path, e);

	if (cgroup < 0)
		return cgroup == -ENOENT ? 0 : cgroup;
	return cgroup_put(cgroup, "cgroup.kill", "1", e);
}

/* Sub-cgroups go first, which the container may have made to any depth and number. */
static int remove_below(int parent, const char *name, int depth)
{
	autoclose int fd = -1;
	autodir DIR *dir = NULL;
	struct dirent *entry;

	if (!unlinkat(parent, name, AT_REMOVEDIR) || errno == ENOENT)
		return 0;
	if (errno != EBUSY || depth > 256)
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return -errno;
	take_fd(&fd);
	while ((entry = readdir(dir)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			remove_below(dirfd(dir), entry->d_name, depth + 1);
	return unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

/* cgroup.events says POLLPRI when "populated" changes. */
static void wait_empty(const char *path, int64_t until_ms)
{
	autoclose int cgroup = cgroup_open(path, NULL);
	autoclose int events = cgroup < 0 ? -1 : openat(cgroup, "cgroup.events",
							 O_RDONLY | O_CLOEXEC);
	struct pollfd p = { .fd = events, .events = POLLPRI };
	autobuf struct buf text = { 0 };
	int64_t left = until_ms - clock_boot_ms();

	if (events < 0 || left <= 0)
		return;
	file_read_fd(events, 4096, &text, NULL);
	if (strstr(buf_text(&text), "populated 1"))
		poll(&p, 1, (int)(left < 100 ? left : 100));
	else
		poll(NULL, 0, 1); /* a process that is gone holds it for an instant more */
}

int cgroup_remove(const char *path, struct err *e)
{
	int64_t until_ms = clock_boot_ms() + REMOVE_TIMEOUT_MS;
	autoclose int root = -1;
	int rc;

	if (!path[0])
		return 0;
	root = open_root(e);
	if (root < 0)
		return root;
	rc = remove_below(root, path, 0);
	if (rc == -EBUSY) {
		rc = cgroup_kill(path, e);
		if (rc < 0)
			return rc;
		rc = -EBUSY;
	}
	while (rc == -EBUSY && clock_boot_ms() < until_ms) {
		wait_empty(path, until_ms);
		rc = remove_below(root, path, 0);
	}
	return rc < 0 ? err_code(e, rc, "remove cgroup \"%s\"", path) : 0;
}
