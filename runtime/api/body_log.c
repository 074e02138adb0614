/* LogConfig: where a container's output is kept. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/body.h"
#include "base/cleanup.h"

static int take_log_size(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	static const char units[] = "kmg";
	const char *text = yyjson_get_str(v), *unit;
	char *end = NULL;
	long long number = text ? strtoll(text, &end, 10) : 0;

	(void)b;
	unit = end && *end ? strchr(units, *end | 0x20) : NULL;
	if (!end || end == text || number < 1 || number > 1 << 30 || (*end && (!unit || end[1])))
		return err_set(e, -EINVAL, "invalid size \"%.32s\"", text ? text : "");
	*(int64_t *)member = (int64_t)number << (unit ? 10 * (unit - units + 1) : 0);
	return 0;
}

static int take_log_files(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	const char *text = yyjson_get_str(v);
	char *end = NULL;
	long number = text ? strtol(text, &end, 10) : 0;

	(void)b;
	if (!end || *end || number < 1 || number > 1000)
		return err_set(e, -EINVAL, "invalid number \"%.32s\"", text ? text : "");
	*(int64_t *)member = number;
	return 0;
}

static int take_address(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	const char *text = yyjson_get_str(v);
	/* What lies behind it is the shim's to say; here only that there is such a way. */
	if (text && strncmp(text, "udp://", 6) && strncmp(text, "unix://", 7) &&
	    strncmp(text, "unixgram://", 11))
		return err_set(e, -ENOTSUP, "\"%.64s\" is not supported (udp:// and unix:// are)", text);
	return take_string(b, member, v, e);
}

static int take_format(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	static const char *const known[] = { "rfc3164", "rfc5424", "rfc5424micro" };
	const char *text = yyjson_get_str(v);

	for (size_t i = 0; text && i < ARRAY_LEN(known); i++)
		if (!strcmp(text, known[i]))
			return take_string(b, member, v, e);
	return err_set(e, -EINVAL, "Invalid syslog format: %.32s", text ? text : "");
}

/* RFC 5424, 6.2.1, in the order of their numbers. */
static int take_facility(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	static const char *const names[] = {
		"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron",
		"authpriv", "ftp", NULL, NULL, NULL, NULL, "local0", "local1", "local2", "local3",
		"local4", "local5", "local6", "local7",
	};
	const char *text = yyjson_get_str(v);
	char *end;

	(void)b;
	for (size_t i = 0; text && i < ARRAY_LEN(names); i++) {
		if ((!names[i] || strcmp(text, names[i])) &&
		    (strtoul(text, &end, 10) != i || *end || end == text))
			continue;
		*(int64_t *)member = (int64_t)i + 1;
		return 0;
	}
	return err_set(e, -EINVAL, "invalid syslog facility: %.32s", text ? text : "");
}

/* A template of docker's names is not understood, so it is not taken for a text. */
static int take_tag(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	const char *text = yyjson_get_str(v);

	if (text && (strstr(text, "{{") || strpbrk(text, " \t\n") || strlen(text) > 48))
		return err_set(e, -ENOTSUP, "a tag is one word without a template here, not \"%.64s\"", text);
	return take_string(b, member, v, e);
}

static const struct body_key log_option_keys[] = {
	{ "max-file", take_log_files, offsetof(struct spec_log, max_file) },
	{ "max-size", take_log_size, offsetof(struct spec_log, max_size) },
	{ "syslog-address", take_address, offsetof(struct spec_log, syslog_address) },
	{ "syslog-facility", take_facility, offsetof(struct spec_log, syslog_facility) },
	{ "syslog-format", take_format, offsetof(struct spec_log, syslog_format) },
	{ "tag", take_tag, offsetof(struct spec_log, tag) },
	{ NULL, NULL, 0 },
};

static int take_log_options(struct body *b, void *log, yyjson_val *v, struct err *e)
{
	return body_walk(b, "log option ", v, log_option_keys, log, e);
}

static int take_log_driver(struct body *b, void *log, yyjson_val *v, struct err *e)
{
	struct spec_log *l = log;
	static const char *const known[] = { "", "json-file", "local", "none", "syslog" };
	const char *text = yyjson_get_str(v);

	for (size_t i = 0; text && i < ARRAY_LEN(known); i++)
		if (!strcmp(text, known[i]))
			return take_string(b, &l->driver, v, e);
	return err_set(e, -ENOTSUP, "logging driver \"%.64s\" is not supported (json-file, local, syslog "
		       "and none are)", text ? text : "");
}

static const struct body_key log_keys[] = {
	{ "Config", take_log_options, 0 },
	{ "Type", take_log_driver, 0 },
	{ NULL, NULL, 0 },
};

/* Files have sizes, and syslog has the rest. */
static int check_options(const struct spec_log *l, struct err *e)
{
	bool syslog = l->driver && !strcmp(l->driver, "syslog");

	if (syslog && (l->max_size || l->max_file))
		return err_set(e, -EINVAL, "unknown log opt 'max-size' or 'max-file' for syslog log driver");
	if (!syslog && (l->syslog_address || l->syslog_format || l->syslog_facility || l->tag))
		return err_set(e, -ENOTSUP, "log options syslog-* and tag are for the syslog driver");
	if (syslog && !l->syslog_address)
		return err_set(e, -EINVAL, "the syslog driver needs syslog-address: this host has no syslog of "
			       "its own");
	return 0;
}

int take_log(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	int rc = body_walk(b, "LogConfig.", v, log_keys, member, e);

	return rc < 0 ? rc : check_options(member, e);
}
