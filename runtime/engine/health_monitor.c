/* Runs the probes of health checks: one program of exec at a time for each container that has a
 * check, its streams joined to a socket of ours. The time limit is the probe's shim's affair, so
 * that a probe ends in time whatever becomes of the engine. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "engine/health.h"
#include "engine/internal.h"

enum { FRAME_HEAD = 8, FAILED = -1 };

struct probe {
	struct container *container;
	struct exec *exec;               /* NULL: it could not be made */
	struct attachment *attachment;   /* NULL: its streams have ended */
	int ours, theirs;                /* of the socket; -1 */
	struct loop_source *source, *settle;
	struct buf output;
	unsigned char head[FRAME_HEAD];  /* of docker's frame that is being read */
	size_t head_len, left;
	int64_t start_ns, ran_ms;
	bool ignored;                    /* frozen with its container, so late through no fault */
	struct err why;                  /* it could not be run */
};

static int64_t ran_ms(const struct container *c)
{
	return clock_boot_ms() - c->started_boot_ms;
}

static void run_later(struct container *c);

/* ---- what becomes of a result ---- */

static void keep(struct container *c)
{
	autobuf struct buf text = { 0 };
	char path[PATH_MAX];
	struct err e = { 0 };

	health_write(c->health, &text);
	container_run_dir(c, "health", path, sizeof(path));
	if (file_replace_at(AT_FDCWD, path, buf_text(&text), text.len, 0600, &e) < 0)
		log_warn("container \"%s\": %s", c->name, e.text);
}

static void tell(struct container *c)
{
	static const char *const events[HEALTH_STATUS_COUNT] = {
		[HEALTH_STARTING] = "health_status: starting",
		[HEALTH_HEALTHY] = "health_status: healthy",
		[HEALTH_UNHEALTHY] = "health_status: unhealthy",
	};

	events_add(c->engine->events, events[c->health->status], c, NULL);
	public_soon(c->engine);
	boot_changed(c);
}

static void note(struct container *c, struct probe *p)
{
	const struct exec *x = p->exec;
	struct health_result result = {
		.start_ns = p->start_ns, .end_ns = clock_wall_ns(),
		.exit_code = x && x->ran && !x->late ? x->exit_code : FAILED,
	};
	bool changed;

	if (x && x->late) {
		buf_reset(&p->output);
		buf_addf(&p->output, "Health check exceeded timeout (%lldms)",
			 (long long)c->health->plan.timeout_ms);
	} else if (!p->output.len) {
		buf_adds(&p->output, p->why.text);
	}
	result.output = buf_take(&p->output);
	changed = health_note(c->health, &result, p->ran_ms);
	keep(c);
	if (changed)
		tell(c);
}

static void probe_free(struct probe *p)
{
	struct loop *l = p->container->engine->loop;

	loop_remove(l, p->source);
	loop_remove(l, p->settle);
	engine_detach(p->attachment);
	cleanup_fd(&p->ours);
	cleanup_fd(&p->theirs);
	if (p->exec)
		exec_forget(p->exec);
	buf_free(&p->output);
	free(p);
}

/* ---- its output ---- */

static void add_output(struct probe *p, const char *data, size_t len)
{
	size_t room = HEALTH_OUTPUT_MAX - p->output.len;

	if (p->output.len > HEALTH_OUTPUT_MAX)
		return; /* cut already */
	buf_add(&p->output, data, len < room ? len : room);
	if (len > room)
		buf_adds(&p->output, "...");
}

/* Docker's frames: the length is in the head's last four bytes. */
static void unframe(struct probe *p, const char *data, size_t len)
{
	while (len) {
		size_t n = p->left < len ? p->left : len;

		if (n) {
			add_output(p, data, n);
			p->left -= n;
		} else {
			p->head[p->head_len++] = (unsigned char)*data;
			n = 1;
		}
		if (p->head_len == FRAME_HEAD) {
			p->left = (size_t)p->head[4] << 24 | (size_t)p->head[5] << 16 |
				  (size_t)p->head[6] << 8 | p->head[7];
			p->head_len = 0;
		}
		data += n;
		len -= n;
	}
}

static void read_output(struct probe *p)
{
	char data[4096];
	ssize_t n;

	while ((n = read(p->ours, data, sizeof(data))) > 0)
		unframe(p, data, (size_t)n);
	if (n == 0)
		loop_remove(p->container->engine->loop, take_ptr(p->source));
}

static void on_output(struct loop *l, int fd, uint32_t events, void *arg)
{
	(void)l;
	(void)fd;
	(void)events;
	read_output(arg);
}

/* ---- its end: of the program and of its streams, in whatever order ---- */

static void on_settled(struct loop *l, void *arg)
{
	struct probe *p = arg;
	struct container *c = p->container;

	(void)l;
	p->settle = NULL;
	read_output(p);
	c->health->probe = NULL;
	if (!p->ignored)
		note(c, p);
	probe_free(p);
	run_later(c);
}

