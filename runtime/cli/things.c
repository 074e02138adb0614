#include "cli/things.h"

#include <stdio.h>
#include <string.h>

#include <yyjson.h>

#include "base/cleanup.h"
#include "cli/call.h"
#include "cli/format.h"
#include "cli/human.h"
#include "cli/json.h"
#include "cli/query.h"

int things_command(const struct cli_command *group, const struct cli_command *commands,
		   size_t count, int argc, char **argv)
{
	FILE *to = argc > 1 && !strcmp(argv[1], "--help") ? stdout : stderr;

	for (size_t i = 0; argc > 1 && i < count; i++)
		if (!strcmp(commands[i].name, argv[1]))
			return commands[i].run(&commands[i], argc - 1, argv + 1);
	fprintf(to, "Usage:  berth %s %s\n\n%s:\n", group->name, group->arguments, group->summary);
	for (size_t i = 0; i < count; i++)
		fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].summary);
	return to == stdout ? EXIT_OK : EXIT_FAILED;
}

static yyjson_doc *ask(const char *path, const char *name, const char *tail, struct err *e)
{
	autobuf struct buf target = { 0 };

	buf_adds(&target, path);
	http_escape(&target, name);
	buf_adds(&target, tail);
	return call_json("GET", buf_text(&target), NULL, e);
}

int things_inspect(const struct cli_command *self, int argc, char **argv, const char *path,
		   const char *tail)
{
	const char *format = NULL;
	const struct cli_option options[] = {
		{ 'f', "format", "TEMPLATE", "A template", NULL, &format, NULL },
	};
	int code, n = cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code);
	bool first = true;

	if (n < 0)
		return code;
	code = EXIT_OK;
	for (int i = 0; i < n; i++) {
		struct err e = { 0 };
		autodoc yyjson_doc *doc = ask(path, argv[i], tail, &e);
		autofree char *pretty = NULL;

		if (doc && format && format_line(format, yyjson_doc_get_root(doc), &e) == 0)
			continue;
		pretty = doc && !format ? yyjson_write(doc, YYJSON_WRITE_PRETTY, NULL) : NULL;
		if (pretty)
			printf("%s\n%s", first ? "[" : ",", pretty);
		else
			code = cli_fail(&e);
		first = first && !pretty;
	}
	if (!format)
		printf("%s]\n", first ? "[" : "\n");
	return code;
}

int things_prune(const struct things_prune *what, const struct cli_list *filters)
{
	autobuf struct buf target = { 0 };
	autodoc yyjson_doc *doc = NULL;
	yyjson_val *root, *list, *name;
	struct err e = { 0 };
	char size[HUMAN_MAX];
	size_t i, max;

	buf_addf(&target, "%s?", what->path);
	if (query_filters(&target, filters, &e) < 0)
		return cli_fail(&e);
	doc = call_json("POST", buf_text(&target), NULL, &e);
	if (!doc)
		return cli_fail(&e);
	root = yyjson_doc_get_root(doc);
	list = yyjson_obj_get(root, what->key);
	if (yyjson_arr_size(list))
		printf("%s:\n", what->title);
	yyjson_arr_foreach(list, i, max, name)
		puts(yyjson_get_str(name));
	if (!what->tells_space)
		return EXIT_OK;
	human_size(yyjson_get_uint(yyjson_obj_get(root, "SpaceReclaimed")), size);
	printf("%sTotal reclaimed space: %s\n", yyjson_arr_size(list) ? "\n" : "", size);
	return EXIT_OK;
}
