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
	buf_free(&s->vendor_data);
	buf_free(&s->meta_data);
	buf_free(&s->network);
	buf_free(&s->notes);
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
	source_fn *find;
	source_fetch_fn *fetch; /* of a pending one */
} sources[] = {
	{ "kernel command line", source_cmdline, NULL },
	{ "berth.config-url", source_cmdline_url, source_fetch_url },
	{ "fw_cfg", source_fwcfg, NULL },
	{ "seed address", source_seed_url, source_fetch_seed },
	{ "NoCloud", source_nocloud, NULL },
	{ "ConfigDrive", source_configdrive, NULL },
	{ "guestinfo", source_vmware, NULL },
	{ "metadata service", source_cloud, source_fetch_cloud },
	{ "installed configuration", source_installed, NULL },
	{ "EFI system partition", source_esp, NULL },
	{ "default", source_default, NULL },
};

/* The first one from row `*row` on, which is moved behind it. */
static void find_from(size_t *row, bool network, struct source *out, struct faults *faults)
{
	while (*row < ARRAY_LEN(sources)) {
		size_t i = (*row)++;
		struct err e = { "" };
		int code;

		if (sources[i].fetch && !network)
			continue;
		code = sources[i].find(out, &e);
		if (code > 0) {
			out->row = i;
			return;
		}
		if (code < 0)
			fault_add(faults, FAULT_ERROR, sources[i].name, 0, 0, "", "%s", e.text);
	}
	*out = (struct source){ .kind = "none", .file = "" };
}

void source_find(struct source *out, struct faults *faults)
{
	size_t row = 0;

	find_from(&row, true, out, faults);
}

/* A service that has names and keys, and no user-data: that is for whoever comes after it to
 * say. */
static void find_user_data(struct source *s, size_t row, struct faults *faults)
{
	struct source other;
	char where[sizeof(s->where)];

	find_from(&row, false, &other, faults);
	if (!other.user_data.len) {
		source_free(&other);
		return;
	}
	snprintf(where, sizeof(where), "%.80s and %.70s", s->where, other.where);
	memcpy(s->where, where, sizeof(where));
	s->file = other.file;
	buf_free(&s->user_data);
	s->user_data = other.user_data;
	other.user_data = (struct buf){ 0 };
	source_free(&other);
}

int source_fetch(struct source *s, struct faults *faults, struct err *e)
{
	int code = sources[s->row].fetch(s, e);

	if (code < 0) {
		err_prefix(e, "%s", s->where);
		return code;
	}
	s->pending = false;
	if (s->user_data.len == 0)
		find_user_data(s, s->row + 1, faults);
	return 0;
}
