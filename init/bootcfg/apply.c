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

enum { TMPFS_FILES = 0x01021994, OS_RELEASE_MAX = 65536 };

static void fault(struct apply *a, enum fault_level level, const char *path, const char *sentence)
{
	fault_add(a->faults, level, "", 0, 0, path, "%s", sentence);
}

/* `dir`/`name` inside the root, its folder made if it is missing. */
static int replace_in(struct apply *a, const char *dir, mode_t dir_mode, const char *name,
		      const struct buf *text, mode_t mode, struct err *e)
{
	autoclose int fd = path_mkdirs_in(a->root, dir, dir_mode, e);

	if (fd < 0)
		return fd;
	if (!buf_ok(text))
		return err_set(e, -ENOMEM, "there is not enough memory");
	return file_replace_at(fd, name, buf_text(text), text->len, mode, e);
}

void apply_hostname(struct apply *a)
{
	const char *name = yyjson_mut_get_str(yyjson_mut_obj_get(a->config, "hostname"));
	autobuf struct buf text = { 0 }, hosts = { 0 };
	struct err e = { "" };

	buf_addf(&text, "%s\n", name);
	buf_addf(&hosts,
		 "127.0.0.1 localhost\n127.0.1.1 %s\n::1 localhost ip6-localhost ip6-loopback\n",
		 name);
	if (a->live && sethostname(name, strlen(name)) < 0) {
		err_sys(&e, "cannot set the host name");
		fault(a, FAULT_ERROR, "hostname", e.text);
	}
	if (replace_in(a, "/etc", 0755, "hostname", &text, 0644, &e) < 0 ||
	    replace_in(a, "/etc", 0755, "hosts", &hosts, 0644, &e) < 0)
		fault(a, FAULT_ERROR, "hostname", e.text);
}

void apply_ssh_keys(struct apply *a)
{
	yyjson_mut_val *keys = yyjson_mut_obj_get(a->config, "ssh_authorized_keys"), *key;
	autobuf struct buf text = { 0 };
	struct err e = { "" };
	size_t i, max;

	yyjson_mut_arr_foreach(keys, i, max, key) {
		buf_addf(&text, "%s\n", yyjson_mut_get_str(key));
	}
	if (replace_in(a, "/run/berth/ssh", 0700, "authorized_keys", &text, 0600, &e) < 0)
		fault(a, FAULT_ERROR, "ssh_authorized_keys", e.text);
	else if (text.len == 0)
		fault(a, FAULT_WARNING, "ssh_authorized_keys",
		      "there is no key, so nobody can log in over SSH");
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
	if (replace_in(a, "/etc", 0755, "ntp.conf", &text, 0644, &e) < 0)
		fault(a, FAULT_ERROR, "ntp", e.text);
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
	if (replace_in(a, "/run/berth", 0755, "motd", &text, 0644, &e) < 0)
		fault(a, FAULT_ERROR, "", e.text);
}
