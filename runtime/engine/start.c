/* Starting one container: a row of steps, each of which ends in an event of the loop.
 *
 *   (pull) -> (docker cp's end) -> prepare -> (copy-up) -> shim: "created PID"
 *          -> wire, and the firewall's answer -> runtime start
 *
 * Whatever fails or is taken back ends in lifecycle_ended(), exactly once: at once while nothing
 * lives yet, otherwise when the shim hangs up after its container was killed. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "engine/internal.h"

enum { COMPLAINT_MAX = 16 * 1024 };
/* Of json-file, and of local, whose files are nobody's business but ours. */
enum { LOG_SIZE = 10 << 20, LOG_FILES = 3, LOCAL_SIZE = 20 << 20, LOCAL_FILES = 5 };

enum step {
	STEP_FILES,   /* docker cp into it, which does not run yet, has to end */
	STEP_PREPARE,
	STEP_PULL,    /* its image is being pulled */
	STEP_QUEUE,   /* another container's volumes are being filled */
	STEP_COPY_UP,
	STEP_SHIM,    /* its line is awaited */
	STEP_NETWORK, /* connected; the firewall's rules are awaited */
	STEP_RUNTIME, /* the runtime's start runs */
	STEP_FAILED,  /* the container is killed; the shim's end is awaited */
};

struct start {
	enum step step;
	struct child child;          /* copy-up or the runtime; pidfd -1: none */
	int complaint;               /* its stderr, a memfd; -1 */
	int status;                  /* pipe from the shim; -1 */
	struct loop_source *source;
	struct buf line;
	bool aborted;                /* stop was asked for */
	bool hopeless;               /* another try would fail as well */
	bool shim_gone;              /* the container ended while the runtime started it */
	struct err failure;
	struct image_config image;
};

static void spawn_shim(struct container *c);
static void run_runtime(struct container *c);

/* ---- ends ---- */

static void report_end(struct container *c)
{
	struct err failure = c->start->failure;
	bool aborted = c->start->aborted;
	struct ending how = {
		.exit_code = aborted ? 128 + SIGKILL : shim_exit_code(failure.text),
		.finished_ns = clock_wall_ns(),
		.error = aborted ? NULL : failure.text,
		/* docker leaves what could not be started alone; a machine without a person beside it
		 * tries again what its configuration asks for. */
		.retry = c->declaration && !c->start->hopeless,
	};

	watch_detach(c);
	lifecycle_ended(c, &how);
}

/* `e` NULL: taken back. */
static void fail(struct container *c, const struct err *e)
{
	struct start *s = c->start;

	if (e && !s->aborted)
		s->failure = *e;
	else
		s->aborted = true;
	s->step = STEP_FAILED;
	if (c->shim_fd < 0 || s->shim_gone)
		report_end(c);
	else if (watch_signal(c, SIGKILL) < 0)
		watch_kill_cgroup(c);
}

bool start_holds_exit(struct container *c)
{
	struct start *s = c->start;

	if (!s)
		return false;
	if (s->step == STEP_RUNTIME) {
		s->shim_gone = true;
		return true;
	}
	/* STEP_FAILED: the reason is better than the exit code of what was killed. Before that: the
	 * first process died while it waited for its start. */
	if (s->step != STEP_FAILED)
		err_set(&s->failure, -EIO, "the container ended before it was started");
	s->shim_gone = true;
	fail(c, s->step == STEP_FAILED && s->aborted ? NULL : &s->failure);
	return true;
}

void start_free(struct container *c)
{
	struct start *s = take_ptr(c->start);

	bring_end(c);
	if (!s)
		return;
	loop_remove(c->engine->loop, s->source);
	if (s->child.pidfd >= 0)
		spawn_wait(&s->child);
	if (s->complaint >= 0)
		close(s->complaint);
	if (s->status >= 0)
		close(s->status);
	buf_free(&s->line);
	image_config_free(&s->image);
	free(s);
}

/* A finished helper: its exit code, and what it wrote to stderr in `e` when that is not 0. */
static int finish_child(struct container *c, const char *what, struct err *e)
{
	struct start *s = c->start;
	autobuf struct buf said = { 0 };
	int rc;

	loop_remove(c->engine->loop, take_ptr(s->source));
	rc = spawn_wait(&s->child);
	s->child.pidfd = -1;
	if (rc && s->complaint >= 0) {
		lseek(s->complaint, 0, SEEK_SET);
		file_read_fd(s->complaint, COMPLAINT_MAX, &said, NULL);
	}
	if (s->complaint >= 0)
		close(s->complaint);
	s->complaint = -1;
	if (!rc)
		return 0;
	while (said.len && said.data[said.len - 1] == '\n')
		said.data[--said.len] = '\0';
	if (said.len)
		return err_set(e, -EIO, "%s", shim_sentence(said.data));
	return err_set(e, -EIO, "%s ended with code %d and without a word", what, rc);
}

