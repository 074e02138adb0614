/* support: one archive with everything that helps somebody else to understand this machine, and no
 * secret (hide.h). What is in it are the tables below; what could not be had is told in the
 * archive's notes.txt, and the rest is there all the same. What containers wrote is not in it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <yyjson.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/spawn.h"
#include "cli/cli.h"
#include "cli/hide.h"
#include "cli/hostlog.h"
#include "cli/http.h"
#include "cli/tarfile.h"

enum {
	PART_MAX = 8 * 1024 * 1024,
	COMMAND_MS = 15000,
	KILLED_MS = 1000,
	FOLDER_FILES_MOST = 64,
	NAME_MAX_TAR = 100,
};

#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define BERTH "/usr/bin/berth"
#define BUSYBOX "/usr/bin/busybox"

/* Names, not arguments: people give passwords to programs. Two programs for all processes: two for
 * each took a slow machine longer than a command may. */
static const char list_processes[] =
	"cd /proc && grep -HE '^(Name|State|Pid|PPid|Uid|VmRSS|Threads):' [0-9]*/status 2>/dev/null |"
	"awk '{ of = $1; sub(/:.*/, \"\", of); if (of != last && NR > 1) print \"\"; last = of\n"
	"sub(/^[^:]*:/, \"\"); gsub(/\\t/, \" \"); printf \"%s \", $0 } END { print \"\" }'";

static const struct {
	const char *name;
	const char *const *argv;
} commands[] = {
	{ "status.txt", ARGV(BERTH, "status") },
	{ "services.txt", ARGV(BERTH, "services") },
	{ "update.txt", ARGV(BERTH, "update", "status") },
	{ "containers.txt", ARGV(BERTH, "ps", "-a") },
	{ "images.txt", ARGV(BERTH, "images") },
	{ "network/addresses.txt", ARGV(BUSYBOX, "ip", "addr") },
	{ "network/routes.txt", ARGV(BUSYBOX, "ip", "route") },
	{ "network/routes6.txt", ARGV(BUSYBOX, "ip", "-6", "route") },
	{ "network/rules.txt", ARGV(BUSYBOX, "ip", "rule") },
	{ "network/sockets.txt", ARGV(BUSYBOX, "netstat", "-tuln") },
	{ "system/disks.txt", ARGV(BUSYBOX, "df", "-k") },
	{ "system/inodes.txt", ARGV(BUSYBOX, "df", "-i") },
	{ "system/blkid.txt", ARGV(BUSYBOX, "blkid") },
	{ "system/processes.txt", ARGV(BUSYBOX, "sh", "-c", list_processes) },
};

static const struct {
	const char *name, *path;
} files[] = {
	{ "os-release.txt", "/usr/lib/os-release" },
	{ "config.json", "/run/berth/config.json" },
	{ "data.json", "/run/berth/data.json" },
	{ "network/resolv.conf", "/run/berth/resolv.conf" },
	{ "network/dev.txt", "/proc/net/dev" },
	{ "network/snmp.txt", "/proc/net/snmp" },
	{ "system/cmdline.txt", "/proc/cmdline" },
	{ "system/cpuinfo.txt", "/proc/cpuinfo" },
	{ "system/meminfo.txt", "/proc/meminfo" },
	{ "system/vmstat.txt", "/proc/vmstat" },
	{ "system/loadavg.txt", "/proc/loadavg" },
	{ "system/mounts.txt", "/proc/mounts" },
	{ "system/partitions.txt", "/proc/partitions" },
	{ "system/diskstats.txt", "/proc/diskstats" },
	{ "system/interrupts.txt", "/proc/interrupts" },
	{ "system/pressure-cpu.txt", "/proc/pressure/cpu" },
	{ "system/pressure-io.txt", "/proc/pressure/io" },
	{ "system/pressure-memory.txt", "/proc/pressure/memory" },
	{ "system/vendor.txt", "/sys/class/dmi/id/sys_vendor" },
	{ "system/product.txt", "/sys/class/dmi/id/product_name" },
	{ "system/firmware.txt", "/sys/class/dmi/id/bios_version" },
};

/* Files of a folder, by the end of their names. */
static const struct {
	const char *name, *path, *suffix;
} folders[] = {
	{ "logs", "/run/berth/log", ".log" },
	{ "logs", "/run/berth/log", ".log.1" },
	{ "network", "/run/berth/net", ".json" },
	{ "boots", "/var/lib/berth/boots", ".json" },
	{ "update", "/var/lib/berth/update", ".json" },
};

static const struct {
	const char *name, *target;
} answers[] = {
	{ "engine/info.json", "/info" },
	{ "engine/version.json", "/version" },
	{ "engine/images.json", "/images/json" },
	{ "engine/containers.json", "/containers/json?all=1" },
};

