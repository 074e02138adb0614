/* What of linux.resources can be seen to be wrong before anything is made: values out of range, and
 * what cgroup v1 had and v2 has not. Source: config-linux.md "Control groups"; cgroup-v2.rst. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "oci/cgroup.h"

static bool is_said(const struct opt_int *n)
{
	return n->set && n->value != 0;
}

static int gone(const char *key, const char *why, struct err *e)
{
	return err_set(e, -EOPNOTSUPP, "linux.resources.%s: cgroup v2 has no such limit%s%s", key,
		       why[0] ? ": " : "", why);
}

/* ---- of cgroup v1 ---- */

static int check_gone(const struct oci_resources *r, struct err *e)
{
	const struct {
		bool asked;
		const char *key, *why;
	} rows[] = {
		{ r->memory.kernel.set && r->memory.kernel.value > 0, "memory.kernel",
		  "kernel memory counts as memory" },
		{ r->memory.kernelTCP.set && r->memory.kernelTCP.value > 0, "memory.kernelTCP",
		  "socket buffers count as memory" },
		{ r->memory.swappiness.set, "memory.swappiness", "" },
		{ r->memory.disableOOMKiller, "memory.disableOOMKiller",
		  "the OOM killer cannot be turned off" },
		{ is_said(&r->cpu.realtimeRuntime), "cpu.realtimeRuntime", "" },
		{ is_said(&r->cpu.realtimePeriod), "cpu.realtimePeriod", "" },
		{ is_said(&r->blockIO.leafWeight), "blockIO.leafWeight", "" },
		{ is_said(&r->network.classID), "network.classID", "net_cls is of cgroup v1" },
		{ r->network.priorities.count, "network.priorities", "net_prio is of cgroup v1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].asked)
			return gone(rows[i].key, rows[i].why, e);
	for (size_t i = 0; i < r->blockIO.weightDevice.count; i++)
		if (is_said(&r->blockIO.weightDevice.items[i].leafWeight))
			return gone("blockIO.weightDevice[].leafWeight", "", e);
	return 0;
}

/* ---- ranges ---- */

static int check_memory(const struct oci_memory *m, struct err *e)
{
	bool limited = m->limit.set && m->limit.value > 0;

	if (m->swap.set && m->swap.value > 0 && (!limited || m->swap.value < m->limit.value))
		return err_set(e, -EINVAL,
			       "linux.resources.memory.swap: is memory and swap together, so it needs "
			       "a memory limit that is not larger");
	return 0;
}

static int check_cpu(const struct oci_cpu *c, struct err *e)
{
	if (c->burst.set && (c->burst.value < 0 ||
			     (c->quota.set && c->quota.value > 0 && c->burst.value > c->quota.value)))
		return err_set(e, -EINVAL, "linux.resources.cpu.burst: must not be above quota");
	if (c->idle.set && c->idle.value != 0 && c->idle.value != 1)
		return err_set(e, -EINVAL, "linux.resources.cpu.idle: is 0 or 1");
	return 0;
}

static int check_weight(const struct opt_int *w, const char *key, struct err *e)
{
	return is_said(w) && (w->value < 10 || w->value > 1000) ?
		       err_set(e, -EINVAL, "linux.resources.blockIO.%s: is 10 to 1000", key) :
		       0;
}

static int check_io(const struct oci_block_io *b, struct err *e)
{
	int rc = check_weight(&b->weight, "weight", e);

	for (size_t i = 0; !rc && i < b->weightDevice.count; i++) {
		if (!b->weightDevice.items[i].weight.set)
			return err_set(e, -EINVAL,
				       "linux.resources.blockIO.weightDevice[%zu]: has no weight", i);
		rc = check_weight(&b->weightDevice.items[i].weight, "weightDevice.weight", e);
	}
	return rc;
}

/* ---- names that become part of a path or a line ---- */

/* "64KB", "2MB", "1GB" (config-linux.md). */
static bool is_page_size(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits && digits < 10 && text[digits] && strchr("KMG", text[digits]) &&
	       !strcmp(text + digits + 1, "B");
}

static int check_names(const struct oci_resources *r, struct err *e)
{
	for (size_t i = 0; i < r->hugepageLimits.count; i++)
		if (!is_page_size(r->hugepageLimits.items[i].pageSize))
			return err_set(e, -EINVAL,
				       "linux.resources.hugepageLimits[%zu].pageSize: \"%s\" is not like "
				       "\"2MB\"", i, r->hugepageLimits.items[i].pageSize);
	for (size_t i = 0; i < r->rdma.count; i++) {
		const struct oci_rdma *d = &r->rdma.items[i];

		if (!d->name[0] || strpbrk(d->name, " \t\n") || strlen(d->name) > 64)
			return err_set(e, -EINVAL, "linux.resources.rdma: \"%s\" is not a device",
				       d->name);
		if (!d->hcaHandles.set && !d->hcaObjects.set)
			return err_set(e, -EINVAL,
				       "linux.resources.rdma.%s: needs hcaHandles or hcaObjects", d->name);
	}
	return 0;
}

/* What steers the tree itself or moves processes is not the configuration's to write. */
static bool steers(const char *name)
{
	static const char *const files[] = { "cgroup.procs",	       "cgroup.threads",
					     "cgroup.kill",	       "cgroup.freeze",
					     "cgroup.type",	       "cgroup.subtree_control" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (!strcmp(files[i], name))
			return true;
	return false;
}

static int check_unified(const struct string_map *map, struct err *e)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

	for (size_t i = 0; i < map->count; i++) {
		const char *name = map->items[i].name;

		if (name[strspn(name, letters)] || !strchr(name, '.') || name[0] == '.' ||
		    strlen(name) > 100 || steers(name))
			return err_set(e, -EINVAL, "linux.resources.unified: \"%s\" is not a limit",
				       name);
	}
	return 0;
}

int cgroup_check(const struct oci_resources *r, struct err *e)
{
	int rc = check_gone(r, e);

	if (!rc)
		rc = check_memory(&r->memory, e);
	if (!rc)
		rc = check_cpu(&r->cpu, e);
	if (!rc)
		rc = check_io(&r->blockIO, e);
	if (!rc)
		rc = check_names(r, e);
	return rc < 0 ? rc : check_unified(&r->unified, e);
}

bool cgroup_wants_limits(const struct oci_resources *r)
{
	const struct oci_block_io *b = &r->blockIO;

	return is_said(&r->memory.limit) || is_said(&r->memory.reservation) ||
	       is_said(&r->memory.swap) || is_said(&r->cpu.shares) || is_said(&r->cpu.quota) ||
	       is_said(&r->cpu.period) || is_said(&r->cpu.burst) || is_said(&r->cpu.idle) ||
	       (r->cpu.cpus && r->cpu.cpus[0]) || (r->cpu.mems && r->cpu.mems[0]) ||
	       (r->pids.limit.set && r->pids.limit.value > 0) || is_said(&b->weight) ||
	       b->weightDevice.count || b->throttleReadBpsDevice.count ||
	       b->throttleWriteBpsDevice.count || b->throttleReadIOPSDevice.count ||
	       b->throttleWriteIOPSDevice.count || r->hugepageLimits.count || r->rdma.count ||
	       r->unified.count;
}
