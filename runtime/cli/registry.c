/* pull, push, tag, rmi, history, search; image inspect, image prune. */
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
#include "cli/human.h"
#include "cli/json.h"
#include "cli/login.h"
#include "cli/progress.h"
#include "cli/pull.h"
#include "cli/table.h"
#include "cli/things.h"

/* Where the tag begins; its end if there is none. A colon before a slash is a registry's port. */
static size_t tag_at(const char *image)
{
	const char *slash = strrchr(image, '/'), *colon = strrchr(image, ':');

	return colon && (!slash || colon > slash) && !strchr(image, '@') ? (size_t)(colon - image) :
									  strlen(image);
}

static int stream(const char *image, const char *target, FILE *to, struct err *e)
{
	autobuf struct buf header = { 0 }, ignored = { 0 };
	struct http_response answer;
	int rc;

	login_header(&header, image);
	rc = http_request_with(cli_host(), "POST", target, buf_text(&header), &answer, e);
	if (!rc && answer.status >= 400)
		rc = http_finish(&answer, &ignored, e);
	else if (!rc)
		rc = progress_show(&answer, to, e);
	return rc < 0 ? rc : 0;
}

/* ---- pull, push, tag ---- */

int pull_image(const char *image, const char *platform, FILE *to, struct err *e)
{
	autobuf struct buf target = { 0 };

	buf_adds(&target, "/images/create?fromImage=");
	http_escape(&target, image);
	if (platform) {
		buf_adds(&target, "&platform=");
		http_escape(&target, platform);
	}
	return stream(image, buf_text(&target), to, e);
}

int cmd_pull(const struct cli_command *self, int argc, char **argv)
{
	const char *platform = NULL;
	bool quiet = false;
	const struct cli_option options[] = {
		{ 0, "platform", "OS/CPU", "Of an image for several", NULL, &platform, NULL },
		{ 'q', "quiet", NULL, "Only print its name", &quiet, NULL, NULL },
	};
	struct err e = { 0 };
	int code, n = cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code);

	if (n < 0)
		return code;
	if (tag_at(argv[0]) == strlen(argv[0]) && !strchr(argv[0], '@') && !quiet)
		puts("Using default tag: latest");
	fflush(stdout);
	if (pull_image(argv[0], platform, quiet ? NULL : stdout, &e) < 0)
		return cli_fail(&e);
	puts(argv[0]);
	return EXIT_OK;
}

int cmd_push(const struct cli_command *self, int argc, char **argv)
{
	bool quiet = false;
	const struct cli_option options[] = {
		{ 'q', "quiet", NULL, "Only print its name", &quiet, NULL, NULL },
	};
	autobuf struct buf target = { 0 };
	autofree char *name = NULL;
	struct err e = { 0 };
	int code, n = cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code);
	size_t tag;

	if (n < 0)
		return code;
	tag = tag_at(argv[0]);
	name = strndup(argv[0], tag);
	buf_adds(&target, "/images/");
	http_escape(&target, name ? name : "");
	buf_adds(&target, "/push?tag=");
	http_escape(&target, argv[0][tag] ? argv[0] + tag + 1 : "latest");
	if (stream(argv[0], buf_text(&target), quiet ? NULL : stdout, &e) < 0)
		return cli_fail(&e);
	if (quiet)
		puts(argv[0]);
	return EXIT_OK;
}

int cmd_tag(const struct cli_command *self, int argc, char **argv)
{
	autobuf struct buf target = { 0 }, answer = { 0 };
	autofree char *name = NULL;
	struct err e = { 0 };
	int code, n = cli_options(self, NULL, 0, argc, argv, argv, &code);
	size_t tag;

	if (n < 0)
		return code;
	tag = tag_at(argv[1]);
	name = strndup(argv[1], tag);
	buf_adds(&target, "/images/");
	http_escape(&target, argv[0]);
	buf_adds(&target, "/tag?repo=");
	http_escape(&target, name ? name : "");
	buf_adds(&target, "&tag=");
	http_escape(&target, argv[1][tag] ? argv[1] + tag + 1 : "");
	return http_call(cli_host(), "POST", buf_text(&target), NULL, &answer, &e) < 0 ? cli_fail(&e) :
										       EXIT_OK;
}

/* ---- rmi, prune ---- */

static void print_steps(yyjson_val *list)
{
	static const char *const words[] = { "Untagged", "Deleted" };
	yyjson_val *step;
	size_t i, n;

	yyjson_arr_foreach(list, i, n, step)
		for (size_t k = 0; k < ARRAY_LEN(words); k++)
			if (yyjson_obj_get(step, words[k]))
				printf("%s: %s\n", words[k],
				       yyjson_get_str(yyjson_obj_get(step, words[k])));
}

int cmd_rmi(const struct cli_command *self, int argc, char **argv)
{
	bool force = false;
	const struct cli_option options[] = {
		{ 'f', "force", NULL, "Also what a stopped container is made of", &force, NULL, NULL },
	};
	int code, n = cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code);

	if (n < 0)
		return code;
	code = EXIT_OK;
	for (int i = 0; i < n; i++) {
		autobuf struct buf target = { 0 };
		autodoc yyjson_doc *doc = NULL;
		struct err e = { 0 };

		buf_adds(&target, "/images/");
		http_escape(&target, argv[i]);
		buf_adds(&target, force ? "?force=1" : "");
		doc = call_json("DELETE", buf_text(&target), NULL, &e);
		if (doc)
			print_steps(yyjson_doc_get_root(doc));
		else
			code = cli_fail(&e);
	}
	return code;
}

