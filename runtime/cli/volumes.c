/* volume ls, create, inspect, rm, prune: in docker's words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "base/cleanup.h"
#include "cli/call.h"
#include "cli/cli.h"
#include "cli/format.h"
#include "cli/json.h"
#include "cli/query.h"
#include "cli/things.h"

#define SWARM(option) { 0, option, .help = "there is no swarm" }

/* ---- ls ---- */

static const struct format_field fields[] = {
	{ "Driver", "DRIVER" }, { "Name", "VOLUME NAME" }, { "Mountpoint", "MOUNTPOINT" },
	{ "Scope", "SCOPE" },   { "Labels", "LABELS" },
};

static void put_labels(yyjson_mut_doc *doc, yyjson_mut_val *row, yyjson_val *labels)
{
	autobuf struct buf text = { 0 };
	yyjson_val *name, *value;
	size_t i, max;

	yyjson_obj_foreach(labels, i, max, name, value)
		buf_addf(&text, "%s%s=%s", text.len ? "," : "", yyjson_get_str(name),
			 yyjson_get_str(value));
	yyjson_mut_obj_add_strcpy(doc, row, "Labels", buf_text(&text));
}

static yyjson_doc *rows_of(yyjson_val *list)
{
	static const char *const same[] = { "Driver", "Name", "Mountpoint", "Scope" };
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *rows = yyjson_mut_arr(doc);
	yyjson_doc *frozen;
	yyjson_val *item;
	size_t i, max;

	yyjson_mut_doc_set_root(doc, rows);
	yyjson_arr_foreach(list, i, max, item) {
		yyjson_mut_val *row = yyjson_mut_arr_add_obj(doc, rows);

		for (size_t k = 0; k < ARRAY_LEN(same); k++)
			yyjson_mut_obj_add_strcpy(doc, row, same[k], text_of(item, same[k]));
		put_labels(doc, row, yyjson_obj_get(item, "Labels"));
	}
	frozen = yyjson_mut_doc_imut_copy(doc, NULL);
	yyjson_mut_doc_free(doc);
	return frozen;
}

static int run_ls(const struct cli_command *self, int argc, char **argv)
{
	bool quiet = false;
	struct cli_list filters = { .count = 0 };
	const char *format = NULL;
	const struct cli_option options[] = {
		SWARM("cluster"),
		{ 'f', "filter", "NAME=VALUE", "Only those", NULL, NULL, &filters },
		{ 0, "format", "TEMPLATE", "json, or a template", NULL, &format, NULL },
		{ 'q', "quiet", NULL, "Only show names", &quiet, NULL, NULL },
	};
	autobuf struct buf target = { 0 };
	autodoc yyjson_doc *doc = NULL, *rows = NULL;
	struct err e = { 0 };
	int code;

	if (cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code) < 0)
		return code;
	buf_adds(&target, "/volumes?");
	if (query_filters(&target, &filters, &e) < 0)
		return cli_fail(&e);
	doc = call_json("GET", buf_text(&target), NULL, &e);
	if (!doc)
		return cli_fail(&e);
	rows = rows_of(yyjson_obj_get(yyjson_doc_get_root(doc), "Volumes"));
	if (quiet)
		format = "{{.Name}}";
	else if (!format)
		format = "table {{.Driver}}\t{{.Name}}";
	return format_print(format, fields, ARRAY_LEN(fields), yyjson_doc_get_root(rows), &e) < 0 ?
		       cli_fail(&e) : EXIT_OK;
}

/* ---- create, inspect, rm ---- */

static char *create_text(const char *name, const struct cli_list *labels, const char *driver,
			 const struct cli_list *opts)
{
	const struct {
		const char *key;
		const struct cli_list *list;
	} maps[] = { { "Labels", labels }, { "DriverOpts", opts } };
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	char *text;

	yyjson_mut_doc_set_root(doc, root);
	yyjson_mut_obj_add_str(doc, root, "Name", name);
	yyjson_mut_obj_add_str(doc, root, "Driver", driver ? driver : "local");
	for (size_t m = 0; m < ARRAY_LEN(maps); m++) {
		yyjson_mut_val *map = yyjson_mut_obj_add_obj(doc, root, maps[m].key);

		for (size_t i = 0; i < maps[m].list->count; i++) {
			const char *label = maps[m].list->items[i];
			size_t len = strcspn(label, "=");

			yyjson_mut_obj_add(map, yyjson_mut_strncpy(doc, label, len),
					   yyjson_mut_strcpy(doc, label + len + (label[len] == '=')));
		}
	}
	text = yyjson_mut_write(doc, 0, NULL);
	yyjson_mut_doc_free(doc);
	return text;
}

