/* Programs that are started in a container that runs. Each has a small shim of its own, as a
 * container has: its streams are served without the engine and without the container's shim, and
 * what is wrong with one of them costs nothing else. An engine that is started again forgets
 * them; they run on, as their clients do. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "engine/internal.h"
#include "spec/capability.h"

enum { RUNNING_MOST = 64, KEPT_MOST = 64, KILLED = 137 };

void exec_spec_free(struct exec_spec *spec)
{
	strings_clear(&spec->argv);
	strings_clear(&spec->env);
	free(spec->user);
	free(spec->cwd);
	*spec = (struct exec_spec){ 0 };
}

static void exec_dir(const struct exec *x, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/%s", x->container->engine->paths.execs, x->id);
}

static void let_go(struct exec *x)
{
	autoclose int dir = open(x->container->engine->paths.execs,
				 O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	loop_remove(x->container->engine->loop, take_ptr(x->source));
	cleanup_fd(&x->status);
	cleanup_fd(&x->shim_fd);
	x->status = x->shim_fd = -1;
	buf_free(&x->line);
	if (x->started && dir >= 0)
		path_remove_tree(dir, x->id, NULL);
}

/* Health checks would push everything else out of what is remembered. docker's words for what is
 * made and started say the command, too. */
static void tell(const struct exec *x, const char *action)
{
	autobuf struct buf text = { 0 };
	char code[24];
	struct string_pair pairs[] = {
		{ (char *)"execID", (char *)x->id }, { (char *)"exitCode", code },
	};

	if (x->spec.probe)
		return;
	buf_adds(&text, action);
	for (size_t i = 0; !x->ended && i < x->spec.argv.count; i++)
		buf_addf(&text, "%s%s", i ? " " : ": ", x->spec.argv.items[i]);
	snprintf(code, sizeof(code), "%lld", (long long)x->exit_code);
	if (buf_ok(&text))
		events_add(x->container->engine->events, buf_text(&text), x->container,
			   &(struct string_map){ pairs, x->ended ? 2 : 1 });
}

static void ended(struct exec *x, int64_t code)
{
	let_go(x);
	x->running = false;
	x->ended = true;
	x->exit_code = code;
	x->pid = 0;
	tell(x, "exec_die");
	if (x->on_end)
		x->on_end(x->end_arg);
}

static void answer(struct exec *x, int rc, const struct err *e)
{
	engine_done_fn *done = take_ptr(x->done);

	if (done)
		done(x->arg, x->container, rc, e);
}

static void failed(struct exec *x, const struct err *e)
{
	ended(x, shim_exit_code(e->text));
	attach_give_up(&x->attachments, e->text);
	answer(x, -EIO, e);
}

/* ---- making and finding ---- */

void exec_forget(struct exec *x)
{
	struct exec **p = &x->container->engine->execs;

	while (*p != x)
		p = &(*p)->next;
	*p = x->next;
	let_go(x);
	attach_give_up(&x->attachments, NULL);
	exec_spec_free(&x->spec);
	free(x);
}

/* The list has the newest first. Probes of health checks do not count: there is one at a time, it
 * is health_monitor.c's to forget, and what others run must not make a container unhealthy. */
static int make_room(struct container *c, struct err *e)
{
	struct exec *oldest = NULL;
	size_t alive = 0, kept = 0;

	for (struct exec *x = c->engine->execs; x; x = x->next) {
		if (x->container != c || x->spec.probe)
			continue;
		alive += x->started && !x->ended;
		kept += !x->started || x->ended;
		if (!x->started || x->ended)
			oldest = x;
	}
	if (alive >= RUNNING_MOST)
		return err_set(e, -EBUSY, "container %s runs %d programs of exec already", c->id,
			       RUNNING_MOST);
	if (kept >= KEPT_MOST)
		exec_forget(oldest);
	return 0;
}

static int check_state(const struct container *c, struct err *e)
{
	if (c->state == STATE_PAUSED)
		return err_set(e, -EBUSY, "Container %s is paused, unpause the container before exec",
			       c->id);
	if (c->state != STATE_RUNNING)
		return err_set(e, -EBUSY, "container %s is not running", c->id);
	return 0;
}

