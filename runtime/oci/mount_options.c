/* Mount options: from words to flags. Source: runtime-spec config.md, "Linux mount options". */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "oci/mounts.h"
#include "oci/sys.h"

enum does { SET, CLEAR, TIME, SET_ALL, CLEAR_ALL, TIME_ALL, BIND, RBIND, IDMAP, NOTHING };

static const struct {
	const char *word;
	enum does does;
	uint64_t flag;
} words[] = {
	{ "async", NOTHING, 0 },
	{ "atime", CLEAR, MOUNT_ATTR_NOATIME },
	{ "bind", BIND, 0 },
	{ "defaults", NOTHING, 0 },
	{ "dev", CLEAR, MOUNT_ATTR_NODEV },
	{ "diratime", CLEAR, MOUNT_ATTR_NODIRATIME },
	{ "exec", CLEAR, MOUNT_ATTR_NOEXEC },
	{ "idmap", IDMAP, 0 },
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
	{ "rexec", CLEAR_ALL, MOUNT_ATTR_NOEXEC },
	{ "ridmap", IDMAP, 0 },
	{ "rnoatime", TIME_ALL, MOUNT_ATTR_NOATIME },
	{ "rnodev", SET_ALL, MOUNT_ATTR_NODEV },
	{ "rnodiratime", SET_ALL, MOUNT_ATTR_NODIRATIME },
	{ "rnoexec", SET_ALL, MOUNT_ATTR_NOEXEC },
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
		p->idmap = true;
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

static bool same_mapping(const struct oci_mapping_list *a, const struct oci_mapping_list *b)
{
	return a->count == b->count &&
	       (!a->count || !memcmp(a->items, b->items, a->count * sizeof(*a->items)));
}

static int check_mapping(const struct oci_spec *spec, const struct mount_plan *p, struct err *e)
{
	const struct oci_mount *m = p->from;

	if (!m->uidMappings.count && !m->gidMappings.count)
		return 0;
	if (!same_mapping(&m->uidMappings, &spec->linux_->uidMappings) ||
	    !same_mapping(&m->gidMappings, &spec->linux_->gidMappings))
		return err_set(e, -EOPNOTSUPP,
			       "mount on \"%s\": uidMappings and gidMappings other than the "
			       "container's own are not supported",
			       m->destination);
	return 0;
}

static bool is_path(const char *path, const char *wanted)
{
	size_t len = strlen(wanted);

	return !strncmp(path, wanted, len) && path[len + strspn(path + len, "/")] == '\0';
}

static int plan(const struct oci_spec *spec, const struct oci_mount *m, struct mount_plan *p,
		struct err *e)
{
	p->from = m;
	p->type = m->type && strcmp(m->type, "bind") != 0 ? m->type : NULL;
	if (p->type && !strcmp(p->type, "cgroup"))
		p->type = "cgroup2";
	if (m->destination[0] != '/')
		return err_set(e, -EINVAL, "mount destination \"%s\" is not an absolute path",
			       m->destination);
	p->data = calloc(m->options.count + 1, sizeof(*p->data));
	if (!p->data)
		return err_set(e, -ENOMEM, "out of memory");
	p->idmap = m->uidMappings.count > 0;
	for (size_t i = 0; i < m->options.count; i++)
		read_option(p, m->options.items[i]);
	for (size_t i = 0; i < p->data_count; i++)
		if (!p->type || !strcmp(p->data[i], "tmpcopyup"))
			return err_set(e, -EINVAL, "mount on \"%s\": option \"%s\" is not supported",
				       m->destination, p->data[i]);
	if (!p->type && !m->type && !m->options.count)
		return err_set(e, -EINVAL, "mount on \"%s\" has no type", m->destination);
	p->is_dev = p->type && !strcmp(p->type, "tmpfs") && is_path(m->destination, "/dev");
	return check_mapping(spec, p, e);
}

int mounts_plan(const struct oci_spec *spec, struct mounts *out, struct err *e)
{
	automounts struct mounts made = { 0 };

	made.plans = calloc(spec->mounts.count + 1, sizeof(*made.plans));
	if (!made.plans)
		return err_set(e, -ENOMEM, "out of memory");
	for (size_t i = 0; i < spec->mounts.count; i++) {
		struct mount_plan *p = &made.plans[made.count++];
		int rc;

		p->fd = -1;
		rc = plan(spec, &spec->mounts.items[i], p, e);
		if (rc < 0)
			return rc;
	}
	*out = made;
	made = (struct mounts){ 0 };
	return 0;
}
