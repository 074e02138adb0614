#include "engine/health.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "spec/record_table.h"
#include "yyjson.h"

static const char *const names[HEALTH_STATUS_COUNT] = {
	[HEALTH_STARTING] = "starting",
	[HEALTH_HEALTHY] = "healthy",
	[HEALTH_UNHEALTHY] = "unhealthy",
};

const char *health_name(enum health_status status)
{
	return names[status];
}

void health_reset(struct health *h)
{
	h->status = HEALTH_STARTING;
	h->streak = 0;
}

static void add_to_log(struct health *h, struct health_result *result)
{
	if (h->log_count == HEALTH_LOG_MOST) {
		free(h->log[0].output);
		memmove(h->log, h->log + 1, (HEALTH_LOG_MOST - 1) * sizeof(*h->log));
		h->log_count--;
	}
	h->log[h->log_count++] = *result;
	*result = (struct health_result){ 0 };
}

/* In its first time a container may fail as often as it likes, until it was healthy once. */
static bool forgiven(const struct health *h, int64_t ran_ms)
{
	return h->status == HEALTH_STARTING && ran_ms < h->plan.start_period_ms;
}

bool health_note(struct health *h, struct health_result *result, int64_t ran_ms)
{
	enum health_status before = h->status;

	if (result->exit_code == 0) {
		h->streak = 0;
		h->status = HEALTH_HEALTHY;
	} else if (!forgiven(h, ran_ms)) {
		h->streak++;
		if (h->streak >= h->plan.retries)
			h->status = HEALTH_UNHEALTHY;
	}
	add_to_log(h, result);
	return h->status != before;
}

int64_t health_wait_ms(const struct health *h, int64_t ran_ms)
{
	return forgiven(h, ran_ms) ? h->plan.start_interval_ms : h->plan.interval_ms;
}

/* ---- from one engine to the next ---- */

struct result_list {
	struct health_result *items;
	size_t count;
};

struct kept {
	char *status;
	int64_t streak;
	struct result_list log;
};

static const struct record_field result_fields[] = {
	F_INT(health_result, start_ns),
	F_INT(health_result, end_ns),
	F_INT(health_result, exit_code),
	F_STR(health_result, output),
	F_END,
};
RECORD_TYPE(result_type, health_result, result_fields);

static const struct record_field kept_fields[] = {
	F_STR_REQ(kept, status),
	F_INT(kept, streak),
	F_LIST(kept, log, &result_type),
	F_END,
};
RECORD_TYPE(kept_type, kept, kept_fields);

void health_write(const struct health *h, struct buf *out)
{
	struct kept k = {
		.status = (char *)health_name(h->status), .streak = h->streak,
		.log = { (struct health_result *)h->log, h->log_count },
	};
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = doc ? record_write(&kept_type, &k, doc) : NULL;
	autofree char *text = NULL;

	if (root) {
		yyjson_mut_doc_set_root(doc, root);
		text = yyjson_mut_write(doc, 0, NULL);
	}
	if (text)
		buf_adds(out, text);
	yyjson_mut_doc_free(doc);
}

static int take(struct health *h, struct kept *k)
{
	int status = 0;

	while (status < HEALTH_STATUS_COUNT && strcmp(names[status], k->status))
		status++;
	if (status == HEALTH_STATUS_COUNT || k->log.count > HEALTH_LOG_MOST)
		return -EINVAL;
	h->status = (enum health_status)status;
	h->streak = k->streak;
	for (size_t i = 0; i < k->log.count; i++)
		add_to_log(h, &k->log.items[i]);
	return 0;
}

int health_read(struct health *h, const char *text, size_t len)
{
	yyjson_doc *doc = yyjson_read(text, len, 0);
	struct kept k;
	int rc = doc ? record_read(&kept_type, yyjson_doc_get_root(doc), "", &k, NULL) : -EINVAL;

	yyjson_doc_free(doc);
	if (rc < 0)
		return rc;
	rc = take(h, &k);
	record_free(&kept_type, &k);
	return rc;
}

void health_free(struct health *h)
{
	if (!h)
		return;
	health_plan_free(&h->plan);
	for (size_t i = 0; i < h->log_count; i++)
		free(h->log[i].output);
	free(h);
}
