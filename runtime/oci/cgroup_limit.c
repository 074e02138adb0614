#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "oci/cgroup.h"
#include "oci/cgroup_files.h"

struct target {
	int cgroup;
	const char *path;
};

/* Writes one file. Where it is missing its controller is enabled and the write tried again, so
 * that a prepared tree, Berth's own, costs nothing. */
static int put(const struct target *t, const char *file, const char *value, struct err *e)
{
	char controller[64];
	int rc = file_put_at(t->cgroup, file, value, e);

	if (rc != -ENOENT)
		return rc;
	snprintf(controller, sizeof(controller), "%.*s", (int)strcspn(file, "."), file);
	rc = cgroup_enable(t->path, controller, e);
	return rc < 0 ? rc : file_put_at(t->cgroup, file, value, e);
}

static int put_number(const struct target *t, const char *file, int64_t value, struct err *e)
{
	char text[32] = "max";

	if (value >= 0)
		snprintf(text, sizeof(text), "%lld", (long long)value);
	return put(t, file, text, e);
}

static int limit_memory(const struct target *t, const struct oci_memory *m, struct err *e)
{
	int rc = 0;

	if (m->swap.set && m->swap.value >= 0 &&
	    (!m->limit.set || m->limit.value < 0 || m->swap.value < m->limit.value))
		return err_set(e, -EINVAL,
			       "linux.resources.memory.swap: is memory and swap together, so it needs "
			       "a memory limit that is not larger");
	if (m->limit.set)
		rc = put_number(t, "memory.max", m->limit.value, e);
	if (!rc && m->reservation.set)
		rc = put_number(t, "memory.low", m->reservation.value, e);
	if (!rc && m->swap.set) {
		rc = put_number(t, "memory.swap.max",
				m->swap.value < 0 ? -1 : m->swap.value - m->limit.value, e);
		/* A kernel without swap keeps every limit on it. */
		if (rc == -ENOENT)
			rc = 0;
	}
	return rc;
}

/* cgroup v1's 2..262144 on v2's 1..10000, as runc and crun do it (KEP-2254). */
static int64_t shares_to_weight(int64_t shares)
{
	if (shares < 2)
		shares = 2;
	if (shares > 262144)
		shares = 262144;
	return 1 + (shares - 2) * 9999 / 262142;
}

static int limit_cpu(const struct target *t, const struct oci_cpu *c, struct err *e)
{
	char text[64];
	int rc = 0;

	if (c->shares.set && c->shares.value)
		rc = put_number(t, "cpu.weight", shares_to_weight(c->shares.value), e);
	if (!rc && (c->quota.set || c->period.set)) {
		int64_t period = c->period.set && c->period.value ? c->period.value : 100000;

		if (c->quota.set && c->quota.value > 0)
			snprintf(text, sizeof(text), "%lld %lld", (long long)c->quota.value,
				 (long long)period);
		else
			snprintf(text, sizeof(text), "max %lld", (long long)period);
		rc = put(t, "cpu.max", text, e);
	}
	if (!rc && c->burst.set)
		rc = put_number(t, "cpu.max.burst", c->burst.value, e);
	if (!rc && c->idle.set)
		rc = put_number(t, "cpu.idle", c->idle.value, e);
	if (!rc && c->cpus && c->cpus[0])
		rc = put(t, "cpuset.cpus", c->cpus, e);
	if (!rc && c->mems && c->mems[0])
		rc = put(t, "cpuset.mems", c->mems, e);
	return rc;
}

static int limit_throttle(const struct target *t, const struct oci_throttle_list *list,
			  const char *key, struct err *e)
{
	char text[96];

	for (size_t i = 0; i < list->count; i++) {
		const struct oci_throttle *o = &list->items[i];
		int rc;

		if (o->rate)
			snprintf(text, sizeof(text), "%lld:%lld %s=%lld", (long long)o->major,
				 (long long)o->minor, key, (long long)o->rate);
		else
			snprintf(text, sizeof(text), "%lld:%lld %s=max", (long long)o->major,
				 (long long)o->minor, key);
		rc = put(t, "io.max", text, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Blkio's 10..1000 on io.weight's 1..10000. */
static long long io_weight(int64_t weight)
{
	return 1 + (weight - 10) * 9999 / 990;
}

static int limit_weights(const struct target *t, const struct oci_block_io *b, struct err *e)
{
	char text[96];
	int rc = 0;

	if (b->weight.set && b->weight.value) {
		if (b->weight.value < 10 || b->weight.value > 1000)
			return err_set(e, -EINVAL, "linux.resources.blockIO.weight: is 10 to 1000");
		snprintf(text, sizeof(text), "default %lld", io_weight(b->weight.value));
		rc = put(t, "io.weight", text, e);
	}
	for (size_t i = 0; !rc && i < b->weightDevice.count; i++) {
		const struct oci_weight *w = &b->weightDevice.items[i];

		if (!w->weight.set || w->weight.value < 10 || w->weight.value > 1000)
			return err_set(e, -EINVAL,
				       "linux.resources.blockIO.weightDevice: weight is 10 to 1000");
		snprintf(text, sizeof(text), "%lld:%lld %lld", (long long)w->major,
			 (long long)w->minor, io_weight(w->weight.value));
		rc = put(t, "io.weight", text, e);
	}
	return rc;
}

static int limit_io(const struct target *t, const struct oci_block_io *b, struct err *e)
{
	const struct {
		const struct oci_throttle_list *list;
		const char *key;
	} rows[] = {
		{ &b->throttleReadBpsDevice, "rbps" },
		{ &b->throttleWriteBpsDevice, "wbps" },
		{ &b->throttleReadIOPSDevice, "riops" },
		{ &b->throttleWriteIOPSDevice, "wiops" },
	};
	int rc = limit_weights(t, b, e);

	for (size_t i = 0; !rc && i < ARRAY_LEN(rows); i++)
		rc = limit_throttle(t, rows[i].list, rows[i].key, e);
	return rc;
}

static int limit_huge(const struct target *t, const struct oci_hugepage_list *list, struct err *e)
{
	for (size_t i = 0; i < list->count; i++) {
		char file[64];
		int rc;

		if (strchr(list->items[i].pageSize, '/'))
			return err_set(e, -EINVAL, "linux.resources.hugepageLimits: bad page size");
		snprintf(file, sizeof(file), "hugetlb.%.32s.max", list->items[i].pageSize);
		rc = put_number(t, file, list->items[i].limit, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int limit_unified(const struct target *t, const struct string_map *map, struct err *e)
{
	for (size_t i = 0; i < map->count; i++) {
		int rc;

		/* "cgroup.*" steers the tree itself and is not the configuration's to write. */
		if (strchr(map->items[i].name, '/') || !strncmp(map->items[i].name, "cgroup.", 7))
			return err_set(e, -EINVAL, "linux.resources.unified: \"%s\" is not a limit",
				       map->items[i].name);
		rc = put(t, map->items[i].name, map->items[i].value, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int cgroup_limit(int cgroup, const char *path, const struct oci_resources *r, struct err *e)
{
	const struct target t = { cgroup, path };
	int rc = limit_memory(&t, &r->memory, e);

	if (!rc)
		rc = limit_cpu(&t, &r->cpu, e);
	if (!rc && r->pids.limit.set)
		rc = put_number(&t, "pids.max", r->pids.limit.value > 0 ? r->pids.limit.value : -1,
				e);
	if (!rc)
		rc = limit_io(&t, &r->blockIO, e);
	if (!rc)
		rc = limit_huge(&t, &r->hugepageLimits, e);
	return rc < 0 ? rc : limit_unified(&t, &r->unified, e);
}
