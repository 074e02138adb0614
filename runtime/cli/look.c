/* port, top, events, container update and prune. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/call.h"
#include "cli/cli.h"
#include "cli/create_body.h"
#include "cli/format.h"
#include "cli/json.h"
#include "cli/query.h"
#include "cli/table.h"
#include "cli/things.h"

static yyjson_doc *get(const char *name, const char *tail, struct err *e)
{
	autobuf struct buf target = { 0 };

	call_target(&target, name, tail);
	return call_json("GET", buf_text(&target), NULL, e);
}

/* ---- port ---- */

static size_t print_ports(yyjson_val *ports, const char *wanted)
{
	yyjson_val *name, *list, *binding;
	size_t i, max, k, bindings, printed = 0;

	yyjson_obj_foreach(ports, i, max, name, list) {
		const char *port = yyjson_get_str(name);

		if (wanted && strcmp(wanted, port))
			continue;
		yyjson_arr_foreach(list, k, bindings, binding) {
			const char *ip = text_of(binding, "HostIp");

			printed++;
			if (!wanted)
				printf("%s -> ", port);
			printf(strchr(ip, ':') ? "[%s]:%s\n" : "%s:%s\n", ip, text_of(binding, "HostPort"));
		}
	}
	return printed;
}

int cmd_port(const struct cli_command *self, int argc, char **argv)
{
	autobuf struct buf wanted = { 0 };
	struct err e = { 0 };
	int code, n = cli_options(self, NULL, 0, argc, argv, argv, &code);
	yyjson_doc *doc;
	yyjson_val *settings;
	size_t printed;

	if (n < 0)
		return code;
	if (n == 2)
		buf_addf(&wanted, "%s%s", argv[1], strchr(argv[1], '/') ? "" : "/tcp");
	doc = get(argv[0], "/json", &e);
	if (!doc)
		return cli_fail(&e);
	settings = yyjson_obj_get(yyjson_doc_get_root(doc), "NetworkSettings");
	printed = print_ports(yyjson_obj_get(settings, "Ports"), n == 2 ? buf_text(&wanted) : NULL);
	yyjson_doc_free(doc);
	if (n == 2 && !printed) {
		err_set(&e, -ENOENT, "no public port '%s' published for %s", buf_text(&wanted), argv[0]);
		return cli_fail(&e);
	}
	return EXIT_OK;
}

/* ---- top ---- */

enum { COLUMNS_MOST = 32 };

static size_t cells_of(yyjson_val *row, const char *cells[COLUMNS_MOST])
{
	size_t i, max, count = 0;
	yyjson_val *cell;

	yyjson_arr_foreach(row, i, max, cell)
		if (count < COLUMNS_MOST)
			cells[count++] = yyjson_get_str(cell);
	return count;
}

int cmd_top(const struct cli_command *self, int argc, char **argv)
{
	const char *head[COLUMNS_MOST], *cells[COLUMNS_MOST];
	autobuf struct buf tail = { 0 }, arguments = { 0 };
	struct err e = { 0 };
	int code, n = cli_options(self, NULL, 0, argc, argv, argv, &code);
	yyjson_doc *doc;
	yyjson_val *row;
	struct table *t;
	size_t i, max;

	if (n < 0)
		return code;
	for (int k = 1; k < n; k++)
		buf_addf(&arguments, "%s%s", k > 1 ? " " : "", argv[k]);
	buf_adds(&tail, "/top?ps_args=");
	http_escape(&tail, buf_text(&arguments));
	doc = get(argv[0], buf_text(&tail), &e);
	if (!doc)
		return cli_fail(&e);
	t = table_new(head, cells_of(yyjson_obj_get(yyjson_doc_get_root(doc), "Titles"), head));
	yyjson_arr_foreach(yyjson_obj_get(yyjson_doc_get_root(doc), "Processes"), i, max, row) {
		memset(cells, 0, sizeof(cells));
		cells_of(row, cells);
		table_row(t, cells);
	}
	table_print(t);
	table_free(t);
	yyjson_doc_free(doc);
	return EXIT_OK;
}

/* ---- events ---- */

/* docker's line: time, type, action, id and what else is known. */
static void print_event(yyjson_val *event)
{
	yyjson_val *actor = yyjson_obj_get(event, "Actor"), *name, *value;
	autobuf struct buf line = { 0 };
	char at[CLOCK_RFC3339_MAX];
	size_t i, max;

	clock_rfc3339(yyjson_get_sint(yyjson_obj_get(event, "timeNano")), at);
	buf_addf(&line, "%s %s %s %s", at, text_of(event, "Type"), text_of(event, "Action"),
		 text_of(actor, "ID"));
	yyjson_obj_foreach(yyjson_obj_get(actor, "Attributes"), i, max, name, value)
		buf_addf(&line, "%s%s=%s", i ? ", " : " (", yyjson_get_str(name), yyjson_get_str(value));
	printf("%s%s\n", buf_text(&line), max ? ")" : "");
}

static int show_event(const char *text, size_t len, const char *format, struct err *e)
{
	yyjson_doc *doc = yyjson_read(text, len, 0);
	int rc = doc ? 0 : err_set(e, -EPROTO, "the engine's answer is no JSON");

	if (!rc && format)
		rc = format_line(format, yyjson_doc_get_root(doc), e);
	else if (!rc)
		print_event(yyjson_doc_get_root(doc));
	yyjson_doc_free(doc);
	fflush(stdout);
	return rc;
}

