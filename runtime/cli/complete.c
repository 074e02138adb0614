#include "cli/complete.h"

#include <string.h>

#include <yyjson.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/initctl.h"
#include "cli/http.h"

enum { WORDS_MOST = 64, LINE_MOST = 4096 };

/* Words that a command takes in its first place, besides what its usage line says. */
static const struct {
	const char *command, *words;
} verbs[] = {
	{ "services", "start stop restart" },
	{ "config", "check show diff apply edit confirm forget explain schema" },
	{ "update", "status check fetch install confirm rollback forget" },
	{ "system", "dial-stdio" },
};

static void say_words(const char *words, FILE *to)
{
	for (; *words; words += strcspn(words, " "), words += *words == ' ')
		fprintf(to, "%.*s\n", (int)strcspn(words, " "), words);
}

/* ---- names that the machine knows; without an answer there are none ---- */

static void say_containers(FILE *to)
{
	autobuf struct buf body = { 0 };
	yyjson_doc *doc;
	yyjson_val *c;
	size_t i, max;

	if (http_call(cli_host(), "GET", "/containers/json?all=1", NULL, &body, NULL) != 200)
		return;
	doc = yyjson_read(buf_text(&body), body.len, 0);
	yyjson_arr_foreach(yyjson_doc_get_root(doc), i, max, c) {
		const char *name = yyjson_get_str(yyjson_arr_get_first(yyjson_obj_get(c, "Names")));

		if (name)
			fprintf(to, "%s\n", name + (*name == '/'));
	}
	yyjson_doc_free(doc);
}

static void say_images(FILE *to)
{
	autobuf struct buf body = { 0 };
	yyjson_val *image, *tag;
	size_t i, j, max, tags;
	yyjson_doc *doc;

	if (http_call(cli_host(), "GET", "/images/json", NULL, &body, NULL) != 200)
		return;
	doc = yyjson_read(buf_text(&body), body.len, 0);
	yyjson_arr_foreach(yyjson_doc_get_root(doc), i, max, image)
		yyjson_arr_foreach(yyjson_obj_get(image, "RepoTags"), j, tags, tag)
			fprintf(to, "%s\n", yyjson_get_str(tag));
	yyjson_doc_free(doc);
}

static void say_services(FILE *to)
{
	autobuf struct buf answer = { 0 };
	yyjson_val *service;
	yyjson_doc *doc;
	size_t i, max;

	if (initctl_ask("status", &answer, NULL) < 0)
		return;
	doc = yyjson_read(buf_text(&answer), answer.len, 0);
	yyjson_arr_foreach(yyjson_obj_get(yyjson_doc_get_root(doc), "services"), i, max, service)
		fprintf(to, "%s\n", yyjson_get_str(yyjson_obj_get(service, "name")));
	yyjson_doc_free(doc);
}

static void say_kernel(FILE *to)
{
	fputs("kernel\n", to);
}

static const struct {
	const char *in_usage; /* the word of the command's usage line */
	void (*say)(FILE *to);
} kinds[] = {
	{ "CONTAINER", say_containers },
	{ "IMAGE", say_images },
	{ "SERVICE", say_services },
	{ "restart NAME", say_services },
	{ "kernel", say_kernel },
};

/* ---- the line ---- */

static const struct cli_command *find(const struct cli_command *const *commands, const char *name)
{
	for (; *commands; commands++)
		if (!strcmp((*commands)->name, name))
			return *commands;
	return NULL;
}

static void say_arguments(const struct cli_command *c, int place, FILE *to)
{
	if (c->max_args == CLI_PROGRAM && place > 0)
		return;
	for (size_t i = 0; place == 0 && i < ARRAY_LEN(verbs); i++)
		if (!strcmp(verbs[i].command, c->name)) {
			say_words(verbs[i].words, to);
			return;
		}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strstr(c->arguments, kinds[i].in_usage))
			kinds[i].say(to);
}

static void say_options(const struct cli_command *c)
{
	char *argv[] = { (char *)c->name, (char *)"--help", NULL };

	cli_names_only = true;
	c->run(c, 2, argv);
}

void complete(const char *line, const struct cli_command *const *commands, FILE *to)
{
	char copy[LINE_MOST], *words[WORDS_MOST] = { NULL }, *rest = copy, *word;
	const struct cli_command *c;
	int count = 0, place = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	/* A space at the end begins an empty word, which is the one to complete. */
	while (count < WORDS_MOST && (word = strsep(&rest, " ")))
		if (*word || !rest)
			words[count++] = word;
	if (count < 2)
		return;
	if (count == 2) {
		for (; *commands; commands++)
			fprintf(to, "%s\n", (*commands)->name);
		return;
	}
	c = find(commands, words[1]);
	for (int i = 2; c && i < count - 1; i++)
		place += *words[i] != '-';
	if (c && *words[count - 1] == '-')
		say_options(c);
	else if (c)
		say_arguments(c, place, to);
}
