#include "oci/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"

static const struct {
	const char *type;
	int flag;
	bool join; /* by path */
} types[] = {
	{ "cgroup", CLONE_NEWCGROUP, true }, { "ipc", CLONE_NEWIPC, true },
	{ "mount", CLONE_NEWNS, false },     { "network", CLONE_NEWNET, true },
	{ "pid", CLONE_NEWPID, true },	     { "user", CLONE_NEWUSER, false },
	{ "uts", CLONE_NEWUTS, true },
};

static int add(const struct oci_namespace *from, struct namespaces *out, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (strcmp(types[i].type, from->type) != 0)
			continue;
		if (!from->path || !from->path[0]) {
			out->new_flags |= (uint64_t)types[i].flag;
			return 0;
		}
		if (!types[i].join)
			return err_set(e, -EOPNOTSUPP,
				       "linux.namespaces: joining a %s namespace by path is not supported",
				       from->type);
		out->joined[out->joined_count].path = from->path;
		out->joined[out->joined_count++].flag = types[i].flag;
		return 0;
	}
	return err_set(e, -EOPNOTSUPP, "linux.namespaces: type \"%s\" is not supported", from->type);
}

static int check(const struct oci_linux *l, const struct namespaces *n, struct err *e)
{
	bool user = n->new_flags & CLONE_NEWUSER;
	bool mapped = l->uidMappings.count || l->gidMappings.count;

	if (!(n->new_flags & CLONE_NEWNS))
		return err_set(e, -EINVAL, "linux.namespaces: a new mount namespace is needed");
	if (user && (!l->uidMappings.count || !l->gidMappings.count))
		return err_set(e, -EINVAL,
			       "linux.namespaces: a user namespace needs uidMappings and gidMappings");
	if (!user && mapped)
		return err_set(e, -EINVAL, "linux.uidMappings: need a user namespace");
	return 0;
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
		flags |= (uint64_t)n->joined[i].flag;
	return flags;
}

int namespaces_join(const struct namespaces *n, struct err *e)
{
	for (int i = 0; i < n->joined_count; i++) {
		/* O_NONBLOCK: what lies at the path may be a FIFO; setns tells if it is no namespace. */
		autoclose int fd = open(n->joined[i].path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

		if (fd < 0 || setns(fd, n->joined[i].flag) < 0)
			return err_sys(e, "join namespace \"%s\"", n->joined[i].path);
	}
	return 0;
}

static int write_map(pid_t pid, const char *file, const struct oci_mapping_list *map,
		     struct err *e)
{
	autobuf struct buf text = { 0 };
	char path[64];

	for (size_t i = 0; i < map->count; i++)
		buf_addf(&text, "%lld %lld %lld\n", (long long)map->items[i].containerID,
			 (long long)map->items[i].hostID, (long long)map->items[i].size);
	if (!buf_ok(&text))
		return err_set(e, -ENOMEM, "out of memory");
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	return file_put_at(AT_FDCWD, path, buf_text(&text), e);
}

int namespaces_map(const struct oci_linux *l, pid_t pid, struct err *e)
{
	int rc = l->uidMappings.count ? write_map(pid, "uid_map", &l->uidMappings, e) : 0;

	return rc < 0 || !l->gidMappings.count ? rc :
						 write_map(pid, "gid_map", &l->gidMappings, e);
}
