/* diff, apply and edit: another configuration while the machine runs. With a time to confirm it
 * in, as switches and routers have, what is in /run is changed first, and what the next boot reads
 * not before somebody says so; a child of this program, which no session's end takes along,
 * changes it back. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "base/spawn.h"
#include "bootcfg/change.h"
#include "bootcfg/commands.h"
#include "bootcfg/config.h"
#include "bootcfg/merge.h"
#include "bootcfg/trial.h"
#include "bootcfg/understand.h"

enum { CONFIG_BYTES_MAX = 16 * 1024 * 1024, SECONDS_MIN = 5, SECONDS_MAX = 3600 };

#define RUN "/run/berth"
#define PENDING RUN "/config-pending" /* the folder of a change that waits to be confirmed */
#define CGROUP "/sys/fs/cgroup/system/config"

struct change {
	struct source source;   /* the file, with its text */
	struct faults faults;
	yyjson_mut_doc *before, *config;
};

static void change_free(struct change *c)
{
	source_free(&c->source);
	faults_free(&c->faults);
	yyjson_mut_doc_free(c->before);
	yyjson_mut_doc_free(c->config);
}

#define autochange __attribute__((cleanup(change_free)))

static yyjson_mut_doc *load(const char *path, struct err *e)
{
	autobuf struct buf text = { 0 };
	yyjson_mut_doc *copy = NULL;
	yyjson_doc *doc = NULL;

	if (file_read_at(AT_FDCWD, path, CONFIG_BYTES_MAX, &text, e) == 0)
		doc = yyjson_read(buf_text(&text), text.len, 0);
	if (doc)
		copy = yyjson_doc_mut_copy(doc, NULL);
	else if (e && !e->text[0])
		err_set(e, -EBADMSG, "\"%s\" is damaged", path);
	yyjson_doc_free(doc);
	return copy;
}

static void print_faults(const struct faults *faults)
{
	for (size_t i = 0; i < faults->count; i++) {
		autobuf struct buf line = { 0 };

		fault_line(&faults->items[i], &line);
		fprintf(stderr, "%s\n", buf_text(&line));
	}
}

/* The file understood, and what is in force. */
static int prepare(struct change *c, const char *path, struct err *e)
{
	int rc = file_read_at(AT_FDCWD, path, CONFIG_TEXT_MAX, &c->source.user_data, e);

	if (rc < 0)
		return rc;
	/* A person waits for it, on a machine that runs: what it includes can be asked for. */
	rc = understand_text(&c->source.user_data, path, true, &c->config, &c->faults);
	print_faults(&c->faults);
	if (rc < 0 || c->faults.errors)
		return err_set(e, -EINVAL, "\"%s\" has errors: nothing was changed", path);
	merge_defaults(c->config);
	c->source.kind = "installed";
	c->source.file = path;
	snprintf(c->source.where, sizeof(c->source.where), "%s", path);
	c->before = load(RUN "/config.json", e);
	return c->before ? 0 : -EIO;
}

static int failed(const struct err *e)
{
	log_error("%s", e->text);
	return 1;
}

int command_diff(int count, char **files)
{
	autochange struct change c = { .before = NULL };
	autobuf struct buf lines = { 0 };
	struct err e = { "" };

	(void)count;
	if (prepare(&c, files[0], &e) < 0)
		return failed(&e);
	change_list(yyjson_mut_doc_get_root(c.before), yyjson_mut_doc_get_root(c.config), &lines);
	fputs(buf_text(&lines), stdout);
	return 0;
}

/* ---- what is in force ---- */

/* config.json first: who reads it next finds what is applied now. */
static int put_in_force(struct change *c, struct err *e)
{
	autoclose int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct apply a = { .root = root, .live = true, .faults = &c->faults,
			   .config = yyjson_mut_doc_get_root(c->config) };
	autofree char *json = NULL;
	size_t len;
	int rc;

	json = merge_result(c->config, &c->source, NULL, &c->faults, &len);
	if (!json)
		return err_set(e, -ENOMEM, "there is not enough memory for the configuration");
	rc = file_replace_at(AT_FDCWD, RUN "/config.json", json, len, 0600, e);
	if (!rc)
		change_make(yyjson_mut_doc_get_root(c->before), &a);
	return rc;
}

