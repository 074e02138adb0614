/* stats: what containers use. All are asked at once, as the engine takes a second for each. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <yyjson.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/call.h"
#include "cli/cli.h"
#include "cli/format.h"
#include "cli/human.h"

enum { CONTAINERS_MOST = 200, TEXT_MAX = 2 * HUMAN_MAX + 8 };

#define STATS_FORMAT \
	"table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}" \
	"\t{{.PIDs}}"

static const struct format_field fields[] = {
	{ "Container", "CONTAINER" }, { "Name", "NAME" }, { "ID", "CONTAINER ID" },
	{ "CPUPerc", "CPU %" }, { "MemUsage", "MEM USAGE / LIMIT" }, { "MemPerc", "MEM %" },
	{ "NetIO", "NET I/O" }, { "BlockIO", "BLOCK I/O" }, { "PIDs", "PIDS" },
};

struct view {
	const char *format;
	bool whole, clear;
	bool listed; /* nobody named them: one that ends meanwhile is no error */
};

struct asked {
	char *name;
	struct http_response response;
};

static double number(yyjson_val *object, const char *path)
{
	return yyjson_get_num(yyjson_ptr_get(object, path));
}

/* docker's rule: the share of the machine's time since the sample before, times its processors. */
static double cpu_percent(yyjson_val *s)
{
	double used = number(s, "/cpu_stats/cpu_usage/total_usage") -
		      number(s, "/precpu_stats/cpu_usage/total_usage");
	double all = number(s, "/cpu_stats/system_cpu_usage") -
		     number(s, "/precpu_stats/system_cpu_usage");

	return used > 0 && all > 0 ? used / all * number(s, "/cpu_stats/online_cpus") * 100 : 0;
}

static double memory_used(yyjson_val *s)
{
	double usage = number(s, "/memory_stats/usage");
	double cache = number(s, "/memory_stats/stats/inactive_file");

	return cache < usage ? usage - cache : usage;
}

/* "4.5MiB": four digits, powers of 1024. */
static void binary(double bytes, char out[HUMAN_MAX])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	size_t i = 0;

	for (; bytes >= 1024 && i < ARRAY_LEN(units) - 1; i++)
		bytes /= 1024;
	snprintf(out, HUMAN_MAX, "%.4g%s", bytes, units[i]);
}

static double sum_networks(yyjson_val *s, const char *key)
{
	yyjson_val *name, *link;
	double sum = 0;
	size_t i, max;

	yyjson_obj_foreach(yyjson_obj_get(s, "networks"), i, max, name, link)
		sum += yyjson_get_num(yyjson_obj_get(link, key));
	return sum;
}

static double sum_disks(yyjson_val *s, const char *op)
{
	yyjson_val *list = yyjson_ptr_get(s, "/blkio_stats/io_service_bytes_recursive"), *item;
	double sum = 0;
	size_t i, max;

	yyjson_arr_foreach(list, i, max, item)
		if (yyjson_equals_str(yyjson_obj_get(item, "op"), op))
			sum += yyjson_get_num(yyjson_obj_get(item, "value"));
	return sum;
}

static void put_pair(yyjson_mut_doc *doc, yyjson_mut_val *row, const char *key, double in,
		     double out)
{
	char left[HUMAN_MAX], right[HUMAN_MAX], text[TEXT_MAX];

	human_size((uint64_t)in, left);
	human_size((uint64_t)out, right);
	snprintf(text, sizeof(text), "%s / %s", left, right);
	yyjson_mut_obj_add_strcpy(doc, row, key, text);
}

static void put_percent(yyjson_mut_doc *doc, yyjson_mut_val *row, const char *key, double percent)
{
	char text[32];

	snprintf(text, sizeof(text), "%.2f%%", percent);
	yyjson_mut_obj_add_strcpy(doc, row, key, text);
}

static yyjson_mut_val *make_row(yyjson_mut_doc *doc, yyjson_val *s, const char *asked, bool whole)
{
	yyjson_mut_val *row = yyjson_mut_obj(doc);
	const char *name = yyjson_get_str(yyjson_obj_get(s, "name"));
	const char *id = yyjson_get_str(yyjson_obj_get(s, "id"));
	double used = memory_used(s), limit = number(s, "/memory_stats/limit");
	char left[HUMAN_MAX], right[HUMAN_MAX], text[TEXT_MAX];

	yyjson_mut_obj_add_strcpy(doc, row, "Container", asked);
	yyjson_mut_obj_add_strcpy(doc, row, "Name", name && *name == '/' ? name + 1 : "--");
	yyjson_mut_obj_add_strncpy(doc, row, "ID", id ? id : "", whole ? strlen(id ? id : "") :
							      strnlen(id ? id : "", 12));
	put_percent(doc, row, "CPUPerc", cpu_percent(s));
	binary(used, left);
	binary(limit, right);
	snprintf(text, sizeof(text), "%s / %s", left, right);
	yyjson_mut_obj_add_strcpy(doc, row, "MemUsage", text);
	put_percent(doc, row, "MemPerc", limit > 0 ? used / limit * 100 : 0);
	put_pair(doc, row, "NetIO", sum_networks(s, "rx_bytes"), sum_networks(s, "tx_bytes"));
	put_pair(doc, row, "BlockIO", sum_disks(s, "read"), sum_disks(s, "write"));
	snprintf(text, sizeof(text), "%.0f", number(s, "/pids_stats/current"));
	yyjson_mut_obj_add_strcpy(doc, row, "PIDs", text);
	return row;
}

