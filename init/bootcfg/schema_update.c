/* berth.update: where versions come from, what is done about them by itself and when, and when one
 * is kept. The keys are explained to administrators in init/update/README.md. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "bootcfg/read.h"
#include "bootcfg/types.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, DAY_MS = 24 * 60 * MINUTE_MS };

/* ---- readers ---- */

static yyjson_mut_val *read_duration_between(struct walk *w, const struct type *t,
					     const struct node *n, struct err *why)
{
	yyjson_mut_val *v = read_duration(w, t, n, why);
	int64_t ms = yyjson_mut_get_sint(v);

	return v && ms >= t->min && ms <= t->max ? v : NULL;
}

/* "23:30" as minutes of the day. */
static yyjson_mut_val *read_time_of_day(struct walk *w, const struct type *t, const struct node *n,
					struct err *why)
{
	const char *text = n->text;
	const char *colon = strchr(text, ':');
	int hour, minute;

	(void)t, (void)why;
	if (!colon || colon == text || colon > text + 2 || strlen(colon) != 3 ||
	    strspn(text, "0123456789:") != strlen(text) || strchr(colon + 1, ':'))
		return NULL;
	hour = atoi(text);
	minute = atoi(colon + 1);
	return hour < 24 && minute < 60 ? yyjson_mut_sint(w->doc, hour * 60 + minute) : NULL;
}

/* "sat", "Sat", "Saturday": the first three letters, small. */
static yyjson_mut_val *read_day(struct walk *w, const struct type *t, const struct node *n,
				struct err *why)
{
	static const char *const days[] = { "monday", "tuesday", "wednesday", "thursday", "friday",
					    "saturday", "sunday" };

	(void)t, (void)why;
	for (size_t i = 0; i < ARRAY_LEN(days); i++)
		if (!strcasecmp(n->text, days[i]) ||
		    (strlen(n->text) == 3 && !strncasecmp(n->text, days[i], 3)))
			return walk_text(w, days[i], 3);
	return NULL;
}

/* 0 to 1, in millionths. */
static yyjson_mut_val *read_part(struct walk *w, const struct type *t, const struct node *n,
				 struct err *why)
{
	char *end;
	double value = strtod(n->text, &end);

	(void)t, (void)why;
	if (!*n->text || n->text[strspn(n->text, "0123456789.")] || *end || value > 1)
		return NULL;
	return yyjson_mut_sint(w->doc, (int64_t)(value * 1e6 + 0.5));
}

/* ---- types ---- */

static const struct type container_name = {
	SCALAR(read_text), .name = "container", .check = check_container_name,
	.expected = "the name of a container",
};
static const struct type critical = {
	.kind = TYPE_LIST, .name = "list of containers", .item = &container_name, .count_max = 32,
	.expected = "a list of names of containers", .single = true,
};
static const struct type web_address = {
	SCALAR(read_text), .name = "address", .check = check_web_address,
	.expected = "an address such as \"https://updates.example.org/stable.json\"",
};
static const char *const levels[] = { "off", "check", "fetch", "install", "reboot", NULL };

static const struct type automatic = {
	SCALAR(read_text), .name = "step", .words = levels,
	.expected = "\"off\", \"check\", \"fetch\", \"install\" or \"reboot\"",
};
static const struct type interval = {
	SCALAR(read_duration_between), .name = "duration", .min = 10 * SECOND_MS, .max = 7LL * DAY_MS,
	.expected = "a duration between \"10s\" and \"168h\"",
};
static const struct type window_length = {
	SCALAR(read_duration_between), .name = "duration", .min = MINUTE_MS, .max = DAY_MS,
	.expected = "a duration between \"1m\" and \"24h\"",
};
static const struct type time_of_day = {
	SCALAR(read_time_of_day), .name = "time of day",
	.expected = "a time of day in quotes, such as \"23:30\"",
};
static const struct type day = {
	SCALAR(read_day), .name = "day of the week", .expected = "a day such as \"mon\" or \"sunday\"",
};
static const struct type days = {
	.kind = TYPE_LIST, .name = "list of days", .item = &day, .count_max = 7, .single = true,
	.expected = "a list of days such as \"[sat, sun]\"",
};
static const struct type time_zone = {
	SCALAR(read_text), .name = "time zone", .check = check_time_zone,
	.expected = "a time zone such as \"Europe/Berlin\"",
};
static const struct type part = {
	SCALAR(read_part), .name = "number", .expected = "a number between 0 and 1",
};