static int keep_for_next_boot(const void *text, size_t len, struct err *e)
{
	int rc = path_mkdirs(TRIAL_FOLDER, 0700, e);

	return rc < 0 ? rc : file_replace_at(AT_FDCWD, TRIAL_FOLDER "/user-data", text, len, 0600, e);
}

/* ---- a change that waits to be confirmed ---- */

/* -ENOENT: no change waits. */
static int open_pending(struct err *e)
{
	int dir = open(PENDING, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return dir < 0 ? err_sys(e, "open \"%s\"", PENDING) : dir;
}

/* -ENOENT: somebody else has ended this change, perhaps while this waited for the lock. */
static int lock_pending(int dir, struct err *e)
{
	if (flock(dir, LOCK_EX) < 0)
		return err_sys(e, "lock \"%s\"", PENDING);
	return faccessat(dir, "text", F_OK, 0) < 0 ?
		err_set(e, -ENOENT, "no change waits to be confirmed") : 0;
}

static int end_pending(struct err *e)
{
	return path_remove_tree(AT_FDCWD, PENDING, e);
}

/* Both configurations as they are in /run: the file's text is not needed to go back. */
static int change_back(struct err *e)
{
	autochange struct change c = { .before = load(RUN "/config.json", e) };
	autoclose int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct apply a = { .root = root, .live = true, .faults = &c.faults };

	c.config = load(PENDING "/before.json", e);
	if (!c.before || !c.config)
		return -EIO;
	a.config = yyjson_mut_doc_get_root(c.config);
	if (rename(PENDING "/before.json", RUN "/config.json") < 0)
		return err_sys(e, "put the configuration of before back");
	change_make(yyjson_mut_doc_get_root(c.before), &a);
	return end_pending(e);
}

/* Out of the session and of its cgroup, which ends when a person at the console logs out. What is
 * said from now on is for the kernel's log. */
static void leave_session(void)
{
	static const char *const files[] = { "/dev/null", "/dev/null", "/dev/kmsg" };

	setsid();
	signal(SIGHUP, SIG_IGN);
	if (mkdir(CGROUP, 0755) == 0 || errno == EEXIST)
		file_put_at(AT_FDCWD, CGROUP "/cgroup.procs", "0", NULL);
	for (int fd = 0; fd < (int)ARRAY_LEN(files); fd++)
		dup2(open(files[fd], O_RDWR | O_CLOEXEC), fd);
}

/* `dir`: this change's folder. By the time another change may wait under the same name. */
static _Noreturn void guard(int dir, const struct timespec *until)
{
	struct err e = { "" };
	int rc;

	leave_session();
	while (clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, until, NULL) == EINTR)
		;
	rc = lock_pending(dir, &e);
	if (rc == -ENOENT)
		_exit(0);
	if (rc == 0)
		rc = change_back(&e);
	if (rc < 0)
		log_error("the configuration of before is not back: %s", e.text);
	else
		log_warn("nobody confirmed the new configuration: the one of before is back");
	_exit(rc < 0);
}

/* The guard is there before anything is changed. */
static int begin_pending(struct change *c, long seconds, struct err *e)
{
	struct timespec until;
	autoclose int dir = -1;
	autofree char *json = yyjson_mut_write(c->before, 0, NULL);
	int rc = json ? 0 : err_set(e, -ENOMEM, "there is not enough memory");

	if (!rc && mkdir(PENDING, 0700) < 0)
		rc = errno == EEXIST ? err_set(e, -EBUSY, "another change waits to be confirmed "
					       "(berth config confirm)") :
				       err_sys(e, "make \"%s\"", PENDING);
	if (rc < 0)
		return rc;
	rc = file_replace_at(AT_FDCWD, PENDING "/before.json", json, strlen(json), 0600, e);
	if (!rc)
		rc = file_replace_at(AT_FDCWD, PENDING "/text", buf_text(&c->source.user_data),
				     c->source.user_data.len, 0600, e);
	if (!rc) {
		dir = open_pending(e);
		rc = dir < 0 ? dir : 0;
	}
	clock_gettime(CLOCK_BOOTTIME, &until);
	until.tv_sec += seconds;
	if (!rc)
		switch (fork()) {
		case -1:
			rc = err_sys(e, "start the program that changes it back");
			break;
		case 0:
			guard(dir, &until);
		}
	if (rc < 0)
		end_pending(NULL);
	return rc;
}

