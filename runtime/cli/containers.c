/* ps, images, inspect: lists that the engine gives as JSON and a person reads as a table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <yyjson.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/http.h"
#include "cli/human.h"
#include "cli/table.h"

static void cleanup_doc(yyjson_doc **doc)
{
	yyjson_doc_free(*doc);
}

#define autodoc __attribute__((cleanup(cleanup_doc)))

static yyjson_doc *fetch(const char *target, struct err *e)
{
	autobuf struct buf body = { 0 };
	yyjson_doc *doc;

	if (http_call(cli_host(), "GET", target, NULL, &body, e) < 0)
		return NULL;
	doc = yyjson_read(buf_text(&body), body.len, 0);
	if (!doc)
		err_set(e, -1, "the engine's answer is no JSON");
	return doc;
}

static const char *text_of(yyjson_val *object, const char *key)
{
	const char *text = yyjson_get_str(yyjson_obj_get(object, key));

	return text ? text : "";
}

static char *created_ago(yyjson_val *object, char out[HUMAN_MAX + 4])
{
	int64_t age = (int64_t)time(NULL) - yyjson_get_sint(yyjson_obj_get(object, "Created"));

	human_duration(age, out);
	return strcat(out, " ago");
}

/* docker's short forms: 12 digits of an id, a command of 20 characters in quotes. */
static void add_id(struct buf *b, const char *id, bool whole)
{
	const char *hex = strncmp(id, "sha256:", 7) || whole ? id : id + 7;

	buf_addf(b, "%.*s", whole ? (int)strlen(hex) : 12, hex);
}

static void add_command(struct buf *b, const char *command, bool whole)
{
	size_t len = strlen(command);

	if (whole || len <= 20)
		buf_addf(b, "\"%s\"", command);
	else
		buf_addf(b, "\"%.19s…\"", command);
}

static void add_ports(struct buf *b, yyjson_val *ports)
{
	size_t i, max;
	yyjson_val *port;

	yyjson_arr_foreach(ports, i, max, port) {
		const char *ip = text_of(port, "IP");
		long long outside = yyjson_get_sint(yyjson_obj_get(port, "PublicPort"));

		buf_adds(b, b->len ? ", " : "");
		if (outside)
			buf_addf(b, strchr(ip, ':') ? "[%s]:%lld->" : "%s:%lld->", ip, outside);
		buf_addf(b, "%lld/%s", (long long)yyjson_get_sint(yyjson_obj_get(port, "PrivatePort")),
			 text_of(port, "Type"));
	}
}

static void add_names(struct buf *b, yyjson_val *names)
{
	size_t i, max;
	yyjson_val *name;

	yyjson_arr_foreach(names, i, max, name) {
		const char *text = yyjson_get_str(name);

		buf_adds(b, b->len ? "," : "");
		buf_adds(b, text && *text == '/' ? text + 1 : text ? text : "");
	}
}

static void ps_row(struct table *t, yyjson_val *c, bool whole)
{
	autobuf struct buf id = { 0 }, command = { 0 }, ports = { 0 }, names = { 0 };
	char ago[HUMAN_MAX + 4];

	add_id(&id, text_of(c, "Id"), whole);
	add_command(&command, text_of(c, "Command"), whole);
	add_ports(&ports, yyjson_obj_get(c, "Ports"));
	add_names(&names, yyjson_obj_get(c, "Names"));
	table_row(t, (const char *[]){ buf_text(&id), text_of(c, "Image"), buf_text(&command),
				       created_ago(c, ago), text_of(c, "Status"), buf_text(&ports),
				       buf_text(&names) });
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

/* What ps and images have in common: where the list comes from, and how a row of it is made. */
struct listing {
	const char *target, *target_all; /* all: NULL where there is no such option */
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
	bool all = false, quiet = false, whole = false;
	const struct cli_option options[] = {
		{ 'q', "quiet", NULL, "Only show IDs", &quiet, NULL, NULL },
		{ 0, "no-trunc", NULL, "Don't truncate output", &whole, NULL, NULL },
		{ 'a', "all", NULL, "Show stopped containers too", &all, NULL, NULL },
	};
	struct err e = { 0 };
	autodoc yyjson_doc *doc = NULL;
	int code;

	if (cli_options(self, options, ARRAY_LEN(options) - !l->target_all, argc, argv, argv,
			&code) < 0)
		return code;
	doc = fetch(all ? l->target_all : l->target, &e);
	if (!doc)
		return cli_fail(&e);
	if (quiet)
		print_ids(yyjson_doc_get_root(doc), whole);
	else
		print_table(l, yyjson_doc_get_root(doc), whole);
	return EXIT_OK;
}

int cmd_ps(const struct cli_command *self, int argc, char **argv)
{
	static const char *const head[] = { "CONTAINER ID", "IMAGE", "COMMAND", "CREATED",
					    "STATUS", "PORTS", "NAMES" };
	static const struct listing containers = { "/containers/json", "/containers/json?all=1",
						   head, ARRAY_LEN(head), ps_row };

	return list(self, &containers, argc, argv);
}

int cmd_images(const struct cli_command *self, int argc, char **argv)
{
	static const char *const head[] = { "REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE" };
	static const struct listing images = { "/images/json", NULL, head, ARRAY_LEN(head),
					       images_rows };

	return list(self, &images, argc, argv);
}

int cmd_inspect(const struct cli_command *self, int argc, char **argv)
{
	struct err e = { 0 };
	int code, n = cli_options(self, NULL, 0, argc, argv, argv, &code);
	bool first = true;

	if (n < 0)
		return code;
	code = EXIT_OK;
	printf("[");
	for (int i = 0; i < n; i++) {
		autobuf struct buf target = { 0 };
		autodoc yyjson_doc *doc = NULL;
		autofree char *pretty = NULL;

		buf_adds(&target, "/containers/");
		http_escape(&target, argv[i]);
		buf_adds(&target, "/json");
		doc = fetch(buf_text(&target), &e);
		pretty = doc ? yyjson_write(doc, YYJSON_WRITE_PRETTY, NULL) : NULL;
		if (!pretty) {
			code = cli_fail(&e);
			continue;
		}
		printf("%s\n%s", first ? "" : ",", pretty);
		first = false;
	}
	printf("%s]\n", first ? "" : "\n");
	return code;
}
