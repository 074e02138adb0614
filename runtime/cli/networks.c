/* network ls, create ...: the networks of containers, in docker's words. */
#include "cli/networks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "base/cleanup.h"
#include "cli/call.h"
#include "cli/create_body.h"
#include "cli/format.h"
#include "cli/json.h"
#include "cli/query.h"
#include "cli/things.h"

/* The answer is of no interest; 0 or -errno. */
static int ask(const char *method, const char *name, const char *tail, const char *body,
	       struct err *e)
{
	autobuf struct buf target = { 0 }, answer = { 0 };
	int rc;

	buf_adds(&target, "/networks/");
	http_escape(&target, name);
	buf_adds(&target, tail);
	rc = http_call(cli_host(), method, buf_text(&target), body, &answer, e);
	return rc < 0 ? rc : 0;
}

/* ---- ls ---- */

static const struct format_field fields[] = {
	{ "ID", "NETWORK ID" }, { "Name", "NAME" },	{ "Driver", "DRIVER" }, { "Scope", "SCOPE" },
	{ "IPv6", "IPV6" },	{ "Internal", "INTERNAL" }, { "CreatedAt", "CREATED AT" },
};

static void put(yyjson_mut_doc *doc, yyjson_mut_val *row, const char *key, const char *text)
{
	yyjson_mut_obj_add_strcpy(doc, row, key, text);
}

static void put_flag(yyjson_mut_doc *doc, yyjson_mut_val *row, const char *key, yyjson_val *from,
		     const char *of)
{
	put(doc, row, key, yyjson_get_bool(yyjson_obj_get(from, of)) ? "true" : "false");
}

static int by_name(const void *a, const void *b)
{
	return strcmp(text_of(*(yyjson_val *const *)a, "Name"), text_of(*(yyjson_val *const *)b, "Name"));
}

static yyjson_mut_doc *rows_of(yyjson_val *list, bool whole)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *rows = yyjson_mut_arr(doc);
	autofree yyjson_val **sorted = calloc(yyjson_arr_size(list) + 1, sizeof(*sorted));
	yyjson_val *item;
	size_t i, max;

	yyjson_mut_doc_set_root(doc, rows);
	if (!sorted)
		return doc;
	yyjson_arr_foreach(list, i, max, item)
		sorted[i] = item;
	qsort(sorted, max, sizeof(*sorted), by_name);
	for (i = 0; i < max; i++) {
		yyjson_mut_val *row = yyjson_mut_arr_add_obj(doc, rows);
		char id[65];

		snprintf(id, sizeof(id), "%.*s", whole ? 64 : 12, text_of(sorted[i], "Id"));
		put(doc, row, "ID", id);
		put(doc, row, "Name", text_of(sorted[i], "Name"));
		put(doc, row, "Driver", text_of(sorted[i], "Driver"));
		put(doc, row, "Scope", text_of(sorted[i], "Scope"));
		put_flag(doc, row, "IPv6", sorted[i], "EnableIPv6");
		put_flag(doc, row, "Internal", sorted[i], "Internal");
		put(doc, row, "CreatedAt", text_of(sorted[i], "Created"));
	}
	return doc;
}

static int run_ls(const struct cli_command *self, int argc, char **argv)
{
	bool quiet = false, whole = false;
	struct cli_list filters = { .count = 0 };
	const char *format = NULL;
	const struct cli_option options[] = {
		{ 'f', "filter", "NAME=VALUE", "Only those", NULL, NULL, &filters },
		{ 0, "format", "TEMPLATE", "json, or a template", NULL, &format, NULL },
		{ 0, "no-trunc", NULL, "Don't truncate output", &whole, NULL, NULL },
		{ 'q', "quiet", NULL, "Only show IDs", &quiet, NULL, NULL },
	};
	autobuf struct buf target = { 0 };
	autodoc yyjson_doc *doc = NULL, *rows = NULL;
	yyjson_mut_doc *made;
	struct err e = { 0 };
	int code;

	if (cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code) < 0)
		return code;
	buf_adds(&target, "/networks?");
	if (query_filters(&target, &filters, &e) < 0)
		return cli_fail(&e);
	doc = call_json("GET", buf_text(&target), NULL, &e);
	if (!doc)
		return cli_fail(&e);
	made = rows_of(yyjson_doc_get_root(doc), whole);
	rows = yyjson_mut_doc_imut_copy(made, NULL);
	yyjson_mut_doc_free(made);
	if (quiet)
		format = "{{.ID}}";
	else if (!format)
		format = "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}";
	return format_print(format, fields, ARRAY_LEN(fields), yyjson_doc_get_root(rows), &e) < 0 ?
		       cli_fail(&e) : EXIT_OK;
}

