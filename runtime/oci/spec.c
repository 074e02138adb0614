/* "spec": a config.json to begin with. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "oci/args.h"
#include "oci/commands.h"
#include "spec/oci.h"

/* What runc's "spec" gives, for a shell at a terminal. */
static const char process_text[] =
	"{\"terminal\":true,\"user\":{\"uid\":0,\"gid\":0},\"args\":[\"sh\"],"
	"\"env\":[\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\","
	"\"TERM=xterm\"],\"cwd\":\"/\",\"capabilities\":{"
	"\"bounding\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"],"
	"\"effective\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"],"
	"\"permitted\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"]},"
	"\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":1024,\"soft\":1024}],"
	"\"noNewPrivileges\":true}";

static const struct mount_row {
	const char *destination, *type, *source, *options;
	enum { BOTH, ROOT, ROOTLESS } where;
} mount_rows[] = {
	{ "/proc", "proc", "proc", NULL, BOTH },
	{ "/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k", BOTH },
	{ "/dev/pts", "devpts", "devpts",
	  "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5", ROOT },
	/* Group 5 has no number in a namespace that maps one. */
	{ "/dev/pts", "devpts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620",
	  ROOTLESS },
	{ "/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777,size=65536k", BOTH },
	{ "/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev", BOTH },
	{ "/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro", ROOT },
	/* Only the owner of a network namespace may mount its sysfs. */
	{ "/sys", "none", "/sys", "rbind,nosuid,noexec,nodev,ro", ROOTLESS },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", "nosuid,noexec,nodev,relatime,ro", BOTH },
};

static const char *const namespace_rows[] = { "pid", "network", "ipc", "uts", "mount", "cgroup" };

static const char *masked[] = {
	"/proc/acpi",	      "/proc/asound",	    "/proc/kcore",	 "/proc/keys",
	"/proc/latency_stats", "/proc/timer_list",  "/proc/timer_stats", "/proc/sched_debug",
	"/sys/firmware",      "/proc/scsi",
};