struct archive {
	int fd;
	char top[80]; /* the folder that all of it is in */
	struct buf notes;
	size_t count;
	struct err e; /* the first failure to write */
};

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && !strcmp(text + n - m, end);
}

static void add_as_it_is(struct archive *a, const char *name, const char *text, size_t len)
{
	char full[NAME_MAX_TAR + 80];

	snprintf(full, sizeof(full), "%s/%s", a->top, name);
	if (!a->e.text[0] && !tarfile_add(a->fd, full, text, len, clock_wall_ns() / 1000000000, &a->e))
		a->count++;
}

static void add(struct archive *a, const char *name, const struct buf *text)
{
	autobuf struct buf hidden = { 0 };

	if (!ends_with(name, ".json") || hide_json(buf_text(text), text->len, &hidden) < 0)
		hide_text(buf_text(text), text->len, &hidden);
	if (buf_ok(&hidden))
		add_as_it_is(a, name, buf_text(&hidden), hidden.len);
	else
		buf_addf(&a->notes, "%s: no memory\n", name);
}

static void add_file(struct archive *a, const char *name, const char *path)
{
	autobuf struct buf text = { 0 };
	struct err e = { 0 };

	if (file_read_at(AT_FDCWD, path, PART_MAX, &text, &e) < 0)
		buf_addf(&a->notes, "%s: %s\n", name, e.text);
	else
		add(a, name, &text);
}

static void add_folder(struct archive *a, const char *name, const char *path, const char *suffix)
{
	autodir DIR *d = opendir(path);
	struct dirent *entry;
	int left = FOLDER_FILES_MOST;

	if (!d)
		buf_addf(&a->notes, "%s: open \"%s\": %s\n", name, path, strerror(errno));
	while (d && left && (entry = readdir(d))) {
		char from[PATH_MAX], as[NAME_MAX_TAR];

		if (!ends_with(entry->d_name, suffix) || strlen(name) + strlen(entry->d_name) > 60)
			continue;
		snprintf(from, sizeof(from), "%s/%s", path, entry->d_name);
		snprintf(as, sizeof(as), "%s/%.60s", name, entry->d_name);
		add_file(a, as, from);
		left--;
	}
}

/* All that it prints, for a limited time: a disk that hangs must not keep the rest back. */
static int read_output(int fd, struct buf *out)
{
	int64_t until = clock_boot_ms() + COMMAND_MS;
	char chunk[16 * 1024];

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = until - clock_boot_ms();
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)left) <= 0)
			return -ETIMEDOUT;
		n = read(fd, chunk, sizeof(chunk));
		if (n <= 0)
			return n < 0 ? -errno : 0;
		if (out->len + (size_t)n > PART_MAX)
			return -EFBIG;
		buf_add(out, chunk, (size_t)n);
	}
}

/* What waits for a disk in the kernel does not die of a signal: it is left behind. */
static int stop(struct child *c)
{
	struct pollfd p = { .fd = c->pidfd, .events = POLLIN };

	syscall(SYS_pidfd_send_signal, c->pidfd, SIGKILL, NULL, 0);
	if (poll(&p, 1, KILLED_MS) > 0)
		return spawn_wait(c);
	close(c->pidfd);
	return 0;
}

static void add_command(struct archive *a, const char *name, const char *const *argv)
{
	autobuf struct buf text = { 0 };
	autoclose int from = -1, to = -1;
	struct child child;
	struct err e = { 0 };
	int ends[2], rc;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		buf_addf(&a->notes, "%s: %s\n", name, strerror(errno));
		return;
	}
	from = ends[0], to = ends[1];
	if (spawn(&(struct spawn){ .argv = argv, .fd_count = 2,
				   .fds = (struct spawn_fd[]){ { to, 1 }, { to, 2 } } },
		  &child, &e) < 0) {
		buf_addf(&a->notes, "%s: %s\n", name, e.text);
		return;
	}
	close(take_fd(&to));
	rc = read_output(from, &text);
	if (rc < 0)
		buf_addf(&a->notes, "%s: stopped: %s\n", name, strerror(-rc));
	rc = rc < 0 ? stop(&child) : spawn_wait(&child);
	if (rc)
		buf_addf(&a->notes, "%s: ended with %d\n", name, rc);
	add(a, name, &text);
}

static void add_answer(struct archive *a, const char *name, const char *target, struct buf *answer)
{
	struct err e = { 0 };

	if (http_call(cli_host(), "GET", target, NULL, answer, &e) < 200 || e.text[0])
		buf_addf(&a->notes, "%s: %s\n", name, e.text);
	else
		add(a, name, answer);
}

