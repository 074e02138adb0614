/* What runs after the engine has started: the declared containers are made like the
 * configuration, live ones are taken over, and what is to run is started in the order of
 * depends_on. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "engine/dependency.h"
#include "engine/internal.h"
#include "engine/restart.h"
#include "yyjson.h"

enum { CONFIG_MAX_BYTES = 16 << 20 };

/* ---- depends_on ---- */

/* A dependency_next_fn: only who has yet to start is waited for. */
static bool waits_for(void *arg, size_t node, size_t nth, size_t *on)
{
	const struct engine *en = arg;
	const struct spec_dependency_list *list = &en->containers[node]->spec.depends_on;

	if (nth >= list->count)
		return false;
	for (*on = 0; *on < en->count; ++*on)
		if (en->containers[*on]->boot_pending &&
		    !strcmp(en->containers[*on]->name, list->items[nth].name))
			break;
	return true;
}

static void refuse_to_start(struct container *c, const char *sentence)
{
	struct ending how = { .exit_code = 125, .error = sentence,
			      .finished_ns = clock_wall_ns() };

	c->boot_pending = false;
	c->state = STATE_STARTING;
	lifecycle_ended(c, &how);
}

static enum dependency_need need_of(const struct spec_dependency *on)
{
	if (!on->condition || !strcmp(on->condition, "service_started"))
		return NEED_STARTED;
	return strcmp(on->condition, "service_healthy") ? NEED_COMPLETED : NEED_HEALTHY;
}

static enum dependency look_at(const struct container *c, const struct spec_dependency *what,
			       struct err *e)
{
	const struct container *on = container_named(c->engine, what->name);
	char why[DEPENDENCY_WHY_MAX] = "is not there";
	struct dependency_facts facts;
	enum dependency d = DEPENDENCY_NEVER;

	if (on) {
		bool this_boot = on->boot_id && !strcmp(on->boot_id, c->engine->boot_id);

		facts = (struct dependency_facts){
			.state = on->state, .to_start = on->boot_pending, .failed = on->error,
			.ran = on->ever_started || this_boot, .exit_code = on->exit_code,
			.has_check = on->health,
			.health = on->health ? on->health->status : HEALTH_STARTING,
		};
		d = dependency_judge(&facts, need_of(what), why);
	}
	if (d == DEPENDENCY_NEVER && what->optional)
		return DEPENDENCY_READY;
	if (d == DEPENDENCY_NEVER)
		err_set(e, -EIO, "depends on \"%s\", which %s", what->name, why);
	return d;
}

/* Who shares another's network cannot start before it. */
static enum dependency owner_ready(struct container *c, struct err *e)
{
	const char *mode = c->spec.network_mode;
	struct spec_dependency on = { .name = NULL };
	struct container *owner;

	if (!mode || strncmp(mode, "container:", 10) ||
	    engine_find(c->engine, mode + 10, &owner, NULL) < 0)
		return DEPENDENCY_READY;
	on.name = owner->name;
	return look_at(c, &on, e);
}

static enum dependency readiness(struct container *c, struct err *e)
{
	enum dependency owner = owner_ready(c, e);

	if (owner != DEPENDENCY_READY)
		return owner;
	for (size_t i = 0; i < c->spec.depends_on.count; i++) {
		enum dependency d = look_at(c, &c->spec.depends_on.items[i], e);

		if (d != DEPENDENCY_READY)
			return d;
	}
	return DEPENDENCY_READY;
}

/* Another round for as long as something moved: each start or failure lets others go. */
static void start_what_can(struct engine *en)
{
	for (bool moved = true; moved && !en->stopping;) {
		moved = false;
		for (size_t i = 0; i < en->count; i++) {
			struct container *c = en->containers[i];
			struct err e = { 0 };
			enum dependency d;

			if (!c->boot_pending)
				continue;
			d = readiness(c, &e);
			if (d == DEPENDENCY_WAITS)
				continue;
			moved = true;
			c->boot_pending = false;
			if (d == DEPENDENCY_READY)
				lifecycle_event(c, EVENT_START, NULL);
			else
				refuse_to_start(c, e.text);
		}
	}
}