static int run_create(const struct cli_command *self, int argc, char **argv)
{
	struct cli_list labels = { .count = 0 }, opts = { .count = 0 };
	const char *driver = NULL;
	const struct cli_option options[] = {
		{ 'd', "driver", "NAME", "local", NULL, &driver, NULL },
		{ 0, "label", "NAME=VALUE", "Set a label", NULL, NULL, &labels },
		{ 'o', "opt", "NAME=VALUE", "Set an option of the driver", NULL, NULL, &opts },
		SWARM("availability"), SWARM("group"), SWARM("limit-bytes"), SWARM("required-bytes"),
		SWARM("scope"), SWARM("secret"), SWARM("sharing"), SWARM("topology-preferred"),
		SWARM("topology-required"), SWARM("type"),
	};
	autodoc yyjson_doc *doc = NULL;
	autofree char *body = NULL;
	struct err e = { 0 };
	int code, n = cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code);

	if (n < 0)
		return code;
	body = create_text(n ? argv[0] : "", &labels, driver, &opts);
	doc = body ? call_json("POST", "/volumes/create", body, &e) : NULL;
	if (!doc)
		return cli_fail(&e);
	puts(text_of(yyjson_doc_get_root(doc), "Name"));
	return EXIT_OK;
}

static int run_inspect(const struct cli_command *self, int argc, char **argv)
{
	return things_inspect(self, argc, argv, "/volumes/", "");
}

static int run_rm(const struct cli_command *self, int argc, char **argv)
{
	bool force = false;
	const struct cli_option options[] = {
		{ 'f', "force", NULL, "One that is not there is no error", &force, NULL, NULL },
	};
	int code, n = cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code);

	if (n < 0)
		return code;
	code = EXIT_OK;
	for (int i = 0; i < n; i++) {
		autobuf struct buf target = { 0 }, answer = { 0 };
		struct err e = { 0 };

		buf_adds(&target, "/volumes/");
		http_escape(&target, argv[i]);
		buf_adds(&target, force ? "?force=1" : "");
		if (http_call(cli_host(), "DELETE", buf_text(&target), NULL, &answer, &e) < 0)
			code = cli_fail(&e);
		else
			puts(argv[i]);
	}
	return code;
}

/* ---- prune ---- */

static int run_prune(const struct cli_command *self, int argc, char **argv)
{
	struct cli_list filters = { .count = 0 };
	bool force = false, all = false;
	const struct cli_option options[] = {
		{ 'a', "all", NULL, "Those that have a name, too", &all, NULL, NULL },
		{ 0, "filter", "NAME=VALUE", "Only those (label, label!)", NULL, NULL, &filters },
		{ 'f', "force", NULL, "Do not ask", &force, NULL, NULL },
	};
	const struct things_prune what = {
		"/volumes/prune", "VolumesDeleted", "Deleted Volumes", .tells_space = true,
	};
	int code;

	if (cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code) < 0)
		return code;
	if (!force && !cli_sure(all ? "volumes that no container uses" :
				      "volumes without a name that no container uses"))
		return EXIT_OK;
	if (all)
		filters.items[filters.count++] = "all=1";
	return things_prune(&what, &filters);
}

static const struct cli_command commands[] = {
	{ "ls", "[OPTIONS]", "List volumes", 0, 0, run_ls },
	{ "list", "[OPTIONS]", "The same", 0, 0, run_ls },
	{ "create", "[OPTIONS] [VOLUME]", "Make a volume", 0, 1, run_create },
	{ "inspect", "[OPTIONS] VOLUME [VOLUME...]", "Show all that is known of volumes", 1, CLI_ANY,
	  run_inspect },
	{ "rm", "[OPTIONS] VOLUME [VOLUME...]", "Remove volumes", 1, CLI_ANY, run_rm },
	{ "remove", "[OPTIONS] VOLUME [VOLUME...]", "The same", 1, CLI_ANY, run_rm },
	{ "prune", "[OPTIONS]", "Remove volumes that no container uses", 0, 0, run_prune },
};

int cmd_volume(const struct cli_command *self, int argc, char **argv)
{
	return things_command(self, commands, ARRAY_LEN(commands), argc, argv);
}