/* ---- prepare ---- */

static int image_missing(struct container *c, struct err *e)
{
	autobuf struct buf near = { 0 };

	engine_near_images(c->engine, c->spec.image, &near);
	return err_set(e, -ENOENT, "image \"%s\" is not in the store: %s%s", c->spec.image,
		       near.len ? "there is " : "the store is empty", buf_text(&near));
}

/* The id first: the container keeps the image that it was made from. */
static int find_image(struct container *c, const struct image **out, struct err *e)
{
	int rc = store_find(c->engine->store, c->image_id ? c->image_id : c->spec.image, out, e);

	c->start->hopeless = rc == -ENOENT || rc == -EINVAL || rc == -EBADMSG;
	if (rc == -ENOENT)
		return image_missing(c, e);
	if (!rc && !c->image_id)
		c->image_id = strdup((*out)->id);
	return !rc && !c->image_id ? err_set(e, -ENOMEM, "out of memory") : rc;
}

static int prepare(struct container *c, bool *copy_up, struct err *e)
{
	struct start *s = c->start;
	const struct image *image;
	int rc;

	if (bundle_remove(c, NULL) < 0)
		return err_set(e, -EBUSY, "its directory in \"%s\" is in use",
			       c->engine->paths.bundles);
	rc = find_image(c, &image, e);
	if (!rc)
		rc = engine_image_config(c->engine, image->id, &s->image, e);
	if (!rc && health_prepare(c, &s->image) < 0)
		rc = err_set(e, -ENOMEM, "out of memory");
	if (!rc)
		rc = network_prepare(c, e);
	if (!rc)
		rc = volumes_prepare(c, copy_up, e);
	if (!rc)
		rc = bundle_write(c, image, &s->image, e);
	return rc;
}

/* ---- copy-up ---- */

static bool copying(const struct engine *en)
{
	for (size_t i = 0; i < en->count; i++)
		if (en->containers[i]->start && en->containers[i]->start->step == STEP_COPY_UP)
			return true;
	return false;
}

static void begin_copy_up(struct container *c);

static void copy_next(struct engine *en)
{
	for (size_t i = 0; i < en->count; i++) {
		struct container *c = en->containers[i];

		if (c->start && c->start->step == STEP_QUEUE && !copying(en))
			begin_copy_up(c);
	}
}

static void on_copied(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct container *c = arg;
	struct engine *en = c->engine;
	struct err e = { 0 };

	(void)l;
	(void)fd;
	(void)events;
	if (finish_child(c, "the copy to a volume", &e) < 0 || c->start->aborted)
		fail(c, c->start->aborted ? NULL : &e);
	else
		spawn_shim(c);
	copy_next(en);
}

/* One at a time: two containers may share a new volume. */
static void begin_copy_up(struct container *c)
{
	struct start *s = c->start;
	const struct image *image; /* looked for again: the store may have been read anew meanwhile */
	struct err e = { 0 };

	if (copying(c->engine)) {
		s->step = STEP_QUEUE;
		return;
	}
	s->step = STEP_COPY_UP;
	if (store_find(c->engine->store, c->image_id, &image, &e) < 0 ||
	    copyup_run(c, image, &s->child, &s->complaint, &e) < 0) {
		s->child.pidfd = -1;
		fail(c, &e);
		return;
	}
	s->source = loop_fd(c->engine->loop, s->child.pidfd, EPOLLIN, on_copied, c);
	if (!s->source) {
		err_set(&e, -ENOMEM, "out of memory");
		fail(c, &e);
	}
}

/* ---- shim ---- */

static void on_created(struct container *c)
{
	struct start *s = c->start;
	char dir[PATH_MAX];
	struct err e = { 0 };
	int rc = watch_attach(c, &e);

	if (!rc && !s->aborted)
		rc = network_connect(c, &e);
	if (rc < 0 || s->aborted) {
		fail(c, &e);
		return;
	}
	container_run_dir(c, "", dir, sizeof(dir));
	/* Before it runs: its first byte is theirs as well. */
	attach_hand_over(&c->attachments, dir);
	if (c->console_rows && c->spec.tty)
		engine_resize(c, c->console_rows, c->console_columns, NULL);
	s->step = STEP_NETWORK;
	if (!c->endpoints.count || network_settled(c->engine))
		run_runtime(c);
}