static void refuse_circles(struct engine *en)
{
	for (size_t i = 0; i < en->count; i++) {
		struct container *c = en->containers[i];

		if (c->boot_pending && dependency_in_circle(i, en->count, waits_for, en))
			refuse_to_start(c, "depends_on goes in a circle that it is part of");
	}
}

static bool others_wait(const struct engine *en)
{
	for (size_t i = 0; i < en->count; i++)
		if (en->containers[i]->boot_pending)
			return true;
	return false;
}

void boot_changed(struct container *c)
{
	/* Not before all that lives has its addresses and ports back. */
	if (!c->engine->taking_stock && others_wait(c->engine))
		start_what_can(c->engine);
}

/* ---- the configuration ---- */

static void free_doc(yyjson_doc **doc)
{
	yyjson_doc_free(*doc);
}

/* In a boot, a declared container that somebody removed stays away. */
static int mark_path(const struct engine *en, const char *name, char *out, size_t size)
{
	int n = snprintf(out, size, "%s/removed-%s", en->paths.engine_run, name);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

void boot_mark_removed(struct container *c)
{
	char path[PATH_MAX];

	if (c->declaration && !mark_path(c->engine, c->name, path, sizeof(path)))
		close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static void unmark_removed(const struct container *c)
{
	char path[PATH_MAX];

	if (!mark_path(c->engine, c->name, path, sizeof(path)))
		unlink(path);
}

static bool was_removed(const struct engine *en, const char *name)
{
	char path[PATH_MAX];

	return !mark_path(en, name, path, sizeof(path)) && !access(path, F_OK);
}

/* Has the image that this container was made from been replaced? */
static bool image_changed(const struct container *c)
{
	const struct image *image;

	return c->image_id && !store_find(c->engine->store, c->spec.image, &image, NULL) &&
	       strcmp(image->id, c->image_id);
}

static void reload_again(struct loop *l, void *arg)
{
	(void)l;
	engine_reload(arg);
}

static void stopped_for_change(void *arg, struct container *c, int rc, const struct err *e)
{
	(void)c;
	(void)rc;
	(void)e;
	/* Not from here: the container is in the middle of its own change. */
	loop_timer(((struct engine *)arg)->loop, 0, reload_again, arg);
}

/* One that runs is stopped in its own time, and looked at again then. */
static void stop_for_change(struct engine *en, struct container *c, const char *why)
{
	struct err e = { 0 };

	log_info("container \"%s\" is stopped: %s", c->name, why);
	if (engine_stop(c, -1, stopped_for_change, en, &e) < 0)
		log_error("container \"%s\": %s", c->name, e.text);
}

static void declare(struct engine *en, yyjson_val *item, bool reload)
{
	autofree char *text = yyjson_val_write(item, 0, NULL);
	autospec struct container_spec spec = { 0 };
	struct container *c;
	struct err e = { 0 };

	if (!text || container_spec_from_json(item, &spec, &e) < 0) {
		log_error("a container of the configuration is left out: %s", e.text);
		return;
	}
	c = container_named(en, spec.name);
	if (c && !c->declaration) {
		log_error("container \"%s\" of the configuration is left out: one of this name was made "
			  "by hand", spec.name);
		return;
	}
	if (was_removed(en, spec.name) && !reload)
		return;
	if (c && (container_is_live(c) ||
		  (!strcmp(c->declaration, text) && !image_changed(c)))) {
		c->declared_now = true;
		if (reload && strcmp(c->declaration, text) != 0)
			stop_for_change(en, c, "its declaration changed");
		return;
	}
	if (c) {
		log_info("container \"%s\" is made anew: its %s changed", c->name,
			 strcmp(c->declaration, text) ? "declaration" : "image");
		engine_remove(c, true, false, NULL, NULL, NULL);
	}
	if (engine_create(en, &spec, text, &c, &e) < 0) {
		log_error("container \"%s\" of the configuration is left out: %s", spec.name, e.text);
		return;
	}
	c->declared_now = true;
	unmark_removed(c);
}

static void remove_undeclared(struct engine *en, bool reload)
{
	for (size_t i = en->count; i--;) {
		struct container *c = en->containers[i];

		if (!c->declaration || c->declared_now)
			continue;
		if (reload && container_is_live(c)) {
			stop_for_change(en, c, "the configuration has it no more");
			continue;
		}
		log_info("container \"%s\" is removed: the configuration has it no more", c->name);
		engine_remove(c, true, false, NULL, NULL, NULL);
	}
}

static void read_configuration(struct engine *en, bool reload)
{
	autobuf struct buf text = { 0 };
	__attribute__((cleanup(free_doc))) yyjson_doc *doc = NULL;
	yyjson_val *list, *item;
	struct err e = { 0 };
	size_t i, count;

	if (file_read_at(AT_FDCWD, en->paths.config, CONFIG_MAX_BYTES, &text, &e) < 0) {
		log_error("no configuration, containers stay as they are: %s", e.text);
		return;
	}
	doc = yyjson_read(buf_text(&text), text.len, 0);
	list = yyjson_obj_get(yyjson_doc_get_root(doc), "containers");
	if (!doc || (list && !yyjson_is_arr(list))) {
		log_error("\"%s\" is damaged, containers stay as they are", en->paths.config);
		return;
	}
	yyjson_arr_foreach(list, i, count, item)
		declare(en, item, reload);
	remove_undeclared(en, reload);
}

/* ---- after a boot of the machine ---- */

static void settle_after_boot(struct container *c)
{
	if (!container_is_live(c) && c->state != STATE_RESTARTING)
		return;
	c->interrupted = true;
	if (c->started_ns && !c->finished_ns) {
		c->exit_code = 255;
		c->finished_ns = c->started_ns;
	}
	c->state = c->started_ns ? STATE_EXITED : STATE_CREATED;
	c->record_stale = true;
}

/* It was to go when it ended, and the machine or the engine ended first. */
static void remove_what_was_to_go(struct engine *en)
{
	for (size_t i = en->count; i--;) {
		struct container *c = en->containers[i];

		if (c->spec.auto_remove && c->state == STATE_EXITED && !c->boot_pending)
			engine_remove(c, false, true, NULL, NULL, NULL);
	}
}

static bool runs_at_boot(const struct container *c)
{
	struct restart_facts facts = {
		.exit_code = (int)c->exit_code,
		.stopped_by_hand = c->stopped_by_hand,
	};

	if (c->spec.schedule || (c->state != STATE_CREATED && c->state != STATE_EXITED))
		return false;
	if (c->state == STATE_CREATED)
		return c->declaration != NULL;
	return restart_at_boot(&c->spec.restart, &facts, c->declaration != NULL, c->interrupted);
}

/* Declared, and did not run yet. */
static bool is_new(const struct container *c)
{
	return c->declaration && c->state == STATE_CREATED && !c->spec.schedule;
}

static void decide_who_starts(struct engine *en)
{
	for (size_t i = 0; i < en->count; i++) {
		struct container *c = en->containers[i];

		if (en->machine_boot) {
			c->boot_pending = runs_at_boot(c);
			c->restarts = 0;
		} else {
			c->boot_pending |= is_new(c);
		}
		timetable_follow(c);
		if (c->record_stale)
			keep_soon(c);
	}
}

void engine_boot(struct engine *en)
{
	en->taking_stock = true;
	keep_load(en);
	exec_clear(en);
	if (en->machine_boot)
		for (size_t i = 0; i < en->count; i++)
			settle_after_boot(en->containers[i]);
	else
		adopt_all(en);
	read_configuration(en, false);
	decide_who_starts(en);
	remove_what_was_to_go(en);
	en->taking_stock = false;
	refuse_circles(en);
	start_what_can(en);
	engine_clean_later(en);
	public_soon(en);
}

void engine_reload(struct engine *en)
{
	if (en->stopping)
		return;
	for (size_t i = 0; i < en->count; i++)
		en->containers[i]->declared_now = false;
	read_configuration(en, true);
	for (size_t i = 0; i < en->count; i++) {
		struct container *c = en->containers[i];

		c->boot_pending |= is_new(c);
		timetable_follow(c);
	}
	refuse_circles(en);
	start_what_can(en);
	public_soon(en);
}
