#include "pid1/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "pid1/machine.h"

#define ROOT "/sys/fs/cgroup"

enum {
	RESERVE_MIN_BYTES = 16 << 20,
	RESERVE_MAX_BYTES = 256 << 20,
	CLEAR_TRIES = 20,
	CLEAR_WAIT_MS = 5,
	SYSTEM_WEIGHT = 800, /* the kernel's default, and so containers', is 100 */
};

static const struct {
	const char *name;
	bool needed; /* containers' limits rest on it; its lack is told */
} controllers[] = {
	{ "cpu", true },     { "cpuset", true }, { "io", true },    { "memory", true },
	{ "pids", true },    { "hugetlb", false }, { "rdma", false }, { "misc", false },
};

uint64_t cgroup_reserve_bytes(uint64_t total)
{
	uint64_t reserve = total / 8;

	if (reserve < RESERVE_MIN_BYTES)
		reserve = RESERVE_MIN_BYTES;
	return reserve < RESERVE_MAX_BYTES ? reserve : RESERVE_MAX_BYTES;
}

static int make(const char *path, struct err *e)
{
	return mkdir(path, 0755) < 0 && errno != EEXIST ? err_sys(e, "make cgroup \"%s\"", path) : 0;
}

static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = list; (p = strstr(p, word)); p += len)
		if ((p == list || p[-1] == ' ') && strchr(" \n", p[len]))
			return true;
	return false;
}

/* Top down. All in one write a directory: each write costs the kernel some grace periods. */
static int enable(const char *words, struct err *e)
{
	static const char *const folders[] = { ROOT, ROOT "/system", ROOT "/containers" };
	char path[96];

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		int rc;

		snprintf(path, sizeof(path), "%s/cgroup.subtree_control", folders[i]);
		rc = file_put_at(AT_FDCWD, path, words, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* What the kernel has is enabled also when something that is needed is missing; then -ENOTSUP
 * with the missing ones named. */
static int enable_all(struct err *say)
{
	autobuf struct buf there = { 0 };
	char words[128] = "", have[128] = "", lack[128] = "";
	int rc = file_read_at(AT_FDCWD, ROOT "/cgroup.controllers", 1024, &there, say);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < ARRAY_LEN(controllers); i++) {
		const char *name = controllers[i].name;
		bool ok = has_word(buf_text(&there), name);
		char *list = ok ? have : lack;
		size_t len = strlen(list);

		if (ok || controllers[i].needed)
			snprintf(list + len, sizeof(have) - len, "%s%s", len ? " " : "", name);
		len = strlen(words);
		if (ok)
			snprintf(words + len, sizeof(words) - len, "%s+%s", len ? " " : "", name);
	}
	rc = enable(words, say);
	if (rc < 0)
		return rc;
	if (*lack)
		return err_set(say, -ENOTSUP, "the kernel has no cgroup controller for: %s", lack);
	err_set(say, 0, "%s", have);
	return 0;
}

/* Best effort: a knob is missing exactly where its controller is, and that has been told. */
static void put_number(const char *path, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	file_put_at(AT_FDCWD, path, text, NULL);
}

static uint64_t threads_max(void)
{
	autobuf struct buf text = { 0 };

	if (file_read_at(AT_FDCWD, "/proc/sys/kernel/threads-max", 64, &text, NULL) < 0)
		return 0;
	return strtoull(buf_text(&text), NULL, 10);
}

static void set_limits(void)
{
	struct sysinfo info;
	uint64_t total, reserve, threads = threads_max();

	if (!sysinfo(&info)) {
		total = (uint64_t)info.totalram * info.mem_unit;
		reserve = cgroup_reserve_bytes(total);
		put_number(ROOT "/system/memory.min", reserve);
		if (total > 2 * reserve)
			put_number(ROOT "/containers/memory.max", total - reserve);
	}
	if (threads)
		put_number(ROOT "/containers/pids.max", threads - threads / 8);
	put_number(ROOT "/system/cpu.weight", SYSTEM_WEIGHT);
	put_number(ROOT "/system/io.weight", SYSTEM_WEIGHT);
}

int cgroup_step(struct machine *m, struct err *say)
{
	static const char *const folders[] = {
		ROOT "/system", ROOT "/system/init", ROOT "/system/shims", ROOT "/containers",
	};
	struct statfs fs;
	int rc;

	(void)m;
	/* Else these directories would be made in sysfs's empty mount point, or in nothing. */
	if (statfs(ROOT, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
		return err_set(say, -ENODEV, "cgroup2 is not mounted on \"%s\"", ROOT);
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		rc = make(folders[i], say);
		if (rc < 0)
			return rc;
	}
	rc = file_put_at(AT_FDCWD, ROOT "/system/init/cgroup.procs", "0", say);
	if (rc < 0)
		return rc;
	rc = enable_all(say);
	set_limits();
	return rc;
}

static void service_path(const char *name, char path[96])
{
	snprintf(path, 96, "%s/system/%s", ROOT, name);
}

int cgroup_open_service(const char *name, int cpu_weight)
{
	char path[96], weight[16];
	autoclose int fd = -1;

	service_path(name, path);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (cpu_weight) {
		snprintf(weight, sizeof(weight), "%d", cpu_weight);
		file_put_at(fd, "cpu.weight", weight, NULL);
	}
	return take_fd(&fd);
}

void cgroup_clear_service(const char *name)
{
	char path[96], kill[128];

	service_path(name, path);
	snprintf(kill, sizeof(kill), "%s/cgroup.kill", path);
	if (!rmdir(path) || errno == ENOENT)
		return;
	file_put_at(AT_FDCWD, kill, "1", NULL);
	for (int i = 0; i < CLEAR_TRIES && rmdir(path) < 0 && errno == EBUSY; i++)
		poll(NULL, 0, CLEAR_WAIT_MS);
}

int cgroup_kill_containers(void)
{
	return file_put_at(AT_FDCWD, ROOT "/containers/cgroup.kill", "1", NULL);
}

bool cgroup_has_containers(void)
{
	autobuf struct buf text = { 0 };

	if (file_read_at(AT_FDCWD, ROOT "/containers/cgroup.events", 256, &text, NULL) < 0)
		return false;
	return strstr(buf_text(&text), "populated 1") != NULL;
}
