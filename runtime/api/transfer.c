/* GET images/get, images/{}/get (save), POST images/load. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/json.h"
#include "api/progress.h"
#include "base/cleanup.h"
#include "yyjson.h"

/* ---- save ---- */

struct saving {
	struct request *r;
	struct buf told;
	int rc;
	struct err e;
};

static void open_image(struct saving *s, const struct image *image)
{
	buf_addf(&s->told, "%s{\"digest\":\"%s\",\"id\":\"%s\",\"refs\":[", s->told.len > 1 ? "," : "",
		 image->digest, image->id);
}

static void add_ref(struct saving *s, const char *full)
{
	buf_adds(&s->told, s->told.data[s->told.len - 1] == '[' ? "" : ",");
	buf_add_json_string(&s->told, full, strlen(full));
}

/* A repository without a tag means all of its tags, as with docker. */
static bool add_repository(struct saving *s, const char *name)
{
	const struct store *store = s->r->engine->store;
	struct ref wanted;
	bool any = false;

	if (ref_parse(&wanted, name, NULL) < 0 || *wanted.digest || strchr(strrchr(name, '/') ?
									   strrchr(name, '/') : name, ':'))
		return false;
	for (size_t i = 0; i < store_count(store); i++) {
		const struct image *image = store_image(store, i);
		bool open = false;

		for (size_t k = 0; !image->fault && k < image->ref_count; k++) {
			struct ref have;

			if (ref_parse(&have, image->refs[k], NULL) < 0 || !*have.tag || *have.digest ||
			    strcmp(have.domain, wanted.domain) || strcmp(have.path, wanted.path))
				continue;
			if (!open)
				open_image(s, image);
			open = true;
			add_ref(s, image->refs[k]);
		}
		buf_adds(&s->told, open ? "]}" : "");
		any |= open;
	}
	return any;
}

static int add_name(struct saving *s, const char *name)
{
	const struct image *image;
	char full[REF_TEXT_MAX];
	struct ref ref;
	int rc;

	if (add_repository(s, name))
		return 0;
	rc = store_find(s->r->engine->store, name, &image, &s->e);
	if (rc < 0)
		return rc;
	open_image(s, image);
	/* By its id it goes without a name. */
	if (!ref_parse(&ref, name, NULL) && *ref.tag && !*ref.digest)
		for (size_t i = 0; i < image->ref_count; i++)
			if (!strcmp(image->refs[i], ref_full(&ref, full)))
				add_ref(s, full);
	buf_adds(&s->told, "]}");
	return 0;
}

static enum MHD_Result on_value(void *arg, enum MHD_ValueKind kind, const char *key,
				const char *value)
{
	struct saving *s = arg;

	(void)kind;
	if (!strcmp(key, "names") && value && *value && !s->rc)
		s->rc = add_name(s, value);
	return MHD_YES;
}

static void save(struct request *r, const char *name)
{
	static const char *const none[] = { NULL };
	struct saving s = { .r = r };

	buf_addc(&s.told, '[');
	if (request_query(r, "platform"))
		s.rc = err_set(&s.e, -ENOTSUP, "the platform of an image to be saved is the one that was "
			       "pulled");
	else if (name)
		s.rc = add_name(&s, name);
	else
		MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, on_value, &s);
	if (!s.rc && s.told.len == 1)
		s.rc = err_set(&s.e, -EINVAL, "images/get needs names");
	buf_addc(&s.told, ']');
	if (s.rc < 0)
		reply_errno(r, s.rc, &s.e);
	else
		reply_job(r, &(struct progress_wish){
			.job = { .command = "save", .arguments = none, .told = buf_text(&s.told),
				 .told_len = s.told.len },
			.type = "application/x-tar",
		});
	buf_free(&s.told);
}

void handle_images_get(struct request *r)
{
	save(r, NULL);
}

void handle_image_get(struct request *r)
{
	save(r, r->param);
}

/* ---- load ---- */

static void tell_loaded(void *arg, const char *what, const char *name)
{
	autobuf struct buf text = { 0 };
	struct buf *tail = arg;

	buf_addf(&text, "%s: %s\n", what, name);
	json_open(tail, NULL, '{');
	json_string(tail, "stream", buf_text(&text));
	json_close(tail, '}');
	buf_adds(tail, "\r\n");
}

static int loaded(struct request *r, const char *result, void *state, struct buf *tail,
		  struct err *e)
{
	struct image_teller teller = { tell_loaded, tail };

	(void)state;
	return engine_take_loaded(r->engine, result, &teller, e);
}

/* docker's {"os":"linux","architecture":"arm64","variant":"v8"} as "linux/arm64/v8". */
static int read_platform(struct request *r, char out[100], struct err *e)
{
	const char *text = request_query(r, "platform");
	yyjson_doc *doc = text && *text ? yyjson_read(text, strlen(text), 0) : NULL;
	yyjson_val *root = yyjson_doc_get_root(doc);
	const char *os = yyjson_get_str(yyjson_obj_get(root, "os"));
	const char *architecture = yyjson_get_str(yyjson_obj_get(root, "architecture"));
	const char *variant = yyjson_get_str(yyjson_obj_get(root, "variant"));
	int rc = 0;

	*out = '\0';
	if (text && *text && (!os || !architecture))
		rc = err_set(e, -EINVAL, "platform: expected {\"os\":..., \"architecture\":...}");
	else if (os)
		snprintf(out, 100, "%.32s/%.32s%s%.32s", os, architecture, variant && *variant ? "/" : "",
			 variant ? variant : "");
	yyjson_doc_free(doc);
	return rc;
}

void handle_images_load(struct request *r)
{
	const char *arguments[5] = { NULL };
	char platform[100];
	struct err e = { 0 };
	size_t n = 0;
	int rc = read_platform(r, platform, &e);

	if (rc < 0) {
		reply_errno(r, rc, &e);
		return;
	}
	if (*platform) {
		arguments[n++] = "--platform";
		arguments[n++] = platform;
	}
	if (request_flag(r, "quiet")) {
		arguments[n++] = "--quiet";
		arguments[n++] = "yes";
	}
	reply_job(r, &(struct progress_wish){
		.job = { .command = "load", .arguments = arguments, .streamed = true },
		.type = "application/json", .lines = true, .done = loaded,
	});
}
