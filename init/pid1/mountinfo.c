#include "pid1/mountinfo.h"

#include <stdbool.h>
#include <string.h>

enum { FIELD_POINT = 4 }; /* 36 35 98:0 /root /point options [optional] - type source options */

static bool is_octal(const char *p)
{
	for (int i = 0; i < 3; i++)
		if (p[i] < '0' || p[i] > '7')
			return false;
	return true;
}

/* In place; the decoded text is never longer. */
static void decode(char *s)
{
	char *out = s;

	while (*s) {
		if (*s == '\\' && is_octal(s + 1)) {
			*out++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
			s += 4;
		} else {
			*out++ = *s++;
		}
	}
	*out = '\0';
}

static void one_line(char *line, void (*each)(const char *point, const char *type, void *arg),
		     void *arg)
{
	char *point = NULL, *type, *rest = line;
	char *dash = strstr(line, " - ");

	if (!dash)
		return;
	*dash = '\0';
	type = dash + 3;
	type[strcspn(type, " ")] = '\0';
	for (int i = 0; i <= FIELD_POINT; i++)
		point = strsep(&rest, " ");
	if (!point || point[0] != '/')
		return;
	decode(point);
	each(point, type, arg);
}

void mountinfo_backwards(char *text, void (*each)(const char *point, const char *type, void *arg),
			 void *arg)
{
	char *end = text + strlen(text);

	while (end > text) {
		char *line;

		if (end[-1] == '\n')
			*--end = '\0';
		for (line = end; line > text && line[-1] != '\n'; line--)
			;
		end = line;
		one_line(line, each, arg);
	}
}