/* ---- asking ---- */

static size_t ask_all(char **names, size_t count, struct asked *asked, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < count && n < CONTAINERS_MOST; i++) {
		autobuf struct buf target = { 0 };

		call_target(&target, names[i], "/stats?stream=0");
		if (http_request(cli_host(), "GET", buf_text(&target), NULL, &asked[n].response, e) < 0)
			continue;
		asked[n++].name = names[i];
	}
	return n;
}

static yyjson_mut_val *collect(yyjson_mut_doc *doc, struct asked *asked, size_t count,
			       const struct view *view, struct err *e)
{
	yyjson_mut_val *rows = yyjson_mut_arr(doc);

	for (size_t i = 0; i < count; i++) {
		autobuf struct buf text = { 0 };
		struct err why = { 0 };
		yyjson_doc *one;
		int rc = http_finish(&asked[i].response, &text, &why);

		if (rc < 0 && !(rc == -ENOENT && view->listed))
			*e = why;
		if (rc < 0)
			continue;
		one = yyjson_read(buf_text(&text), text.len, 0);
		yyjson_mut_arr_append(rows, make_row(doc, yyjson_doc_get_root(one), asked[i].name,
						     view->whole));
		yyjson_doc_free(one);
	}
	return rows;
}

static int show(char **names, size_t count, const struct view *view, struct err *e)
{
	autofree struct asked *asked = calloc(CONTAINERS_MOST, sizeof(*asked));
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_doc *frozen;
	size_t n;
	int rc;

	if (!asked || !doc)
		return err_set(e, -ENOMEM, "out of memory");
	n = ask_all(names, count, asked, e);
	yyjson_mut_doc_set_root(doc, collect(doc, asked, n, view, e));
	frozen = yyjson_mut_doc_imut_copy(doc, NULL);
	if (view->clear)
		printf("\033[H\033[J");
	rc = format_print(view->format, fields, ARRAY_LEN(fields), yyjson_doc_get_root(frozen), e);
	fflush(stdout);
	yyjson_doc_free(frozen);
	yyjson_mut_doc_free(doc);
	return rc < 0 ? rc : *e->text ? -EIO : 0;
}

/* The ids of those that run, or of all; `list` keeps them. */
static size_t find_names(bool all, yyjson_doc **list, char *names[CONTAINERS_MOST], struct err *e)
{
	size_t i, max, n = 0;
	yyjson_val *item;

	yyjson_doc_free(*list);
	*list = call_json("GET", all ? "/containers/json?all=1" : "/containers/json", NULL, e);
	yyjson_arr_foreach(yyjson_doc_get_root(*list), i, max, item)
		if (n < CONTAINERS_MOST)
			names[n++] = (char *)(uintptr_t)yyjson_get_str(yyjson_obj_get(item, "Id"));
	return n;
}

int cmd_stats(const struct cli_command *self, int argc, char **argv)
{
	struct view view = { .format = STATS_FORMAT };
	bool all = false, once = false;
	const struct cli_option options[] = {
		{ 'a', "all", NULL, "Those too that do not run", &all, NULL, NULL },
		{ 0, "format", "TEMPLATE", "json, table ..., or a template", NULL, &view.format, NULL },
		{ 0, "no-stream", NULL, "Once", &once, NULL, NULL },
		{ 0, "no-trunc", NULL, "Don't truncate output", &view.whole, NULL, NULL },
	};
	char *names[CONTAINERS_MOST];
	yyjson_doc *list = NULL;
	struct err e = { 0 };
	int code, rc, n = cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code);

	if (n < 0)
		return code;
	view.clear = !once && isatty(STDOUT_FILENO);
	view.listed = n == 0;
	do {
		size_t count = n ? (size_t)n : find_names(all, &list, names, &e);

		rc = *e.text ? -EIO : show(n ? argv : names, count, &view, &e);
		/* Nobody there takes no time. */
		if (!rc && !once && !count)
			sleep(1);
	} while (!rc && !once);
	yyjson_doc_free(list);
	return rc < 0 ? cli_fail(&e) : EXIT_OK;
}
