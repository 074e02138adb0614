#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "spec/oci_make_parts.h"

enum when { ALWAYS, NET_OWN, NET_HOST, CGROUP_OWN, CGROUP_HOST };

/* Docker's default mounts (moby, oci/defaults.go); options separated by commas. */
static const struct {
	const char *destination, *type, *source, *options;
	const char *guard; /* one more option, unless the container is privileged; may be NULL */
	enum when when;
} defaults[] = {
	{ "/proc", "proc", "proc", "nosuid,noexec,nodev", NULL, ALWAYS },
	{ "/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k", NULL, ALWAYS },
	{ "/dev/pts", "devpts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5",
	  NULL, ALWAYS },
	{ "/sys", "sysfs", "sysfs", "nosuid,noexec,nodev", "ro", NET_OWN },
	/* The kernel lets only the owner of a network namespace mount its sysfs. */
	{ "/sys", "bind", "/sys", "rbind,nosuid,noexec,nodev", "rro", NET_HOST },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", "nosuid,noexec,nodev", "ro", CGROUP_OWN },
	{ "/sys/fs/cgroup", "bind", "/sys/fs/cgroup", "rbind,nosuid,noexec,nodev", "rro", CGROUP_HOST },
	{ "/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev", NULL, ALWAYS },
};

static int add_options(struct string_list *list, const char *options)
{
	autofree char *copy = strdup(options);
	char *rest = NULL;

	if (!copy)
		return -ENOMEM;
	for (char *o = strtok_r(copy, ",", &rest); o; o = strtok_r(NULL, ",", &rest))
		if (string_list_add(list, o) < 0)
			return -ENOMEM;
	return 0;
}

static int add_mount(struct oci_make *m, const char *destination, const char *type,
		     const char *source, const char *options, struct oci_mount **out)
{
	struct oci_mount *mount = record_list_add(&m->oci.mounts, sizeof(*mount));

	if (!mount || make_text(&mount->destination, destination) < 0 ||
	    make_text(&mount->type, type) < 0 || make_text(&mount->source, source) < 0)
		return -ENOMEM;
	if (out)
		*out = mount;
	return add_options(&mount->options, options);
}

