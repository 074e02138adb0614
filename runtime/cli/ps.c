/* ps and inspect. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <yyjson.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/call.h"
#include "cli/cli.h"
#include "cli/format.h"
#include "cli/human.h"
#include "cli/json.h"
#include "cli/query.h"

#define PS_FORMAT \
	"table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}"

static const struct format_field fields[] = {
	{ "ID", "CONTAINER ID" }, { "Names", "NAMES" }, { "Image", "IMAGE" },
	{ "Command", "COMMAND" }, { "CreatedAt", "CREATED AT" }, { "RunningFor", "CREATED" },
	{ "Ports", "PORTS" }, { "State", "STATE" }, { "Status", "STATUS" }, { "Size", "SIZE" },
	{ "Labels", "LABELS" }, { "LocalVolumes", "LOCAL VOLUMES" }, { "Mounts", "MOUNTS" },
	{ "Networks", "NETWORKS" },
};

/* ---- one row ---- */

struct row {
	yyjson_mut_doc *doc;
	yyjson_mut_val *to;
	yyjson_val *from;
	bool whole;
};

static void put(const struct row *r, const char *key, const char *text)
{
	yyjson_mut_obj_add_strcpy(r->doc, r->to, key, text);
}

/* docker's short forms: 12 digits of an id, a command of 20 characters in quotes, in which a line's
 * end or a terminal's escape is spelled out. */
static void put_id(const struct row *r)
{
	const char *id = text_of(r->from, "Id");

	yyjson_mut_obj_add_strncpy(r->doc, r->to, "ID", id, r->whole ? strlen(id) : strnlen(id, 12));
}

static void put_command(const struct row *r)
{
	const char *command = text_of(r->from, "Command");
	autobuf struct buf text = { 0 }, quoted = { 0 };
	size_t len = strlen(command);
	bool cut = !r->whole && len > 20;

	for (len = cut ? 19 : len; cut && (command[len] & 0xc0) == 0x80;)
		len--;
	buf_add(&text, command, len);
	buf_adds(&text, cut ? "…" : "");
	buf_add_json_string(&quoted, buf_text(&text), text.len);
	put(r, "Command", buf_text(&quoted));
}

static void put_times(const struct row *r)
{
	time_t created = (time_t)yyjson_get_sint(yyjson_obj_get(r->from, "Created"));
	char ago[HUMAN_MAX + 4], at[64];
	struct tm tm;

	human_duration((int64_t)time(NULL) - created, ago);
	put(r, "RunningFor", strcat(ago, " ago"));
	localtime_r(&created, &tm);
	strftime(at, sizeof(at), "%Y-%m-%d %H:%M:%S %z %Z", &tm);
	put(r, "CreatedAt", at);
}

static void put_ports(const struct row *r)
{
	autobuf struct buf b = { 0 };
	size_t i, max;
	yyjson_val *port;

	yyjson_arr_foreach(yyjson_obj_get(r->from, "Ports"), i, max, port) {
		const char *ip = text_of(port, "IP");
		long long outside = yyjson_get_sint(yyjson_obj_get(port, "PublicPort"));

		buf_adds(&b, b.len ? ", " : "");
		if (outside)
			buf_addf(&b, strchr(ip, ':') ? "[%s]:%lld->" : "%s:%lld->", ip, outside);
		buf_addf(&b, "%lld/%s", (long long)yyjson_get_sint(yyjson_obj_get(port, "PrivatePort")),
			 text_of(port, "Type"));
	}
	put(r, "Ports", buf_text(&b));
}

static void put_names(const struct row *r)
{
	autobuf struct buf b = { 0 };
	size_t i, max;
	yyjson_val *name;

	yyjson_arr_foreach(yyjson_obj_get(r->from, "Names"), i, max, name) {
		const char *text = yyjson_get_str(name);

		buf_addf(&b, "%s%s", b.len ? "," : "", text && *text == '/' ? text + 1 : text ? text : "");
	}
	put(r, "Names", buf_text(&b));
}

