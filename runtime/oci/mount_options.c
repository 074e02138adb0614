/* Mount options: from words to flags. Source: runtime-spec config.md, "Linux mount options". Words
 * that are not in the table are the file system's own, and so are the kernel's for all file
 * systems: sync, dirsync, lazytime, mand and their opposites. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "oci/mounts.h"
#include "oci/sys.h"

enum does {
	SET,
	CLEAR,
	TIME,
	SET_ALL,
	CLEAR_ALL,
	TIME_ALL,
	BIND,
	RBIND,
	IDMAP,
	REMOUNT,
	COPY_UP,
	NOTHING
};

static const struct {
	const char *word;
	enum does does;
	uint64_t flag;
} words[] = {
	{ "", NOTHING, 0 }, /* buildah gives one with every volume */
	{ "async", NOTHING, 0 },
	{ "atime", CLEAR, MOUNT_ATTR_NOATIME },
	{ "bind", BIND, 0 },
	{ "defaults", NOTHING, 0 },
	{ "dev", CLEAR, MOUNT_ATTR_NODEV },
	{ "diratime", CLEAR, MOUNT_ATTR_NODIRATIME },
	{ "exec", CLEAR, MOUNT_ATTR_NOEXEC },
	{ "idmap", IDMAP, IDMAP_MUST },
	{ "loud", NOTHING, 0 },
	{ "noatime", TIME, MOUNT_ATTR_NOATIME },
	{ "nodev", SET, MOUNT_ATTR_NODEV },
	{ "nodiratime", SET, MOUNT_ATTR_NODIRATIME },
	{ "noexec", SET, MOUNT_ATTR_NOEXEC },
	{ "norelatime", TIME, MOUNT_ATTR_STRICTATIME },
	{ "nostrictatime", TIME, MOUNT_ATTR_RELATIME },
	{ "nosuid", SET, MOUNT_ATTR_NOSUID },
	{ "nosymfollow", SET, MOUNT_ATTR_NOSYMFOLLOW },
	{ "ratime", TIME_ALL, MOUNT_ATTR_RELATIME },
	{ "rbind", RBIND, 0 },
	{ "rdev", CLEAR_ALL, MOUNT_ATTR_NODEV },
	{ "rdiratime", CLEAR_ALL, MOUNT_ATTR_NODIRATIME },
	{ "relatime", TIME, MOUNT_ATTR_RELATIME },
	{ "remount", REMOUNT, 0 },
	{ "rexec", CLEAR_ALL, MOUNT_ATTR_NOEXEC },
	{ "ridmap", IDMAP, IDMAP_TREE },
	{ "rnoatime", TIME_ALL, MOUNT_ATTR_NOATIME },
	{ "rnodev", SET_ALL, MOUNT_ATTR_NODEV },
	{ "rnodiratime", SET_ALL, MOUNT_ATTR_NODIRATIME },
	{ "rnoexec", SET_ALL, MOUNT_ATTR_NOEXEC },
	{ "rnorelatime", TIME_ALL, MOUNT_ATTR_STRICTATIME },
	{ "rnostrictatime", TIME_ALL, MOUNT_ATTR_RELATIME },
	{ "rnosuid", SET_ALL, MOUNT_ATTR_NOSUID },
	{ "rnosymfollow", SET_ALL, MOUNT_ATTR_NOSYMFOLLOW },
	{ "ro", SET, MOUNT_ATTR_RDONLY },
	{ "rrelatime", TIME_ALL, MOUNT_ATTR_RELATIME },
	{ "rro", SET_ALL, MOUNT_ATTR_RDONLY },
	{ "rrw", CLEAR_ALL, MOUNT_ATTR_RDONLY },
	{ "rstrictatime", TIME_ALL, MOUNT_ATTR_STRICTATIME },
	{ "rsuid", CLEAR_ALL, MOUNT_ATTR_NOSUID },
	{ "rsymfollow", CLEAR_ALL, MOUNT_ATTR_NOSYMFOLLOW },
	{ "rw", CLEAR, MOUNT_ATTR_RDONLY },
	{ "silent", NOTHING, 0 },
	{ "strictatime", TIME, MOUNT_ATTR_STRICTATIME },
	{ "suid", CLEAR, MOUNT_ATTR_NOSUID },
	{ "symfollow", CLEAR, MOUNT_ATTR_NOSYMFOLLOW },
	{ "tmpcopyup", COPY_UP, 0 },
};

