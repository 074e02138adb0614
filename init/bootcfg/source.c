#include "bootcfg/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "bootcfg/config.h"

static const char default_path[] = "/usr/share/berth/default.yaml";

void source_free(struct source *s)
{
	buf_free(&s->user_data);
	buf_free(&s->meta_data);
}

int source_default(struct source *out, struct err *e)
{
	struct source s = { .kind = "default", .file = "default.yaml" };
	int code = file_read_at(AT_FDCWD, default_path, CONFIG_TEXT_MAX, &s.user_data, e);

	if (code < 0) {
		source_free(&s);
		return code;
	}
	snprintf(s.where, sizeof(s.where), "%s", default_path);
	*out = s;
	return 1;
}

/* What `berth install --user-data` left on the data partition. */
static int source_installed(struct source *out, struct err *e)
{
	static const char path[] = "/var/lib/berth/config/user-data";
	struct source s = { .kind = "installed", .file = "user-data" };
	int code;

	if (access(path, F_OK) < 0)
		return 0;
	code = file_read_at(AT_FDCWD, path, CONFIG_TEXT_MAX, &s.user_data, e);
	if (code < 0) {
		source_free(&s);
		return code;
	}
	snprintf(s.where, sizeof(s.where), "%s", path);
	*out = s;
	return 1;
}

static const struct {
	const char *name;
	int (*find)(struct source *out, struct err *e);
} sources[] = {
	{ "kernel command line", source_cmdline },
	{ "NoCloud", source_nocloud },
	{ "installed configuration", source_installed },
	{ "default", source_default },
};

void source_find(struct source *out, struct faults *faults)
{
	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		struct err e = { "" };
		int code = sources[i].find(out, &e);

		if (code > 0)
			return;
		if (code < 0)
			fault_add(faults, FAULT_ERROR, sources[i].name, 0, 0, "", "%s", e.text);
	}
	*out = (struct source){ .kind = "none", .file = "" };
}