/* ---- create ---- */

struct create {
	bool internal, attachable, ipv6;
	const char *driver, *subnet, *gateway, *range;
	struct cli_list labels, options;
};

static yyjson_mut_val *map_of(yyjson_mut_doc *doc, const struct cli_list *list)
{
	yyjson_mut_val *map = yyjson_mut_obj(doc);

	for (size_t i = 0; i < list->count; i++) {
		const char *text = list->items[i], *equals = strchr(text, '=');
		size_t len = equals ? (size_t)(equals - text) : strlen(text);

		yyjson_mut_obj_add(map, yyjson_mut_strncpy(doc, text, len),
				   yyjson_mut_str(doc, equals ? equals + 1 : ""));
	}
	return map;
}

static void add_ipam(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct create *o)
{
	const struct { const char *key, *value; } rows[] = {
		{ "Subnet", o->subnet }, { "IPRange", o->range }, { "Gateway", o->gateway },
	};
	yyjson_mut_val *ipam = yyjson_mut_obj_add_obj(doc, root, "IPAM");
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, ipam, "Config"), *config = NULL;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!rows[i].value)
			continue;
		if (!config)
			config = yyjson_mut_arr_add_obj(doc, list);
		yyjson_mut_obj_add_str(doc, config, rows[i].key, rows[i].value);
	}
}

static char *create_text(const struct create *o, const char *name)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	char *text;

	yyjson_mut_doc_set_root(doc, root);
	yyjson_mut_obj_add_str(doc, root, "Name", name);
	yyjson_mut_obj_add_str(doc, root, "Driver", o->driver ? o->driver : "bridge");
	yyjson_mut_obj_add_bool(doc, root, "Internal", o->internal);
	yyjson_mut_obj_add_bool(doc, root, "Attachable", o->attachable);
	yyjson_mut_obj_add_bool(doc, root, "EnableIPv6", o->ipv6);
	add_ipam(doc, root, o);
	yyjson_mut_obj_add_val(doc, root, "Labels", map_of(doc, &o->labels));
	yyjson_mut_obj_add_val(doc, root, "Options", map_of(doc, &o->options));
	text = yyjson_mut_write(doc, 0, NULL);
	yyjson_mut_doc_free(doc);
	return text;
}

static int run_create(const struct cli_command *self, int argc, char **argv)
{
	struct create o = { .internal = false };
	const struct cli_option options[] = {
		{ 0, "attachable", NULL, "Kept for docker's sake", &o.attachable, NULL, NULL },
		{ 'd', "driver", "NAME", "bridge", NULL, &o.driver, NULL },
		{ 0, "gateway", "ADDRESS", "The host's address on it", NULL, &o.gateway, NULL },
		{ 0, "internal", NULL, "No way out of it", &o.internal, NULL, NULL },
		{ 0, "ip-range", "SUBNET", "Give addresses from this part", NULL, &o.range, NULL },
		{ 0, "ipv6", NULL, "IPv6 as well", &o.ipv6, NULL, NULL },
		{ 0, "label", "NAME=VALUE", "Set a label", NULL, NULL, &o.labels },
		{ 'o', "opt", "NAME=VALUE", "Set an option", NULL, NULL, &o.options },
		{ 0, "subnet", "SUBNET", "In place of one that is free", NULL, &o.subnet, NULL },
	};
	autodoc yyjson_doc *doc = NULL;
	autofree char *body = NULL;
	struct err e = { 0 };
	int code;

	if (cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code) < 0)
		return code;
	body = create_text(&o, argv[0]);
	doc = body ? call_json("POST", "/networks/create", body, &e) : NULL;
	if (!doc)
		return cli_fail(&e);
	puts(text_of(yyjson_doc_get_root(doc), "Id"));
	return EXIT_OK;
}

/* ---- inspect, rm ---- */

static int run_inspect(const struct cli_command *self, int argc, char **argv)
{
	return things_inspect(self, argc, argv, "/networks/", "");
}

