#include "oci/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "oci/sys.h"

enum { RANGES_MAX = 340 }; /* the kernel's UID_GID_MAP_MAX_EXTENTS */

static const struct {
	const char *type, *file; /* file: in /proc/PID/ns */
	uint64_t flag;
} types[] = {
	{ "cgroup", "cgroup", CLONE_NEWCGROUP }, { "ipc", "ipc", CLONE_NEWIPC },
	{ "mount", "mnt", CLONE_NEWNS },	 { "network", "net", CLONE_NEWNET },
	{ "pid", "pid", CLONE_NEWPID },		 { "time", "time", CLONE_NEWTIME },
	{ "user", "user", CLONE_NEWUSER },	 { "uts", "uts", CLONE_NEWUTS },
};

static const char *own_file(uint64_t flag)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i].flag == flag)
			return types[i].file;
	return "";
}

/* ---- the list ---- */

static int add(const struct oci_namespace *from, struct namespaces *out, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		int k = out->joined_count;

		if (strcmp(types[i].type, from->type) != 0)
			continue;
		if (!from->path || !from->path[0]) {
			out->new_flags |= types[i].flag;
			return 0;
		}
		if (from->path[0] != '/')
			return err_set(e, -EINVAL,
				       "linux.namespaces: path \"%s\" of the %s namespace is not absolute",
				       from->path, from->type);
		out->joined[k].path = from->path;
		out->joined[k].type = types[i].type;
		out->joined[k].flag = types[i].flag;
		out->joined[k].back = -1;
		out->joined_count++;
		return 0;
	}
	return err_set(e, -EINVAL, "linux.namespaces: unknown type \"%s\"", from->type);
}

static int check_ranges(const struct oci_mapping_list *map, const char *key, struct err *e)
{
	if (map->count > RANGES_MAX)
		return err_set(e, -E2BIG, "linux.%s: more than %d ranges", key, RANGES_MAX);
	for (size_t i = 0; i < map->count; i++) {
		const struct oci_mapping *m = &map->items[i];

		if (m->size < 1 || m->containerID < 0 || m->hostID < 0 || m->size > UINT32_MAX ||
		    m->containerID > UINT32_MAX - m->size || m->hostID > UINT32_MAX - m->size)
			return err_set(e, -EINVAL, "linux.%s[%zu]: is not a range of 32-bit ids", key,
				       i);
	}
	return 0;
}

static int check_clocks(const struct oci_linux *l, const struct namespaces *n, struct err *e)
{
	for (size_t i = 0; i < l->timeOffsets.count; i++) {
		const struct oci_time_offset *o = &l->timeOffsets.items[i];

		if (strcmp(o->clock, "monotonic") != 0 && strcmp(o->clock, "boottime") != 0)
			return err_set(e, -EINVAL,
				       "linux.timeOffsets: \"%s\" is neither monotonic nor boottime",
				       o->clock);
		if (o->nanosecs < 0 || o->nanosecs > 999999999)
			return err_set(e, -EINVAL, "linux.timeOffsets.%s.nanosecs: is 0 to 999999999",
				       o->clock);
	}
	if (l->timeOffsets.count && !(n->new_flags & CLONE_NEWTIME))
		return err_set(e, -EINVAL, "linux.timeOffsets: need a new time namespace");
	return 0;
}

static int check(const struct oci_linux *l, const struct namespaces *n, struct err *e)
{
	bool mapped = l->uidMappings.count || l->gidMappings.count;
	int rc;

	if (!(n->new_flags & CLONE_NEWNS) && !namespaces_joins(n, CLONE_NEWNS))
		return err_set(e, -EINVAL, "linux.namespaces: a mount namespace is needed");
	if (n->new_flags & CLONE_NEWUSER && (!l->uidMappings.count || !l->gidMappings.count))
		return err_set(e, -EINVAL,
			       "linux.namespaces: a user namespace needs uidMappings and gidMappings");
	if (mapped && !namespaces_own(n, CLONE_NEWUSER))
		return err_set(e, -EINVAL, "linux.uidMappings: need a user namespace");
	rc = check_ranges(&l->uidMappings, "uidMappings", e);
	if (!rc)
		rc = check_ranges(&l->gidMappings, "gidMappings", e);
	return rc < 0 ? rc : check_clocks(l, n, e);
}

