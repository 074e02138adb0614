#include "oci/cgroup_query.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "oci/cgroup.h"
#include "spec/record.h"

enum {
	FILE_MAX_BYTES = 64 * 1024,
	PROCS_MAX_BYTES = 4 << 20,
	FREEZE_TIMEOUT_MS = 10000,
	DEPTH_MAX = 64,
};

static bool read_file(int cgroup, const char *file, struct buf *out)
{
	return cgroup >= 0 && !file_read_at(cgroup, file, FILE_MAX_BYTES, out, NULL);
}

static const char *find_value(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *p = text; p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (!strncmp(p, key, len) && p[len] == ' ')
			return p + len + 1;
	}
	return NULL;
}

uint64_t cgroup_number(int cgroup, const char *file, uint64_t otherwise)
{
	autobuf struct buf text = { 0 };

	if (!read_file(cgroup, file, &text) || !isdigit((unsigned char)buf_text(&text)[0]))
		return otherwise;
	return strtoull(buf_text(&text), NULL, 10);
}

uint64_t cgroup_text_value(const char *text, const char *key)
{
	const char *value = find_value(text, key);

	return value ? strtoull(value, NULL, 10) : 0;
}

uint64_t cgroup_value(int cgroup, const char *file, const char *key)
{
	autobuf struct buf text = { 0 };

	return read_file(cgroup, file, &text) ? cgroup_text_value(buf_text(&text), key) : 0;
}

bool cgroup_is_frozen(const char *path)
{
	autoclose int cgroup = cgroup_open(path, NULL);

	/* The wish and not the fact: a frozen cgroup counts as paused while a new process in it is
	 * still on its way to a stop. */
	return cgroup_number(cgroup, "cgroup.freeze", 0) == 1;
}

/* cgroup.events says POLLPRI when "frozen" changes. */
static int wait_frozen(int cgroup, bool frozen, struct err *e)
{
	int64_t until_ms = clock_boot_ms() + FREEZE_TIMEOUT_MS;
	autoclose int events = openat(cgroup, "cgroup.events", O_RDONLY | O_CLOEXEC);
	struct pollfd p = { .fd = events, .events = POLLPRI };

	while (events >= 0 && clock_boot_ms() < until_ms) {
		autobuf struct buf text = { 0 };
		const char *value;

		if (lseek(events, 0, SEEK_SET) < 0 ||
		    file_read_fd(events, FILE_MAX_BYTES, &text, NULL) < 0)
			break;
		value = find_value(buf_text(&text), "frozen");
		if (value && (*value == '1') == frozen)
			return 0;
		poll(&p, 1, 100);
	}
	return err_set(e, -ETIMEDOUT, "the container's processes do not %s",
		       frozen ? "stop" : "run again");
}

int cgroup_freeze(const char *path, bool frozen, struct err *e)
{
	autoclose int cgroup = cgroup_open(path, e);
	int rc;

	if (cgroup < 0)
		return cgroup == -ENOENT ? err_set(e, cgroup, "container not running") : cgroup;
	rc = file_put_at(cgroup, "cgroup.freeze", frozen ? "1" : "0", e);
	if (!rc)
		rc = wait_frozen(cgroup, frozen, e);
	/* Half frozen is worse than not at all. */
	if (rc < 0 && frozen)
		file_put_at(cgroup, "cgroup.freeze", "0", NULL);
	return rc;
}

struct pids {
	pid_t *items;
	size_t count;
};

static int add_pids(int cgroup, struct pids *out, struct err *e)
{
	autobuf struct buf text = { 0 };
	char *rest = NULL;
	int rc = file_read_at(cgroup, "cgroup.procs", PROCS_MAX_BYTES, &text, e);

	/* A threaded cgroup has no list of processes; its parent's has them. */
	if (rc < 0 || !text.len)
		return rc == -EOPNOTSUPP ? 0 : rc;
	for (char *p = strtok_r(text.data, "\n", &rest); p; p = strtok_r(NULL, "\n", &rest)) {
		pid_t *slot = record_list_add(out, sizeof(*slot));

		if (!slot)
			return err_set(e, -ENOMEM, "out of memory");
		*slot = atoi(p);
	}
	return 0;
}

static int walk(int cgroup, int depth, struct pids *out, struct err *e)
{
	autodir DIR *dir = NULL;
	autoclose int fd = dup(cgroup);
	struct dirent *entry;
	int rc = add_pids(cgroup, out, e);

	dir = rc < 0 || depth > DEPTH_MAX || fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return rc;
	take_fd(&fd);
	while (!rc && (entry = readdir(dir))) {
		autoclose int below = -1;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		below = openat(dirfd(dir), entry->d_name,
			       O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		/* It may have gone since the list was read. */
		if (below >= 0)
			rc = walk(below, depth + 1, out, e);
	}
	return rc;
}

int cgroup_pids(const char *path, pid_t **out, size_t *count, struct err *e)
{
	autoclose int cgroup = cgroup_open(path, e);
	struct pids found = { 0 };
	int rc = cgroup == -ENOENT ? 0 : cgroup < 0 ? cgroup : walk(cgroup, 0, &found, e);

	if (rc < 0) {
		free(found.items);
		return rc;
	}
	*out = found.items;
	*count = found.count;
	return 0;
}

char *cgroup_of(pid_t pid, struct err *e)
{
	autobuf struct buf text = { 0 };
	char file[32], *line, *copy = NULL;

	snprintf(file, sizeof(file), "/proc/%d/cgroup", pid);
	if (file_read_at(AT_FDCWD, file, FILE_MAX_BYTES, &text, e) < 0)
		return NULL;
	line = text.data ? strstr(text.data, "0::/") : NULL;
	if (line) {
		line[strcspn(line, "\n")] = '\0';
		copy = strdup(line + strlen("0::/"));
	}
	if (!copy)
		err_set(e, -ENOENT, "the cgroup of process %d is not known", pid);
	return copy;
}
