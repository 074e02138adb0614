/* POST commit; POST images/create?fromSrc=- (import): an image out of files. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/instructions.h"
#include "api/json.h"
#include "api/progress.h"
#include "base/cleanup.h"
#include "engine/files.h"

/* ---- the image's "config" ---- */

static void put_text(yyjson_mut_doc *doc, yyjson_mut_val *to, const char *key, const char *text)
{
	if (text && *text)
		yyjson_mut_obj_put(to, yyjson_mut_str(doc, key), yyjson_mut_strcpy(doc, text));
}

static void put_strings(yyjson_mut_doc *doc, yyjson_mut_val *to, const char *key,
			const struct string_list *list)
{
	yyjson_mut_val *out = yyjson_mut_arr(doc);

	for (size_t i = 0; i < list->count; i++)
		yyjson_mut_arr_add_strcpy(doc, out, list->items[i]);
	yyjson_mut_obj_put(to, yyjson_mut_str(doc, key), out);
}

static yyjson_mut_val *map_of(yyjson_mut_doc *doc, yyjson_mut_val *of, const char *key)
{
	yyjson_mut_val *map = yyjson_mut_obj_get(of, key);

	if (yyjson_mut_is_obj(map))
		return map;
	map = yyjson_mut_obj(doc);
	yyjson_mut_obj_put(of, yyjson_mut_str(doc, key), map);
	return map;
}

static void put_key(yyjson_mut_doc *doc, yyjson_mut_val *of, const char *map, const char *key)
{
	yyjson_mut_obj_put(map_of(doc, of, map), yyjson_mut_strcpy(doc, key), yyjson_mut_obj(doc));
}

static void put_environment(yyjson_mut_doc *doc, yyjson_mut_val *config,
			    const struct string_map *environment)
{
	yyjson_mut_val *list = yyjson_mut_obj_get(config, "Env"), *one;
	size_t k, n;

	if (!yyjson_mut_is_arr(list)) {
		list = yyjson_mut_arr(doc);
		yyjson_mut_obj_put(config, yyjson_mut_str(doc, "Env"), list);
	}
	for (size_t i = 0; i < environment->count; i++) {
		const struct string_pair *pair = &environment->items[i];
		autobuf struct buf text = { 0 };
		size_t len = strlen(pair->name), at = yyjson_mut_arr_size(list);

		buf_addf(&text, "%s=%s", pair->name, pair->value ? pair->value : "");
		yyjson_mut_arr_foreach(list, k, n, one) {
			const char *have = yyjson_mut_get_str(one);

			if (have && !strncmp(have, pair->name, len) && have[len] == '=')
				at = k;
		}
		if (at < yyjson_mut_arr_size(list))
			yyjson_mut_arr_replace(list, at, yyjson_mut_strcpy(doc, buf_text(&text)));
		else
			yyjson_mut_arr_add_strcpy(doc, list, buf_text(&text));
	}
}

static void put_health(yyjson_mut_doc *doc, yyjson_mut_val *config,
		       const struct spec_health *health)
{
	const struct {
		const char *key;
		int64_t value;
	} rows[] = {
		{ "Interval", health->interval_ms * 1000000 },
		{ "Timeout", health->timeout_ms * 1000000 },
		{ "StartPeriod", health->start_period_ms * 1000000 },
		{ "StartInterval", health->start_interval_ms * 1000000 },
		{ "Retries", health->retries },
	};
	yyjson_mut_val *out = yyjson_mut_obj(doc);

	if (!health->test.count)
		return;
	put_strings(doc, out, "Test", &health->test);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].value)
			yyjson_mut_obj_add_int(doc, out, rows[i].key, rows[i].value);
	yyjson_mut_obj_put(config, yyjson_mut_str(doc, "Healthcheck"), out);
}

static void put_places(yyjson_mut_doc *doc, yyjson_mut_val *config, const struct container_spec *s)
{
	for (size_t i = 0; i < s->expose.count; i++)
		put_key(doc, config, "ExposedPorts", s->expose.items[i]);
	for (size_t i = 0; i < s->ports.count; i++) {
		char port[32];

		snprintf(port, sizeof(port), "%lld/%s", (long long)s->ports.items[i].target,
			 s->ports.items[i].protocol ? s->ports.items[i].protocol : "tcp");
		put_key(doc, config, "ExposedPorts", port);
	}
	for (size_t i = 0; i < s->labels.count; i++)
		put_text(doc, map_of(doc, config, "Labels"), s->labels.items[i].name,
			 s->labels.items[i].value);
}

/* What the container was asked to be, over what its image says. */
static void put_container(yyjson_mut_doc *doc, yyjson_mut_val *config,
			  const struct container_spec *s)
{
	put_text(doc, config, "User", s->user);
	put_text(doc, config, "WorkingDir", s->working_dir);
	put_text(doc, config, "StopSignal", s->stop_signal);
	if (s->entrypoint.present)
		put_strings(doc, config, "Entrypoint", &s->entrypoint);
	if (s->entrypoint.present || s->command.present)
		put_strings(doc, config, "Cmd", &s->command);
	put_environment(doc, config, &s->environment);
	put_health(doc, config, &s->healthcheck);
	put_places(doc, config, s);
}

