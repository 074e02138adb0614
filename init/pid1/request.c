#include "pid1/request.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

static const struct {
	const char *word;
	enum request_verb verb;
	bool takes_name;
} verbs[] = {
	{ "status", REQUEST_STATUS, false },     { "summary", REQUEST_SUMMARY, false },
	{ "start", REQUEST_START, true },        { "stop", REQUEST_STOP, true },
	{ "restart", REQUEST_RESTART, true },    { "reboot", REQUEST_REBOOT, false },
	{ "poweroff", REQUEST_POWEROFF, false }, { "halt", REQUEST_HALT, false },
	{ "rescue", REQUEST_RESCUE, false },     { "watchdog", REQUEST_WATCHDOG, true },
};

static bool is_name(const char *s)
{
	size_t len = strlen(s);

	if (!len || len >= REQUEST_NAME_MAX)
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("-_.@", *s))
			return false;
	return true;
}

static int take_name(const char *word, const char *name, struct request *out, struct err *e)
{
	if (!name || !is_name(name))
		return err_set(e, -EINVAL, "\"%s\" needs %s", word,
			       strcmp(word, "watchdog") ? "the name of a service" : "seconds, or off");
	snprintf(out->name, sizeof(out->name), "%s", name);
	return 0;
}

int request_parse(const char *line, size_t len, struct request *out, struct err *e)
{
	char copy[REQUEST_LINE_MAX];
	char *word, *name;

	*out = (struct request){ 0 };
	if (len >= sizeof(copy) || memchr(line, '\0', len))
		return err_set(e, -EINVAL, "a request is one line of text, at most %d bytes",
			       REQUEST_LINE_MAX - 1);
	memcpy(copy, line, len);
	copy[len] = '\0';
	copy[strcspn(copy, "\r\n")] = '\0';
	word = copy;
	name = strchr(copy, ' ');
	if (name)
		*name++ = '\0';
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (strcmp(verbs[i].word, word))
			continue;
		out->verb = verbs[i].verb;
		if (verbs[i].takes_name)
			return take_name(word, name, out, e);
		return name ? err_set(e, -EINVAL, "\"%s\" takes no name", word) : 0;
	}
	for (char *p = word; *p; p++)
		if (!isprint((unsigned char)*p))
			*p = '?';
	return err_set(e, -EINVAL,
		       "no such request \"%s\"; there are status, summary, start, stop, restart, "
		       "reboot, poweroff, halt, rescue and watchdog", word);
}
