#include "unpack/loadplan.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yyjson.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/jail.h"
#include "base/path.h"
#include "base/sha256.h"
#include "image/manifest.h"
#include "unpack/load.h"

enum { TIMEOUT_MS = 30000, NESTED_MAX = 8, ANSWER_MAX = 4 << 20, WORD_MAX = 1024 };

struct input {
	const char *text, *platform;
	size_t len;
	bool top;     /* index.json itself: each of its entries is an image */
};

/* ---- in the jail: lines "WORD TEXT" ---- */

static int add_line(struct buf *out, const char *word, const char *text, struct err *e)
{
	size_t len = text ? strlen(text) : 0;

	for (size_t i = 0; i < len; i++)
		if (iscntrl((unsigned char)text[i]))
			len = 0;
	if (!len || len >= WORD_MAX)
		return err_set(e, -EINVAL, "a name in the archive's list is empty, has control characters or "
			       "is longer than %d bytes", WORD_MAX - 1);
	buf_addf(out, "%s %s\n", word, text);
	return 0;
}

static int add_strings(struct buf *out, const char *word, yyjson_val *list, struct err *e)
{
	yyjson_val *one;
	size_t i, n;
	int rc = 0;

	yyjson_arr_foreach(list, i, n, one)
		if (!rc)
			rc = add_line(out, word, yyjson_get_str(one), e);
	return rc;
}

static int add_docker(struct buf *out, yyjson_val *entry, struct err *e)
{
	yyjson_val *layers = yyjson_obj_get(entry, "Layers");
	int rc = 0;

	if (yyjson_arr_size(layers) > MANIFEST_LAYERS_MAX)
		rc = err_set(e, -EINVAL, "an image has more than %d layers", MANIFEST_LAYERS_MAX);
	if (!rc)
		rc = add_line(out, "image", yyjson_get_str(yyjson_obj_get(entry, "Config")), e);
	if (!rc)
		rc = add_strings(out, "layer", layers, e);
	return rc ? rc : add_strings(out, "name", yyjson_obj_get(entry, "RepoTags"), e);
}

/* manifest.json (moby, image/tarexport). */
static int read_docker(void *arg, struct buf *out, struct err *e)
{
	const struct input *in = arg;
	yyjson_doc *doc = yyjson_read(in->text, in->len, 0);
	yyjson_val *list = yyjson_doc_get_root(doc), *entry;
	size_t i, n;
	int rc = yyjson_is_arr(list) ? 0 : err_set(e, -EINVAL, "\"manifest.json\" is no JSON list");

	yyjson_arr_foreach(list, i, n, entry)
		if (!rc)
			rc = add_docker(out, entry, e);
	yyjson_doc_free(doc);
	return rc;
}

static int add_descriptor(struct buf *out, const struct descriptor *d, struct err *e)
{
	const char *word = d->kind == MEDIA_INDEX ? "index" : "manifest";
	/* docker writes the full name; others a reference, or a mere tag, which is no name. */
	const char *name = d->image_name ? d->image_name :
			   d->ref_name && strpbrk(d->ref_name, "/:") ? d->ref_name : NULL;
	int rc;

	if (d->kind != MEDIA_INDEX && d->kind != MEDIA_MANIFEST)
		return 0;
	rc = add_line(out, word, d->digest, e);
	return rc || !name ? rc : add_line(out, "name", name, e);
}

/* An OCI index: all of the top one, of a nested one what fits the platform. */
static int read_index(void *arg, struct buf *out, struct err *e)
{
	const struct input *in = arg;
	struct index index = { 0 };
	const struct descriptor *picked;
	int rc = index_parse(&index, in->text, in->len, e);

	for (size_t i = 0; !rc && in->top && i < index.count; i++)
		rc = add_descriptor(out, &index.entries[i], e);
	if (!rc && !in->top) {
		picked = index_pick(&index, in->platform);
		rc = picked ? add_descriptor(out, picked, e) :
			      err_set(e, -ENOENT, "an image of the archive has nothing for %s", in->platform);
	}
	index_free(&index);
	return rc;
}

int loadplan_lines(const char *text, size_t len, const char *platform, bool docker, bool top,
		   struct buf *out, struct err *e)
{
	struct input in = { .text = text, .len = len, .platform = platform, .top = top };

	return docker ? read_docker(&in, out, e) : read_index(&in, out, e);
}

/* ---- out of it ---- */

static int read_list(int root, const char *path, jail_fn *fn, const char *platform, bool top,
		     struct buf *said, struct err *e)
{
	autobuf struct buf text = { 0 };
	autoclose int fd = path_open_in(root, path, O_RDONLY | O_NONBLOCK, 0, e);
	struct input in = { .platform = platform, .top = top };
	struct jail_task task = {
		.jail = JAIL_PARSE, .fn = fn, .arg = &in, .max_bytes = ANSWER_MAX,
		.timeout_ms = TIMEOUT_MS,
	};
	int rc = fd < 0 ? fd : file_read_fd(fd, MANIFEST_MAX_BYTES, &text, e);

	if (rc < 0)
		return rc;
	in.text = buf_text(&text);
	in.len = text.len;
	rc = jail_run(&task, said, e);
	if (rc < 0)
		err_prefix(e, "\"%s\"", path);
	return rc;
}

