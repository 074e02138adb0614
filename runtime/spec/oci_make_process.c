#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "spec/capability.h"
#include "spec/oci_make_parts.h"

#define INIT_TARGET "/sbin/docker-init"

int make_text(char **member, const char *text)
{
	*member = strdup(text);
	return *member ? 0 : -ENOMEM;
}

bool make_host_network(const struct oci_make *m)
{
	return m->spec->network_mode && !strcmp(m->spec->network_mode, "host");
}

bool make_user_namespace(const struct oci_make *m)
{
	return m->context->idmap_size > 0;
}

const char *make_hostname(const struct oci_make *m, char out[65])
{
	if (m->context->hostname)
		snprintf(out, 65, "%.64s", m->context->hostname);
	else if (m->spec->hostname && m->spec->hostname[0])
		snprintf(out, 65, "%.64s", m->spec->hostname);
	else
		snprintf(out, 65, "%.12s", m->context->id);
	return out;
}

int make_mapping(const struct oci_make *m, struct oci_mapping_list *list)
{
	struct oci_mapping *map = record_list_add(list, sizeof(*map));

	if (!map)
		return -ENOMEM;
	map->hostID = m->context->idmap_base;
	map->size = m->context->idmap_size;
	return 0;
}

static int make_args(struct oci_make *m, struct string_list *args, struct err *e)
{
	struct string_list wanted = { 0 };
	int rc = container_spec_argv(m->spec, m->image, &wanted, e);

	if (!rc && m->spec->init && !m->context->init_path)
		rc = err_set(e, -ENOENT, "init: this host has no init program for containers");
	if (!rc && m->spec->init) {
		rc = string_list_add(args, INIT_TARGET);
		if (!rc)
			rc = string_list_add(args, "--");
	}
	for (size_t i = 0; !rc && i < wanted.count; i++)
		rc = string_list_add(args, wanted.items[i]);
	string_list_free(&wanted);
	return rc;
}

static int make_capabilities(const struct oci_make *m, struct oci_process *p)
{
	struct oci_capabilities *c = p->capabilities = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	/* Inheritable stays empty (CVE-2022-24769); effective and permitted are the set of a root
	 * process, and the kernel empties them when another user is exec'ed. */
	c->bounding.present = c->effective.present = c->permitted.present = true;
	for (int i = 0; i < CAPABILITY_COUNT; i++) {
		const char *name = capability_name(i);

		if (!(m->security.capabilities >> i & 1))
			continue;
		if (string_list_add(&c->bounding, name) < 0 ||
		    string_list_add(&c->effective, name) < 0 ||
		    string_list_add(&c->permitted, name) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_rlimit(struct oci_process *p, const char *name, int64_t soft, int64_t hard)
{
	struct oci_rlimit *r = record_list_add(&p->rlimits, sizeof(*r));
	char type[32];

	if (!r)
		return -ENOMEM;
	snprintf(type, sizeof(type), "RLIMIT_%s", name);
	for (char *c = type; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	r->soft = soft < 0 ? UINT64_MAX : (uint64_t)soft;
	r->hard = hard < 0 ? UINT64_MAX : (uint64_t)hard;
	return make_text(&r->type, type);
}

static int make_rlimits(const struct oci_make *m, struct oci_process *p)
{
	bool nofile = false;
	int rc = 0;

	for (size_t i = 0; !rc && i < m->spec->ulimits.count; i++) {
		const struct spec_ulimit *u = &m->spec->ulimits.items[i];

		nofile |= !strcasecmp(u->name, "nofile");
		rc = add_rlimit(p, u->name, u->soft, u->hard);
	}
	/* Systemd's pair, which docker's packages use: programs that loop over every fd up to the
	 * soft limit stay quick, and those that need many may raise it. */
	if (!rc && !nofile)
		rc = add_rlimit(p, "nofile", 1024, 524288);
	return rc;
}

int make_process(struct oci_make *m, struct err *e)
{
	struct oci_process *p = m->oci.process;
	const char *cwd = m->spec->working_dir;
	char hostname[65];
	int rc = make_args(m, &p->args, e);

	if (!rc)
		rc = container_spec_env(m->spec, m->image, make_hostname(m, hostname), &p->env, e);
	if (!cwd || !cwd[0])
		cwd = m->image->WorkingDir;
	if (!cwd || !cwd[0])
		cwd = "/";
	if (!rc && cwd[0] != '/')
		rc = err_set(e, -EINVAL, "working directory \"%s\" is not an absolute path", cwd);
	if (!rc)
		rc = make_text(&p->cwd, cwd);
	if (!rc)
		rc = make_capabilities(m, p);
	if (!rc)
		rc = make_rlimits(m, p);
	p->terminal = m->spec->tty;
	p->noNewPrivileges = !m->security.new_privileges;
	if (m->spec->oom_score_adj)
		p->oomScoreAdj = (struct opt_int){ true, m->spec->oom_score_adj };
	return rc;
}

/* "123" -> 123; -1: not a number, or none that an id can be. */
static int64_t parse_id(const char *text, size_t len)
{
	int64_t id = 0;

	if (!len || len > 10)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)text[i]))
			return -1;
		id = id * 10 + (text[i] - '0');
	}
	return id < UINT32_MAX ? id : -1;
}

