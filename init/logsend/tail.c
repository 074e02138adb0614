#include "logsend/tail.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "logsend/record.h"

enum { FILES_MAX = 4096, CHUNK = 16 * 1024, KMSG_RECORD_MAX = 8192 };

/* A file that grows, and is put aside when it is full. */
struct followed {
	enum record_kind kind;
	char name[RECORD_NAME_MAX]; /* the service's, or the container's id */
	char *path;                 /* owned */
	int fd;
	struct buf partial;         /* the line whose end is not there yet */
};

/* A folder that is watched: all services' logs, or one container. */
struct folder {
	int watch;
	char *path;                 /* owned */
	char id[RECORD_NAME_MAX];   /* the container's; "": the services', or all containers' */
};

struct tail {
	const struct tail_options *o;
	struct followed *files;
	size_t file_count;
	struct folder *folders;
	size_t folder_count;
	int changes; /* inotify */
	int kernel;  /* -1: not wanted, or there is none */
	int broken;  /* -errno of the pipe */
	bool begun;  /* what appears from now on is told from its beginning */
};

static const char log_end[] = ".log", about_name[] = "container.json";

/* ---- records ---- */

static void tell(struct tail *t, enum record_kind kind, const char *name, const char *text,
		 size_t len)
{
	struct record r = { .kind = kind, .len = (uint32_t)len };

	snprintf(r.name, sizeof(r.name), "%s", name);
	if (t->broken)
		return;
	if (file_write_all(t->o->pipe_fd, &r, sizeof(r)) < 0 ||
	    file_write_all(t->o->pipe_fd, text, len) < 0)
		t->broken = -EPIPE;
}

static void tell_lines(struct tail *t, struct followed *f)
{
	size_t used = 0;
	char *end;

	while ((end = memchr(f->partial.data + used, '\n', f->partial.len - used))) {
		size_t len = (size_t)(end - f->partial.data) - used;

		tell(t, f->kind, f->name, f->partial.data + used,
		     len < RECORD_TEXT_MAX ? len : RECORD_TEXT_MAX);
		used += len + 1;
	}
	buf_consume(&f->partial, used);
	/* A line without an end is bounded too: its rest is not told. */
	if (f->partial.len > 2 * RECORD_TEXT_MAX)
		f->partial.len = 2 * RECORD_TEXT_MAX;
}

static void read_on(struct tail *t, struct followed *f)
{
	char chunk[CHUNK];
	ssize_t n;

	while (!t->broken && (n = read(f->fd, chunk, sizeof(chunk))) > 0) {
		buf_add(&f->partial, chunk, (size_t)n);
		if (f->partial.data)
			tell_lines(t, f);
	}
}

