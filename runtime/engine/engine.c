#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "engine/internal.h"
#include "engine/job.h"
#include "engine/networks.h"
#include "engine/resolver.h"

static int read_boot_id(struct engine *en, struct err *e)
{
	autobuf struct buf text = { 0 };
	int rc = file_read_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &text, e);

	if (!rc)
		snprintf(en->boot_id, sizeof(en->boot_id), "%.36s", buf_text(&text));
	return rc;
}

/* The mark lies in /run: it is there when an engine has run in this boot. */
static int find_out_whether_boot(struct engine *en, struct err *e)
{
	char mark[PATH_MAX];
	autoclose int fd = -1;

	snprintf(mark, sizeof(mark), "%s/booted", en->paths.engine_run);
	en->machine_boot = access(mark, F_OK) < 0;
	fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	return fd < 0 ? err_sys(e, "make \"%s\"", mark) : 0;
}

/* Two engines would start everything twice. The lock goes with the process, however it ends. */
static int lock_out_others(struct engine *en, struct err *e)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/lock", en->paths.engine_run);
	en->lock = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (en->lock < 0)
		return err_sys(e, "open \"%s\"", path);
	if (flock(en->lock, LOCK_EX | LOCK_NB) < 0)
		return err_set(e, -EBUSY, "another engine holds \"%s\"", path);
	return 0;
}

/* A data partition that is full or read-only keeps containers from changing, not the engine
 * from answering. */
static void make_data_dirs(struct engine *en)
{
	const char *dirs[] = { en->paths.containers, en->paths.volumes };
	struct err e = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (path_mkdirs(dirs[i], 0711, &e) < 0)
			log_error("%s", e.text);
}

static int make_dirs(struct engine *en, struct err *e)
{
	const char *dirs[] = { en->paths.bundles, en->paths.engine_run };
	int rc = 0;

	for (size_t i = 0; !rc && i < ARRAY_LEN(dirs); i++)
		rc = path_mkdirs(dirs[i], 0711, e);
	make_data_dirs(en);
	return rc;
}

static void rewrite_resolvers(struct engine *en)
{
	for (size_t i = 0; i < en->count; i++) {
		struct container *c = en->containers[i];
		struct err e = { 0 };

		if (container_is_live(c) && bundle_write_resolv(c, true, &e) < 0)
			log_warn("container \"%s\": %s", c->name, e.text);
	}
	resolver_changed(en);
}

static void on_resolv_change(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct engine *en = arg;
	const char *name = strrchr(en->paths.resolv, '/') + 1;
	char text[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool ours = false;
	ssize_t n;

	(void)l;
	(void)events;
	while ((n = read(fd, text, sizeof(text))) > 0) {
		for (char *p = text; p < text + n;) {
			struct inotify_event *ev = (struct inotify_event *)p;

			ours |= ev->len && !strcmp(ev->name, name);
			p += sizeof(*ev) + ev->len;
		}
	}
	if (ours)
		rewrite_resolvers(en);
}

/* DHCP answers after the first containers have started: they get the resolvers then. */
static void watch_resolvers(struct engine *en)
{
	en->resolv_watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (en->resolv_watch < 0)
		return;
	inotify_add_watch(en->resolv_watch, en->paths.run, IN_MOVED_TO | IN_CLOSE_WRITE);
	en->resolv_source = loop_fd(en->loop, en->resolv_watch, EPOLLIN, on_resolv_change, en);
}

static void open_shim_cgroup(struct engine *en)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", en->paths.cgroups, en->paths.cgroup_shims);
	en->cgroup_shims = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (en->cgroup_shims < 0)
		log_warn("no cgroup \"%s\": containers would not outlive a restart of the engine", path);
}

/* Each published port is an fd, each container three. */
static void raise_fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int open_store(struct engine *en, struct err *e)
{
	int rc = engine_reload_store(en, e);

	/* A damaged index of the data partition costs what was pulled, not the machine's own. */
	if (rc < 0) {
		const char *dirs[] = { en->paths.store_embedded };

		log_error("%s; only the images of the system are there", e->text);
		rc = store_open(&en->store, dirs, ARRAY_LEN(dirs), e);
	}
	return rc;
}

int engine_init(struct engine *en, int argc, char **argv, struct err *e)
{
	int rc;

	*en = (struct engine){ .cgroup_shims = -1, .resolv_watch = -1, .lock = -1 };
	rc = engine_paths_init(&en->paths, argc, argv, e);
	if (!rc)
		rc = loop_new(&en->loop, e);
	if (!rc)
		rc = make_dirs(en, e);
	if (!rc)
		rc = lock_out_others(en, e);
	if (!rc)
		rc = read_boot_id(en, e);
	if (!rc)
		rc = find_out_whether_boot(en, e);
	if (!rc)
		rc = open_store(en, e);
	if (rc < 0)
		return rc;
	en->events = events_new();
	en->ports = ports_new();
	if (!en->events || !en->ports || networks_load(en) < 0)
		return err_set(e, -ENOMEM, "out of memory");
	raise_fd_limit();
	open_shim_cgroup(en);
	watch_resolvers(en);
	return 0;
}

void engine_free(struct engine *en)
{
	for (size_t i = 0; i < en->count; i++) {
		start_free(en->containers[i]);
		waiter_free_all(en->containers[i]);
		container_free(en->containers[i]);
	}
	free(en->containers);
	en->uncollected = false;
	job_free(take_ptr(en->cleaner));
	store_close(en->store);
	events_free(en->events);
	ports_free(en->ports);
	resolver_free(en);
	networks_free(en);
	if (en->resolv_watch >= 0)
		close(en->resolv_watch);
	if (en->cgroup_shims >= 0)
		close(en->cgroup_shims);
	if (en->lock >= 0)
		close(en->lock);
	loop_free(en->loop);
	engine_paths_free(&en->paths);
}