static int add_groups(struct oci_make *m)
{
	const struct string_list *groups = &m->spec->group_add;
	autobuf struct buf text = { 0 };

	for (size_t i = 0; i < groups->count; i++)
		buf_addf(&text, "%s%s", i ? "," : "", groups->items[i]);
	if (!buf_ok(&text))
		return -ENOMEM;
	return groups->count ?
		       string_map_set(&m->oci.annotations, ANNOTATION_GROUP_ADD, buf_text(&text)) :
		       0;
}

int make_user(struct oci_make *m, struct err *e)
{
	const char *user = m->spec->user;
	int64_t uid, gid;
	size_t len;

	(void)e;
	if (!user || !user[0])
		user = m->image->User;
	if (!user || !user[0])
		user = "0";
	len = strcspn(user, ":");
	uid = parse_id(user, len);
	gid = user[len] ? parse_id(user + len + 1, strlen(user + len + 1)) : -1;
	m->oci.process->user.uid = uid > 0 ? uid : 0;
	m->oci.process->user.gid = gid > 0 ? gid : 0;
	if (string_map_set(&m->oci.annotations, ANNOTATION_USER, user) < 0)
		return -ENOMEM;
	return add_groups(m);
}

bool make_host_cgroup(const struct oci_make *m)
{
	return m->spec->cgroup && !strcmp(m->spec->cgroup, "host");
}

static bool own(const char *mode)
{
	return !mode || strcmp(mode, "host") != 0;
}

int make_root(struct oci_make *m, struct err *e)
{
	const struct string_map *notes = &m->spec->annotations;
	char hostname[65];
	int rc = make_text(&m->oci.root->path, m->context->rootfs);

	(void)e;
	for (size_t i = 0; i < notes->count && !rc; i++)
		rc = string_map_set(&m->oci.annotations, notes->items[i].name, notes->items[i].value);
	m->oci.root->readonly = m->spec->read_only;
	/* The host's own names are not the container's to set. */
	if (!rc && own(m->spec->uts))
		rc = make_text(&m->oci.hostname, make_hostname(m, hostname));
	if (!rc && own(m->spec->uts) && m->spec->domainname && m->spec->domainname[0])
		rc = make_text(&m->oci.domainname, m->spec->domainname);
	if (!rc)
		rc = make_text(&m->oci.linux_->cgroupsPath, m->context->cgroup);
	return rc;
}

int make_namespaces(struct oci_make *m, struct err *e)
{
	const struct container_spec *s = m->spec;
	const struct {
		const char *type;
		bool wanted;
		const char *path;
	} rows[] = {
		{ "user", make_user_namespace(m), m->context->user_ns }, { "mount", true, NULL },
		{ "pid", own(s->pid), m->context->pid_ns }, { "ipc", own(s->ipc), NULL },
		{ "uts", own(s->uts), NULL }, { "cgroup", !make_host_cgroup(m), NULL },
		{ "network", !make_host_network(m), m->context->net_ns },
	};
	int rc = 0;

	(void)e;
	for (size_t i = 0; !rc && i < ARRAY_LEN(rows); i++) {
		struct oci_namespace *n;

		if (!rows[i].wanted)
			continue;
		n = record_list_add(&m->oci.linux_->namespaces, sizeof(*n));
		rc = n ? make_text(&n->type, rows[i].type) : -ENOMEM;
		if (!rc && rows[i].path)
			rc = make_text(&n->path, rows[i].path);
	}
	if (!rc && make_user_namespace(m)) {
		rc = make_mapping(m, &m->oci.linux_->uidMappings);
		if (!rc)
			rc = make_mapping(m, &m->oci.linux_->gidMappings);
	}
	return rc;
}

int make_sysctls(struct oci_make *m, struct err *e)
{
	struct string_map *out = &m->oci.linux_->sysctl;
	int rc = 0;

	(void)e;
	if (!make_host_network(m)) {
		/* As docker: in a network of its own, every port and ping are for everyone. Ids that
		 * the user namespace does not map cannot be written. */
		rc = string_map_set(out, "net.ipv4.ip_unprivileged_port_start", "0");
		if (!rc)
			rc = string_map_set(out, "net.ipv4.ping_group_range",
					    make_user_namespace(m) ? "0 65535" : "0 2147483647");
	}
	for (size_t i = 0; !rc && i < m->spec->sysctls.count; i++)
		rc = string_map_set(out, m->spec->sysctls.items[i].name,
				    m->spec->sysctls.items[i].value);
	return rc;
}