static int run_rm(const struct cli_command *self, int argc, char **argv)
{
	int code, n = cli_options(self, NULL, 0, argc, argv, argv, &code);

	if (n < 0)
		return code;
	code = EXIT_OK;
	for (int i = 0; i < n; i++) {
		struct err e = { 0 };

		if (ask("DELETE", argv[i], "", NULL, &e) < 0)
			code = cli_fail(&e);
		else
			puts(argv[i]);
	}
	return code;
}

static int run_prune(const struct cli_command *self, int argc, char **argv)
{
	struct cli_list filters = { .count = 0 };
	bool force = false;
	const struct cli_option options[] = {
		{ 0, "filter", "NAME=VALUE", "Only those (until, label, label!)", NULL, NULL, &filters },
		{ 'f', "force", NULL, "Do not ask", &force, NULL, NULL },
	};
	const struct things_prune what = { "/networks/prune", "NetworksDeleted", "Deleted Networks",
					   .tells_space = false };
	int code;

	if (cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code) < 0)
		return code;
	if (!force && !cli_sure("networks that no container is on"))
		return EXIT_OK;
	return things_prune(&what, &filters);
}

/* ---- connect, disconnect ---- */

static int run_connect(const struct cli_command *self, int argc, char **argv)
{
	struct create_options o = { .init = false };
	autofree char *body = NULL;
	const struct cli_option options[] = {
		{ 0, "alias", "NAME", "A name for it there", NULL, NULL, &o.network_aliases },
		{ 0, "gw-priority", "NUMBER", "The way out is by the network with the highest", NULL,
		  &o.gw_priority, NULL },
		{ 0, "ip", "ADDRESS", "In place of one that is free", NULL, &o.ip, NULL },
		{ 0, "link", "CONTAINER:NAME", "A name for another, for it alone", NULL, NULL, &o.links },
	};
	struct err e = { 0 };
	int code;

	if (cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code) < 0)
		return code;
	body = create_endpoint_body(&o, argv[1], &e);
	return body && ask("POST", argv[0], "/connect", body, &e) == 0 ? EXIT_OK : cli_fail(&e);
}

static int run_disconnect(const struct cli_command *self, int argc, char **argv)
{
	bool force = false;
	const struct cli_option options[] = {
		{ 'f', "force", NULL, "Kept for docker's sake", &force, NULL, NULL },
	};
	autobuf struct buf body = { 0 };
	struct err e = { 0 };
	int code;

	if (cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code) < 0)
		return code;
	buf_adds(&body, "{\"Container\":");
	buf_add_json_string(&body, argv[1], strlen(argv[1]));
	buf_adds(&body, "}");
	return ask("POST", argv[0], "/disconnect", buf_text(&body), &e) < 0 ? cli_fail(&e) : EXIT_OK;
}

/* ---- the table ---- */

static const struct cli_command commands[] = {
	{ "ls", "[OPTIONS]", "List networks", 0, 0, run_ls },
	{ "list", "[OPTIONS]", "The same", 0, 0, run_ls },
	{ "create", "[OPTIONS] NETWORK", "Make a network", 1, 1, run_create },
	{ "inspect", "[OPTIONS] NETWORK [NETWORK...]", "Show all that is known of networks", 1, CLI_ANY,
	  run_inspect },
	{ "connect", "[OPTIONS] NETWORK CONTAINER", "Put a container on one more network", 2, 2,
	  run_connect },
	{ "disconnect", "[OPTIONS] NETWORK CONTAINER", "Take a container off a network", 2, 2,
	  run_disconnect },
	{ "rm", "NETWORK [NETWORK...]", "Remove networks", 1, CLI_ANY, run_rm },
	{ "remove", "NETWORK [NETWORK...]", "The same", 1, CLI_ANY, run_rm },
	{ "prune", "[OPTIONS]", "Remove networks that no container is on", 0, 0, run_prune },
};

int networks_command(int argc, char **argv)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (!strcmp(commands[i].name, argv[0]))
			return commands[i].run(&commands[i], argc, argv);
	fprintf(stderr, "berth: 'network %s' is not a berth command; there is:\n", argv[0]);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(stderr, "  %-10s %s\n", commands[i].name, commands[i].summary);
	return EXIT_FAILED;
}