static int add_text(char ***list, size_t *count, const char *text)
{
	char **more = reallocarray(*list, *count + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	*list = more;
	more[*count] = strdup(text);
	return more[(*count)++] ? 0 : -ENOMEM;
}

static struct load_image *add_image(struct load_plan *plan)
{
	struct load_image *more = reallocarray(plan->images, plan->count + 1, sizeof(*more));

	if (!more)
		return NULL;
	plan->images = more;
	more[plan->count] = (struct load_image){ .manifest = "" };
	return &more[plan->count++];
}

static int follow(int root, const char *platform, char digest[REF_DIGEST_MAX], struct err *e);

/* A list of several platforms stands for the image of one. */
static int take_descriptor(int root, const char *platform, const char *word, const char *text,
			   struct load_plan *plan, struct err *e)
{
	struct load_image *image = add_image(plan);

	if (!image)
		return err_set(e, -ENOMEM, "out of memory");
	if (!digest_valid(text))
		return err_set(e, -EBADMSG, "the archive's list could not be read");
	strcpy(image->manifest, text);
	return strcmp(word, "index") ? 0 : follow(root, platform, image->manifest, e);
}

static int take_line(int root, const char *platform, const char *word, const char *text,
		     struct load_plan *plan, struct err *e)
{
	struct load_image *image = plan->count ? &plan->images[plan->count - 1] : NULL;
	int rc = -EBADMSG;

	if (plan->count > LOAD_IMAGES_MAX)
		return err_set(e, -E2BIG, "the archive has more than %d images", LOAD_IMAGES_MAX);
	if (!strcmp(word, "manifest") || !strcmp(word, "index"))
		return take_descriptor(root, platform, word, text, plan, e);
	if (!strcmp(word, "image")) {
		image = add_image(plan);
		rc = image && (image->config = strdup(text)) ? 0 : -ENOMEM;
	} else if (image && !strcmp(word, "layer")) {
		rc = add_text(&image->layers, &image->layer_count, text);
	} else if (image && !strcmp(word, "name")) {
		rc = add_text(&image->names, &image->name_count, text);
	}
	return rc < 0 ? err_code(e, rc, "the archive's list could not be read") : 0;
}

static int take_lines(int root, const char *platform, struct buf *said, struct load_plan *plan,
		      struct err *e)
{
	char *rest = NULL;
	int rc = 0;

	for (char *line = said->data ? strtok_r(said->data, "\n", &rest) : NULL; !rc && line;
	     line = strtok_r(NULL, "\n", &rest)) {
		char *space = strchr(line, ' ');

		if (!space)
			return err_set(e, -EBADMSG, "the archive's list could not be read");
		*space = '\0';
		rc = take_line(root, platform, line, space + 1, plan, e);
	}
	return rc;
}

static int follow(int root, const char *platform, char digest[REF_DIGEST_MAX], struct err *e)
{
	for (int depth = 0; depth < NESTED_MAX; depth++) {
		autobuf struct buf said = { 0 };
		char path[128];
		const char *text;
		bool index;
		int rc;

		snprintf(path, sizeof(path), "blobs/sha256/%s", digest_hex(digest));
		rc = read_list(root, path, read_index, platform, false, &said, e);
		if (rc < 0)
			return rc;
		text = buf_text(&said);
		index = !strncmp(text, "index ", 6);
		text += index ? 6 : 9;
		if (said.len < 9 || strcspn(text, "\n") >= REF_DIGEST_MAX)
			return err_set(e, -EBADMSG, "the archive's list could not be read");
		snprintf(digest, REF_DIGEST_MAX, "%.*s", (int)strcspn(text, "\n"), text);
		if (!digest_valid(digest))
			return err_set(e, -EBADMSG, "the archive's list could not be read");
		if (!index)
			return 0;
	}
	return err_set(e, -ELOOP, "indexes are nested deeper than %d", NESTED_MAX);
}

static int read_plan(int root, const char *list, jail_fn *fn, const char *platform,
		     struct load_plan *out, struct err *e)
{
	struct load_plan plan = { .count = 0 };
	autobuf struct buf said = { 0 };
	int rc = read_list(root, list, fn, platform, true, &said, e);

	if (!rc)
		rc = take_lines(root, platform, &said, &plan, e);
	if (!rc && !plan.count)
		rc = err_set(e, -EINVAL, "the archive holds no image");
	if (rc < 0) {
		loadplan_free(&plan);
		return rc;
	}
	*out = plan;
	return 0;
}

int loadplan_read_index(int root, const char *platform, struct load_plan *out, struct err *e)
{
	return read_plan(root, "index.json", read_index, platform, out, e);
}

/* docker's own list first: it has each image once, however many names it has. */
int loadplan_read(int root, const char *platform, struct load_plan *out, struct err *e)
{
	if (faccessat(root, "manifest.json", F_OK, 0) == 0)
		return read_plan(root, "manifest.json", read_docker, platform, out, e);
	if (faccessat(root, "index.json", F_OK, 0) == 0)
		return loadplan_read_index(root, platform, out, e);
	return err_set(e, -EINVAL, "the archive is no image: it has neither \"manifest.json\" (docker "
		       "save) nor \"index.json\" (an OCI layout)");
}

static void free_texts(char **list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i]);
	free(list);
}

void loadplan_free(struct load_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		free(plan->images[i].config);
		free_texts(plan->images[i].layers, plan->images[i].layer_count);
		free_texts(plan->images[i].names, plan->images[i].name_count);
	}
	free(plan->images);
	*plan = (struct load_plan){ .count = 0 };
}
