/* POST images/{}/push, images/{}/tag. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/progress.h"
#include "base/cleanup.h"

enum { SOURCES_MAX = 8 };

/* Repositories of the same registry that images of ours have names in: layers may be there. */
static size_t add_sources(const struct engine *en, const struct ref *to, char names[][REF_NAME_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < store_count(en->store) && count < SOURCES_MAX; i++) {
		const struct image *image = store_image(en->store, i);

		for (size_t k = 0; k < image->ref_count && count < SOURCES_MAX; k++) {
			struct ref ref;
			size_t n = 0;

			if (ref_parse(&ref, image->refs[k], NULL) < 0 || strcmp(ref.domain, to->domain) ||
			    !strcmp(ref.path, to->path))
				continue;
			while (n < count && strcmp(names[n], ref.path))
				n++;
			if (n == count)
				strcpy(names[count++], ref.path);
		}
	}
	return count;
}

/* "NAME" of the path and the tag of the query, as docker's clients send them apart. */
static int read_target(struct request *r, struct ref *ref, struct err *e)
{
	const char *tag = request_query(r, "tag");
	autobuf struct buf text = { 0 };

	buf_adds(&text, r->param);
	if (tag && *tag)
		buf_addf(&text, ":%s", tag);
	return ref_parse(ref, buf_text(&text), e);
}

static int find_pushed(struct request *r, const struct ref *ref, const struct image **out,
		       struct err *e)
{
	char text[REF_TEXT_MAX];
	struct ref bare = *ref;
	int rc = store_find(r->engine->store, ref_full(ref, text), out, e);

	*bare.tag = '\0';
	if (rc == -ENOENT)
		return err_set(e, rc, "An image does not exist locally with the tag: %s",
			       ref_familiar(&bare, text));
	return rc;
}

void handle_image_push(struct request *r)
{
	const char *auth = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND,
						       "X-Registry-Auth");
	char sources[SOURCES_MAX][REF_NAME_MAX], full[REF_TEXT_MAX];
	const char *arguments[2 * SOURCES_MAX + 4];
	const struct image *image;
	struct ref ref;
	struct err e = { 0 };
	size_t count, n = 0;
	int rc = read_target(r, &ref, &e);

	if (!rc)
		rc = find_pushed(r, &ref, &image, &e);
	if (rc < 0) {
		reply_errno(r, rc, &e);
		return;
	}
	count = add_sources(r->engine, &ref, sources);
	for (size_t i = 0; i < count; i++) {
		arguments[n++] = "--from";
		arguments[n++] = sources[i];
	}
	arguments[n++] = ref_full(&ref, full);
	arguments[n++] = image->digest;
	arguments[n++] = image->id;
	arguments[n] = NULL;
	reply_job(r, &(struct progress_wish){
		.job = { .command = "push", .arguments = arguments, .input = auth,
			 .input_len = auth ? strlen(auth) : 0 },
		.type = "application/json", .lines = true,
	});
}

void handle_image_tag(struct request *r)
{
	const char *repo = request_query(r, "repo"), *tag = request_query(r, "tag");
	autobuf struct buf text = { 0 };
	char full[REF_TEXT_MAX];
	struct ref ref;
	struct err e = { 0 };
	int rc;

	buf_adds(&text, repo ? repo : "");
	if (tag && *tag)
		buf_addf(&text, ":%s", tag);
	rc = ref_parse(&ref, buf_text(&text), &e);
	if (!rc && *ref.digest)
		rc = err_set(&e, -EINVAL, "refusing to create a tag with a digest reference");
	if (!rc)
		rc = engine_tag(r->engine, r->param, ref_full(&ref, full), &e);
	if (rc < 0)
		reply_errno(r, rc, &e);
	else
		reply_empty(r, MHD_HTTP_CREATED);
}