static void put_keys(const struct row *r, const char *key, yyjson_val *map, bool values)
{
	autobuf struct buf b = { 0 };
	yyjson_val *name, *value;
	size_t i, max;

	yyjson_obj_foreach(map, i, max, name, value) {
		buf_addf(&b, "%s%s", b.len ? "," : "", yyjson_get_str(name));
		if (values)
			buf_addf(&b, "=%s", yyjson_get_str(value));
	}
	put(r, key, buf_text(&b));
}

static void put_mounts(const struct row *r)
{
	autobuf struct buf b = { 0 };
	size_t i, max, volumes = 0;
	char number[24];
	yyjson_val *mount;

	yyjson_arr_foreach(yyjson_obj_get(r->from, "Mounts"), i, max, mount) {
		const char *name = text_of(mount, "Name");

		volumes += *name != '\0';
		buf_addf(&b, "%s%s", b.len ? "," : "", *name ? name : text_of(mount, "Source"));
	}
	put(r, "Mounts", buf_text(&b));
	snprintf(number, sizeof(number), "%zu", volumes);
	put(r, "LocalVolumes", number);
}

static void put_size(const struct row *r)
{
	char own[HUMAN_MAX], all[HUMAN_MAX], text[2 * HUMAN_MAX + 16];

	human_size(yyjson_get_uint(yyjson_obj_get(r->from, "SizeRw")), own);
	human_size(yyjson_get_uint(yyjson_obj_get(r->from, "SizeRootFs")), all);
	snprintf(text, sizeof(text), "%s (virtual %s)", own, all);
	put(r, "Size", text);
}

static yyjson_mut_val *make_row(yyjson_mut_doc *doc, yyjson_val *from, bool whole)
{
	struct row r = { doc, yyjson_mut_obj(doc), from, whole };
	yyjson_val *networks = yyjson_obj_get(yyjson_obj_get(from, "NetworkSettings"), "Networks");

	put_id(&r);
	put_names(&r);
	put(&r, "Image", text_of(from, "Image"));
	put_command(&r);
	put_times(&r);
	put_ports(&r);
	put(&r, "State", text_of(from, "State"));
	put(&r, "Status", text_of(from, "Status"));
	put_size(&r);
	put_keys(&r, "Labels", yyjson_obj_get(from, "Labels"), true);
	put_mounts(&r);
	put_keys(&r, "Networks", networks, false);
	return r.to;
}

/* ---- ps ---- */

static int print_rows(yyjson_val *list, const char *format, bool whole, struct err *e)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *rows = yyjson_mut_arr(doc);
	yyjson_doc *frozen;
	size_t i, max;
	yyjson_val *item;
	int rc;

	yyjson_arr_foreach(list, i, max, item)
		yyjson_mut_arr_append(rows, make_row(doc, item, whole));
	yyjson_mut_doc_set_root(doc, rows);
	frozen = yyjson_mut_doc_imut_copy(doc, NULL);
	rc = format_print(format, fields, ARRAY_LEN(fields), yyjson_doc_get_root(frozen), e);
	yyjson_doc_free(frozen);
	yyjson_mut_doc_free(doc);
	return rc;
}

struct ps {
	bool all, quiet, whole, latest, size;
	const char *last, *format;
	struct cli_list filters;
};

static int ask(const struct ps *p, yyjson_doc **out, struct err *e)
{
	autobuf struct buf target = { 0 };
	long last = p->latest ? 1 : 0;
	int rc = p->last ? cli_number("last", p->last, 100000, &last, e) : 0;

	buf_addf(&target, "/containers/json?all=%d&size=%d&limit=%ld", p->all, p->size, last);
	if (!rc)
		rc = query_filters(&target, &p->filters, e);
	if (!rc)
		*out = call_json("GET", buf_text(&target), NULL, e);
	return rc < 0 ? rc : *out ? 0 : -EIO;
}