int namespaces_plan(const struct oci_linux *l, struct namespaces *out, struct err *e)
{
	struct namespaces made = { 0 };

	for (size_t i = 0; i < l->namespaces.count; i++) {
		int rc;

		for (size_t k = 0; k < i; k++)
			if (!strcmp(l->namespaces.items[k].type, l->namespaces.items[i].type))
				return err_set(e, -EINVAL, "linux.namespaces: \"%s\" is given twice",
					       l->namespaces.items[i].type);
		rc = add(&l->namespaces.items[i], &made, e);
		if (rc < 0)
			return rc;
	}
	*out = made;
	return check(l, &made, e);
}

const char *namespaces_type(size_t index)
{
	return index < ARRAY_LEN(types) ? types[index].type : NULL;
}

uint64_t namespaces_all(const struct namespaces *n)
{
	uint64_t flags = n->new_flags;

	for (int i = 0; i < n->joined_count; i++)
		flags |= n->joined[i].flag;
	return flags;
}

bool namespaces_joins(const struct namespaces *n, uint64_t flag)
{
	for (int i = 0; i < n->joined_count; i++)
		if (n->joined[i].flag == flag)
			return true;
	return false;
}

bool namespaces_own(const struct namespaces *n, uint64_t flag)
{
	for (int i = 0; i < n->joined_count; i++)
		if (n->joined[i].flag == flag)
			return !n->joined[i].host;
	return n->new_flags & flag;
}

/* ---- joining ---- */

static int open_own(uint64_t flag, struct err *e)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/ns/%s", own_file(flag));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open \"%s\"", path) : fd;
}

int namespaces_look(struct namespaces *n, struct err *e)
{
	for (int i = 0; i < n->joined_count; i++) {
		struct stat own, given;
		char path[64];

		snprintf(path, sizeof(path), "/proc/self/ns/%s", own_file(n->joined[i].flag));
		n->joined[i].host = !stat(path, &own) && !stat(n->joined[i].path, &given) &&
				    own.st_dev == given.st_dev && own.st_ino == given.st_ino;
		if (n->joined[i].host && n->joined[i].flag == CLONE_NEWNS)
			return err_set(e, -EINVAL,
				       "join mount namespace \"%s\": it is the runtime's own",
				       n->joined[i].path);
	}
	return 0;
}