static void on_shim_line(struct container *c, const char *line)
{
	struct err e = { 0 };

	loop_remove(c->engine->loop, take_ptr(c->start->source));
	if (!strncmp(line, "created ", 8)) {
		on_created(c);
		return;
	}
	line = shim_sentence(strncmp(line, "error: ", 7) ? line : line + 7);
	err_set(&e, -EIO, "%s", *line ? line : "the shim ended without a word");
	fail(c, &e);
}

static void on_status(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct container *c = arg;
	struct buf *line = &c->start->line;

	(void)l;
	(void)events;
	if (shim_line_read(fd, line))
		on_shim_line(c, buf_text(line));
}

struct shim_args {
	char dir[PATH_MAX], size[24], files[24], facility[8], tag[CONTAINER_SHORT_ID_LEN + 1];
	char *log;
	const char *argv[32];
};

static size_t add_syslog(const struct container *c, struct shim_args *a, size_t n)
{
	const struct spec_log *log = &c->spec.log;

	/* The facility "daemon", as docker's. */
	snprintf(a->facility, sizeof(a->facility), "%d",
		 log->syslog_facility ? (int)(log->syslog_facility - 1) & 31 : 3);
	a->argv[n++] = "--syslog";
	a->argv[n++] = log->syslog_address;
	a->argv[n++] = "--syslog-facility";
	a->argv[n++] = a->facility;
	a->argv[n++] = "--syslog-format";
	a->argv[n++] = log->syslog_format ? log->syslog_format : "";
	a->argv[n++] = "--syslog-tag";
	a->argv[n++] = log->tag ? log->tag : container_short_id(c, a->tag);
	return n;
}

static void shim_argv(struct container *c, struct shim_args *a)
{
	const struct spec_log *log = &c->spec.log;
	bool none = log->driver && !strcmp(log->driver, "none");
	bool local = log->driver && !strcmp(log->driver, "local");
	int64_t size = local ? LOCAL_SIZE : LOG_SIZE, files = local ? LOCAL_FILES : LOG_FILES;
	size_t n = 0;

	container_run_dir(c, "", a->dir, sizeof(a->dir));
	snprintf(a->size, sizeof(a->size), "%lld",
		 (long long)(log->max_size > 0 ? log->max_size : size));
	snprintf(a->files, sizeof(a->files), "%lld",
		 (long long)(log->max_file > 0 ? log->max_file : files));
	a->argv[n++] = c->engine->paths.shim;
	a->argv[n++] = "--id";
	a->argv[n++] = c->id;
	a->argv[n++] = "--dir";
	a->argv[n++] = a->dir;
	if (log->syslog_address) {
		n = add_syslog(c, a, n);
	} else if (!none) {
		a->argv[n++] = "--log";
		a->argv[n++] = a->log;
		a->argv[n++] = "--log-max-size";
		a->argv[n++] = a->size;
		a->argv[n++] = "--log-max-file";
		a->argv[n++] = a->files;
	}
	if (c->spec.tty)
		a->argv[n++] = "--tty";
	if (c->spec.stdin_open)
		a->argv[n++] = "--stdin";
	if (c->spec.stdin_once)
		a->argv[n++] = "--stdin-once";
	a->argv[n++] = "--runtime";
	a->argv[n++] = c->engine->paths.runtime;
	a->argv[n++] = "--status-fd";
	a->argv[n++] = "3";
	a->argv[n] = NULL;
}

static int start_shim(struct container *c, struct err *e)
{
	struct shim_args a = { .log = container_log_path(c) };
	int fd;

	if (!a.log)
		return err_set(e, -ENOMEM, "out of memory");
	shim_argv(c, &a);
	fd = shim_spawn(c->engine, a.argv, e);
	free(a.log);
	if (fd < 0)
		return fd;
	c->start->status = fd;
	c->start->source = loop_fd(c->engine->loop, fd, EPOLLIN, on_status, c);
	return c->start->source ? 0 : err_set(e, -ENOMEM, "out of memory");
}

static void spawn_shim(struct container *c)
{
	struct err e = { 0 };

	c->start->step = STEP_SHIM;
	if (start_shim(c, &e) < 0)
		fail(c, &e);
}

