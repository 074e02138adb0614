#include "api/route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool store(char param[ROUTE_PARAM_MAX], const char *text, size_t len)
{
	if (!len || len >= ROUTE_PARAM_MAX)
		return false;
	memcpy(param, text, len);
	param[len] = '\0';
	return true;
}

bool route_matches(const char *pattern, const char *path, char param[ROUTE_PARAM_MAX])
{
	const char *hole = strstr(pattern, "{");
	const char *tail;
	size_t head, tail_len, len = strlen(path);
	bool many;

	if (!hole)
		return !strcmp(pattern, path);
	many = hole[1] == '*';
	tail = strchr(hole, '}') + 1;
	head = (size_t)(hole - pattern);
	tail_len = strlen(tail);
	if (len < head + tail_len + 1 || strncmp(pattern, path, head) ||
	    strcmp(path + len - tail_len, tail))
		return false;
	if (!many && memchr(path + head, '/', len - tail_len - head))
		return false;
	return store(param, path + head, len - tail_len - head);
}

const struct route *route_find(const struct route *table, size_t count, const char *method,
			       const char *path, char param[ROUTE_PARAM_MAX], bool *wrong_method)
{
	*wrong_method = false;
	for (size_t i = 0; i < count; i++) {
		if (!route_matches(table[i].pattern, path, param))
			continue;
		if (!strcmp(table[i].method, method) ||
		    (!strcmp(method, "HEAD") && !strcmp(table[i].method, "GET")))
			return &table[i];
		*wrong_method = true;
	}
	return NULL;
}

int route_version(const char **path)
{
	const char *p = *path;
	char *end;
	long major, minor;

	if (p[0] != '/' || p[1] != 'v' || p[2] < '0' || p[2] > '9')
		return 0;
	major = strtol(p + 2, &end, 10);
	if (*end != '.')
		return 0;
	minor = strtol(end + 1, &end, 10);
	if (*end && *end != '/')
		return 0;
	if (major != 1 || minor < 1 || minor > 10000)
		return -EINVAL;
	*path = *end ? end : "/";
	return (int)minor;
}
