#include "base/proxy.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"

enum { PROXY_FILE_MAX = 64 * 1024 };

void proxy_load(void)
{
	static const char *const names[] = { "http_proxy", "https_proxy", "no_proxy" };
	autobuf struct buf text = { 0 };
	char *save = NULL;

	if (file_read_at(AT_FDCWD, "/run/berth/proxy", PROXY_FILE_MAX, &text, NULL) < 0 || !text.len)
		return;
	/* A caller that names a proxy of its own does not want half of this one. */
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (getenv(names[i]))
			return;
	for (char *line = strtok_r(text.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *value = strchr(line, '=');

		if (!value)
			continue;
		*value++ = '\0';
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			if (strcmp(names[i], line) == 0)
				setenv(line, value, 0);
	}
}
