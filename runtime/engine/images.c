/* The image store as the engine changes it: names, and what a job brought. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "engine/internal.h"
#include "image/keep.h"

/* What was pulled comes first: somebody asked for it later than for what the system has. */
int engine_reload_store(struct engine *en, struct err *e)
{
	const char *dirs[] = { en->paths.store_pulled, en->paths.store_embedded };
	struct store *s;
	int rc = store_open(&s, dirs, ARRAY_LEN(dirs), e);

	if (rc < 0)
		return rc;
	store_close(en->store);
	en->store = s;
	return 0;
}

struct result {
	char digest[REF_DIGEST_MAX], media_type[128], also[REF_DIGEST_MAX];
	uint64_t bytes;
	char sizes[16 * 1024]; /* "bytes,bytes" */
};

/* "image DIGEST TYPE BYTES SIZES", and perhaps "also DIGEST" of the index that it came from. */
static int read_result(const char *text, struct result *out, struct err *e)
{
	const char *also = strstr(text, "\nalso ");

	*out = (struct result){ .bytes = 0 };
	if (sscanf(text, "image %71s %127s %" SCNu64 " %16383s", out->digest, out->media_type,
		   &out->bytes, out->sizes) != 4 || !digest_valid(out->digest))
		return err_set(e, -EBADMSG, "the program that changes the image store named no image");
	if (also && sscanf(also, "\nalso %71s", out->also) == 1 && !digest_valid(out->also))
		*out->also = '\0';
	return 0;
}

static const struct image *known_image(const struct engine *en, const char *digest)
{
	for (size_t i = 0; i < store_count(en->store); i++)
		if (!strcmp(store_image(en->store, i)->digest, digest))
			return store_image(en->store, i);
	return NULL;
}

static void add_sizes(struct buf *out, const struct image *image)
{
	for (size_t i = 0; i < image->layer_count; i++)
		buf_addf(out, "%s%" PRIu64, i ? "," : "", image->layers[i].size_bytes);
}

/* Under the digest of its index too, so that it is found by what a person pinned. */
static int name_also(struct engine *en, const struct keep_image *image, const char *also,
		     const char *ref, struct err *e)
{
	char full[REF_TEXT_MAX];
	struct ref parsed;

	if (!ref || !*also || ref_parse(&parsed, ref, NULL) < 0)
		return 0;
	*parsed.tag = '\0';
	snprintf(parsed.digest, sizeof(parsed.digest), "%s", also);
	return keep_name(en->paths.store_pulled, image, ref_full(&parsed, full), e);
}

int engine_take_image(struct engine *en, const char *result, const char *ref, bool *news,
		      struct err *e)
{
	autobuf struct buf sizes = { 0 };
	struct result r;
	struct keep_image image;
	const struct image *known;
	int rc = read_result(result, &r, e);

	if (rc < 0)
		return rc;
	known = known_image(en, r.digest);
	if (known && !known->fault)
		add_sizes(&sizes, known);
	else if (strcmp(r.sizes, "-"))
		buf_adds(&sizes, r.sizes);
	image = (struct keep_image){ .digest = r.digest, .media_type = r.media_type,
				     .size_bytes = r.bytes,
				     .layer_sizes = sizes.len ? buf_text(&sizes) : NULL };
	rc = name_also(en, &image, r.also, ref, e);
	if (rc >= 0)
		rc = keep_name(en->paths.store_pulled, &image, ref, e);
	if (rc < 0)
		return rc;
	*news = rc == 0;
	return engine_reload_store(en, e);
}

/* One line of "image", and the names after it. */
static int take_loaded(struct engine *en, const char *block, const struct image_teller *teller,
		       struct err *e)
{
	const char *line = block;
	bool named = false, news;
	int rc = 0;

	while (!rc && (line = strstr(line, "\nname "))) {
		char text[REF_TEXT_MAX], full[REF_TEXT_MAX];
		struct ref ref;

		line += strlen("\nname ");
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(line, "\n"), line);
		if (ref_parse(&ref, text, e) < 0)
			return -EINVAL;
		rc = engine_take_image(en, block, ref_full(&ref, full), &news, e);
		named = true;
		if (!rc)
			teller->tell(teller->arg, "Loaded image", ref_familiar(&ref, text));
	}
	if (!rc && !named)
		rc = engine_take_image(en, block, NULL, &news, e);
	if (!rc && !named) {
		char digest[REF_DIGEST_MAX];
		const struct image *image;

		sscanf(block, "image %71s", digest);
		image = known_image(en, digest);
		teller->tell(teller->arg, "Loaded image ID", image ? image->id : digest);
	}
	return rc;
}

int engine_take_loaded(struct engine *en, const char *result, const struct image_teller *teller,
		       struct err *e)
{
	int rc = 0;

	while (!rc && !strncmp(result, "image ", 6)) {
		const char *next = strstr(result, "\nimage ");
		size_t len = next ? (size_t)(next - result) : strlen(result);
		autofree char *block = strndup(result, len);

		rc = block ? take_loaded(en, block, teller, e) : err_set(e, -ENOMEM, "out of memory");
		result += next ? len + 1 : len;
	}
	return rc;
}

const struct image *engine_image_by_digest(const struct engine *en, const char *digest)
{
	return known_image(en, digest);
}

int engine_tag(struct engine *en, const char *name, const char *ref, struct err *e)
{
	autobuf struct buf sizes = { 0 };
	autofree char *manifest = NULL;
	const struct image *image;
	struct manifest m = { 0 };
	struct keep_image kept;
	size_t len;
	int rc = store_find(en->store, name, &image, e);

	if (!rc)
		rc = image_manifest(en->store, image, &manifest, &len, e);
	if (!rc)
		rc = manifest_parse(&m, manifest, len, e);
	if (rc < 0)
		return rc;
	add_sizes(&sizes, image);
	kept = (struct keep_image){
		.digest = image->digest, .size_bytes = len, .layer_sizes = buf_text(&sizes),
		.media_type = *m.media_type ? m.media_type : "application/vnd.oci.image.manifest.v1+json",
	};
	rc = keep_name(en->paths.store_pulled, &kept, ref, e);
	manifest_free(&m);
	return rc < 0 ? rc : engine_reload_store(en, e);
}