static int open_log(const char *path)
{
	return open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

/* What came since; a file that has been put aside is finished first. */
static void look(struct tail *t, struct followed *f)
{
	struct stat ours = { 0 }, now = { 0 };
	autoclose int fd = open_log(f->path);

	read_on(t, f);
	if (fd < 0 || fstat(f->fd, &ours) < 0 || fstat(fd, &now) < 0 || !S_ISREG(now.st_mode))
		return;
	if (ours.st_ino == now.st_ino) {
		if (now.st_size < lseek(f->fd, 0, SEEK_CUR)) /* somebody has emptied it */
			lseek(f->fd, 0, SEEK_SET);
		return;
	}
	close(f->fd);
	f->fd = take_fd(&fd);
	buf_reset(&f->partial);
	read_on(t, f);
}

/* ---- what there is ---- */

static struct followed *find_file(struct tail *t, const char *path)
{
	for (size_t i = 0; i < t->file_count; i++)
		if (!strcmp(t->files[i].path, path))
			return &t->files[i];
	return NULL;
}

static bool skips_what_is_there(const struct tail *t, const struct followed *f)
{
	struct stat st;

	if (t->begun)
		return false;
	return t->o->from_end || (f->kind == RECORD_CONTAINER && fstat(f->fd, &st) == 0 &&
				  st.st_mtim.tv_sec < t->o->booted_ns / 1000000000);
}

static void follow_file(struct tail *t, enum record_kind kind, const char *name, const char *path)
{
	struct followed *f = find_file(t, path);
	struct followed fresh = { .kind = kind };

	if (f) {
		look(t, f);
		return;
	}
	fresh.fd = open_log(path);
	fresh.path = fresh.fd < 0 || t->file_count == FILES_MAX ? NULL : strdup(path);
	if (!fresh.path) {
		cleanup_fd(&fresh.fd);
		return;
	}
	snprintf(fresh.name, sizeof(fresh.name), "%s", name);
	if (skips_what_is_there(t, &fresh))
		lseek(fresh.fd, 0, SEEK_END);
	f = &t->files[t->file_count++];
	*f = fresh;
	read_on(t, f);
}

static void tell_about(struct tail *t, const char *id, const char *path)
{
	autobuf struct buf json = { 0 };

	if (file_read_at(AT_FDCWD, path, CONTAINER_JSON_MAX, &json, NULL) == 0 && json.len)
		tell(t, RECORD_NAME, id, json.data, json.len);
}

static void see_folder(struct tail *t, const char *path, const char *id);

/* A name in a folder is new, or has changed. */
static void see(struct tail *t, const struct folder *in, const char *name)
{
	size_t len = strlen(name), end = sizeof(log_end) - 1;
	bool is_log = len > end && !strcmp(name + len - end, log_end);
	char path[PATH_MAX], service[RECORD_NAME_MAX];
	bool services = !strcmp(in->path, t->o->service_dir);

	if (snprintf(path, sizeof(path), "%s/%s", in->path, name) >= (int)sizeof(path))
		return;
	snprintf(service, sizeof(service), "%.*s", (int)(is_log ? len - end : len), name);
	if (services && is_log)
		follow_file(t, RECORD_SERVICE, service, path);
	else if (*in->id && is_log)
		follow_file(t, RECORD_CONTAINER, in->id, path);
	else if (*in->id && !strcmp(name, about_name))
		tell_about(t, in->id, path);
	else if (!services && !*in->id)
		see_folder(t, path, name);
}

static const char *folder_entry(DIR *d)
{
	struct dirent *entry;

	while ((entry = readdir(d)))
		if (*entry->d_name != '.')
			return entry->d_name;
	return NULL;
}

/* Watched first and listed then, so that nothing falls between. The name of a container goes before
 * its lines. */
static void see_folder(struct tail *t, const char *path, const char *id)
{
	struct folder f = { .path = strdup(path) };
	autodir DIR *d = NULL;
	const char *name;

	f.watch = !f.path || t->folder_count == FILES_MAX ? -1 :
		inotify_add_watch(t->changes, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
	for (size_t i = 0; i < t->folder_count && f.watch >= 0; i++)
		if (t->folders[i].watch == f.watch)
			f.watch = -1;
	if (f.watch < 0) {
		free(f.path);
		return;
	}
	snprintf(f.id, sizeof(f.id), "%s", id);
	t->folders[t->folder_count++] = f;
	if (*id)
		see(t, &f, about_name);
	d = opendir(path);
	while (d && (name = folder_entry(d)))
		if (strcmp(name, about_name))
			see(t, &f, name);
}

/* ---- what is gone ---- */

static void forget_file(struct tail *t, size_t i)
{
	read_on(t, &t->files[i]);
	close(t->files[i].fd);
	free(t->files[i].path);
	buf_free(&t->files[i].partial);
	t->files[i] = t->files[--t->file_count];
}

static void forget_folder(struct tail *t, int watch)
{
	for (size_t i = 0; i < t->folder_count; i++) {
		struct folder *f = &t->folders[i];

		if (f->watch != watch)
			continue;
		for (size_t k = t->file_count; *f->id && k-- > 0;)
			if (!strcmp(t->files[k].name, f->id))
				forget_file(t, k);
		free(f->path);
		t->folders[i] = t->folders[--t->folder_count];
		return;
	}
}

/* ---- the loop ---- */

/* More happened than the kernel remembers: any of them may have grown. */
static void look_at_all(struct tail *t)
{
	for (size_t i = 0; i < t->file_count; i++)
		look(t, &t->files[i]);
}

static void take_event(struct tail *t, const struct inotify_event *ev)
{
	if (ev->mask & IN_Q_OVERFLOW)
		look_at_all(t);
	else if (ev->mask & IN_IGNORED)
		forget_folder(t, ev->wd);
	for (size_t i = 0; i < t->folder_count && ev->len; i++)
		if (t->folders[i].watch == ev->wd) {
			const struct folder in = t->folders[i];

			see(t, &in, ev->name);
			return;
		}
}

static void take_changes(struct tail *t)
{
	_Alignas(struct inotify_event) char events[8192];
	ssize_t n;

	while ((n = read(t->changes, events, sizeof(events))) > 0)
		for (char *at = events; at < events + n;) {
			const struct inotify_event *ev = (const struct inotify_event *)(void *)at;

			take_event(t, ev);
			at += sizeof(*ev) + ev->len;
		}
}

static void read_kernel(struct tail *t)
{
	char record[KMSG_RECORD_MAX];
	ssize_t n;

	/* EPIPE: records were lost while nobody read. */
	while (!t->broken && ((n = read(t->kernel, record, sizeof(record))) > 0 || errno == EPIPE))
		if (n > 0)
			tell(t, RECORD_KERNEL, "kernel", record, (size_t)n);
}

static void open_kernel(struct tail *t)
{
	t->kernel = t->o->kernel ? open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
	if (t->kernel >= 0 && t->o->from_end)
		lseek(t->kernel, 0, SEEK_END);
	if (t->kernel >= 0)
		read_kernel(t);
}

static int wait_for_more(struct tail *t, struct err *e)
{
	/* The pipe: that its reader has ended is noticed although nothing is said. */
	struct pollfd fds[] = { { .fd = t->changes, .events = POLLIN },
				{ .fd = t->kernel, .events = POLLIN },
				{ .fd = t->o->pipe_fd } };

	if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
		return err_sys(e, "wait for the logs");
	if (fds[1].revents)
		read_kernel(t);
	if (fds[0].revents)
		take_changes(t);
	if (fds[2].revents & POLLERR)
		t->broken = -EPIPE;
	return t->broken ? err_set(e, t->broken, "the sender has ended") : 0;
}

int tail_run(const struct tail_options *o, struct err *e)
{
	struct tail t = { .o = o, .changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), .kernel = -1 };
	int rc = 0;

	t.files = calloc(FILES_MAX, sizeof(*t.files));
	t.folders = calloc(FILES_MAX, sizeof(*t.folders));
	if (t.changes < 0 || !t.files || !t.folders)
		rc = err_sys(e, "watch the logs");
	if (rc == 0) {
		open_kernel(&t);
		if (o->services)
			see_folder(&t, o->service_dir, "");
		if (o->containers)
			see_folder(&t, o->container_dir, "");
		t.begun = true;
	}
	while (rc == 0)
		rc = wait_for_more(&t, e);
	while (t.folder_count)
		forget_folder(&t, t.folders[0].watch);
	while (t.file_count)
		forget_file(&t, 0);
	free(t.files);
	free(t.folders);
	cleanup_fd(&t.changes);
	cleanup_fd(&t.kernel);
	return rc;
}