struct changes {
	yyjson_mut_doc *doc;
	yyjson_mut_val *config;
	int rc;
	struct err *e;
};

static enum MHD_Result on_value(void *arg, enum MHD_ValueKind kind, const char *key,
				const char *value)
{
	struct changes *c = arg;

	(void)kind;
	if (!strcmp(key, "changes") && value && *value && !c->rc)
		c->rc = instruction_apply(c->doc, c->config, value, c->e);
	return MHD_YES;
}

static int apply_changes(struct request *r, yyjson_mut_doc *doc, yyjson_mut_val *config,
			 struct err *e)
{
	struct changes c = { doc, config, 0, e };

	MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, on_value, &c);
	return c.rc;
}

/* ---- what the job is told, besides a container's files ---- */

static void add_told(struct buf *told, const char *key, const char *text)
{
	buf_adds(told, told->len > 1 ? "," : "");
	buf_addf(told, "\"%s\":", key);
	buf_add_json_string(told, text ? text : "", strlen(text ? text : ""));
}

static int add_config(struct request *r, struct buf *told, yyjson_mut_doc *doc,
		      yyjson_mut_val *config, struct err *e)
{
	autofree char *text = NULL;
	int rc = apply_changes(r, doc, config, e);

	if (rc < 0)
		return rc;
	text = yyjson_mut_val_write(config, 0, NULL);
	buf_adds(told, told->len > 1 ? ",\"config\":" : "\"config\":");
	buf_adds(told, text ? text : "");
	return text ? 0 : err_set(e, -ENOMEM, "out of memory");
}

/* ---- names ---- */

/* "NAME" and "TAG" as docker's clients send them apart; "" : no name. */
static int read_name(struct request *r, char full[REF_TEXT_MAX], struct err *e)
{
	const char *repo = request_query(r, "repo"), *tag = request_query(r, "tag");
	autobuf struct buf text = { 0 };
	struct ref ref;
	int rc;

	*full = '\0';
	if (!repo || !*repo)
		return 0;
	buf_adds(&text, repo);
	if (tag && *tag)
		buf_addf(&text, ":%s", tag);
	rc = ref_parse(&ref, buf_text(&text), e);
	if (!rc && *ref.digest)
		rc = err_set(e, -EINVAL, "refusing to create a tag with a digest reference");
	if (!rc)
		ref_full(&ref, full);
	return rc;
}

/* The image that a job brought, by its name; NULL with the sentence. */
static const struct image *take(struct request *r, const char *result, const char *full,
				struct err *e)
{
	char digest[REF_DIGEST_MAX] = "";
	const struct image *image;
	bool news;

	if (engine_take_image(r->engine, result, *full ? full : NULL, &news, e) < 0)
		return NULL;
	sscanf(result, "image %71s", digest);
	image = engine_image_by_digest(r->engine, digest);
	if (!image)
		err_set(e, -EIO, "the image is not in the store");
	return image;
}

/* ---- commit ---- */

struct committing {
	char name[REF_TEXT_MAX];
	char paused[CONTAINER_ID_LEN + 1]; /* by us; "": not */
};

static void go_on(struct request *r, struct committing *c)
{
	struct container *paused;

	if (*c->paused && !engine_find(r->engine, c->paused, &paused, NULL))
		engine_pause(paused, false, NULL);
	*c->paused = '\0';
}

static int committed(struct request *r, const char *result, void *state, struct buf *tail,
		     struct err *e)
{
	struct committing *c = state;
	const struct image *image;

	image = take(r, result, c->name, e);
	if (!image)
		return -EIO;
	json_open(tail, NULL, '{');
	json_string(tail, "Id", image->id);
	json_close(tail, '}');
	buf_addc(tail, '\n');
	return 0;
}

static void commit_over(struct request *r, void *state)
{
	go_on(r, state);
}

static int parent_config(struct request *r, const struct container *c, const struct image **image,
			 yyjson_mut_doc *doc, yyjson_mut_val **config, struct err *e)
{
	autofree char *text = NULL;
	yyjson_doc *parent;
	size_t len;
	int rc = store_find(r->engine->store, c->image_id ? c->image_id : c->spec.image, image, e);

	if (!rc)
		rc = image_config(r->engine->store, *image, &text, &len, e);
	if (rc < 0)
		return rc;
	parent = yyjson_read(text, len, 0);
	*config = yyjson_val_mut_copy(doc, yyjson_obj_get(yyjson_doc_get_root(parent), "config"));
	if (!yyjson_mut_is_obj(*config))
		*config = yyjson_mut_obj(doc);
	yyjson_doc_free(parent);
	return 0;
}

