/* network: links, addresses, routes and name servers, as a person asks for them. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/netlink.h"
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/networks.h"
#include "cli/table.h"

enum { STATE_MAX_BYTES = 1024 * 1024, FOLDER_LINKS_MAX = 256, LABEL_WIDTH = 12 };

static const char run[] = "/run/berth";

static yyjson_doc *read_state(const char *name)
{
	autobuf struct buf text = { 0 }, path = { 0 };

	buf_addf(&path, "%s/%s", run, name);
	if (file_read_at(AT_FDCWD, buf_text(&path), STATE_MAX_BYTES, &text, NULL) < 0)
		return NULL;
	return yyjson_read(buf_text(&text), text.len, 0);
}

static void add_words(struct buf *out, yyjson_val *list)
{
	yyjson_val *v;
	size_t i, max;

	yyjson_arr_foreach(list, i, max, v) {
		buf_addf(out, "%s%s", i ? ", " : "", yyjson_is_str(v) ? yyjson_get_str(v) : "");
	}
}

static void show_state(void)
{
	yyjson_doc *doc = read_state("network.json");
	yyjson_val *root = yyjson_doc_get_root(doc), *waiting = yyjson_obj_get(root, "waiting");
	autobuf struct buf line = { 0 };

	buf_adds(&line, *text_of(root, "state") ? text_of(root, "state") : "not known yet");
	if (yyjson_arr_size(waiting)) {
		buf_adds(&line, ", no address yet on ");
		add_words(&line, waiting);
	}
	if (yyjson_get_bool(yyjson_obj_get(root, "faulty")))
		buf_adds(&line, "; the configuration has faults (berth status): DHCP is used as well");
	printf("%-*s %s\n", LABEL_WIDTH, "network", buf_text(&line));
	yyjson_doc_free(doc);
}

static void show_names(void)
{
	autobuf struct buf text = { 0 }, servers = { 0 };
	char *save = NULL;

	if (file_read_at(AT_FDCWD, "/run/berth/resolv.conf", STATE_MAX_BYTES, &text, NULL) < 0 ||
	    !text.data)
		return;
	for (char *l = strtok_r(text.data, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		if (strncmp(l, "nameserver ", 11) == 0)
			buf_addf(&servers, "%s%s", servers.len ? ", " : "", l + 11);
		if (strncmp(l, "search ", 7) == 0)
			printf("%-*s %s\n", LABEL_WIDTH, "search", l + 7);
	}
	printf("%-*s %s\n", LABEL_WIDTH, "names from", servers.len ? buf_text(&servers) : "nobody");
}

/* ---- links: a row for each address ---- */
static void add_link(struct table *t, yyjson_val *link)
{
	yyjson_val *one, *list = yyjson_obj_get(link, "addresses");
	const char *master = text_of(link, "master");
	autobuf struct buf state = { 0 };
	char mtu[24];
	size_t i, max;

	snprintf(mtu, sizeof(mtu), "%lld", (long long)yyjson_get_sint(yyjson_obj_get(link, "mtu")));
	buf_addf(&state, "%s%s%s", text_of(link, "state"), *master ? " of " : "", master);
	if (yyjson_arr_size(list) == 0)
		table_row(t, (const char *[]){ text_of(link, "link"), text_of(link, "kind"),
					       buf_text(&state), mtu, "-", "-" });
	yyjson_arr_foreach(list, i, max, one) {
		const char *first[] = { text_of(link, "link"), text_of(link, "kind"), buf_text(&state),
					mtu, text_of(one, "address"), text_of(one, "from") };
		const char *more[] = { "", "", "", "", first[4], first[5] };

		table_row(t, i ? more : first);
	}
}

static int is_state(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return len > 5 && strcmp(d->d_name + len - 5, ".json") == 0;
}

