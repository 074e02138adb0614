/* A container's healthcheck (compose-spec, 05-services.md; the same words as docker's). */
#include <string.h>

#include "base/cleanup.h"
#include "bootcfg/read.h"
#include "bootcfg/types.h"

/* A line alone is for the image's shell. */
static yyjson_mut_val *read_test(struct walk *w, const struct type *t, const struct node *n,
				 struct err *why)
{
	autofree char *text = text_without_dollars(n->text, why);
	yyjson_mut_val *list = yyjson_mut_arr(w->doc);

	(void)t;
	if (!text || !*text)
		return NULL;
	yyjson_mut_arr_add_str(w->doc, list, "CMD-SHELL");
	yyjson_mut_arr_append(list, walk_text(w, text, strlen(text)));
	return list;
}

static void finish_test(struct walk *w, const struct node *n, yyjson_mut_val *list)
{
	static const struct {
		const char *word;
		size_t least, most;
	} forms[] = { { "NONE", 1, 1 }, { "CMD", 2, SIZE_MAX }, { "CMD-SHELL", 2, 2 } };
	const char *first = yyjson_mut_get_str(yyjson_mut_arr_get_first(list));
	size_t size = yyjson_mut_arr_size(list);

	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (first && strcmp(first, forms[i].word) == 0 && size >= forms[i].least &&
		    size <= forms[i].most)
			return;
	walk_fault(w, FAULT_ERROR, n,
		   "the list is [CMD, PROGRAM, ARGUMENT...], [CMD-SHELL, LINE] or [NONE]");
}

static const struct type test = {
	.kind = TYPE_LIST, .name = "health test", .item = &type_text, .read = read_test,
	.finish = finish_test,
	.expected = "a line for the shell, [CMD, PROGRAM, ARGUMENT...] or [NONE]",
};
static const struct type retries = {
	SCALAR(read_int), .name = "integer", .min = 1, .max = 1000000,
	.expected = "a number of tries from 1",
};

static const struct key health_keys[] = {
	{ .name = "test", .type = &test, .normal = "the image's",
	  .example = "[CMD, /app, --check]",
	  .help = "Exit code 0: healthy. A line of text is run by the image's shell; [NONE]: the "
		  "image's test is not run." },
	{ .name = "interval", .json = "interval_ms", .type = &type_duration,
	  .normal = "the image's, else 30s", .example = "10s", .help = "Time between two tests." },
	{ .name = "timeout", .json = "timeout_ms", .type = &type_duration,
	  .normal = "the image's, else 30s", .example = "3s",
	  .help = "A test that runs longer has failed, and is killed." },
	{ .name = "retries", .type = &retries, .normal = "the image's, else 3", .example = "5",
	  .help = "Failures in a row that make it unhealthy." },
	{ .name = "start_period", .json = "start_period_ms", .type = &type_duration,
	  .normal = "the image's, else none", .example = "40s",
	  .help = "Time after the start in which failures do not count." },
	{ .name = "start_interval", .json = "start_interval_ms", .type = &type_duration,
	  .normal = "the image's, else 5s", .example = "1s",
	  .help = "Time between two tests within start_period." },
	{ .name = "disable", .type = &type_bool, .normal = "false", .example = "true",
	  .help = "As test: [NONE]." },
};

static void finish_health(struct walk *w, const struct node *n, yyjson_mut_val *health)
{
	bool off = yyjson_mut_get_bool(yyjson_mut_obj_get(health, "disable"));
	yyjson_mut_val *none;

	(void)n;
	yyjson_mut_obj_remove_key(health, "disable");
	if (!off)
		return;
	none = yyjson_mut_arr(w->doc);
	yyjson_mut_arr_add_str(w->doc, none, "NONE");
	yyjson_mut_obj_remove_key(health, "test");
	yyjson_mut_obj_add_val(w->doc, health, "test", none);
}

const struct type type_healthcheck = {
	OBJECT(health_keys), .name = "health check", .finish = finish_health,
	.expected = "a mapping with \"test\"",
};