static int join(struct namespaces *n, int i, bool keep, struct err *e)
{
	/* O_NONBLOCK: what lies at the path may be a FIFO; setns tells if it is no namespace. */
	autoclose int fd = open(n->joined[i].path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	autoclose int own = -1;

	if (fd < 0)
		return err_sys(e, "join %s namespace \"%s\"", n->joined[i].type, n->joined[i].path);
	/* To join one's own user namespace is an error to setns. */
	if (n->joined[i].host)
		return 0;
	own = keep ? open_own(n->joined[i].flag, e) : -1;
	if (keep && own < 0)
		return own;
	if (setns(fd, (int)n->joined[i].flag) < 0)
		return errno == EINVAL ?
			       err_set(e, -EINVAL, "join namespace \"%s\": it is not a %s namespace",
				       n->joined[i].path, n->joined[i].type) :
			       err_sys(e, "join %s namespace \"%s\"", n->joined[i].type,
				       n->joined[i].path);
	if (keep)
		n->joined[i].back = take_fd(&own);
	return 0;
}

/* A namespace may be the host's or the container's user namespace's to join: the host's go first,
 * and what was refused is tried again from within. */
int namespaces_join(struct namespaces *n, bool keep, struct err *e)
{
	unsigned int refused = 0;
	int rc;

	for (int i = 0; i < n->joined_count; i++) {
		if (n->joined[i].flag & (CLONE_NEWUSER | CLONE_NEWNS))
			continue;
		rc = join(n, i, keep, e);
		if (rc == -EPERM && namespaces_joins(n, CLONE_NEWUSER))
			refused |= 1u << i;
		else if (rc < 0)
			return rc;
	}
	for (int i = 0; i < n->joined_count; i++) {
		rc = n->joined[i].flag == CLONE_NEWUSER ? join(n, i, false, e) : 0;
		if (rc < 0)
			return rc;
	}
	for (int i = 0; i < n->joined_count; i++) {
		rc = refused >> i & 1 ? join(n, i, false, e) : 0;
		if (rc < 0)
			return rc;
	}
	return 0;
}

int namespaces_return(struct namespaces *n, struct err *e)
{
	for (int i = 0; i < n->joined_count; i++) {
		autoclose int back = n->joined[i].back;

		n->joined[i].back = -1;
		if (back >= 0 && setns(back, (int)n->joined[i].flag) < 0)
			return err_sys(e, "return to the runtime's own %s namespace",
				       n->joined[i].type);
	}
	return 0;
}

int namespaces_join_mount(struct namespaces *n, struct err *e)
{
	for (int i = 0; i < n->joined_count; i++)
		if (n->joined[i].flag == CLONE_NEWNS)
			return join(n, i, false, e);
	return 0;
}

const char *namespaces_mount_path(const struct namespaces *n)
{
	for (int i = 0; i < n->joined_count; i++)
		if (n->joined[i].flag == CLONE_NEWNS)
			return n->joined[i].path;
	return NULL;
}

void namespaces_unmount(const char *path, const char *place)
{
	pid_t pid = fork();

	/* In a process of its own, which need not find its way back. */
	if (pid == 0) {
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

		if (fd >= 0 && !setns(fd, CLONE_NEWNS))
			sys_umount2(place, MNT_DETACH | UMOUNT_NOFOLLOW);
		_exit(0);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

/* ---- time ---- */

int namespaces_set_clocks(const struct oci_linux *l, pid_t pid, struct err *e)
{
	autobuf struct buf text = { 0 };
	char path[64];

	for (size_t i = 0; i < l->timeOffsets.count; i++)
		buf_addf(&text, "%s %lld %lld\n", l->timeOffsets.items[i].clock,
			 (long long)l->timeOffsets.items[i].secs,
			 (long long)l->timeOffsets.items[i].nanosecs);
	snprintf(path, sizeof(path), "/proc/%d/timens_offsets", pid);
	if (file_put_at(AT_FDCWD, path, buf_text(&text), e) < 0) {
		err_prefix(e, "linux.timeOffsets");
		return -EINVAL;
	}
	return 0;
}

int namespaces_enter_time(struct err *e)
{
	autoclose int fd = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);

	return fd < 0 || setns(fd, CLONE_NEWTIME) < 0 ? err_sys(e, "enter the time namespace") : 0;
}

/* ---- ids ---- */

int64_t namespaces_host_id(const struct oci_mapping_list *map, int64_t id)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct oci_mapping *m = &map->items[i];

		if (id >= m->containerID && id - m->containerID < m->size)
			return m->hostID + (id - m->containerID);
	}
	return map->count ? -1 : id;
}

static uint32_t root_id(const struct oci_mapping_list *map)
{
	return namespaces_host_id(map, 0) >= 0 ? 0 : (uint32_t)map->items[0].containerID;
}

void namespaces_root(const struct oci_linux *l, uint32_t *uid, uint32_t *gid)
{
	*uid = root_id(&l->uidMappings);
	*gid = root_id(&l->gidMappings);
}