static void show_links(void)
{
	static const char *const head[] = { "LINK", "KIND", "STATE", "MTU", "ADDRESS", "FROM" };
	struct table *t = table_new(head, ARRAY_LEN(head));
	autobuf struct buf problems = { 0 };
	struct dirent **entries = NULL;
	int n = scandir("/run/berth/net", &entries, is_state, alphasort);

	for (int i = 0; i < n; i++) {
		autobuf struct buf name = { 0 };
		yyjson_doc *doc;
		yyjson_val *link;

		buf_addf(&name, "net/%s", entries[i]->d_name);
		doc = read_state(buf_text(&name));
		link = yyjson_doc_get_root(doc);
		add_link(t, link);
		if (*text_of(link, "problem"))
			buf_addf(&problems, "%s: %s\n", text_of(link, "link"),
				 text_of(link, "problem"));
		yyjson_doc_free(doc);
		free(entries[i]);
	}
	free(entries);
	table_print(t);
	table_free(t);
	fputs(buf_text(&problems), stdout);
}

/* ---- routes of the main table ---- */
struct route_rows {
	struct table *table;
	struct netlink_link links[FOLDER_LINKS_MAX];
	size_t count;
};

static void note_link(const struct netlink_link *l, void *arg)
{
	struct route_rows *rows = arg;

	if (rows->count < FOLDER_LINKS_MAX)
		rows->links[rows->count++] = *l;
}

static const char *link_name(const struct route_rows *rows, int index)
{
	for (size_t i = 0; i < rows->count; i++)
		if (rows->links[i].index == index)
			return rows->links[i].name;
	return "-";
}

static const char *maker(uint8_t protocol)
{
	static const struct {
		uint8_t protocol;
		const char *name;
	} rows[] = {
		{ RTPROT_KERNEL, "kernel" }, { RTPROT_STATIC, "static" }, { RTPROT_DHCP, "dhcp" },
		{ RTPROT_RA, "ra" },	     { RTPROT_BOOT, "by hand" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].protocol == protocol)
			return rows[i].name;
	return "other";
}

static const char *type_name(uint8_t type)
{
	return type == RTN_BLACKHOLE   ? "blackhole" :
	       type == RTN_UNREACHABLE ? "unreachable" :
	       type == RTN_PROHIBIT    ? "prohibit" :
	       type == RTN_THROW       ? "throw" : "on link";
}

static void note_route(const struct netlink_route *r, void *arg)
{
	struct route_rows *rows = arg;
	char to[NETLINK_ADDR_TEXT_MAX], via[NETLINK_ADDR_TEXT_MAX], metric[24];

	if (r->table != RT_TABLE_MAIN)
		return;
	netlink_addr_text(&r->to, to);
	snprintf(via, sizeof(via), "%s", type_name(r->type));
	if (r->via.family) {
		netlink_addr_text(&r->via, via);
		via[strcspn(via, "/")] = '\0';
	}
	snprintf(metric, sizeof(metric), "%u", r->metric);
	table_row(rows->table,
		  (const char *[]){ r->to.prefix ? to : r->to.family == AF_INET ? "default" :
										  "default (IPv6)",
				    via, link_name(rows, r->index), metric, maker(r->protocol) });
}

static int show_routes(struct err *e)
{
	static const char *const head[] = { "ROUTE TO", "VIA", "LINK", "METRIC", "FROM" };
	autofree struct route_rows *rows = calloc(1, sizeof(*rows));
	autonetlink struct netlink *nl = NULL;
	int code = rows ? netlink_open(&nl, e) : err_set(e, -ENOMEM, "there is not enough memory");

	if (code < 0)
		return code;
	rows->table = table_new(head, ARRAY_LEN(head));
	code = netlink_links(nl, note_link, rows, e);
	if (code == 0)
		code = netlink_routes(nl, note_route, rows, e);
	table_print(rows->table);
	table_free(rows->table);
	return code;
}

int cmd_network(const struct cli_command *self, int argc, char **argv)
{
	struct err e = { 0 };
	int code;

	if (argc > 1 && argv[1][0] != '-') /* "docker network ls" */
		return networks_command(argc - 1, argv + 1);
	if (cli_options(self, NULL, 0, argc, argv, argv, &code) < 0)
		return code;
	show_state();
	show_names();
	putchar('\n');
	show_links();
	putchar('\n');
	return show_routes(&e) < 0 ? cli_fail(&e) : EXIT_OK;
}
