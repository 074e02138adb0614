#include "oci/sysctl.h"

#include <errno.h>
#include <linux/sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "oci/sys.h"

/* Sysctls that belong to a namespace; any other would be the whole machine's. */
static const struct {
	const char *prefix;
	uint64_t flag;
} spaces[] = {
	{ "fs.mqueue.", CLONE_NEWIPC },	      { "kernel.msgmax", CLONE_NEWIPC },
	{ "kernel.msgmnb", CLONE_NEWIPC },    { "kernel.msgmni", CLONE_NEWIPC },
	{ "kernel.sem", CLONE_NEWIPC },	      { "kernel.shm_rmid_forced", CLONE_NEWIPC },
	{ "kernel.shmall", CLONE_NEWIPC },    { "kernel.shmmax", CLONE_NEWIPC },
	{ "kernel.shmmni", CLONE_NEWIPC },    { "kernel.domainname", CLONE_NEWUTS },
	{ "kernel.hostname", CLONE_NEWUTS },  { "net.", CLONE_NEWNET },
	{ "user.", CLONE_NEWUSER },
};

/* As sysctl(8) does it: where the first separator is a slash the name is a path, else a dot parts
 * and a slash stands for a dot inside of a part ("net.ipv4.conf.eth0/1.forwarding"). */
static char *path_of(const char *name)
{
	char *path = strdup(name);

	if (path && name[strcspn(name, "./")] == '.')
		for (char *p = path; *p; p++)
			*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
	return path;
}

static bool begins(const char *path, const char *prefix)
{
	for (; *prefix; prefix++, path++)
		if (*path != (*prefix == '.' ? '/' : *prefix))
			return false;
	return true;
}

/* "net/../kernel/core_pattern" begins like the network namespace's and is the machine's. */
static bool wanders(const char *path)
{
	for (; *path; path += strcspn(path, "/"), path += *path == '/') {
		size_t len = strcspn(path, "/");

		if (!len || (len == 1 && path[0] == '.') || (len == 2 && !strncmp(path, "..", 2)))
			return true;
	}
	return false;
}

static int check_one(const char *name, const struct namespaces *ns, struct err *e)
{
	autofree char *path = path_of(name);

	if (!path)
		return err_set(e, -ENOMEM, "out of memory");
	if (wanders(path))
		return err_set(e, -EINVAL, "sysctl \"%s\" is not a name", name);
	for (size_t i = 0; i < ARRAY_LEN(spaces); i++)
		if (begins(path, spaces[i].prefix) && namespaces_own(ns, spaces[i].flag))
			return 0;
	return err_set(e, -EINVAL, "sysctl \"%s\" is not in a separate kernel namespace", name);
}

static int check_name(const char *key, const char *name, const struct namespaces *ns,
		      struct err *e)
{
	if (!name || !name[0])
		return 0;
	if (!namespaces_own(ns, CLONE_NEWUTS))
		return err_set(e, -EINVAL, "%s: needs a UTS namespace of its own", key);
	return strlen(name) > 64 ? err_set(e, -EINVAL, "%s: is longer than 64 bytes", key) : 0;
}

int sysctl_check(const struct oci_spec *spec, const struct namespaces *ns, struct err *e)
{
	const struct string_map *map = &spec->linux_->sysctl;
	int rc = check_name("hostname", spec->hostname, ns, e);

	if (!rc)
		rc = check_name("domainname", spec->domainname, ns, e);
	for (size_t i = 0; !rc && i < map->count; i++)
		rc = check_one(map->items[i].name, ns, e);
	return rc;
}

static int set_one(int proc, const char *name, const char *value, struct err *e)
{
	autofree char *path = path_of(name);
	autofree char *whole = NULL;
	autoclose int fd = -1;

	if (!path || asprintf(&whole, "sys/%s", path) < 0)
		return err_set(e, -ENOMEM, "out of memory");
	/* CVE-2019-19921, CVE-2025-52881: only below this very mount, through no link. */
	fd = sys_openat2(proc, whole, O_WRONLY,
			 RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return err_sys(e, "set sysctl \"%s\" to \"%s\"", name, value);
	return 0;
}

int sysctl_set(const struct oci_spec *spec, int proc, struct err *e)
{
	const struct string_map *map = &spec->linux_->sysctl;
	int rc = 0;

	if (spec->hostname && spec->hostname[0] &&
	    sethostname(spec->hostname, strlen(spec->hostname)) < 0)
		rc = err_sys(e, "set host name \"%s\"", spec->hostname);
	if (!rc && spec->domainname && spec->domainname[0] &&
	    setdomainname(spec->domainname, strlen(spec->domainname)) < 0)
		rc = err_sys(e, "set domain name \"%s\"", spec->domainname);
	for (size_t i = 0; !rc && i < map->count; i++)
		rc = set_one(proc, map->items[i].name, map->items[i].value, e);
	return rc;
}