/* ---- runtime ---- */

/* What a later engine knows the start by, and its time. */
static void leave_mark(const struct container *c)
{
	char path[PATH_MAX], text[24];
	int len = snprintf(text, sizeof(text), "%lld\n", (long long)clock_boot_ms());
	autoclose int fd = -1;

	container_run_dir(c, "started", path, sizeof(path));
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && file_write_all(fd, text, (size_t)len) < 0)
		log_warn("container \"%s\": its start's time is not written down", c->name);
}

static void on_runtime(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct container *c = arg;
	struct start *s = c->start;
	struct err e = { 0 };
	bool over = s->shim_gone;

	(void)l;
	(void)fd;
	(void)events;
	if (finish_child(c, "the runtime", &e) < 0) {
		fail(c, &e);
		return;
	}
	leave_mark(c);
	start_free(c);
	lifecycle_event(c, EVENT_STARTED, NULL);
	if (over)
		watch_ended(c);
}

static int start_runtime(struct container *c, struct err *e)
{
	const char *argv[] = { c->engine->paths.runtime, "start", c->id, NULL };
	struct start *s = c->start;
	struct spawn_fd fd = { -1, 2 };
	struct spawn sp = { .argv = argv, .fds = &fd, .fd_count = 1 };
	int rc;

	s->complaint = memfd_create("runtime", MFD_CLOEXEC);
	if (s->complaint < 0)
		return err_sys(e, "start the runtime");
	fd.from = s->complaint;
	rc = spawn(&sp, &s->child, e);
	if (rc < 0) {
		s->child.pidfd = -1;
		return rc;
	}
	s->source = loop_fd(c->engine->loop, s->child.pidfd, EPOLLIN, on_runtime, c);
	return s->source ? 0 : err_set(e, -ENOMEM, "out of memory");
}

static void run_runtime(struct container *c)
{
	struct err e = { 0 };

	c->start->step = STEP_RUNTIME;
	if (start_runtime(c, &e) < 0)
		fail(c, &e);
}

/* ---- called from outside ---- */

static void begin_prepare(struct container *c)
{
	struct err e = { 0 };
	bool copy_up;

	/* The layers must not be mounted twice for writing. */
	c->start->step = c->writers ? STEP_FILES : STEP_PREPARE;
	if (c->writers)
		return;
	if (prepare(c, &copy_up, &e) < 0)
		fail(c, &e);
	else if (copy_up)
		begin_copy_up(c);
	else
		spawn_shim(c);
}

void start_files_settled(struct container *c)
{
	if (c->start && c->start->step == STEP_FILES)
		begin_prepare(c);
}

void start_brought(struct container *c, int rc, const struct err *e)
{
	bring_end(c);
	c->start->hopeless = rc < 0;
	if (rc < 0)
		fail(c, e);
	else
		begin_prepare(c);
}

void start_begin(struct container *c)
{
	c->start = calloc(1, sizeof(*c->start));
	if (!c->start) {
		struct ending how = { .exit_code = 125, .error = "out of memory", .retry = true,
				      .finished_ns = clock_wall_ns() };

		lifecycle_ended(c, &how);
		return;
	}
	c->start->child.pidfd = c->start->complaint = c->start->status = -1;
	if (bring_wanted(c) && bring_begin(c) == 0)
		c->start->step = STEP_PULL;
	else
		begin_prepare(c);
}

void start_abort(struct container *c)
{
	struct start *s = c->start;

	if (!s) {
		watch_signal(c, SIGKILL);
		return;
	}
	s->aborted = true;
	if (s->step == STEP_PULL)
		bring_end(c);
	if (s->step == STEP_PULL || s->step == STEP_FILES || s->step == STEP_QUEUE ||
	    s->step == STEP_NETWORK)
		fail(c, NULL);
	else if (s->step == STEP_COPY_UP)
		kill(s->child.pid, SIGKILL);
	else if (s->step == STEP_RUNTIME)
		watch_signal(c, SIGKILL);
}

void start_network_changed(struct engine *en, int rc, const struct err *e)
{
	/* Newer rules are on their way; they are what the containers wait for. */
	if (!network_settled(en))
		return;
	if (rc < 0)
		log_error("%s", e->text);
	for (size_t i = 0; i < en->count; i++) {
		struct container *c = en->containers[i];

		if (!c->start || c->start->step != STEP_NETWORK)
			continue;
		if (rc < 0)
			fail(c, e);
		else
			run_runtime(c);
	}
}