/* From the loop, because the callers hold the exec still. */
static void settle(struct probe *p)
{
	if (!p->attachment && (!p->exec || p->exec->ended) && !p->settle)
		p->settle = loop_timer(p->container->engine->loop, 0, on_settled, p);
}

static void on_streams_over(void *arg)
{
	struct probe *p = arg;

	p->attachment = NULL;
	cleanup_fd(&p->theirs);
	p->theirs = -1;
	settle(p);
}

static void on_program_over(void *arg)
{
	settle(arg);
}

/* ---- its start ---- */

static int open_socket(struct probe *p, struct err *e)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
		return err_sys(e, "socket of a health check");
	p->ours = ends[0];
	p->theirs = ends[1];
	p->source = loop_fd(p->container->engine->loop, p->ours, EPOLLIN, on_output, p);
	return p->source ? 0 : err_set(e, -ENOMEM, "out of memory");
}

static int make_exec(struct probe *p, struct err *e)
{
	const struct health_plan *plan = &p->container->health->plan;
	struct exec_spec spec = { .out = true, .err = true, .probe = true,
				  .limit_ms = plan->timeout_ms };
	int rc = 0;

	for (size_t i = 0; !rc && i < plan->argv.count; i++)
		rc = string_list_add(&spec.argv, plan->argv.items[i]);
	rc = rc < 0 ? err_set(e, rc, "out of memory") :
		      engine_exec_create(p->container, &spec, &p->exec, e);
	exec_spec_free(&spec);
	if (rc < 0)
		return rc;
	p->exec->on_end = on_program_over;
	p->exec->end_arg = p;
	return 0;
}

static int run(struct probe *p, struct err *e)
{
	const struct attach_wish wish = { .out = true, .err = true };
	int rc = open_socket(p, e);

	if (!rc)
		rc = make_exec(p, e);
	if (!rc)
		rc = engine_exec_attach(p->exec, p->theirs, &wish, on_streams_over, p, &p->attachment, e);
	return rc < 0 ? rc : engine_exec_start(p->exec, NULL, NULL, e);
}

static void on_due(struct loop *l, void *arg)
{
	struct container *c = arg;
	struct probe *p;

	(void)l;
	c->health->timer = NULL;
	if (c->state != STATE_RUNNING)
		return;
	p = calloc(1, sizeof(*p));
	if (!p) {
		run_later(c);
		return;
	}
	*p = (struct probe){ .container = c, .ours = -1, .theirs = -1, .ran_ms = ran_ms(c),
			     .start_ns = clock_wall_ns() };
	c->health->probe = p;
	if (run(p, &p->why) >= 0)
		return;
	if (p->exec && !p->exec->ended)
		exec_forget(take_ptr(p->exec));
	settle(p);
}

static void run_later(struct container *c)
{
	struct health *h = c->health;

	if (c->state == STATE_RUNNING && !h->probe && !h->timer)
		h->timer = loop_timer(c->engine->loop, health_wait_ms(h, ran_ms(c)), on_due, c);
}

/* ---- called from outside ---- */

int health_prepare(struct container *c, const struct image_config *image)
{
	struct health_plan plan;

	if (health_plan_make(&c->spec, image, &plan) < 0)
		return -ENOMEM;
	if (!plan.test.count) {
		health_free(take_ptr(c->health));
		health_plan_free(&plan);
		return 0;
	}
	if (!c->health)
		c->health = calloc(1, sizeof(*c->health));
	if (!c->health) {
		health_plan_free(&plan);
		return -ENOMEM;
	}
	health_plan_free(&c->health->plan);
	c->health->plan = plan;
	return 0;
}

void health_begin(struct container *c)
{
	if (!c->health)
		return;
	health_reset(c->health);
	keep(c);
	run_later(c);
}

void health_adopt(struct container *c)
{
	autoimage struct image_config image = { 0 };
	autobuf struct buf text = { 0 };
	char path[PATH_MAX];

	if (c->image_id)
		engine_image_config(c->engine, c->image_id, &image, NULL);
	if (health_prepare(c, &image) < 0 || !c->health)
		return;
	container_run_dir(c, "health", path, sizeof(path));
	if (file_read_at(AT_FDCWD, path, HEALTH_FILE_MAX, &text, NULL) < 0 ||
	    health_read(c->health, buf_text(&text), text.len) < 0)
		health_reset(c->health);
	run_later(c);
}

void health_pause(struct container *c, bool pause)
{
	if (!c->health)
		return;
	if (!pause) {
		run_later(c);
		return;
	}
	loop_remove(c->engine->loop, take_ptr(c->health->timer));
	if (c->health->probe)
		c->health->probe->ignored = true;
}

void health_end(struct container *c)
{
	struct probe *p = c->health ? take_ptr(c->health->probe) : NULL;

	if (!c->health)
		return;
	loop_remove(c->engine->loop, take_ptr(c->health->timer));
	if (p)
		probe_free(p);
	/* docker's word for what does not run. */
	c->health->status = HEALTH_UNHEALTHY;
}