int change_confirm(struct err *e)
{
	autobuf struct buf text = { 0 };
	struct err none = { "" };
	autoclose int dir = open_pending(&none);
	int rc = dir < 0 ? dir : lock_pending(dir, &none);

	if (rc < 0)
		return rc == -ENOENT ? 0 : err_set(e, rc, "%s", none.text);
	rc = file_read_at(dir, "text", CONFIG_TEXT_MAX, &text, e);
	if (!rc)
		rc = keep_for_next_boot(buf_text(&text), text.len, e);
	return rc < 0 ? rc : end_pending(e);
}

/* ---- apply ---- */

static int read_seconds(const char *text, long *out, struct err *e)
{
	char *end;

	*out = strtol(text, &end, 10);
	if (!strcmp(end, "m"))
		*out *= 60;
	if ((*end && strcmp(end, "s") != 0 && strcmp(end, "m") != 0) || *out < SECONDS_MIN ||
	    *out > SECONDS_MAX)
		return err_set(e, -EINVAL, "\"%s\" is no time: expected %ds to %ds, such as 60s", text,
			       SECONDS_MIN, SECONDS_MAX);
	return 0;
}

/* The next boot asks the sources in their order, and those before this file's may have one. */
static void tell(const struct change *c, const char *changes, long seconds)
{
	yyjson_mut_val *source = yyjson_mut_obj_get(yyjson_mut_doc_get_root(c->before), "source");
	const char *kind = yyjson_mut_get_str(yyjson_mut_obj_get(source, "kind"));
	const char *where = yyjson_mut_get_str(yyjson_mut_obj_get(source, "where"));

	fputs(*changes ? changes : "nothing changes\n", stdout);
	print_faults(&c->faults);
	if (kind && strcmp(kind, "installed") && strcmp(kind, "default") && strcmp(kind, "none"))
		log_warn("the next boot reads the configuration from %s again, which goes before this one",
			 where ? where : kind);
	if (seconds)
		log_info("it is changed back in %ld s, unless you say: berth config confirm", seconds);
}

int command_apply(int count, char **arguments)
{
	autochange struct change c = { .before = NULL };
	autobuf struct buf changes = { 0 };
	struct err e = { "" };
	long seconds = 0;
	int rc = 0;

	if (count > 1)
		rc = read_seconds(arguments[1], &seconds, &e);
	if (!rc)
		rc = prepare(&c, arguments[0], &e);
	if (!rc)
		change_list(yyjson_mut_doc_get_root(c.before), yyjson_mut_doc_get_root(c.config), &changes);
	if (!rc)
		rc = seconds ? begin_pending(&c, seconds, &e) :
			       keep_for_next_boot(buf_text(&c.source.user_data), c.source.user_data.len, &e);
	if (!rc)
		rc = put_in_force(&c, &e);
	if (rc < 0)
		return failed(&e);
	tell(&c, buf_text(&changes), seconds);
	return 0;
}

/* A copy is edited: what has errors is not taken, and not lost either. */
int command_edit(int count, char **seconds)
{
	static const char from[] = TRIAL_FOLDER "/user-data", copy[] = RUN "/config-edit";
	const char *const argv[] = { "/usr/bin/sh", "-c", "${EDITOR:-vi} " RUN "/config-edit", NULL };
	const struct spawn editor = { .argv = argv, .inherit_stdio = true };
	char *arguments[] = { (char *)copy, count ? seconds[0] : NULL };
	autobuf struct buf text = { 0 };
	struct err e = { "" };
	int rc = 0;

	if (access(from, F_OK) < 0)
		rc = err_set(&e, -ENOENT, "there is no installed configuration to edit: \"berth config apply "
			     "FILE\" makes one");
	if (!rc)
		rc = file_read_at(AT_FDCWD, from, CONFIG_TEXT_MAX, &text, &e);
	if (!rc && access(copy, F_OK) < 0) /* else one that had errors is gone on with */
		rc = file_replace_at(AT_FDCWD, copy, buf_text(&text), text.len, 0600, &e);
	if (!rc)
		rc = spawn_run(&editor, &e);
	if (rc < 0)
		return failed(&e);
	rc = command_apply(1 + count, arguments);
	if (rc)
		log_info("\"berth config edit\" goes on with what was written, %s", copy);
	else
		unlink(copy);
	return rc;
}