int engine_exec_create(struct container *c, struct exec_spec *spec, struct exec **out,
		       struct err *e)
{
	struct exec *x;
	int rc = check_state(c, e);

	if (!rc && (!spec->argv.count || !*spec->argv.items[0]))
		rc = err_set(e, -EINVAL, "No exec command specified");
	if (!rc && !spec->probe)
		rc = make_room(c, e);
	if (rc < 0)
		return rc;
	x = calloc(1, sizeof(*x));
	if (!x || container_random_id(x->id) < 0) {
		free(x);
		return err_set(e, -ENOMEM, "out of memory");
	}
	x->container = c;
	x->status = x->shim_fd = -1;
	x->spec = *spec;
	*spec = (struct exec_spec){ 0 };
	x->next = c->engine->execs;
	c->engine->execs = x;
	tell(x, "exec_create");
	*out = x;
	return 0;
}

int engine_exec_find(struct engine *en, const char *id, struct exec **out, struct err *e)
{
	for (struct exec *x = en->execs; x; x = x->next) {
		if (strcmp(x->id, id))
			continue;
		*out = x;
		return 0;
	}
	return err_set(e, -ENOENT, "No such exec instance: %.80s", id);
}

/* ---- the start ---- */

static void on_gone(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct exec *x = arg;
	char dir[PATH_MAX];
	int64_t code = KILLED;

	(void)l;
	(void)events;
	if (!watch_hung_up(fd))
		return;
	exec_dir(x, dir);
	watch_exit_code(dir, &code, &x->late);
	ended(x, code);
}

static void runs(struct exec *x)
{
	struct loop *loop = x->container->engine->loop;
	char dir[PATH_MAX];
	struct err e = { 0 };

	exec_dir(x, dir);
	x->shim_fd = watch_connect_in(dir);
	x->source = x->shim_fd < 0 ? NULL : loop_fd(loop, x->shim_fd, EPOLLIN, on_gone, x);
	if (!x->source) {
		err_set(&e, -EIO, "the program's shim does not answer");
		failed(x, &e);
		return;
	}
	x->running = x->ran = true;
	if (x->spec.rows)
		engine_exec_resize(x, x->spec.rows, x->spec.columns, NULL);
	attach_hand_over(&x->attachments, dir);
	tell(x, "exec_start");
	answer(x, ENGINE_DONE, NULL);
}

static void on_status(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct exec *x = arg;
	struct err e = { 0 };

	(void)events;
	if (!shim_line_read(fd, &x->line))
		return;
	loop_remove(l, take_ptr(x->source));
	if (sscanf(buf_text(&x->line), "created %d", &x->pid) == 1) {
		runs(x);
		return;
	}
	err_set(&e, -EIO, "OCI runtime exec failed: %s", shim_sentence(buf_text(&x->line)));
	failed(x, &e);
}

struct words {
	const char **items;
	size_t count;
};

static void add(struct words *w, const char *word)
{
	w->items[w->count++] = word;
}

static void add_pair(struct words *w, const char *name, const char *value)
{
	add(w, name);
	add(w, value);
}

static const char **make_argv(const struct exec *x, const char *dir, const char *limit)
{
	enum { OWN_WORDS = 26 + 2 * CAPABILITY_COUNT };
	const struct exec_spec *s = &x->spec;
	const struct engine *en = x->container->engine;
	struct words w = { calloc(OWN_WORDS + 2 * s->env.count + s->argv.count, sizeof(char *)), 0 };

	if (!w.items)
		return NULL;
	add(&w, en->paths.shim);
	add_pair(&w, "--id", x->container->id);
	add_pair(&w, "--dir", dir);
	add_pair(&w, "--runtime", en->paths.runtime);
	add_pair(&w, "--status-fd", "3");
	if (s->tty)
		add(&w, "--tty");
	if (s->in)
		add_pair(&w, "--stdin", "--stdin-once");
	if (x->attachments)
		add(&w, "--await-client");
	if (*limit)
		add_pair(&w, "--time-limit", limit);
	add(&w, "--");
	for (int i = 0; s->privileged && i < CAPABILITY_COUNT; i++)
		add_pair(&w, "--cap", capability_name(i));
	if (s->user && *s->user)
		add_pair(&w, "--user", s->user);
	if (s->cwd && *s->cwd)
		add_pair(&w, "--cwd", s->cwd);
	for (size_t i = 0; i < s->env.count; i++)
		add_pair(&w, "--env", s->env.items[i]);
	add(&w, x->container->id);
	for (size_t i = 0; i < s->argv.count; i++)
		add(&w, s->argv.items[i]);
	return w.items;
}

