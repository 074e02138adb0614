/* A new engine in a machine that has been running: what lives is found through its shim, what
 * ended meanwhile through its exit record, and what was half-made is cleared away. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "engine/internal.h"
#include "engine/restart.h"

enum { KILL_MS = 2000 };
enum { MARK_MAX_BYTES = 64, PROCS_MAX_BYTES = 1 << 20, CMDLINE_MAX_BYTES = 64 * 1024 };

static bool has_run_file(const struct container *c, const char *file)
{
	char path[PATH_MAX];

	return !container_run_dir(c, file, path, sizeof(path)) && !access(path, F_OK);
}

static bool is_frozen(const struct container *c)
{
	autobuf struct buf text = { 0 };
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/containers/%s/cgroup.freeze", c->engine->paths.cgroups, c->id);
	return !file_read_at(AT_FDCWD, path, 16, &text, NULL) && *buf_text(&text) == '1';
}

/* The record on disk may be a moment older than the start. The mark holds the time of the clock
 * that does not jump. */
static void note_start_time(struct container *c)
{
	autobuf struct buf text = { 0 };
	char path[PATH_MAX];
	struct stat st;

	c->started_boot_ms = clock_boot_ms();
	container_run_dir(c, "started", path, sizeof(path));
	if (!file_read_at(AT_FDCWD, path, MARK_MAX_BYTES, &text, NULL) && text.len)
		c->started_boot_ms = strtoll(buf_text(&text), NULL, 10);
	if (stat(path, &st) < 0)
		return;
	c->started_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	c->finished_ns = 0;
	c->record_stale = true;
}

/* An interrupted start: nobody can tell how far it came. Whoever asked for it by hand has lost the
 * answer, and may have asked again: only what is to run by itself is started over. */
static bool starts_over(const struct container *c)
{
	const struct restart_facts facts = { .exit_code = 1 };

	return c->state != STATE_STOPPING &&
	       restart_at_boot(&c->spec.restart, &facts, c->declaration != NULL, true);
}

/* The shim answered: the container lives. */
static void adopt_live(struct container *c)
{
	bool stop = c->state == STATE_STOPPING;
	struct err e = { 0 };

	if (!has_run_file(c, "started")) {
		c->begin_again = starts_over(c);
		c->state = STATE_STARTING;
		log_info("container \"%s\": its start was interrupted%s", c->name,
			 c->begin_again ? ", it is started over" : "");
		watch_signal(c, SIGKILL);
		return;
	}
	note_start_time(c);
	c->state = is_frozen(c) ? STATE_PAUSED : STATE_RUNNING;
	c->ever_started = true;
	if (network_adopt(c, &e) < 0)
		log_warn("container \"%s\" is taken over without its network: %s", c->name, e.text);
	health_adopt(c);
	if (stop)
		lifecycle_stop_unasked(c);
}

static bool belongs_to(const char *pid, const struct container *c)
{
	autobuf struct buf cmdline = { 0 };
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.20s/cmdline", pid);
	if (file_read_at(AT_FDCWD, path, CMDLINE_MAX_BYTES, &cmdline, NULL) < 0)
		return false;
	return cmdline.len && memmem(cmdline.data, cmdline.len, c->id, CONTAINER_ID_LEN);
}

static void kill_and_wait(pid_t pid)
{
	autoclose int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { fd, POLLIN, 0 };

	if (fd >= 0 && !kill(pid, SIGKILL))
		poll(&p, 1, KILL_MS);
}

/* A shim that has no socket yet would go on and make the container behind our back; so would the
 * runtime that it has started. Gone before the runtime is asked to clean up. */
static void kill_deaf_shim(const struct container *c)
{
	autobuf struct buf procs = { 0 };
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s/cgroup.procs", c->engine->paths.cgroups,
		 c->engine->paths.cgroup_shims);
	if (file_read_at(AT_FDCWD, path, PROCS_MAX_BYTES, &procs, NULL) < 0 || !procs.len)
		return;
	for (char *pid = strtok(procs.data, "\n"); pid; pid = strtok(NULL, "\n"))
		if (belongs_to(pid, c))
			kill_and_wait(atoi(pid));
}

/* No record of an exit and no mark of a start: the start was under way. The record on disk may be
 * a moment older than that and say anything. */
static void take_start_back(struct container *c)
{
	kill_deaf_shim(c);
	watch_clean_runtime(c);
	bundle_remove(c, NULL);
	c->boot_pending = starts_over(c);
	c->state = c->started_ns ? STATE_EXITED : STATE_CREATED;
	c->record_stale = true;
	log_info("container \"%s\": its start was interrupted%s", c->name,
		 c->boot_pending ? ", it is started over" : "");
	if (c->spec.auto_remove && !c->boot_pending)
		engine_remove(c, true, true, NULL, NULL, NULL);
}

static void adopt_ended(struct container *c)
{
	bool exited = has_run_file(c, "exit");

	if (!exited && !has_run_file(c, "started")) {
		take_start_back(c);
		return;
	}
	if (!exited)
		kill_deaf_shim(c);
	/* Whatever the record says, it ran, and nobody has taken note of its end yet. */
	if (c->state != STATE_STOPPING)
		c->state = STATE_RUNNING;
	watch_ended(c);
}

static void adopt(struct container *c)
{
	struct err e = { 0 };

	if (c->state == STATE_DEAD) {
		engine_remove(c, true, false, NULL, NULL, NULL);
		return;
	}
	if (!container_is_live(c) && !has_run_file(c, "")) {
		if (c->state == STATE_RESTARTING) {
			c->state = STATE_EXITED;
			c->boot_pending = true;
		}
		return;
	}
	if (!watch_attach(c, &e))
		adopt_live(c);
	else
		adopt_ended(c);
}

static bool known(const struct engine *en, const char *id)
{
	for (size_t i = 0; i < en->count; i++)
		if (!strcmp(en->containers[i]->id, id))
			return true;
	return false;
}

static void clear_unknown(struct engine *en)
{
	autodir DIR *d = opendir(en->paths.bundles);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		struct container *c;

		if (strlen(entry->d_name) != CONTAINER_ID_LEN || known(en, entry->d_name))
			continue;
		c = container_new(en);
		if (!c)
			return;
		memcpy(c->id, entry->d_name, CONTAINER_ID_LEN);
		c->name = strdup(c->id);
		log_warn("container %.12s has no record; what is left of it is removed", c->id);
		kill_deaf_shim(c);
		watch_clean_runtime(c);
		path_remove_tree(dirfd(d), c->id, NULL);
		container_free(c);
	}
}

void adopt_all(struct engine *en)
{
	clear_unknown(en);
	for (size_t i = en->count; i--;)
		adopt(en->containers[i]);
	network_repair(en);
}
