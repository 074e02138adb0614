/* The table of keys as a JSON Schema (draft 7), for editors. It says what is written where, and
 * refuses what the table refuses; what a text must look like in detail is left to `check`. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "bootcfg/commands.h"
#include "bootcfg/read.h"
#include "bootcfg/schema.h"

enum { OBJECTS_MAX = 200 };

/* An object stands in the definitions once, however many places it has. */
static const struct type *defined[OBJECTS_MAX];
static size_t defined_count;
static yyjson_mut_val *definitions;

static yyjson_mut_val *of_type(yyjson_mut_doc *doc, const struct type *t);

static yyjson_mut_val *types(yyjson_mut_doc *doc, const char *const *names)
{
	yyjson_mut_val *o = yyjson_mut_obj(doc), *list = yyjson_mut_arr(doc);

	for (; *names; names++)
		yyjson_mut_arr_add_str(doc, list, *names);
	yyjson_mut_obj_add_val(doc, o, "type", list);
	return o;
}

/* An editor knows YAML's own types: an unquoted 1.10 is a number there, and yes is true. */
static yyjson_mut_val *of_scalar(yyjson_mut_doc *doc, const struct type *t)
{
	static const char *const texts[] = { "string", "number", "boolean", "null", NULL };
	static const char *const numbers[] = { "integer", "string", "null", NULL };
	yyjson_mut_val *o;

	if (t->read != read_int)
		return types(doc, texts);
	o = types(doc, numbers);
	yyjson_mut_obj_add_sint(doc, o, "minimum", t->min);
	yyjson_mut_obj_add_sint(doc, o, "maximum", t->max);
	return o;
}

static yyjson_mut_val *of_list(yyjson_mut_doc *doc, const struct type *t)
{
	static const char *const lists[] = { "array", "null", NULL };
	yyjson_mut_val *o = types(doc, lists);

	yyjson_mut_obj_add_val(doc, o, "items", of_type(doc, t->item));
	return o;
}

static yyjson_mut_val *of_map(yyjson_mut_doc *doc, const struct type *t)
{
	static const char *const maps[] = { "object", "null", NULL };
	yyjson_mut_val *o = types(doc, maps);

	yyjson_mut_obj_add_val(doc, o, "additionalProperties", of_type(doc, t->item));
	return o;
}

static void add_text(yyjson_mut_doc *doc, yyjson_mut_val *o, const struct key *k)
{
	autobuf struct buf text = { 0 };

	buf_addf(&text, "%s", k->refused ? k->refused : k->help);
	if (!k->refused && k->type->expected)
		buf_addf(&text, " Expected: %s.", k->type->expected);
	if (k->normal)
		buf_addf(&text, " Without it: %s.", k->normal);
	if (k->example)
		buf_addf(&text, " Example: %s: %s", k->name, k->example);
	yyjson_mut_obj_add_strcpy(doc, o, "description", buf_text(&text));
}

static yyjson_mut_val *of_key(yyjson_mut_doc *doc, const struct key *k, bool foreign)
{
	yyjson_mut_val *o = k->type ? of_type(doc, k->type) : yyjson_mut_obj(doc);

	if (k->refused && foreign)
		yyjson_mut_obj_add_bool(doc, o, "deprecated", true);
	else if (k->refused)
		yyjson_mut_obj_add_obj(doc, o, "not");
	add_text(doc, o, k);
	return o;
}

static yyjson_mut_val *define_object(yyjson_mut_doc *doc, const struct type *t)
{
	static const char *const maps[] = { "object", "null", NULL };
	yyjson_mut_val *o = types(doc, maps), *keys = yyjson_mut_obj_add_obj(doc, o, "properties");
	yyjson_mut_val *required = yyjson_mut_arr(doc);

	for (size_t i = 0; i < t->key_count; i++) {
		yyjson_mut_obj_add_val(doc, keys, t->keys[i].name, of_key(doc, &t->keys[i], false));
		if (t->keys[i].required)
			yyjson_mut_arr_add_str(doc, required, t->keys[i].name);
	}
	for (size_t i = 0; i < t->foreign_count; i++)
		yyjson_mut_obj_add_val(doc, keys, t->foreign[i].name,
				       of_key(doc, &t->foreign[i], true));
	if (t->extensions)
		yyjson_mut_obj_add_obj(doc, yyjson_mut_obj_add_obj(doc, o, "patternProperties"), "^x-");
	if (!t->open)
		yyjson_mut_obj_add_bool(doc, o, "additionalProperties", false);
	if (yyjson_mut_arr_size(required))
		yyjson_mut_obj_add_val(doc, o, "required", required);
	return o;
}

static yyjson_mut_val *of_object(yyjson_mut_doc *doc, const struct type *t)
{
	yyjson_mut_val *o = yyjson_mut_obj(doc);
	char name[64];
	size_t i = 0;

	while (i < defined_count && defined[i] != t)
		i++;
	if (i == OBJECTS_MAX)
		return define_object(doc, t);
	snprintf(name, sizeof(name), "#/definitions/%zu", i);
	if (i == defined_count) {
		defined[defined_count++] = t;
		yyjson_mut_obj_add(definitions, yyjson_mut_strcpy(doc, strrchr(name, '/') + 1),
				   define_object(doc, t));
	}
	yyjson_mut_obj_add_val(doc, o, "allOf", yyjson_mut_arr(doc));
	yyjson_mut_obj_add_strcpy(doc, yyjson_mut_arr_add_obj(doc, yyjson_mut_obj_get(o, "allOf")),
				  "$ref", name);
	return o;
}

/* The forms that a value may have: its own, a text in its place, a list in place of a map. */
static yyjson_mut_val *of_type(yyjson_mut_doc *doc, const struct type *t)
{
	static yyjson_mut_val *(*const makers[])(yyjson_mut_doc *, const struct type *) = {
		[TYPE_SCALAR] = of_scalar, [TYPE_LIST] = of_list, [TYPE_MAP] = of_map,
		[TYPE_OBJECT] = of_object,
	};
	static const char *const short_form[] = { "string", "number", "boolean", NULL };
	static const char *const list_form[] = { "array", NULL };
	yyjson_mut_val *own = makers[t->kind](doc, t), *any, *forms;
	bool has_short = t->kind != TYPE_SCALAR && (t->read || t->single);

	if (!has_short && !t->read_list)
		return own;
	any = yyjson_mut_obj(doc);
	forms = yyjson_mut_obj_add_arr(doc, any, "anyOf");
	yyjson_mut_arr_append(forms, own);
	if (t->single && t->item->kind == TYPE_SCALAR)
		yyjson_mut_arr_append(forms, of_type(doc, t->item));
	else if (has_short)
		yyjson_mut_arr_append(forms, types(doc, short_form));
	if (t->read_list)
		yyjson_mut_arr_append(forms, types(doc, list_form));
	return any;
}

int command_schema(int count, char **none)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root;
	autofree char *json = NULL;

	(void)count, (void)none;
	definitions = yyjson_mut_obj(doc);
	root = define_object(doc, &schema_root);
	yyjson_mut_obj_add_val(doc, root, "definitions", definitions);
	yyjson_mut_obj_add_str(doc, root, "$schema", "http://json-schema.org/draft-07/schema#");
	yyjson_mut_obj_add_str(doc, root, "title", "Berth's boot configuration");
	yyjson_mut_doc_set_root(doc, root);
	json = yyjson_mut_write(doc, YYJSON_WRITE_PRETTY_TWO_SPACES, NULL);
	if (json)
		printf("%s\n", json);
	yyjson_mut_doc_free(doc);
	return !json;
}