static int start_shim(struct exec *x, struct err *e)
{
	struct engine *en = x->container->engine;
	autofree const char **argv = NULL;
	char dir[PATH_MAX], limit[24] = "";
	int rc;

	exec_dir(x, dir);
	rc = path_mkdirs(dir, 0700, e);
	if (rc < 0)
		return rc;
	if (x->spec.limit_ms)
		snprintf(limit, sizeof(limit), "%lld", (long long)x->spec.limit_ms);
	argv = make_argv(x, dir, limit);
	rc = argv ? shim_spawn(en, argv, e) : err_set(e, -ENOMEM, "out of memory");
	if (rc < 0)
		return rc;
	x->status = rc;
	x->source = loop_fd(en->loop, x->status, EPOLLIN, on_status, x);
	return x->source ? 0 : err_set(e, -ENOMEM, "out of memory");
}

int engine_exec_check(const struct exec *x, struct err *e)
{
	if (x->started)
		return err_set(e, -EBUSY, "Error: Exec command %s has already run", x->id);
	return check_state(x->container, e);
}

int engine_exec_start(struct exec *x, engine_done_fn *done, void *arg, struct err *e)
{
	struct err why = { 0 };
	int rc = engine_exec_check(x, &why);

	if (rc < 0) {
		attach_give_up(&x->attachments, why.text);
		return err_set(e, rc, "%s", why.text);
	}
	x->started = true;
	rc = start_shim(x, &why);
	if (rc < 0) {
		failed(x, &why);
		return err_set(e, rc, "%s", why.text);
	}
	x->done = done;
	x->arg = arg;
	return ENGINE_PENDING;
}

int engine_exec_attach(struct exec *x, int fd, const struct attach_wish *wish,
		       engine_attach_over_fn *over, void *arg, struct attachment **out,
		       struct err *e)
{
	return attach_to(x->container, &x->attachments, NULL, fd, wish, over, arg, out, e);
}

int engine_exec_resize(struct exec *x, unsigned rows, unsigned columns, struct err *e)
{
	char dir[PATH_MAX], text[48];
	int len = snprintf(text, sizeof(text), "resize %u %u\n", rows, columns), fd;

	if (!x->running)
		return err_set(e, -EBUSY, "exec %s is not running", x->id);
	if (!x->spec.tty)
		return err_set(e, -EINVAL, "exec %s has no terminal", x->id);
	exec_dir(x, dir);
	fd = watch_say(dir, text, (size_t)len, -1);
	if (fd < 0)
		return err_code(e, fd, "resize the terminal of exec %s", x->id);
	close(fd);
	return ENGINE_DONE;
}

/* ---- ends ---- */

/* Their shims see it by themselves; the record may not be there yet, and what it would say is
 * known. */
void exec_end_all(struct container *c)
{
	struct err e = { 0 };

	err_set(&e, -EIO, "container %s has ended", c->id);
	for (struct exec *x = c->engine->execs; x; x = x->next) {
		if (x->container != c || !x->started || x->ended)
			continue;
		ended(x, KILLED);
		attach_give_up(&x->attachments, e.text);
		answer(x, -EIO, &e);
	}
}

void exec_forget_all(struct container *c)
{
	for (struct exec *x = c->engine->execs, *next; x; x = next) {
		next = x->next;
		if (x->container == c)
			exec_forget(x);
	}
}

void exec_clear(struct engine *en)
{
	char *slash = strrchr(en->paths.execs, '/');
	autofree char *parent = strndup(en->paths.execs, (size_t)(slash - en->paths.execs));
	autoclose int dir = parent ? open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (dir >= 0)
		path_remove_tree(dir, slash + 1, NULL);
}