static const struct {
	const char *word;
	uint64_t flag;
} propagations[] = {
	{ "private", MS_PRIVATE },
	{ "shared", MS_SHARED },
	{ "slave", MS_SLAVE },
	{ "unbindable", MS_UNBINDABLE },
};

uint64_t mounts_propagation(const char *word, bool *recursive)
{
	for (size_t i = 0; i < ARRAY_LEN(propagations); i++) {
		*recursive = word[0] == 'r';
		if (!strcmp(propagations[i].word, word + *recursive))
			return propagations[i].flag;
	}
	return 0;
}

static const char *const propagation_words[] = {
	"private", "rprivate", "shared", "rshared", "slave", "rslave", "unbindable", "runbindable",
};

const char *mounts_option(size_t index)
{
	if (index < ARRAY_LEN(words))
		return words[index].word;
	index -= ARRAY_LEN(words);
	return index < ARRAY_LEN(propagation_words) ? propagation_words[index] : NULL;
}

static void set_flag(struct mount_flags *f, uint64_t flag)
{
	f->set |= flag;
	f->clear &= ~flag;
}

static void clear_flag(struct mount_flags *f, uint64_t flag)
{
	f->clear |= flag;
	f->set &= ~flag;
}

/* Access times are one field of several values, cleared as a whole. */
static void set_time(struct mount_flags *f, uint64_t flag)
{
	clear_flag(f, MOUNT_ATTR__ATIME);
	f->set |= flag;
}

static void apply(struct mount_plan *p, enum does does, uint64_t flag)
{
	switch (does) {
	case SET:
		set_flag(&p->here, flag);
		break;
	case CLEAR:
		clear_flag(&p->here, flag);
		break;
	case TIME:
		set_time(&p->here, flag);
		break;
	case SET_ALL:
		set_flag(&p->tree, flag);
		break;
	case CLEAR_ALL:
		clear_flag(&p->tree, flag);
		break;
	case TIME_ALL:
		set_time(&p->tree, flag);
		break;
	case RBIND:
		p->recursive = true;
		p->type = NULL;
		break;
	case BIND:
		p->type = NULL;
		break;
	case IDMAP:
		p->idmap = (enum mount_idmap)flag;
		break;
	case REMOUNT:
		p->remount = true;
		break;
	case COPY_UP:
		p->copy_up = true;
		break;
	case NOTHING:
		break;
	}
}

static void read_option(struct mount_plan *p, const char *word)
{
	uint64_t propagation;
	bool recursive;

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!strcmp(words[i].word, word)) {
			apply(p, words[i].does, words[i].flag);
			return;
		}
	}
	propagation = mounts_propagation(word, &recursive);
	if (propagation) {
		p->propagation = propagation;
		p->propagation_tree = recursive;
		return;
	}
	p->data[p->data_count++] = word;
}

/* ---- the plan ---- */

static bool same_mapping(const struct oci_mapping_list *a, const struct oci_mapping_list *b)
{
	return a->count == b->count &&
	       (!a->count || !memcmp(a->items, b->items, a->count * sizeof(*a->items)));
}

/* config.md, "idmap": by the mount's own mappings, or else by the container's. */
static int plan_idmap(const struct oci_spec *spec, const struct namespaces *ns,
		      struct mount_plan *p, struct err *e)
{
	const struct oci_mount *m = p->from;
	bool given = m->uidMappings.count || m->gidMappings.count;

	if (!given && p->idmap == IDMAP_NONE)
		return 0;
	if (p->type || p->remount)
		return err_set(e, -EINVAL, "mount on \"%s\": only a bind can map ids", p->where);
	if (given && (!m->uidMappings.count || !m->gidMappings.count))
		return err_set(e, -EINVAL,
			       "mount on \"%s\": uidMappings and gidMappings go together", p->where);
	if (!given && !namespaces_own(ns, CLONE_NEWUSER))
		return err_set(e, -EINVAL,
			       "mount on \"%s\": \"idmap\" needs mappings, its own or a user namespace's",
			       p->where);
	if (p->idmap == IDMAP_NONE)
		p->idmap = IDMAP_WISH;
	p->idmap_own = given && !(same_mapping(&m->uidMappings, &spec->linux_->uidMappings) &&
				  same_mapping(&m->gidMappings, &spec->linux_->gidMappings) &&
				  ns->new_flags & CLONE_NEWUSER);
	return 0;
}

static bool is_path(const char *path, const char *wanted)
{
	size_t len = strlen(wanted);

	return !strncmp(path, wanted, len) && path[len + strspn(path + len, "/")] == '\0';
}

