#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
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
	int rc = cgroup_put(t->cgroup, file, value, e);

	if (rc != -ENOENT)
		return rc;
	snprintf(controller, sizeof(controller), "%.*s", (int)strcspn(file, "."), file);
	rc = cgroup_enable(t->path, controller, e);
	return rc < 0 ? rc : cgroup_put(t->cgroup, file, value, e);
}

static int put_number(const struct target *t, const char *file, int64_t value, struct err *e)
{
	char text[32] = "max";

	if (value >= 0)
		snprintf(text, sizeof(text), "%lld", (long long)value);
	return put(t, file, text, e);
}

/* 0 is "not said" to the clients that write config.json from Go structs. */
static bool is_said(const struct opt_int *n)
{
	return n->set && n->value != 0;
}

/* config-linux.md: on cgroup v2 a limit below the use would call the OOM killer. */
static int check_use(const struct target *t, int64_t limit, struct err *e)
{
	autobuf struct buf text = { 0 };
	int rc = file_read_at(t->cgroup, "memory.current", 64, &text, e);

	if (rc == -ENOENT)
		return 0; /* no controller yet: nothing is counted */
	if (rc < 0)
		return rc;
	return atoll(buf_text(&text)) > limit ?
		       err_set(e, -EBUSY,
			       "linux.resources.memory.limit: %lld is less than what is in use (%lld)",
			       (long long)limit, atoll(buf_text(&text))) :
		       0;
}

static int limit_memory(const struct target *t, const struct oci_memory *m, struct err *e)
{
	int rc = 0;

	if (m->checkBeforeUpdate && m->limit.set && m->limit.value > 0)
		rc = check_use(t, m->limit.value, e);
	if (!rc && is_said(&m->limit))
		rc = put_number(t, "memory.max", m->limit.value, e);
	if (!rc && is_said(&m->reservation))
		rc = put_number(t, "memory.low", m->reservation.value, e);
	if (!rc && is_said(&m->swap)) {
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

	/* An idle cgroup has no weight to set. */
	if (is_said(&c->shares) && !is_said(&c->idle))
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

/* BFQ counts like cgroup v1 did; io.weight is the cost model's. `device`: "default" or "8:0". */
static int put_weight(const struct target *t, const char *device, int64_t weight, struct err *e)
{
	char text[96];
	int rc;

	snprintf(text, sizeof(text), "%s %lld", device, (long long)weight);
	rc = cgroup_put(t->cgroup, "io.bfq.weight", text, NULL);
	if (rc != -ENOENT)
		return rc < 0 ? err_code(e, rc, "write \"%s\" to \"io.bfq.weight\"", text) : 0;
	snprintf(text, sizeof(text), "%s %lld", device, io_weight(weight));
	return put(t, "io.weight", text, e);
}

static int limit_weights(const struct target *t, const struct oci_block_io *b, struct err *e)
{
	char device[64];
	int rc = 0;

	if (is_said(&b->weight))
		rc = put_weight(t, "default", b->weight.value, e);
	for (size_t i = 0; !rc && i < b->weightDevice.count; i++) {
		const struct oci_weight *w = &b->weightDevice.items[i];

		snprintf(device, sizeof(device), "%lld:%lld", (long long)w->major,
			 (long long)w->minor);
		if (is_said(&w->weight))
			rc = put_weight(t, device, w->weight.value, e);
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

/* Reservations are limited where the kernel counts them, and faults always, as runc does. */
static int limit_huge(const struct target *t, const struct oci_hugepage_list *list, struct err *e)
{
	for (size_t i = 0; i < list->count; i++) {
		char file[64];
		int rc;

		snprintf(file, sizeof(file), "hugetlb.%.32s.max", list->items[i].pageSize);
		rc = put_number(t, file, list->items[i].limit, e);
		if (rc == -ENOENT)
			return err_set(e, rc, "linux.resources.hugepageLimits: there are no pages of \"%s\"",
				       list->items[i].pageSize);
		if (rc < 0)
			return rc;
		snprintf(file, sizeof(file), "hugetlb.%.32s.rsvd.max", list->items[i].pageSize);
		rc = put_number(t, file, list->items[i].limit, e);
		if (rc < 0 && rc != -ENOENT)
			return rc;
	}
	return 0;
}

static int limit_rdma(const struct target *t, const struct oci_rdma_list *list, struct err *e)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct oci_rdma *r = &list->items[i];
		autobuf struct buf text = { 0 };
		int rc;

		buf_adds(&text, r->name);
		if (r->hcaHandles.set)
			buf_addf(&text, " hca_handle=%lld", (long long)r->hcaHandles.value);
		if (r->hcaObjects.set)
			buf_addf(&text, " hca_object=%lld", (long long)r->hcaObjects.value);
		rc = buf_ok(&text) ? put(t, "rdma.max", buf_text(&text), e) : -ENOMEM;
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* A file such as io.max takes one line at a time. */
static int put_lines(const struct target *t, const char *file, const char *value, struct err *e)
{
	autofree char *copy = strdup(value);
	char *rest = NULL;
	int rc = 0;

	if (!copy)
		return err_set(e, -ENOMEM, "out of memory");
	for (char *line = strtok_r(copy, "\n", &rest); !rc && line; line = strtok_r(NULL, "\n", &rest))
		rc = put(t, file, line, e);
	return rc;
}

static int limit_unified(const struct target *t, const struct string_map *map, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < map->count; i++) {
		rc = put_lines(t, map->items[i].name, map->items[i].value, e);
		if (rc < 0)
			err_prefix(e, "linux.resources.unified");
	}
	return rc;
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
	if (!rc)
		rc = limit_rdma(&t, &r->rdma, e);
	return rc < 0 ? rc : limit_unified(&t, &r->unified, e);
}