static int show_events(struct http_response *r, const char *format, struct err *e)
{
	autobuf struct buf pending = { 0 };
	char chunk[16 * 1024];
	ssize_t n, rc = 0;

	while (rc >= 0 && (n = http_read(r, chunk, sizeof(chunk), e)) != 0) {
		char *end;

		rc = n;
		if (n > 0)
			buf_add(&pending, chunk, (size_t)n);
		while (rc > 0 && pending.len && (end = memchr(pending.data, '\n', pending.len))) {
			int shown = show_event(pending.data, (size_t)(end - pending.data), format, e);

			rc = shown < 0 ? shown : 1;
			buf_consume(&pending, (size_t)(end - pending.data) + 1);
		}
	}
	return rc < 0 ? (int)rc : 0;
}

int cmd_events(const struct cli_command *self, int argc, char **argv)
{
	const char *since = NULL, *until = NULL, *format = NULL;
	struct cli_list filters = { .count = 0 };
	const struct cli_option options[] = {
		{ 'f', "filter", "NAME=VALUE", "Only those", NULL, NULL, &filters },
		{ 0, "format", "TEMPLATE", "json, or a template", NULL, &format, NULL },
		{ 0, "since", "TIME", "What happened since (10m, or a point in time)", NULL, &since, NULL },
		{ 0, "until", "TIME", "End then", NULL, &until, NULL },
	};
	autobuf struct buf target = { 0 }, answer = { 0 };
	struct http_response r;
	struct err e = { 0 };
	int code, rc;

	if (cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code) < 0)
		return code;
	buf_adds(&target, "/events?");
	query_time(&target, "since", since);
	query_time(&target, "until", until);
	rc = query_filters(&target, &filters, &e);
	if (!rc)
		rc = http_request(cli_host(), "GET", buf_text(&target), NULL, &r, &e);
	if (rc < 0)
		return cli_fail(&e);
	rc = r.status < 400 ? show_events(&r, format, &e) : http_finish(&r, &answer, &e);
	http_close(&r);
	return rc < 0 ? cli_fail(&e) : EXIT_OK;
}

/* ---- update ---- */

int cmd_container_update(const struct cli_command *self, int argc, char **argv)
{
	struct create_options o = { .init = false };
	static const char cgroup_v2[] = "cgroup v2 has no such thing";
	const struct cli_option options[] = {
		{ 0, "blkio-weight", "NUMBER", "Share of the disks' time", NULL, &o.blkio_weight, NULL },
		{ 0, "cpu-period", "US", "Time that --cpu-quota is for", NULL, &o.cpu_period, NULL },
		{ 0, "cpu-quota", "US", "Processor time in each period", NULL, &o.cpu_quota, NULL },
		{ 0, "cpu-rt-period", .help = cgroup_v2 },
		{ 0, "cpu-rt-runtime", .help = cgroup_v2 },
		{ 'c', "cpu-shares", "NUMBER", "Weight", NULL, &o.cpu_shares, NULL },
		{ 0, "cpus", "NUMBER", "Processors at most", NULL, &o.cpus, NULL },
		{ 0, "cpuset-cpus", "LIST", "Processors to run on", NULL, &o.cpuset, NULL },
		{ 0, "cpuset-mems", .help = "memory nodes are not supported" },
		{ 0, "kernel-memory", .help = cgroup_v2 },
		{ 'm', "memory", "BYTES", "Memory at most", NULL, &o.memory, NULL },
		{ 0, "memory-reservation", "BYTES", "Taken last", NULL, &o.memory_reservation, NULL },
		{ 0, "memory-swap", "BYTES", "Memory and swap at most", NULL, &o.memory_swap, NULL },
		{ 0, "pids-limit", "NUMBER", "Processes at most", NULL, &o.pids, NULL },
		{ 0, "restart", "POLICY", "Restart policy", NULL, &o.restart, NULL },
	};
	struct err e = { 0 };
	int code, n = cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code);
	autofree char *body = n < 0 ? NULL : create_update_body(&o, &e);

	if (n < 0)
		return code;
	if (!body)
		return cli_fail(&e);
	code = EXIT_OK;
	for (int i = 0; i < n; i++) {
		autobuf struct buf target = { 0 };
		yyjson_doc *doc;

		call_target(&target, argv[i], "/update");
		doc = call_json("POST", buf_text(&target), body, &e);
		if (doc)
			puts(argv[i]);
		else
			code = cli_fail(&e);
		yyjson_doc_free(doc);
	}
	return code;
}

/* ---- prune ---- */

int cmd_container_prune(const struct cli_command *self, int argc, char **argv)
{
	struct cli_list filters = { .count = 0 };
	bool force = false;
	const struct cli_option options[] = {
		{ 0, "filter", "NAME=VALUE", "Only those (until, label, label!)", NULL, NULL, &filters },
		{ 'f', "force", NULL, "Do not ask", &force, NULL, NULL },
	};
	const struct things_prune what = { "/containers/prune", "ContainersDeleted",
					   "Deleted Containers", .tells_space = true };
	int code;

	if (cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code) < 0)
		return code;
	if (!force && !cli_sure("stopped containers"))
		return EXIT_OK;
	return things_prune(&what, &filters);
}