int cmd_image_prune(const struct cli_command *self, int argc, char **argv)
{
	bool all = false, force = false;
	const struct cli_option options[] = {
		{ 'a', "all", NULL, "All that no container is made of", &all, NULL, NULL },
		{ 'f', "force", NULL, "Do not ask", &force, NULL, NULL },
	};
	autodoc yyjson_doc *doc = NULL;
	yyjson_val *root, *gone;
	char size[HUMAN_MAX];
	struct err e = { 0 };
	int code;

	if (cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code) < 0)
		return code;
	if (!force && !cli_sure(all ? "images without at least one container associated to them" :
				"dangling images"))
		return EXIT_OK;
	doc = call_json("POST", all ? "/images/prune?filters=%7B%22dangling%22%3A%5B%22false%22%5D%7D" :
			"/images/prune", NULL, &e);
	if (!doc)
		return cli_fail(&e);
	root = yyjson_doc_get_root(doc);
	gone = yyjson_obj_get(root, "ImagesDeleted");
	if (yyjson_arr_size(gone)) {
		puts("Deleted Images:");
		print_steps(gone);
		puts("");
	}
	printf("Total reclaimed space: %s\n",
	       human_size(yyjson_get_uint(yyjson_obj_get(root, "SpaceReclaimed")), size));
	return EXIT_OK;
}

/* ---- history, search, inspect ---- */

/* At most `most` characters, the last a mark if there were more. */
static char *shortened(const char *text, size_t most)
{
	char *out = NULL;

	if (strlen(text) <= most)
		return strdup(text);
	return asprintf(&out, "%.*s…", (int)most - 1, text) < 0 ? NULL : out;
}

typedef void row_fn(struct table *t, yyjson_val *one, bool whole);

static int print_table(yyjson_val *list, const char *const *head, size_t columns, row_fn *row,
		       bool whole)
{
	struct table *t = table_new(head, columns);
	yyjson_val *one;
	size_t i, count;

	yyjson_arr_foreach(list, i, count, one)
		row(t, one, whole);
	table_print(t);
	table_free(t);
	return EXIT_OK;
}

static void history_row(struct table *t, yyjson_val *one, bool whole)
{
	int64_t age = (int64_t)time(NULL) - yyjson_get_sint(yyjson_obj_get(one, "Created"));
	const char *id = text_of(one, "Id");
	char ago[HUMAN_MAX + 4], size[HUMAN_MAX];
	autofree char *by = shortened(text_of(one, "CreatedBy"), whole ? SIZE_MAX : 45);
	autofree char *shown = NULL;

	strcat(human_duration(age, ago), " ago");
	human_size(yyjson_get_uint(yyjson_obj_get(one, "Size")), size);
	shown = whole || strncmp(id, "sha256:", 7) ? strdup(id) : strndup(id + 7, 12);
	table_row(t, (const char *[]){ shown, ago, by, size, text_of(one, "Comment") });
}

int cmd_history(const struct cli_command *self, int argc, char **argv)
{
	static const char *const head[] = { "IMAGE", "CREATED", "CREATED BY", "SIZE", "COMMENT" };
	bool whole = false, quiet = false;
	const struct cli_option options[] = {
		{ 0, "no-trunc", NULL, "Don't truncate output", &whole, NULL, NULL },
		{ 'q', "quiet", NULL, "Only show IDs", &quiet, NULL, NULL },
	};
	autobuf struct buf target = { 0 };
	autodoc yyjson_doc *doc = NULL;
	yyjson_val *one;
	struct err e = { 0 };
	size_t i, count;
	int code;

	if (cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code) < 0)
		return code;
	buf_adds(&target, "/images/");
	http_escape(&target, argv[0]);
	buf_adds(&target, "/history");
	doc = call_json("GET", buf_text(&target), NULL, &e);
	if (!doc)
		return cli_fail(&e);
	if (!quiet)
		return print_table(yyjson_doc_get_root(doc), head, ARRAY_LEN(head), history_row, whole);
	yyjson_arr_foreach(yyjson_doc_get_root(doc), i, count, one)
		puts(text_of(one, "Id"));
	return EXIT_OK;
}

static void search_row(struct table *t, yyjson_val *one, bool whole)
{
	autofree char *about = shortened(text_of(one, "description"), whole ? SIZE_MAX : 45);
	char stars[24];

	snprintf(stars, sizeof(stars), "%llu",
		 (unsigned long long)yyjson_get_uint(yyjson_obj_get(one, "star_count")));
	table_row(t, (const char *[]){ text_of(one, "name"), about, stars,
		  yyjson_get_bool(yyjson_obj_get(one, "is_official")) ? "[OK]" : "" });
}

int cmd_search(const struct cli_command *self, int argc, char **argv)
{
	static const char *const head[] = { "NAME", "DESCRIPTION", "STARS", "OFFICIAL" };
	const char *limit = "25";
	bool whole = false;
	const struct cli_option options[] = {
		{ 0, "limit", "NUMBER", "Results at most", NULL, &limit, NULL },
		{ 0, "no-trunc", NULL, "Don't truncate output", &whole, NULL, NULL },
	};
	autobuf struct buf target = { 0 };
	autodoc yyjson_doc *doc = NULL;
	struct err e = { 0 };
	int code;

	if (cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code) < 0)
		return code;
	buf_adds(&target, "/images/search?term=");
	http_escape(&target, argv[0]);
	buf_adds(&target, "&limit=");
	http_escape(&target, limit);
	doc = call_json("GET", buf_text(&target), NULL, &e);
	if (!doc)
		return cli_fail(&e);
	return print_table(yyjson_doc_get_root(doc), head, ARRAY_LEN(head), search_row, whole);
}

int cmd_image_inspect(const struct cli_command *self, int argc, char **argv)
{
	return things_inspect(self, argc, argv, "/images/", "/json");
}