static int tell_commit(struct request *r, struct container *c, const struct image **image,
		       struct files *files, struct err *e)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	autobuf struct buf line = { 0 };
	yyjson_mut_val *config;
	int rc = files_tell(c, FILES_CHANGES, files, e);

	if (!rc)
		rc = parent_config(r, c, image, doc, &config, e);
	if (!rc) {
		put_container(doc, config, &c->spec);
		files->told.data[--files->told.len] = '\0'; /* the object goes on */
		add_told(&files->told, "author", request_query(r, "author"));
		add_told(&files->told, "comment", request_query(r, "comment"));
		for (size_t i = 0; i < c->argv.count; i++)
			buf_addf(&line, "%s%s", i ? " " : "", c->argv.items[i]);
		add_told(&files->told, "createdBy", buf_text(&line));
		rc = add_config(r, &files->told, doc, config, e);
		buf_addc(&files->told, '}');
	}
	yyjson_mut_doc_free(doc);
	return rc;
}

static bool wants_pause(struct request *r)
{
	return !request_query(r, "pause") || request_flag(r, "pause");
}

static void start_commit(struct request *r, struct container *c, struct committing *state)
{
	const char *arguments[] = { "--scratch", r->engine->paths.engine_run, NULL, NULL, NULL };
	const struct image *image;
	struct files files;
	struct err e = { 0 };
	int rc = tell_commit(r, c, &image, &files, &e);

	if (rc < 0) {
		free(state);
		reply_errno(r, rc, &e);
	} else {
		arguments[2] = image->digest;
		arguments[3] = image->id;
		if (c->state == STATE_RUNNING && wants_pause(r) && engine_pause(c, true, &e) == 0)
			strcpy(state->paused, c->id);
		reply_job(r, &(struct progress_wish){
			.job = { .command = "commit", .arguments = arguments,
				 .told = buf_text(&files.told), .told_len = files.told.len },
			.type = "application/json", .status = MHD_HTTP_CREATED, .done = committed,
			.over = commit_over, .state = state,
		});
	}
	buf_free(&files.told);
}

void handle_commit(struct request *r)
{
	const char *name = request_query(r, "container");
	struct committing *state = calloc(1, sizeof(*state));
	struct container *c;
	struct err e = { 0 };
	int rc = state ? engine_find(r->engine, name ? name : "", &c, &e) :
			 err_set(&e, -ENOMEM, "out of memory");

	if (!rc && r->body.len && strcmp(buf_text(&r->body), "null") && strcmp(buf_text(&r->body), "{}") &&
	    strcmp(buf_text(&r->body), "{}\n") && strcmp(buf_text(&r->body), "null\n"))
		rc = err_set(&e, -ENOTSUP, "a container's config in the body of commit is not supported: "
			     "use \"changes\"");
	if (!rc)
		rc = read_name(r, state->name, &e);
	if (rc < 0) {
		free(state);
		reply_errno(r, rc, &e);
		return;
	}
	start_commit(r, c, state);
}

/* ---- import ---- */

static int imported(struct request *r, const char *result, void *state, struct buf *tail,
		    struct err *e)
{
	const struct image *image = take(r, result, state, e);

	if (!image)
		return -EIO;
	json_open(tail, NULL, '{');
	json_string(tail, "status", image->id);
	json_close(tail, '}');
	buf_adds(tail, "\r\n");
	return 0;
}

static int tell_import(struct request *r, struct buf *told, struct err *e)
{
	const char *message = request_query(r, "message");
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	int rc;

	buf_addc(told, '{');
	add_told(told, "comment", message && *message ? message : "Imported from -");
	rc = add_config(r, told, doc, yyjson_mut_obj(doc), e);
	buf_addc(told, '}');
	yyjson_mut_doc_free(doc);
	return rc;
}

void handle_import(struct request *r)
{
	const char *platform = request_query(r, "platform"), *source = request_query(r, "fromSrc");
	const char *arguments[3] = { NULL };
	autobuf struct buf told = { 0 };
	char *full = calloc(1, REF_TEXT_MAX);
	struct err e = { 0 };
	int rc = full ? read_name(r, full, &e) : err_set(&e, -ENOMEM, "out of memory");

	if (!rc && strcmp(source, "-"))
		rc = err_set(&e, -ENOTSUP, "import from an address is not supported: send the archive "
			     "(fromSrc=-)");
	if (!rc)
		rc = tell_import(r, &told, &e);
	if (rc < 0) {
		free(full);
		reply_errno(r, rc, &e);
		return;
	}
	if (platform && *platform) {
		arguments[0] = "--platform";
		arguments[1] = platform;
	}
	reply_job(r, &(struct progress_wish){
		.job = { .command = "import", .arguments = arguments, .streamed = true,
			 .told = buf_text(&told), .told_len = told.len },
		.type = "application/json", .lines = true, .done = imported, .state = full,
	});
}
