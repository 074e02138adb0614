#include "logsend/message.h"

#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "base/clock.h"

#define UPTIME_MOST_US 3000000000000000 /* a century */

enum {
	FACILITY_DAEMON = 3,
	SEVERITY_ERROR = 3,
	SEVERITY_WARNING = 4,
	SEVERITY_INFO = 6,
	STAMP_LEN = 24, /* of a service's line: "2026-11-24T20:15:00.123Z" */
	APP_MAX = 48,   /* RFC 5424, 6 */
	MICROSECONDS = 26,
};

/* Printable ASCII without a blank, as the header's fields are. */
static void add_field(const char *text, size_t max, struct buf *out)
{
	if (!*text)
		buf_addc(out, '-');
	for (size_t i = 0; text[i] && i < max; i++)
		buf_addc(out, text[i] > ' ' && text[i] < 0x7f ? text[i] : '_');
}

static void add_message(const struct message_of *m, unsigned priority, const char *stamp,
			const char *kind, const char *text, size_t len, struct buf *out)
{
	size_t begin = out->len;

	buf_addf(out, "<%u>1 %s ", priority, stamp);
	add_field(m->host, 255, out);
	buf_addc(out, ' ');
	add_field(m->app, APP_MAX, out);
	buf_addf(out, " - %s - ", kind);
	while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	if (len > MESSAGE_MAX - (out->len - begin))
		len = MESSAGE_MAX - (out->len - begin);
	buf_add(out, text, len);
}

/* PRIORITY,NUMBER,MICROSECONDS,FLAGS[,...];TEXT\n, then lines of details. */
static bool make_kernel(const struct message_of *m, const char *record, struct buf *out)
{
	struct message_of kernel = *m;
	const char *text = strchr(record, ';'), *p = strchr(record, ',');
	char stamp[CLOCK_RFC3339_MAX];
	unsigned long priority = strtoul(record, NULL, 10);
	long long us;

	p = p ? strchr(p + 1, ',') : NULL;
	us = p ? strtoll(p + 1, NULL, 10) : -1;
	if (!text || !p || p > text || priority > 191 || us < 0 || us > UPTIME_MOST_US)
		return false;
	clock_rfc3339(m->booted_ns + us * 1000, stamp);
	strcpy(stamp + MICROSECONDS, "Z");
	kernel.app = "kernel";
	add_message(&kernel, (unsigned)priority, stamp, "kernel", text + 1, strcspn(text + 1, "\n"), out);
	return true;
}

/* "PROGRAM: error: TEXT" (base/log.h). */
static unsigned severity_of(const char *text)
{
	const char *colon = strstr(text, ": ");

	if (colon && !strncmp(colon + 2, "error: ", 7))
		return SEVERITY_ERROR;
	return colon && !strncmp(colon + 2, "warning: ", 9) ? SEVERITY_WARNING : SEVERITY_INFO;
}

static bool make_service(const struct message_of *m, const char *text, size_t len, struct buf *out)
{
	char stamp[STAMP_LEN + 1];

	if (len <= STAMP_LEN || text[STAMP_LEN] != ' ' || text[STAMP_LEN - 1] != 'Z')
		return false;
	memcpy(stamp, text, STAMP_LEN);
	stamp[STAMP_LEN] = '\0';
	add_message(m, FACILITY_DAEMON * 8 + severity_of(text + STAMP_LEN + 1), stamp, "service",
		    text + STAMP_LEN + 1, len - STAMP_LEN - 1, out);
	return true;
}

static bool make_container(const struct message_of *m, const char *text, size_t len,
			   struct buf *out)
{
	yyjson_doc *doc = yyjson_read(text, len, 0);
	yyjson_val *root = yyjson_doc_get_root(doc), *log = yyjson_obj_get(root, "log");
	const char *time = yyjson_get_str(yyjson_obj_get(root, "time"));
	bool failed = yyjson_equals_str(yyjson_obj_get(root, "stream"), "stderr");
	char booted[CLOCK_RFC3339_MAX], stamp[MICROSECONDS + 2] = "";
	bool good = yyjson_is_str(log) && time && strlen(time) > MICROSECONDS;

	clock_rfc3339(m->booted_ns, booted);
	/* To the second: nobody set the clock to the millisecond between the two. */
	good = good && strncmp(time, booted, strlen("2026-11-24T20:15:00")) >= 0;
	if (good) {
		memcpy(stamp, time, MICROSECONDS);
		strcpy(stamp + MICROSECONDS, "Z");
		add_message(m, FACILITY_DAEMON * 8 + (failed ? SEVERITY_ERROR : SEVERITY_INFO), stamp,
			    "container", yyjson_get_str(log), yyjson_get_len(log), out);
	}
	yyjson_doc_free(doc);
	return good;
}

bool message_make(const struct message_of *m, enum record_kind kind, const char *text, size_t len,
		  struct buf *out)
{
	switch (kind) {
	case RECORD_KERNEL:
		return make_kernel(m, text, out);
	case RECORD_SERVICE:
		return make_service(m, text, len, out);
	case RECORD_CONTAINER:
		return make_container(m, text, len, out);
	case RECORD_NAME:
		break;
	}
	return false;
}

bool message_name(const char *json, size_t len, char out[RECORD_NAME_MAX])
{
	yyjson_doc *doc = yyjson_read(json, len, 0);
	const char *name = yyjson_get_str(yyjson_obj_get(yyjson_doc_get_root(doc), "name"));
	bool good = name && *name && strlen(name) < RECORD_NAME_MAX;

	if (good)
		strcpy(out, name);
	yyjson_doc_free(doc);
	return good;
}