static int add_defaults(struct oci_make *m)
{
	/* Of a namespace of the host's, only who has the host's user namespace may mount these. */
	bool bind_sys = make_host_network(m) && make_user_namespace(m);
	bool bind_cgroup = make_host_cgroup(m) && make_user_namespace(m);
	const bool wanted[] = {
		[ALWAYS] = true, [NET_OWN] = !bind_sys, [NET_HOST] = bind_sys,
		[CGROUP_OWN] = !bind_cgroup, [CGROUP_HOST] = bind_cgroup,
	};

	for (size_t i = 0; i < ARRAY_LEN(defaults); i++) {
		struct oci_mount *mount;
		int rc;

		if (!wanted[defaults[i].when])
			continue;
		rc = add_mount(m, defaults[i].destination, defaults[i].type, defaults[i].source,
			       defaults[i].options, &mount);
		if (!rc && defaults[i].guard && !m->spec->privileged)
			rc = string_list_add(&mount->options, defaults[i].guard);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int add_shm(struct oci_make *m)
{
	const char *ipc = m->spec->ipc ? m->spec->ipc : "";
	int64_t size = m->spec->shm_size ? m->spec->shm_size : 64 << 20;
	char options[96];

	if (!strcmp(ipc, "none"))
		return 0;
	if (!strcmp(ipc, "host"))
		return add_mount(m, "/dev/shm", "bind", "/dev/shm", "rbind,nosuid,noexec,nodev", NULL);
	snprintf(options, sizeof(options), "nosuid,noexec,nodev,mode=1777,size=%lld",
		 (long long)size);
	return add_mount(m, "/dev/shm", "tmpfs", "shm", options, NULL);
}

/* A bind whose files keep their owners: container's root is the disk's root. */
static int add_bind(struct oci_make *m, const char *source, const char *target, bool read_only,
		    const char *propagation)
{
	struct oci_mount *mount;
	char options[64];
	int rc;

	snprintf(options, sizeof(options), "rbind,%s,%s", propagation, read_only ? "ro" : "rw");
	rc = add_mount(m, target, "bind", source, options, &mount);
	if (!rc && make_user_namespace(m))
		rc = make_mapping(m, &mount->uidMappings);
	if (!rc && make_user_namespace(m))
		rc = make_mapping(m, &mount->gidMappings);
	return rc;
}

static int add_tmpfs(struct oci_make *m, const struct spec_volume *v)
{
	char options[128];
	int len = snprintf(options, sizeof(options), "nosuid,nodev,noexec,mode=%04llo",
			   (unsigned long long)(v->tmpfs_mode ? v->tmpfs_mode : 01777));

	if (v->tmpfs_size)
		len += snprintf(options + len, sizeof(options) - (size_t)len, ",size=%lld",
				(long long)v->tmpfs_size);
	if (v->read_only)
		snprintf(options + len, sizeof(options) - (size_t)len, ",ro");
	return add_mount(m, v->target, "tmpfs", "tmpfs", options, NULL);
}

static int add_volume(struct oci_make *m, size_t i, struct err *e)
{
	const struct spec_volume *v = &m->spec->volumes.items[i];
	const char *path = m->context->volume_paths ? m->context->volume_paths[i] : NULL;
	const char *propagation = v->bind_propagation;

	if (!strcmp(v->type, "tmpfs"))
		return add_tmpfs(m, v);
	if (!path && !strcmp(v->type, "bind"))
		path = v->source;
	if (!path)
		return err_set(e, -EINVAL, "volumes[%zu]: there is no host path for \"%s\"", i,
			       v->source ? v->source : v->target);
	if (!propagation || !propagation[0])
		propagation = "rprivate";
	return add_bind(m, path, v->target, v->read_only, propagation);
}

static size_t depth(const char *path)
{
	size_t parts = 0;

	for (; *path; path++)
		parts += path[0] == '/' && path[1] && path[1] != '/';
	return parts;
}

/* "/a/b" must be mounted after "/a", whatever the order in the file. Stable: the later of two
 * mounts on one place stays the later. */
static void sort_by_depth(struct oci_mount *items, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct oci_mount m = items[i];
		size_t k = i;

		for (; k > 0 && depth(items[k - 1].destination) > depth(m.destination); k--)
			items[k] = items[k - 1];
		items[k] = m;
	}
}

int make_mounts(struct oci_make *m, struct err *e)
{
	const struct oci_context *c = m->context;
	const struct {
		const char *source, *target;
		bool read_only;
	} files[] = {
		{ c->resolv_path, "/etc/resolv.conf", false },
		{ c->hostname_path, "/etc/hostname", false },
		{ c->hosts_path, "/etc/hosts", false },
		{ m->spec->init ? c->init_path : NULL, "/sbin/docker-init", true },
	};
	size_t first;
	int rc = add_defaults(m);

	if (!rc)
		rc = add_shm(m);
	first = m->oci.mounts.count;
	for (size_t i = 0; !rc && i < ARRAY_LEN(files); i++)
		if (files[i].source)
			rc = add_bind(m, files[i].source, files[i].target, files[i].read_only,
				      "rprivate");
	for (size_t i = 0; !rc && i < m->spec->volumes.count; i++)
		rc = add_volume(m, i, e);
	for (size_t i = 0; !rc && i < c->bind_count; i++)
		rc = add_bind(m, c->binds[i].source, c->binds[i].target, c->binds[i].read_only,
			      "rprivate");
	if (!rc)
		sort_by_depth(m->oci.mounts.items + first, m->oci.mounts.count - first);
	return rc;
}
