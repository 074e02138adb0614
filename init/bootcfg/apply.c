#include "bootcfg/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "bootcfg/stage.h"

enum { TMPFS_FILES = 0x01021994, OS_RELEASE_MAX = 65536 };

static void fault(struct apply *a, enum fault_level level, const char *path, const char *sentence)
{
	fault_add(a->faults, level, "", 0, 0, path, "%s", sentence);
}

int apply_text(struct apply *a, const char *dir, mode_t dir_mode, const char *name,
	       const struct buf *text, mode_t mode, struct err *e)
{
	autoclose int fd = path_mkdirs_in(a->root, dir, dir_mode, e);

	if (fd < 0)
		return fd;
	if (!buf_ok(text))
		return err_set(e, -ENOMEM, "there is not enough memory");
	return file_replace_at(fd, name, buf_text(text), text->len, mode, e);
}

/* busybox ntpd's file: "server HOST" lines. Without the file PID 1 leaves the service off. */
void apply_ntp(struct apply *a)
{
	static const char *const lists[] = { "servers", "pools" };
	yyjson_mut_val *ntp = yyjson_mut_obj_get(a->config, "ntp"), *host;
	autobuf struct buf text = { 0 };
	autoclose int etc = -1;
	struct err e = { "" };
	size_t i, max;

	for (size_t l = 0; l < ARRAY_LEN(lists); l++)
		yyjson_mut_arr_foreach(yyjson_mut_obj_get(ntp, lists[l]), i, max, host) {
			buf_addf(&text, "server %s\n", yyjson_mut_get_str(host));
		}
	etc = path_mkdirs_in(a->root, "/etc", 0755, &e);
	if (etc < 0) {
		fault(a, FAULT_ERROR, "ntp", e.text);
		return;
	}
	if (!yyjson_mut_get_bool(yyjson_mut_obj_get(ntp, "enabled"))) {
		unlinkat(etc, "ntp.conf", 0);
		return;
	}
	if (text.len == 0)
		buf_adds(&text, "server pool.ntp.org\n");
	if (apply_text(a, "/etc", 0755, "ntp.conf", &text, 0644, &e) < 0)
		fault(a, FAULT_ERROR, "ntp", e.text);
}

static bool any_deferred(struct apply *a)
{
	yyjson_mut_val *file;
	size_t i, max;

	yyjson_mut_arr_foreach(yyjson_mut_obj_get(a->config, "write_files"), i, max, file) {
		if (yyjson_mut_get_bool(yyjson_mut_obj_get(file, "defer")))
			return true;
	}
	return false;
}

/* A stage's file is there if the configuration has something for it. */
void apply_stages(struct apply *a)
{
	static const struct {
		const char *key, *stage;
	} rows[] = {
		{ "bootcmd", "bootcmd" },     { "runcmd", "final" },	   { "phone_home", "final" },
		{ "final_message", "final" }, { "power_state", "final" },  { "disk_setup", "disks" },
		{ "fs_setup", "disks" },      { "mounts", "disks" },	   { "swap", "disks" },
	};
	yyjson_mut_val *berth = yyjson_mut_obj_get(a->config, "berth");
	autoclose int dir = -1;
	struct err e = { "" };
	int code = 0;

	path_remove_tree(a->root, "run/berth/stage", NULL);
	dir = path_mkdirs_in(a->root, STAGE_DIR, 0755, &e);
	for (size_t i = 0; i < ARRAY_LEN(rows) && dir >= 0 && code == 0; i++) {
		yyjson_mut_val *value = yyjson_mut_obj_get(a->config, rows[i].key);

		if (value && !(yyjson_mut_is_arr(value) && !yyjson_mut_arr_size(value)))
			code = file_replace_at(dir, rows[i].stage, "", 0, 0644, &e);
	}
	if (dir >= 0 && code == 0 && yyjson_mut_obj_get(berth, "zram"))
		code = file_replace_at(dir, "disks", "", 0, 0644, &e);
	if (dir >= 0 && code == 0 && yyjson_mut_obj_get(berth, "api"))
		code = file_replace_at(dir, "api-tls", "", 0, 0644, &e);
	if (dir >= 0 && code == 0 && any_deferred(a))
		code = file_replace_at(dir, "final", "", 0, 0644, &e);
	if (dir < 0 || code < 0)
		fault(a, FAULT_ERROR, "", e.text);
}

/* PRETTY_NAME of os-release(5), "Berth" if there is none. */
static void add_system_name(struct apply *a, struct buf *out)
{
	autoclose int fd = path_open_in(a->root, "/usr/lib/os-release", O_RDONLY, 0, NULL);
	autobuf struct buf text = { 0 };
	char *name;

	if (fd >= 0)
		file_read_fd(fd, OS_RELEASE_MAX, &text, NULL);
	name = text.data ? strstr(text.data, "PRETTY_NAME=") : NULL;
	if (!name) {
		buf_adds(out, "Berth");
		return;
	}
	name += strlen("PRETTY_NAME=");
	name += strspn(name, "\"");
	buf_add(out, name, strcspn(name, "\"\n"));
}

static bool data_in_memory(struct apply *a)
{
	autoclose int fd = path_open_in(a->root, "/var", O_RDONLY | O_DIRECTORY, 0, NULL);
	struct statfs fs;

	return fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == TMPFS_FILES;
}

static void add_faults(struct apply *a, struct buf *out)
{
	size_t total = a->faults->errors + a->faults->warnings;

	if (total == 0)
		return;
	buf_addf(out, "\nThe boot configuration has %zu fault%s (`berth status` repeats them):\n",
		 total, total == 1 ? "" : "s");
	for (size_t i = 0; i < a->faults->count; i++) {
		buf_adds(out, "  ");
		fault_line(&a->faults->items[i], out);
		buf_adds(out, "\n");
	}
	if (total > a->faults->count)
		buf_addf(out, "  and %zu more\n", total - a->faults->count);
}

void apply_motd(struct apply *a)
{
	autobuf struct buf text = { 0 };
	struct err e = { "" };

	add_system_name(a, &text);
	buf_addf(&text, " on %s\n", yyjson_mut_get_str(yyjson_mut_obj_get(a->config, "hostname")));
	buf_adds(&text, "`berth status` shows the machine, `berth ps` its containers.\n");
	if (data_in_memory(a))
		buf_adds(&text, "\nTHERE IS NO DATA PARTITION: volumes, logs and container state are "
				"kept in memory\nand are lost when this machine restarts.\n");
	add_faults(a, &text);
	buf_adds(&text, "\n");
	if (apply_text(a, "/run/berth", 0755, "motd", &text, 0644, &e) < 0)
		fault(a, FAULT_ERROR, "", e.text);
}
