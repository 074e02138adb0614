/* Texts of docker's options as numbers, and files of them. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "cli/create_body.h"

enum { FILE_MAX_BYTES = 1 << 20 };

int create_size(const char *text, long long *out)
{
	static const char units[] = "bkmgt";
	char *end;
	long long number;
	const char *unit;
	int shift;

	errno = 0;
	number = strtoll(text, &end, 10);
	unit = *end ? strchr(units, *end | 0x20) : NULL;
	shift = unit ? 10 * (int)(unit - units) : 0;
	/* "64mb" is taken as well. */
	if (unit && *unit != 'b' && (end[1] | 0x20) == 'b')
		end++;
	if (errno || end == text || (*end && (!unit || end[1])) || number < -1 ||
	    number > LLONG_MAX >> shift)
		return -EINVAL;
	*out = number < 0 ? number : number << shift;
	return 0;
}

/* Go's durations: "1m30s", "500ms", "0". */
int create_duration(const char *text, int64_t *ns)
{
	static const struct {
		const char *unit;
		int64_t ns;
	} units[] = {
		{ "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 },
		{ "m", 60000000000 }, { "h", 3600000000000 },
	};
	double sum = 0;

	if (!strcmp(text, "0")) {
		*ns = 0;
		return 0;
	}
	for (bool first = true; *text || first; first = false) {
		char *end;
		double number = strtod(text, &end);
		size_t len = strcspn(end, "0123456789."), u = 0;

		if (end == text || !strchr("0123456789.", *text) || strcspn(text, "xXeE") < (size_t)(end - text))
			return -EINVAL;
		while (u < ARRAY_LEN(units) && (strlen(units[u].unit) != len ||
						strncmp(units[u].unit, end, len)))
			u++;
		if (u == ARRAY_LEN(units))
			return -EINVAL;
		sum += number * (double)units[u].ns;
		text = end + len;
	}
	if (sum > 9e18)
		return -EINVAL;
	*ns = (int64_t)(sum + 0.5);
	return 0;
}

static int add_lines(char *text, struct cli_list *out, const char *file, struct err *e)
{
	char *rest = NULL;

	for (char *line = strtok_r(text, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest)) {
		line += strspn(line, " \t");
		if (!*line || *line == '#')
			continue;
		if (*line == '=')
			return err_set(e, -EINVAL, "\"%s\": \"%.60s\" has no name", file, line);
		if (out->count == CLI_LIST_MOST)
			return err_set(e, -E2BIG, "\"%s\": more than %d lines", file, CLI_LIST_MOST);
		out->items[out->count++] = line;
	}
	return 0;
}

int create_read_lines(const struct cli_list *files, struct cli_list *out, struct err *e)
{
	for (size_t i = 0; i < files->count; i++) {
		struct buf text = { 0 };
		char *kept;
		int rc = file_read_at(AT_FDCWD, files->items[i], FILE_MAX_BYTES, &text, e);

		if (rc < 0) {
			buf_free(&text);
			return rc;
		}
		kept = buf_take(&text);
		rc = kept ? add_lines(kept, out, files->items[i], e) : -ENOMEM;
		if (rc < 0)
			return rc;
	}
	return 0;
}