static const char *read_only[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

/* ---- a value each ---- */

static yyjson_mut_val *words(yyjson_mut_doc *doc, const char *list)
{
	yyjson_mut_val *out = yyjson_mut_arr(doc);

	while (*list) {
		size_t len = strcspn(list, ",");

		yyjson_mut_arr_add_strn(doc, out, list, len);
		list += len + (list[len] == ',');
	}
	return out;
}

static yyjson_mut_val *mounts(yyjson_mut_doc *doc, bool rootless)
{
	yyjson_mut_val *out = yyjson_mut_arr(doc);

	for (size_t i = 0; i < ARRAY_LEN(mount_rows); i++) {
		const struct mount_row *row = &mount_rows[i];
		yyjson_mut_val *m;

		if (row->where == (rootless ? ROOT : ROOTLESS))
			continue;
		m = yyjson_mut_arr_add_obj(doc, out);
		yyjson_mut_obj_add_str(doc, m, "destination", row->destination);
		yyjson_mut_obj_add_str(doc, m, "type", row->type);
		yyjson_mut_obj_add_str(doc, m, "source", row->source);
		if (row->options)
			yyjson_mut_obj_add_val(doc, m, "options", words(doc, row->options));
	}
	return out;
}

static yyjson_mut_val *namespaces(yyjson_mut_doc *doc, bool rootless)
{
	yyjson_mut_val *out = yyjson_mut_arr(doc);

	for (size_t i = 0; i < ARRAY_LEN(namespace_rows); i++) {
		/* A network that nobody may set up is worth less than the user's own. */
		if (rootless && !strcmp(namespace_rows[i], "network"))
			continue;
		yyjson_mut_obj_add_str(doc, yyjson_mut_arr_add_obj(doc, out), "type",
				       namespace_rows[i]);
	}
	if (rootless)
		yyjson_mut_obj_add_str(doc, yyjson_mut_arr_add_obj(doc, out), "type", "user");
	return out;
}

static void add_mapping(yyjson_mut_doc *doc, yyjson_mut_val *l, const char *key, uint32_t id)
{
	yyjson_mut_val *m = yyjson_mut_arr_add_obj(doc, yyjson_mut_obj_add_arr(doc, l, key));

	yyjson_mut_obj_add_uint(doc, m, "containerID", 0);
	yyjson_mut_obj_add_uint(doc, m, "hostID", id);
	yyjson_mut_obj_add_uint(doc, m, "size", 1);
}

static yyjson_mut_val *linux_part(yyjson_mut_doc *doc, bool rootless)
{
	yyjson_mut_val *l = yyjson_mut_obj(doc), *rule;

	if (rootless) {
		add_mapping(doc, l, "uidMappings", geteuid());
		add_mapping(doc, l, "gidMappings", getegid());
	} else {
		rule = yyjson_mut_obj_add_obj(doc, l, "resources");
		rule = yyjson_mut_arr_add_obj(doc, yyjson_mut_obj_add_arr(doc, rule, "devices"));
		yyjson_mut_obj_add_bool(doc, rule, "allow", false);
		yyjson_mut_obj_add_str(doc, rule, "access", "rwm");
	}
	yyjson_mut_obj_add_val(doc, l, "namespaces", namespaces(doc, rootless));
	yyjson_mut_obj_add_val(doc, l, "maskedPaths",
			       yyjson_mut_arr_with_str(doc, masked, ARRAY_LEN(masked)));
	yyjson_mut_obj_add_val(doc, l, "readonlyPaths",
			       yyjson_mut_arr_with_str(doc, read_only, ARRAY_LEN(read_only)));
	return l;
}

static yyjson_mut_val *process(yyjson_mut_doc *doc)
{
	yyjson_doc *text = yyjson_read(process_text, strlen(process_text), 0);
	yyjson_mut_val *out = yyjson_val_mut_copy(doc, yyjson_doc_get_root(text));

	yyjson_doc_free(text);
	return out;
}

/* ---- all of it ---- */

static char *spec_text(bool rootless, size_t *len)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *top = doc ? yyjson_mut_obj(doc) : NULL, *root;
	char *text;

	if (!top)
		return NULL;
	yyjson_mut_doc_set_root(doc, top);
	yyjson_mut_obj_add_str(doc, top, "ociVersion", OCI_VERSION);
	yyjson_mut_obj_add_val(doc, top, "process", process(doc));
	root = yyjson_mut_obj_add_obj(doc, top, "root");
	yyjson_mut_obj_add_str(doc, root, "path", "rootfs");
	yyjson_mut_obj_add_bool(doc, root, "readonly", true);
	yyjson_mut_obj_add_str(doc, top, "hostname", "berth");
	yyjson_mut_obj_add_val(doc, top, "mounts", mounts(doc, rootless));
	yyjson_mut_obj_add_val(doc, top, "linux", linux_part(doc, rootless));
	text = yyjson_mut_write(doc, YYJSON_WRITE_PRETTY, len);
	yyjson_mut_doc_free(doc);
	return text;
}

int cmd_spec(const struct options *o, int argc, char **argv, struct err *e)
{
	const char *bundle = ".";
	bool rootless = false;
	const struct arg args[] = {
		ARG_TEXT("bundle", 'b', &bundle, "the folder to write it to (.)"),
		ARG_FLAG("rootless", 0, &rootless, "for this user, in a user namespace"),
		ARG_END,
	};
	autofree char *text = NULL;
	autoclose int dir = -1;
	autoclose int fd = -1;
	size_t len;
	int next = args_parse(args, argc, argv, e);

	(void)o;
	if (next < 0)
		return next;
	if (next != argc)
		return err_set(e, -EINVAL, "\"spec\" takes no container ID");
	text = spec_text(rootless, &len);
	if (!text)
		return err_set(e, -ENOMEM, "out of memory");
	dir = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "--bundle \"%s\"", bundle);
	fd = openat(dir, "config.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0 && errno == EEXIST)
		return err_set(e, -EEXIST, "File config.json exists. Remove it first");
	if (fd < 0 || file_write_all(fd, text, len) < 0)
		return err_sys(e, "write config.json");
	return 0;
}
