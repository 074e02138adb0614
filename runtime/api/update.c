/* POST /containers/{}/update and /containers/prune. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/body.h"
#include "api/filters.h"
#include "api/handlers.h"
#include "api/json.h"
#include "api/request.h"
#include "api/sizes.h"
#include "api/timestamp.h"
#include "base/clock.h"

/* ---- update ---- */

#define SPEC(member) offsetof(struct body, spec.member)

static const struct body_key update_keys[] = {
	{ "BlkioWeight", take_int, SPEC(blkio.weight) },
	{ "CpuPeriod", take_int, SPEC(cpu_period) },
	{ "CpuQuota", take_int, SPEC(cpu_quota) },
	{ "CpuShares", take_int, SPEC(cpu_shares) },
	{ "CpusetCpus", take_string, SPEC(cpuset) },
	{ "Memory", take_int, SPEC(mem_limit) },
	{ "MemoryReservation", take_int, SPEC(mem_reservation) },
	{ "MemorySwap", take_int, SPEC(memswap_limit) },
	{ "NanoCpus", take_int, SPEC(nano_cpus) },
	{ "PidsLimit", take_int, SPEC(pids_limit) },
	{ "RestartPolicy", take_restart, SPEC(restart) },
	{ NULL, NULL, 0 },
};

void handle_update(struct request *r)
{
	struct container *c = request_container(r);
	struct body b = { 0 };
	struct buf json = { 0 };
	struct err e = { 0 };
	int rc;

	if (!c)
		return;
	rc = body_parse(&b, buf_text(&r->body), r->body.len, update_keys, &b, &e);
	if (!rc)
		rc = engine_update(c, &b.spec, &e);
	container_spec_free(&b.spec);
	if (rc < 0) {
		reply_errno(r, rc, &e);
		return;
	}
	buf_adds(&json, "{\"Warnings\":[]}\n");
	reply_json(r, MHD_HTTP_OK, &json);
}

/* ---- prune ---- */

struct prune {
	struct filters *labels;  /* NULL: none */
	int64_t before_ns;       /* only what was made before; 0: all */
};

static const char *first_value(yyjson_val *values)
{
	yyjson_obj_iter it;

	if (yyjson_is_arr(values))
		return yyjson_get_str(yyjson_arr_get_first(values));
	it = yyjson_obj_iter_with(values);
	return yyjson_get_str(yyjson_obj_iter_next(&it));
}

static int read_until(yyjson_val *values, int64_t *out, struct err *e)
{
	const char *text = first_value(values);

	*out = text && *text ? timestamp_or_ago(text, clock_wall_ns()) : 0;
	return *out ? 0 : err_set(e, -EINVAL, "invalid filter 'until'");
}

/* until and labels; the rest is no key of prune's. */
static int read_prune(struct request *r, struct prune *out, struct err *e)
{
	const char *text = request_query(r, "filters");
	yyjson_doc *doc = text && *text ? yyjson_read(text, strlen(text), 0) : NULL;
	yyjson_val *key, *values;
	size_t i, max;
	int rc = 0;

	*out = (struct prune){ 0 };
	if (text && *text && !yyjson_is_obj(yyjson_doc_get_root(doc)))
		rc = err_set(e, -EINVAL, "invalid filter");
	yyjson_obj_foreach(yyjson_doc_get_root(doc), i, max, key, values) {
		if (rc < 0)
			break;
		if (yyjson_equals_str(key, "until"))
			rc = read_until(values, &out->before_ns, e);
		else if (!yyjson_equals_str(key, "label") && !yyjson_equals_str(key, "label!"))
			rc = err_set(e, -EINVAL, "invalid filter '%.100s'", yyjson_get_str(key));
	}
	if (!rc)
		rc = filters_parse_without(&out->labels, text, "until", e);
	yyjson_doc_free(doc);
	return rc;
}

static bool is_prunable(const struct container *c, const struct prune *p)
{
	return (c->state == STATE_CREATED || c->state == STATE_EXITED || c->state == STATE_DEAD) &&
	       !c->boot_pending && (!p->before_ns || c->created_ns < p->before_ns) &&
	       filters_match(p->labels, c);
}

static void prune(struct request *r, const struct sizes *sizes)
{
	struct engine *en = r->engine;
	int64_t freed = 0;
	struct buf json = { 0 };
	struct err e = { 0 };
	struct prune p;
	int rc = read_prune(r, &p, &e);

	if (rc < 0) {
		reply_errno(r, rc, &e);
		return;
	}
	json_open(&json, NULL, '{');
	json_open(&json, "ContainersDeleted", '[');
	for (size_t i = en->count; i--;) {
		struct container *c = en->containers[i];

		if (!is_prunable(c, &p) || engine_remove(c, false, false, NULL, NULL, &e) != ENGINE_DONE)
			continue;
		json_string(&json, NULL, c->id);
		freed += sizes_of(sizes, c->id);
	}
	json_close(&json, ']');
	json_int(&json, "SpaceReclaimed", freed);
	json_close(&json, '}');
	buf_addc(&json, '\n');
	filters_free(p.labels);
	reply_json(r, MHD_HTTP_OK, &json);
}

/* Counted first: what is gone has no size. */
void handle_prune(struct request *r)
{
	sizes_count(r, SIZES_CONTAINERS, NULL, prune);
}