int cmd_ps(const struct cli_command *self, int argc, char **argv)
{
	struct ps p = { .all = false };
	const struct cli_option options[] = {
		{ 'a', "all", NULL, "Show stopped containers too", &p.all, NULL, NULL },
		{ 'f', "filter", "NAME=VALUE", "Only those", NULL, NULL, &p.filters },
		{ 0, "format", "TEMPLATE", "json, table ..., or a template", NULL, &p.format, NULL },
		{ 'n', "last", "N", "The last ones made, whatever their state", NULL, &p.last, NULL },
		{ 'l', "latest", NULL, "The last one made", &p.latest, NULL, NULL },
		{ 0, "no-trunc", NULL, "Don't truncate output", &p.whole, NULL, NULL },
		{ 'q', "quiet", NULL, "Only show IDs", &p.quiet, NULL, NULL },
		{ 's', "size", NULL, "Show sizes", &p.size, NULL, NULL },
	};
	yyjson_doc *doc = NULL;
	struct err e = { 0 };
	int code, rc;

	if (cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code) < 0)
		return code;
	rc = ask(&p, &doc, &e);
	if (p.quiet)
		p.format = "{{.ID}}";
	else if (!p.format || !strcmp(p.format, "table"))
		p.format = p.size ? PS_FORMAT "\t{{.Size}}" : PS_FORMAT;
	if (!rc)
		rc = print_rows(yyjson_doc_get_root(doc), p.format, p.whole, &e);
	yyjson_doc_free(doc);
	return rc < 0 ? cli_fail(&e) : EXIT_OK;
}

/* ---- inspect ---- */

/* NULL: what is wrong is in `e`; *gone: it is only that there is none. */
static yyjson_doc *ask_for(const char *target, bool *gone, struct err *e)
{
	autobuf struct buf answer = { 0 };
	struct http_response r;
	yyjson_doc *doc = NULL;

	*gone = false;
	if (http_request(cli_host(), "GET", target, NULL, &r, e) < 0)
		return NULL;
	*gone = r.status == 404;
	if (http_finish(&r, &answer, e) >= 0 && !(doc = yyjson_read(buf_text(&answer), answer.len, 0)))
		err_set(e, -EPROTO, "the engine's answer is no JSON");
	return doc;
}

/* A container of this name, else an image. */
static yyjson_doc *look(const char *name, const char *type, bool size, struct err *e)
{
	static const struct {
		const char *type, *head;
	} kinds[] = { { "container", "/containers/" }, { "image", "/images/" } };
	yyjson_doc *doc = NULL;
	bool known = false, gone = true;

	for (size_t i = 0; !doc && gone && i < ARRAY_LEN(kinds); i++) {
		autobuf struct buf target = { 0 };

		if (*type && strcmp(type, kinds[i].type))
			continue;
		known = true;
		buf_adds(&target, kinds[i].head);
		http_escape(&target, name);
		buf_adds(&target, size && !i ? "/json?size=1" : "/json");
		doc = ask_for(buf_text(&target), &gone, e);
	}
	if (!known)
		err_set(e, -EINVAL, "\"%s\" is not a type that can be inspected: container and image are",
			type);
	else if (gone && !*type)
		err_set(e, -ENOENT, "No such object: %s", name);
	return doc;
}

static void print_pretty(yyjson_doc *doc, bool first)
{
	autofree char *pretty = yyjson_write(doc, YYJSON_WRITE_PRETTY, NULL);

	printf("%s\n%s", first ? "" : ",", pretty ? pretty : "null");
}

int cmd_inspect(const struct cli_command *self, int argc, char **argv)
{
	const char *format = NULL, *type = "";
	bool first = true, size = false;
	const struct cli_option options[] = {
		{ 'f', "format", "TEMPLATE", "json, or a template", NULL, &format, NULL },
		{ 's', "size", NULL, "Count sizes of containers", &size, NULL, NULL },
		{ 0, "type", "TYPE", "container or image", NULL, &type, NULL },
	};
	struct err e = { 0 };
	int code, n = cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code);

	if (n < 0)
		return code;
	code = EXIT_OK;
	printf("%s", format ? "" : "[");
	for (int i = 0; i < n; i++) {
		yyjson_doc *doc = look(argv[i], type, size, &e);

		if (!doc || (format && format_line(format, yyjson_doc_get_root(doc), &e) < 0))
			code = cli_fail(&e);
		else if (!format)
			print_pretty(doc, first);
		first &= !doc;
		yyjson_doc_free(doc);
	}
	printf("%s", format ? "" : first ? "]\n" : "\n]\n");
	return code;
}
