/* images: a list that the engine gives as JSON and a person reads as a table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <yyjson.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/call.h"
#include "cli/cli.h"
#include "cli/human.h"
#include "cli/json.h"
#include "cli/table.h"

static char *created_ago(yyjson_val *object, char out[HUMAN_MAX + 4])
{
	int64_t age = (int64_t)time(NULL) - yyjson_get_sint(yyjson_obj_get(object, "Created"));

	human_duration(age, out);
	return strcat(out, " ago");
}

/* docker's short form: 12 digits. */
static void add_id(struct buf *b, const char *id, bool whole)
{
	const char *hex = strncmp(id, "sha256:", 7) || whole ? id : id + 7;

	buf_addf(b, "%.*s", whole ? (int)strlen(hex) : 12, hex);
}

static void images_rows(struct table *t, yyjson_val *image, bool whole)
{
	yyjson_val *tags = yyjson_obj_get(image, "RepoTags"), *tag;
	autobuf struct buf id = { 0 };
	char ago[HUMAN_MAX + 4], size[HUMAN_MAX];
	size_t i, max;

	add_id(&id, text_of(image, "Id"), whole);
	created_ago(image, ago);
	human_size(yyjson_get_uint(yyjson_obj_get(image, "Size")), size);
	if (!yyjson_arr_size(tags))
		table_row(t, (const char *[]){ "<none>", "<none>", buf_text(&id), ago, size });
	yyjson_arr_foreach(tags, i, max, tag) {
		const char *text = yyjson_get_str(tag);
		const char *colon = text ? strrchr(text, ':') : NULL;
		autofree char *repository =
			text ? strndup(text, colon ? (size_t)(colon - text) : strlen(text)) : NULL;

		table_row(t, (const char *[]){ repository, colon ? colon + 1 : "<none>",
					       buf_text(&id), ago, size });
	}
}

struct listing {
	const char *target;
	const char *const *head;
	size_t columns;
	void (*row)(struct table *t, yyjson_val *item, bool whole);
};

static void print_ids(yyjson_val *list, bool whole)
{
	size_t i, max;
	yyjson_val *item;

	yyjson_arr_foreach(list, i, max, item) {
		autobuf struct buf id = { 0 };

		add_id(&id, text_of(item, "Id"), whole);
		puts(buf_text(&id));
	}
}

static void print_table(const struct listing *l, yyjson_val *list, bool whole)
{
	struct table *t = table_new(l->head, l->columns);
	size_t i, max;
	yyjson_val *item;

	yyjson_arr_foreach(list, i, max, item)
		l->row(t, item, whole);
	table_print(t);
	table_free(t);
}

static int list(const struct cli_command *self, const struct listing *l, int argc, char **argv)
{
	bool quiet = false, whole = false;
	const struct cli_option options[] = {
		{ 'q', "quiet", NULL, "Only show IDs", &quiet, NULL, NULL },
		{ 0, "no-trunc", NULL, "Don't truncate output", &whole, NULL, NULL },
	};
	struct err e = { 0 };
	autodoc yyjson_doc *doc = NULL;
	int code;

	if (cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code) < 0)
		return code;
	doc = call_json("GET", l->target, NULL, &e);
	if (!doc)
		return cli_fail(&e);
	if (quiet)
		print_ids(yyjson_doc_get_root(doc), whole);
	else
		print_table(l, yyjson_doc_get_root(doc), whole);
	return EXIT_OK;
}

int cmd_images(const struct cli_command *self, int argc, char **argv)
{
	static const char *const head[] = { "REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE" };
	static const struct listing images = { "/images/json", head, ARRAY_LEN(head),
					       images_rows };

	return list(self, &images, argc, argv);
}