/* Without a cgroup namespace of its own the container would see the host's whole tree. */
static int plan_cgroup(const struct namespaces *ns, const char *cgroup, struct mount_plan *p)
{
	bool own = namespaces_own(ns, CLONE_NEWCGROUP);

	p->type = own ? "cgroup2" : NULL;
	return own || asprintf(&p->source, "/sys/fs/cgroup/%s", cgroup) > 0 ? 0 : -ENOMEM;
}

static int plan_source(const struct namespaces *ns, const char *cgroup, struct mount_plan *p,
		       struct err *e)
{
	const struct oci_mount *m = p->from;
	int rc = 0;

	if (p->type && (!strcmp(p->type, "cgroup") || !strcmp(p->type, "cgroup2")))
		rc = plan_cgroup(ns, cgroup, p);
	else if (!p->type && m->source && m->source[0])
		rc = (p->source = strdup(m->source)) ? 0 : -ENOMEM;
	else if (!p->type && !p->remount)
		return err_set(e, -EINVAL, "mount on \"%s\": a bind needs a source", p->where);
	return rc < 0 ? err_set(e, rc, "out of memory") : 0;
}

static int check_options(const struct mount_plan *p, struct err *e)
{
	const struct oci_mount *m = p->from;

	if (!p->type && !m->type && !m->options.count)
		return err_set(e, -EINVAL, "mount on \"%s\" has no type", m->destination);
	if (p->data_count && (!p->type || p->remount))
		return err_set(e, -EINVAL, "mount on \"%s\": option \"%s\" does not go with a %s",
			       m->destination, p->data[0], p->remount ? "remount" : "bind");
	if (p->copy_up && (!p->type || strcmp(p->type, "tmpfs") != 0))
		return err_set(e, -EINVAL, "mount on \"%s\": \"tmpcopyup\" needs a tmpfs",
			       m->destination);
	return 0;
}

static int plan(const struct oci_spec *spec, const struct namespaces *ns, const char *cgroup,
		struct mount_plan *p, struct err *e)
{
	const struct oci_mount *m = p->from;
	int rc;

	p->type = m->type && strcmp(m->type, "bind") != 0 ? m->type : NULL;
	/* config.md: should be absolute; runtimes take a relative one as below "/". */
	if (asprintf(&p->where, "%s%s", m->destination[0] == '/' ? "" : "/", m->destination) < 0)
		return err_set(e, -ENOMEM, "out of memory");
	p->data = calloc(m->options.count + 1, sizeof(*p->data));
	if (!p->data)
		return err_set(e, -ENOMEM, "out of memory");
	for (size_t i = 0; i < m->options.count; i++)
		read_option(p, m->options.items[i]);
	rc = check_options(p, e);
	if (!rc)
		rc = plan_idmap(spec, ns, p, e);
	if (!rc)
		rc = plan_source(ns, cgroup, p, e);
	p->is_dev = p->type && !strcmp(p->type, "tmpfs") && is_path(p->where, "/dev");
	/* The kernel labels its own views itself. */
	if (p->type && (!strcmp(p->type, "tmpfs") || !strcmp(p->type, "devpts")))
		p->label = spec->linux_->mountLabel;
	p->late_ro = p->type && !strcmp(p->type, "tmpfs") && p->here.set & MOUNT_ATTR_RDONLY;
	if (p->late_ro)
		p->here.set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	return rc;
}

int mounts_plan(const struct oci_spec *spec, const struct namespaces *ns, const char *cgroup,
		struct mounts *out, struct err *e)
{
	automounts struct mounts made = { 0 };

	made.plans = calloc(spec->mounts.count + 1, sizeof(*made.plans));
	if (!made.plans)
		return err_set(e, -ENOMEM, "out of memory");
	for (size_t i = 0; i < spec->mounts.count; i++) {
		struct mount_plan *p = &made.plans[made.count++];
		int rc;

		p->fd = -1;
		p->from = &spec->mounts.items[i];
		rc = plan(spec, ns, cgroup, p, e);
		if (rc < 0)
			return rc;
	}
	*out = made;
	made = (struct mounts){ 0 };
	return 0;
}

const struct mount_plan *mounts_find(const struct mounts *m, const char *where)
{
	for (size_t i = m->count; i-- > 0;)
		if (is_path(m->plans[i].where, where) && !m->plans[i].remount)
			return &m->plans[i];
	return NULL;
}