static void add_containers(struct archive *a)
{
	autobuf struct buf list = { 0 };
	yyjson_doc *doc;
	yyjson_val *c;
	size_t i, max;

	if (http_call(cli_host(), "GET", "/containers/json?all=1", NULL, &list, NULL) != 200)
		return; /* told by add_answer's row */
	doc = yyjson_read(buf_text(&list), list.len, 0);
	yyjson_arr_foreach(yyjson_doc_get_root(doc), i, max, c) {
		const char *id = yyjson_get_str(yyjson_obj_get(c, "Id"));
		autobuf struct buf answer = { 0 };
		char name[NAME_MAX_TAR], target[128];

		if (!id)
			continue;
		snprintf(name, sizeof(name), "engine/container-%.12s.json", id);
		snprintf(target, sizeof(target), "/containers/%.64s/json", id);
		add_answer(a, name, target, &answer);
	}
	yyjson_doc_free(doc);
}

static void add_kernel_log(struct archive *a)
{
	autobuf struct buf text = { 0 };
	struct err e = { 0 };
	size_t len = 0;
	FILE *to = open_memstream(&text.data, &len);
	struct hostlog_options kernel = { .name = "kernel", .tail = -1, .to = to };

	if ((to ? hostlog_show(&kernel, &e) : err_sys(&e, "keep it in memory")) < 0)
		buf_addf(&a->notes, "logs/kernel.log: %s\n", e.text);
	if (!to)
		return;
	fclose(to);
	text.len = len;
	add(a, "logs/kernel.log", &text);
}

static void add_everything(struct archive *a)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		add_command(a, commands[i].name, commands[i].argv);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		add_file(a, files[i].name, files[i].path);
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		add_folder(a, folders[i].name, folders[i].path, folders[i].suffix);
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		autobuf struct buf answer = { 0 };

		add_answer(a, answers[i].name, answers[i].target, &answer);
	}
	add_containers(a);
	add_kernel_log(a);
	add(a, "notes.txt", &a->notes);
}

/* What goes into the pipe comes out compressed at `out`. */
static int start_gzip(int out, struct child *gzip, struct err *e)
{
	autoclose int from = -1, to = -1;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	from = ends[0], to = ends[1];
	if (spawn(&(struct spawn){ .argv = ARGV(BUSYBOX, "gzip", "-c"), .fd_count = 3,
				   .fds = (struct spawn_fd[]){ { from, 0 }, { out, 1 }, { 2, 2 } } },
		  gzip, e) < 0)
		return -ECHILD;
	return take_fd(&to);
}

static int write_archive(int out, const char *top, size_t *count, struct err *e)
{
	struct archive a = { .fd = -1 };
	struct child gzip;
	int rc;

	snprintf(a.top, sizeof(a.top), "%s", top);
	a.fd = start_gzip(out, &gzip, e);
	if (a.fd < 0)
		return a.fd;
	signal(SIGPIPE, SIG_IGN); /* a full disk ends gzip; its sentence and ours tell it */
	add_everything(&a);
	if (!a.e.text[0])
		tarfile_end(a.fd, &a.e);
	close(a.fd);
	buf_free(&a.notes);
	rc = spawn_wait(&gzip);
	*count = a.count;
	if (a.e.text[0])
		return err_set(e, -EIO, "%s", a.e.text);
	return rc ? err_set(e, -EIO, "compress the archive: gzip ended with %d", rc) : 0;
}

int cmd_support(const struct cli_command *self, int argc, char **argv)
{
	const char *path = NULL;
	const struct cli_option options[] = {
		{ 'o', "output", "FILE", "Where to write it; without: standard output, or a file in /tmp",
		  NULL, &path, NULL },
	};
	char host[65] = "berth", top[80], made[128], date[32];
	time_t now = time(NULL);
	autoclose int file = -1;
	struct err e = { 0 };
	size_t count = 0;
	int code;

	if (cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code) < 0)
		return code;
	gethostname(host, sizeof(host) - 1);
	strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", gmtime(&now));
	snprintf(top, sizeof(top), "support-%.40s-%s", host, date);
	snprintf(made, sizeof(made), "/tmp/%s.tar.gz", top);
	if (!path && isatty(STDOUT_FILENO))
		path = made;
	if (path)
		file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (path && file < 0) {
		err_sys(&e, "write \"%s\"", path);
		return cli_fail(&e);
	}
	if (write_archive(path ? file : STDOUT_FILENO, top, &count, &e) < 0)
		return cli_fail(&e);
	fprintf(stderr, "%s%s%zu files. Environments, commands, passwords and keys are hidden in it.\n",
		path ? path : "", path ? ": " : "", count);
	if (path == made)
		fprintf(stderr, "Fetch it:  scp -O root@%s:%s .\n", host, made);
	return EXIT_OK;
}
