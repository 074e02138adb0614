#include "update/auto_report.h"

#include <string.h>

#include <yyjson.h>

#include "base/clock.h"
#include "update/json.h"

enum { DATE_CHARS = 19 };

static const char *const lock_states[] = {
	[LOCK_NONE] = "not held", [LOCK_ASKED] = "asked for, not granted", [LOCK_HELD] = "held",
	[LOCK_STALE] = "to be given back",
};

/* ---- written ---- */

static void add_number(struct buf *out, const char *key, int64_t value)
{
	buf_addf(out, "\"%s\":%lld,", key, (long long)value);
}

static void end_object(struct buf *out)
{
	out->data[out->len - 1] = '}';
}

void auto_report_json(const struct auto_report *r, struct buf *out)
{
	buf_addc(out, '{');
	json_add_text(out, "level", r->level);
	json_add_text(out, "channel", r->channel);
	add_number(out, "interval_ms", r->interval_ms);
	add_number(out, "checked_s", r->checked_s);
	json_add_text(out, "answer", r->answer);
	add_number(out, "next_check_s", r->next_check_s);
	json_add_text(out, "version", r->version);
	json_add_text(out, "state", r->state);
	json_add_text(out, "text", r->text);
	add_number(out, "until_s", r->until_s);
	add_number(out, "turn_s", r->turn_s);
	json_add_text(out, "failure", r->failure);
	if (*r->lock_url) {
		buf_adds(out, "\"lock\":{");
		json_add_text(out, "url", r->lock_url);
		json_add_text(out, "group", r->lock_group);
		json_add_text(out, "id", r->lock_id);
		json_add_text(out, "state", lock_states[r->lock]);
		if (!buf_ok(out))
			return;
		end_object(out);
		buf_addc(out, ',');
	}
	if (buf_ok(out))
		end_object(out);
}

/* ---- shown ---- */

static void print_time(FILE *to, int64_t at_s)
{
	char date[CLOCK_RFC3339_MAX];

	fprintf(to, "%.*s UTC", DATE_CHARS, clock_rfc3339(at_s * 1000000000, date));
}

/* ", until 2026-11-25T02:00:00 UTC (in 3 h 50 min)". */
static void print_until(FILE *to, const char *word, int64_t at_s, int64_t now_s)
{
	int64_t left_s = at_s > now_s ? at_s - now_s : 0;

	if (!at_s)
		return;
	fputs(word, to);
	print_time(to, at_s);
	if (left_s >= 3600)
		fprintf(to, " (in %lld h %lld min)", (long long)left_s / 3600, (long long)left_s % 3600 / 60);
	else if (left_s >= 60)
		fprintf(to, " (in %lld min)", (long long)left_s / 60);
	else
		fprintf(to, " (in %lld s)", (long long)left_s);
}

static void print_lock(yyjson_val *lock, FILE *to)
{
	if (lock)
		fprintf(to, "  lock     %s, group %s, as %s: %s\n", json_text(lock, "url", ""),
			json_text(lock, "group", ""), json_text(lock, "id", ""), json_text(lock, "state", ""));
}

void auto_report_print(const char *json, size_t len, int64_t now_s, FILE *to)
{
	yyjson_doc *doc = json ? yyjson_read(json, len, 0) : NULL;
	yyjson_val *root = yyjson_doc_get_root(doc);
	int64_t checked_s = yyjson_get_sint(yyjson_obj_get(root, "checked_s"));
	const char *version, *failure;

	if (!root) {
		fputs("AUTOMATIC  off (berth.update.automatic)\n", to);
		return;
	}
	version = json_text(root, "version", "");
	fprintf(to, "AUTOMATIC  %s, from %s\n", json_text(root, "level", ""),
		json_text(root, "channel", ""));
	fprintf(to, "  now      %s%s%s", version, *version ? ": " : "", json_text(root, "text", ""));
	print_until(to, ", until ", yyjson_get_sint(yyjson_obj_get(root, "until_s")), now_s);
	fputs("\n  asked    ", to);
	if (checked_s) {
		print_time(to, checked_s);
		fprintf(to, ": %s", json_text(root, "answer", ""));
	} else {
		fputs("not since this boot", to);
	}
	print_until(to, "; again ", yyjson_get_sint(yyjson_obj_get(root, "next_check_s")), now_s);
	fputc('\n', to);
	failure = json_text(root, "failure", "");
	if (*failure)
		fprintf(to, "  failed   %s\n", failure);
	print_lock(yyjson_obj_get(root, "lock"), to);
	yyjson_doc_free(doc);
}