static const struct key window_keys[] = {
	{ .name = "days", .type = &days, .normal = "every day", .example = "[sat, sun]",
	  .help = "The days on which it begins." },
	{ .name = "start", .json = "start_minute", .type = &time_of_day, .required = true,
	  .example = "\"23:30\"", .help = "When it begins, on the zone's clock." },
	{ .name = "length", .json = "length_ms", .type = &window_length, .required = true,
	  .example = "90m", .help = "How long it is open, over midnight too." },
	{ .name = "timezone", .type = &time_zone, .normal = "the machine's (timezone), else UTC",
	  .example = "Europe/Berlin", .help = "Whose clock and days these are." },
};
static const struct type window = {
	OBJECT(window_keys), .name = "window", .atomic = true,
	.expected = "a mapping with \"start\" and \"length\"",
};
static const struct type windows = {
	.kind = TYPE_LIST, .name = "list of windows", .item = &window, .count_max = 16,
	.expected = "a list of windows, each with \"start\" and \"length\"",
};

static const struct type lock_group = {
	SCALAR(read_text), .name = "group", .check = check_container_name,
	.expected = "a name such as \"default\"",
};
static const struct key lock_keys[] = {
	{ .name = "url", .type = &web_address, .required = true,
	  .example = "https://lock.example.org/",
	  .help = "The server, which answers below v1/ in FleetLock's protocol." },
	{ .name = "group", .type = &lock_group, .normal = "default", .example = "workers",
	  .help = "The group in which the server counts this machine." },
};
static const struct type fleet_lock = {
	OBJECT(lock_keys), .name = "reboot lock", .atomic = true,
	.expected = "a mapping with \"url\"",
};

static const struct key update_keys[] = {
	{ .name = "channel", .type = &web_address, .normal = "none: updates are given by hand",
	  .example = "\"https://updates.example.org/stable.json\"",
	  .help = "Where the text lies that names the newest version." },
	{ .name = "automatic", .type = &automatic, .normal = "off", .example = "reboot",
	  .help = "How far a new version of the channel is taken by itself: look for it, fetch it, "
		  "install it to be booted next, or reboot as well." },
	{ .name = "interval", .json = "interval_ms", .type = &interval, .normal = "1h",
	  .example = "6h", .help = "How often the channel is asked, give or take a tenth." },
	{ .name = "windows", .type = &windows, .normal = "at any time",
	  .example = "[{days: [sat, sun], start: \"02:00\", length: 2h, timezone: Europe/Berlin}]",
	  .help = "When the machine may reboot by itself." },
	{ .name = "rollout_wariness", .json = "rollout_wariness_ppm", .type = &part,
	  .normal = "another number for each machine and version", .example = "0.9",
	  .help = "When in a version's roll-out this machine's turn is: 0 first, 1 last." },
	{ .name = "fleet_lock", .type = &fleet_lock, .normal = "none",
	  .example = "{url: \"https://lock.example.org/\", group: workers}",
	  .help = "A server that is asked before a reboot, so that not all machines do it at once." },
	{ .name = "proxy", .type = &web_address, .normal = "none", .example = "\"http://192.0.2.1:3128\"",
	  .help = "The proxy that updates are downloaded through." },
	{ .name = "ca_certs", .type = &type_certificates, .normal = "Mozilla's",
	  .example = "\"-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----\\n\"",
	  .help = "The authorities that the update server's certificate may come from." },
	{ .name = "hold", .json = "hold_ms", .type = &type_duration, .normal = "30s", .example = "2m",
	  .help = "How long everything must be as before an update until the update is kept." },
	{ .name = "limit", .json = "limit_ms", .type = &type_duration, .normal = "5m", .example = "10m",
	  .help = "How long it may take until that begins; then the machine goes back." },
	{ .name = "critical", .type = &critical, .normal = "every container that is declared here",
	  .example = "[web]", .help = "Containers without which an update is not kept, unless they were "
				      "not healthy before it either." },
};

static bool has_fault(const struct walk *w)
{
	const char *path = buf_text(&w->path);

	for (size_t i = 0; i < w->faults->count; i++)
		if (w->faults->items[i].level == FAULT_ERROR &&
		    !strncmp(w->faults->items[i].path, path, strlen(path)))
			return true;
	return false;
}

/* A window or a lock with a fault is not there, and a machine that has none reboots whenever it
 * likes: so a fault among these settings takes the reboots away. */
static void finish_update(struct walk *w, const struct node *n, yyjson_mut_val *update)
{
	yyjson_mut_val *level = yyjson_mut_obj_get(update, "automatic");

	if (level && !yyjson_mut_equals_str(level, "off") && !yyjson_mut_obj_get(update, "channel"))
		walk_fault(w, FAULT_ERROR, n, "nothing can be done by itself without a \"channel\"");
	if (!has_fault(w) || !yyjson_mut_equals_str(level, "reboot"))
		return;
	yyjson_mut_obj_put(update, yyjson_mut_str(w->doc, "automatic"),
			   yyjson_mut_str(w->doc, "install"));
	walk_fault(w, FAULT_WARNING, n, "because of its faults updates are installed, but the machine "
					"does not reboot by itself");
}

const struct type type_update = {
	OBJECT(update_keys), .name = "update settings", .finish = finish_update,
	.expected = "a mapping with \"channel\" or \"hold\"",
};
