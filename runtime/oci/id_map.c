/* The id mappings of a new user namespace. Source: user_namespaces(7), newuidmap(1). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/spawn.h"
#include "oci/namespaces.h"

struct side {
	const struct oci_mapping_list *map;
	const char *file, *helper;
	uint32_t own; /* the caller's id */
};

static int write_map(const struct side *s, pid_t pid, struct err *e)
{
	autobuf struct buf text = { 0 };
	char path[64];

	for (size_t i = 0; i < s->map->count; i++)
		buf_addf(&text, "%lld %lld %lld\n", (long long)s->map->items[i].containerID,
			 (long long)s->map->items[i].hostID, (long long)s->map->items[i].size);
	if (!buf_ok(&text))
		return err_set(e, -ENOMEM, "out of memory");
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, s->file);
	return file_put_at(AT_FDCWD, path, buf_text(&text), e);
}

static const char *find_helper(const char *name, char *out, size_t room)
{
	static const char *const folders[] = { "/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin" };

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		snprintf(out, room, "%s/%s", folders[i], name);
		if (!access(out, X_OK))
			return out;
	}
	return NULL;
}

/* newuidmap PID containerID hostID size ...: setuid, and grants what /etc/subuid gives the user. */
static int run_helper(const struct side *s, pid_t pid, struct err *e)
{
	size_t words = 2 + 3 * s->map->count;
	autofree const char **argv = calloc(words + 1, sizeof(*argv));
	autofree char *text = calloc(words, 24);
	char path[64];
	size_t next = 1;

	if (!argv || !text)
		return err_set(e, -ENOMEM, "out of memory");
	argv[0] = find_helper(s->helper, path, sizeof(path));
	if (!argv[0])
		return err_set(e, -ENOENT,
			       "%s: an unprivileged user needs \"%s\" to map other ids than the own one, "
			       "and it is not installed",
			       s->file, s->helper);
	for (size_t i = 1; i < words; i++)
		argv[i] = text + i * 24;
	snprintf(text + next++ * 24, 24, "%d", pid);
	for (size_t i = 0; i < s->map->count; i++) {
		snprintf(text + next++ * 24, 24, "%lld", (long long)s->map->items[i].containerID);
		snprintf(text + next++ * 24, 24, "%lld", (long long)s->map->items[i].hostID);
		snprintf(text + next++ * 24, 24, "%lld", (long long)s->map->items[i].size);
	}
	return spawn_run(&(struct spawn){ .argv = argv, .inherit_stdio = true }, e);
}

static bool is_own_id(const struct side *s)
{
	return s->map->count == 1 && s->map->items[0].size == 1 && s->map->items[0].hostID == s->own;
}

static int map_side(const struct side *s, pid_t pid, bool privileged, struct err *e)
{
	return privileged || is_own_id(s) ? write_map(s, pid, e) : run_helper(s, pid, e);
}

int namespaces_map(const struct oci_mapping_list *uid_map, const struct oci_mapping_list *gid_map,
		   pid_t pid, struct err *e)
{
	const struct side uids = { uid_map, "uid_map", "newuidmap", geteuid() };
	const struct side gids = { gid_map, "gid_map", "newgidmap", getegid() };
	bool privileged = !geteuid();
	char path[64];
	int rc = map_side(&uids, pid, privileged, e);

	/* Who maps his own group by himself must give up setgroups in the namespace, by which a group
	 * could be dropped that a file denies. */
	if (!rc && !privileged && is_own_id(&gids)) {
		snprintf(path, sizeof(path), "/proc/%d/setgroups", pid);
		rc = file_put_at(AT_FDCWD, path, "deny", e);
	}
	return rc < 0 ? rc : map_side(&gids, pid, privileged, e);
}
