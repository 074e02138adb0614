#include "update/auto_settings.h"

#include <stdio.h>
#include <string.h>

#include <yyjson.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "update/hostconfig.h"
#include "update/json.h"

enum { INTERVAL_MS = 3600 * 1000, EVERY_DAY = 0x7f };

static int64_t number_of(yyjson_val *from, const char *key, int64_t otherwise)
{
	yyjson_val *v = yyjson_obj_get(from, key);

	return yyjson_is_int(v) ? yyjson_get_sint(v) : otherwise;
}

static unsigned read_days(yyjson_val *list)
{
	static const char *const names[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
	yyjson_val *each;
	size_t i, count;
	unsigned days = 0;

	yyjson_arr_foreach(list, i, count, each)
		for (unsigned d = 0; d < ARRAY_LEN(names); d++)
			if (yyjson_equals_str(each, names[d]))
				days |= 1u << d;
	return days;
}

static void read_windows(yyjson_val *list, const char *zone, struct windows *out)
{
	yyjson_val *each;
	size_t i, count;

	yyjson_arr_foreach(list, i, count, each) {
		struct window *w = &out->rows[out->count];
		yyjson_val *days = yyjson_obj_get(each, "days");

		if (out->count == WINDOWS_MAX)
			return;
		w->days = days ? read_days(days) : EVERY_DAY;
		w->start_minute = (int)number_of(each, "start_minute", 0);
		w->length_s = number_of(each, "length_ms", 0) / 1000;
		snprintf(w->zone, sizeof(w->zone), "%s", json_text(each, "timezone", zone));
		out->count++;
	}
}

static void read_level(yyjson_val *update, struct auto_settings *out)
{
	const char *name = json_text(update, "automatic", "off");

	for (int i = 0; i < AUTO_LEVEL_COUNT; i++)
		if (!strcmp(name, auto_level_name((enum auto_level)i)))
			out->level = (enum auto_level)i;
}

static void read_lock(yyjson_val *from, struct fleetlock *out)
{
	snprintf(out->url, sizeof(out->url), "%s", json_text(from, "url", ""));
	snprintf(out->group, sizeof(out->group), "%s", json_text(from, "group", "default"));
}

void auto_settings_parse(const char *json, size_t len, struct auto_settings *out)
{
	yyjson_doc *doc = yyjson_read(json, len, 0);
	yyjson_val *root = yyjson_doc_get_root(doc);
	yyjson_val *update = yyjson_obj_get(yyjson_obj_get(root, "berth"), "update");

	*out = (struct auto_settings){
		.interval_ms = number_of(update, "interval_ms", INTERVAL_MS),
		.wariness_ppm = (int)number_of(update, "rollout_wariness_ppm", ROLLOUT_OWN),
		.time_servers = !yyjson_is_false(yyjson_obj_get(yyjson_obj_get(root, "ntp"), "enabled")),
	};
	read_level(update, out);
	read_windows(yyjson_obj_get(update, "windows"), json_text(root, "timezone", "UTC"), &out->windows);
	read_lock(yyjson_obj_get(update, "fleet_lock"), &out->lock);
	yyjson_doc_free(doc);
}

void auto_settings_read(struct auto_settings *out)
{
	autobuf struct buf text = { 0 };

	hostconfig_read(&text, NULL);
	auto_settings_parse(buf_text(&text), text.len, out);
}
