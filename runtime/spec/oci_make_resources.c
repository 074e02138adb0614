#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "spec/oci_make_parts.h"

enum { ANY = -1, CPU_PERIOD_US = 100000 };

/* Docker's device rules (moby, oci/oci.go): any node may be made, few may be used. */
static const struct {
	bool allow;
	char type;
	int major, minor;
	const char *access;
} rules[] = {
	{ false, 'a', ANY, ANY, "rwm" },
	{ true, 'c', ANY, ANY, "m" },
	{ true, 'b', ANY, ANY, "m" },
	{ true, 'c', 1, 3, "rwm" },   /* null */
	{ true, 'c', 1, 5, "rwm" },   /* zero */
	{ true, 'c', 1, 7, "rwm" },   /* full */
	{ true, 'c', 1, 8, "rwm" },   /* random */
	{ true, 'c', 1, 9, "rwm" },   /* urandom */
	{ true, 'c', 5, 0, "rwm" },   /* tty */
	{ true, 'c', 5, 1, "rwm" },   /* console */
	{ true, 'c', 5, 2, "rwm" },   /* ptmx */
	{ true, 'c', 136, ANY, "rwm" }, /* pseudo terminals */
};

static int add_rule(struct oci_make *m, bool allow, char type, int64_t major, int64_t minor,
		    const char *access)
{
	struct oci_device_rule *r =
		record_list_add(&m->oci.linux_->resources.devices, sizeof(*r));
	char text[2] = { type, '\0' };

	if (!r)
		return -ENOMEM;
	r->allow = allow;
	if (major != ANY)
		r->major = (struct opt_int){ true, major };
	if (minor != ANY)
		r->minor = (struct opt_int){ true, minor };
	return make_text(&r->type, text) < 0 ? -ENOMEM : make_text(&r->access, access);
}

static int stat_device(const char *path, struct stat *st, struct err *e)
{
	if (stat(path, st) < 0)
		return err_sys(e, "device \"%s\"", path);
	if (!S_ISCHR(st->st_mode) && !S_ISBLK(st->st_mode))
		return err_set(e, -EINVAL, "\"%s\" is not a device", path);
	return 0;
}

static int add_device(struct oci_make *m, const struct spec_device *d, struct err *e)
{
	const char *access = d->permissions && d->permissions[0] ? d->permissions : "rwm";
	const char *target = d->target && d->target[0] ? d->target : d->source;
	struct oci_device *node;
	struct stat st;
	char type[2] = "c";
	int rc = stat_device(d->source, &st, e);

	if (rc < 0)
		return rc;
	if (strspn(access, "rwm") != strlen(access))
		return err_set(e, -EINVAL, "device \"%s\": permissions are of \"rwm\", not \"%s\"",
			       d->source, access);
	type[0] = S_ISBLK(st.st_mode) ? 'b' : 'c';
	node = record_list_add(&m->oci.linux_->devices, sizeof(*node));
	if (!node || make_text(&node->type, type) < 0 || make_text(&node->path, target) < 0)
		return -ENOMEM;
	node->major = major(st.st_rdev);
	node->minor = minor(st.st_rdev);
	node->fileMode = (struct opt_int){ true, st.st_mode & 0777 };
	/* Owner 0, the container's root: the host's group ids (disk, tty) mean nothing inside. */
	node->uid = node->gid = (struct opt_int){ true, 0 };
	return add_rule(m, true, type[0], node->major, node->minor, access);
}

int make_devices(struct oci_make *m, struct err *e)
{
	int rc = 0;

	if (m->spec->privileged)
		rc = add_rule(m, true, 'a', ANY, ANY, "rwm");
	for (size_t i = 0; !rc && !m->spec->privileged && i < ARRAY_LEN(rules); i++)
		rc = add_rule(m, rules[i].allow, rules[i].type, rules[i].major, rules[i].minor,
			      rules[i].access);
	for (size_t i = 0; !rc && i < m->spec->devices.count; i++)
		rc = add_device(m, &m->spec->devices.items[i], e);
	return rc;
}

static int add_throttle(const struct spec_rate_list *from, struct oci_throttle_list *to,
			struct err *e)
{
	for (size_t i = 0; i < from->count; i++) {
		struct oci_throttle *t;
		struct stat st;
		int rc = stat_device(from->items[i].path, &st, e);

		if (rc < 0)
			return rc;
		t = record_list_add(to, sizeof(*t));
		if (!t)
			return -ENOMEM;
		t->major = major(st.st_rdev);
		t->minor = minor(st.st_rdev);
		t->rate = from->items[i].rate;
	}
	return 0;
}

static int make_block_io(struct oci_make *m, struct err *e)
{
	const struct spec_blkio *from = &m->spec->blkio;
	struct oci_block_io *to = &m->oci.linux_->resources.blockIO;
	int rc;

	if (from->weight)
		to->weight = (struct opt_int){ true, from->weight };
	rc = add_throttle(&from->read_bps, &to->throttleReadBpsDevice, e);
	if (!rc)
		rc = add_throttle(&from->write_bps, &to->throttleWriteBpsDevice, e);
	if (!rc)
		rc = add_throttle(&from->read_iops, &to->throttleReadIOPSDevice, e);
	if (!rc)
		rc = add_throttle(&from->write_iops, &to->throttleWriteIOPSDevice, e);
	return rc;
}

static int make_memory(struct oci_make *m, struct err *e)
{
	const struct container_spec *s = m->spec;
	struct oci_memory *to = &m->oci.linux_->resources.memory;
	int64_t swap = s->memswap_limit;

	if (swap && !s->mem_limit)
		return err_set(e, -EINVAL, "memswap_limit needs mem_limit");
	if (swap > 0 && swap < s->mem_limit)
		return err_set(e, -EINVAL, "memswap_limit is smaller than mem_limit");
	if (s->mem_limit)
		to->limit = (struct opt_int){ true, s->mem_limit };
	if (s->mem_reservation)
		to->reservation = (struct opt_int){ true, s->mem_reservation };
	/* Docker: as much swap as memory, if nothing is said. OCI's number is the sum of both. */
	if (s->mem_limit && !swap && __builtin_mul_overflow(s->mem_limit, 2, &swap))
		swap = -1;
	if (swap)
		to->swap = (struct opt_int){ true, swap };
	return 0;
}

int make_resources(struct oci_make *m, struct err *e)
{
	const struct container_spec *s = m->spec;
	struct oci_resources *r = &m->oci.linux_->resources;
	int rc = make_memory(m, e);

	if (rc < 0)
		return rc;
	if (s->nano_cpus) {
		r->cpu.period = (struct opt_int){ true, CPU_PERIOD_US };
		r->cpu.quota = (struct opt_int){ true, s->nano_cpus / (1000000000 / CPU_PERIOD_US) };
	}
	if (s->cpu_period)
		r->cpu.period = (struct opt_int){ true, s->cpu_period };
	if (s->cpu_quota)
		r->cpu.quota = (struct opt_int){ true, s->cpu_quota };
	if (s->cpu_shares)
		r->cpu.shares = (struct opt_int){ true, s->cpu_shares };
	if (s->cpuset && s->cpuset[0] && make_text(&r->cpu.cpus, s->cpuset) < 0)
		return -ENOMEM;
	if (s->pids_limit)
		r->pids.limit = (struct opt_int){ true, s->pids_limit };
	return make_block_io(m, e);
}
