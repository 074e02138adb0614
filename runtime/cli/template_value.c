#include "cli/template_value.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

yyjson_mut_val *value_text(struct values *v, const char *text, size_t len)
{
	return yyjson_mut_strncpy(v->doc, text, len);
}

bool value_is_true(yyjson_mut_val *value)
{
	if (yyjson_mut_is_arr(value))
		return yyjson_mut_arr_size(value) > 0;
	if (yyjson_mut_is_obj(value))
		return yyjson_mut_obj_size(value) > 0;
	if (yyjson_mut_is_str(value))
		return yyjson_mut_get_len(value) > 0;
	if (yyjson_mut_is_num(value))
		return yyjson_mut_get_num(value) != 0;
	return yyjson_mut_is_true(value);
}

static void add_json(struct buf *out, yyjson_mut_val *value)
{
	autofree char *text = value ? yyjson_mut_val_write(value, 0, NULL) : NULL;

	buf_adds(out, text ? text : "null");
}

/* As Go prints lists and maps: [a b], map[k:v]. */
void value_print(struct buf *out, yyjson_mut_val *value)
{
	yyjson_mut_val *key, *item;
	size_t i, max;

	if (!value || yyjson_mut_is_null(value)) {
		buf_adds(out, "<no value>");
	} else if (yyjson_mut_is_str(value)) {
		buf_add(out, yyjson_mut_get_str(value), yyjson_mut_get_len(value));
	} else if (yyjson_mut_is_arr(value)) {
		buf_addc(out, '[');
		yyjson_mut_arr_foreach(value, i, max, item) {
			buf_adds(out, i ? " " : "");
			value_print(out, item);
		}
		buf_addc(out, ']');
	} else if (yyjson_mut_is_obj(value)) {
		buf_adds(out, "map[");
		yyjson_mut_obj_foreach(value, i, max, key, item) {
			buf_addf(out, "%s%s:", i ? " " : "", yyjson_mut_get_str(key));
			value_print(out, item);
		}
		buf_addc(out, ']');
	} else {
		add_json(out, value);
	}
}

/* ---- functions ---- */

struct call {
	struct values *v;
	yyjson_mut_val **args;
	size_t count;
	struct err *why;
};

static yyjson_mut_val *take_buf(struct values *v, struct buf *text)
{
	yyjson_mut_val *value = value_text(v, buf_text(text), text->len);

	buf_free(text);
	return value;
}

static int do_json(struct call *c, yyjson_mut_val **out)
{
	struct buf text = { 0 };

	add_json(&text, c->args[0]);
	*out = take_buf(c->v, &text);
	return 0;
}

static int do_index(struct call *c, yyjson_mut_val **out)
{
	yyjson_mut_val *value = c->args[0];

	for (size_t i = 1; i < c->count; i++) {
		yyjson_mut_val *key = c->args[i];

		if (yyjson_mut_is_arr(value) && yyjson_mut_is_int(key)) {
			if (yyjson_mut_get_sint(key) < 0 ||
			    (size_t)yyjson_mut_get_sint(key) >= yyjson_mut_arr_size(value))
				return err_set(c->why, -EINVAL, "index out of range: %lld",
					       (long long)yyjson_mut_get_sint(key));
			value = yyjson_mut_arr_get(value, (size_t)yyjson_mut_get_sint(key));
		} else if (yyjson_mut_is_obj(value) && yyjson_mut_is_str(key)) {
			value = yyjson_mut_obj_get(value, yyjson_mut_get_str(key));
		} else {
			return err_set(c->why, -EINVAL, "this cannot be indexed so");
		}
	}
	/* Go prints the empty value of a map's type. */
	*out = value ? value : value_text(c->v, "", 0);
	return 0;
}

static int do_join(struct call *c, yyjson_mut_val **out)
{
	struct buf text = { 0 };
	yyjson_mut_val *item;
	size_t i, max;

	yyjson_mut_arr_foreach(c->args[0], i, max, item) {
		if (i && yyjson_mut_is_str(c->args[1]))
			buf_adds(&text, yyjson_mut_get_str(c->args[1]));
		value_print(&text, item);
	}
	*out = take_buf(c->v, &text);
	return 0;
}

static int do_split(struct call *c, yyjson_mut_val **out)
{
	const char *text = yyjson_mut_get_str(c->args[0]), *by = yyjson_mut_get_str(c->args[1]);

	if (!text || !by || !*by)
		return err_set(c->why, -EINVAL, "split takes a text and a separator");
	*out = yyjson_mut_arr(c->v->doc);
	for (const char *end; (end = strstr(text, by)); text = end + strlen(by))
		yyjson_mut_arr_append(*out, value_text(c->v, text, (size_t)(end - text)));
	yyjson_mut_arr_append(*out, value_text(c->v, text, strlen(text)));
	return 0;
}

static int change_letters(struct call *c, yyjson_mut_val **out, int (*change)(int), bool all)
{
	struct buf text = { 0 };

	value_print(&text, c->args[0]);
	for (size_t i = 0; i < text.len; i++)
		if (all || !i || text.data[i - 1] == ' ')
			text.data[i] = (char)change((unsigned char)text.data[i]);
	*out = take_buf(c->v, &text);
	return 0;
}

static int do_upper(struct call *c, yyjson_mut_val **out)
{
	return change_letters(c, out, toupper, true);
}

static int do_lower(struct call *c, yyjson_mut_val **out)
{
	return change_letters(c, out, tolower, true);
}

static int do_title(struct call *c, yyjson_mut_val **out)
{
	return change_letters(c, out, toupper, false);
}

static int do_len(struct call *c, yyjson_mut_val **out)
{
	yyjson_mut_val *value = c->args[0];

	*out = yyjson_mut_uint(c->v->doc, yyjson_mut_is_str(value) ? yyjson_mut_get_len(value) :
					  yyjson_mut_is_obj(value) ? yyjson_mut_obj_size(value) :
								     yyjson_mut_arr_size(value));
	return 0;
}

static int print_all(struct call *c, yyjson_mut_val **out, const char *between, const char *after)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < c->count; i++) {
		buf_adds(&text, i ? between : "");
		value_print(&text, c->args[i]);
	}
	buf_adds(&text, after);
	*out = take_buf(c->v, &text);
	return 0;
}

static int do_print(struct call *c, yyjson_mut_val **out)
{
	return print_all(c, out, "", "");
}

static int do_println(struct call *c, yyjson_mut_val **out)
{
	return print_all(c, out, " ", "\n");
}

/* %s %v %d %q, without widths. */
static int do_printf(struct call *c, yyjson_mut_val **out)
{
	const char *format = yyjson_mut_get_str(c->args[0]);
	struct buf text = { 0 };
	size_t next = 1;

	for (const char *p = format ? format : ""; *p; p++) {
		if (*p != '%' || p[1] == '%') {
			buf_addc(&text, *p);
			p += *p == '%';
			continue;
		}
		p++;
		if (!*p || !strchr("svdq", *p) || next == c->count) {
			buf_free(&text);
			return err_set(c->why, -EINVAL, "printf: %%s, %%v, %%d and %%q are known, each with a value");
		}
		if (*p == 'q')
			add_json(&text, c->args[next++]);
		else
			value_print(&text, c->args[next++]);
	}
	*out = take_buf(c->v, &text);
	return 0;
}

static int do_truncate(struct call *c, yyjson_mut_val **out)
{
	const char *text = yyjson_mut_get_str(c->args[0]);
	int64_t most = yyjson_mut_get_sint(c->args[1]);
	size_t len = text ? strlen(text) : 0;

	if (most < 0)
		return err_set(c->why, -EINVAL, "truncate takes a length");
	*out = value_text(c->v, text ? text : "", len < (size_t)most ? len : (size_t)most);
	return 0;
}

static bool same(yyjson_mut_val *a, yyjson_mut_val *b)
{
	if (yyjson_mut_is_num(a) && yyjson_mut_is_num(b))
		return yyjson_mut_get_num(a) == yyjson_mut_get_num(b);
	return (!a && !b) || (a && b && yyjson_mut_equals(a, b));
}

static int do_eq(struct call *c, yyjson_mut_val **out)
{
	bool any = false;

	for (size_t i = 1; i < c->count; i++)
		any |= same(c->args[0], c->args[i]);
	*out = yyjson_mut_bool(c->v->doc, any);
	return 0;
}

static int do_ne(struct call *c, yyjson_mut_val **out)
{
	*out = yyjson_mut_bool(c->v->doc, !same(c->args[0], c->args[1]));
	return 0;
}

static int do_not(struct call *c, yyjson_mut_val **out)
{
	*out = yyjson_mut_bool(c->v->doc, !value_is_true(c->args[0]));
	return 0;
}

/* The first that decides, or the last. */
static int decide(struct call *c, yyjson_mut_val **out, bool by)
{
	for (size_t i = 0; i < c->count; i++) {
		*out = c->args[i];
		if (value_is_true(*out) == by)
			break;
	}
	return 0;
}

static int do_and(struct call *c, yyjson_mut_val **out)
{
	return decide(c, out, false);
}

static int do_or(struct call *c, yyjson_mut_val **out)
{
	return decide(c, out, true);
}

static const struct value_function {
	const char *name;
	int (*call)(struct call *c, yyjson_mut_val **out);
	size_t least, most;
} functions[] = {
	{ "and", do_and, 1, VALUE_ARGS_MOST },     { "eq", do_eq, 2, VALUE_ARGS_MOST },
	{ "index", do_index, 1, VALUE_ARGS_MOST }, { "join", do_join, 2, 2 },
	{ "json", do_json, 1, 1 },                 { "len", do_len, 1, 1 },
	{ "lower", do_lower, 1, 1 },               { "ne", do_ne, 2, 2 },
	{ "not", do_not, 1, 1 },                   { "or", do_or, 1, VALUE_ARGS_MOST },
	{ "print", do_print, 0, VALUE_ARGS_MOST }, { "printf", do_printf, 1, VALUE_ARGS_MOST },
	{ "println", do_println, 0, VALUE_ARGS_MOST }, { "split", do_split, 2, 2 },
	{ "title", do_title, 1, 1 },               { "truncate", do_truncate, 2, 2 },
	{ "upper", do_upper, 1, 1 },
};

const struct value_function *value_function(const char *name, size_t len)
{
	for (size_t i = 0; len && i < ARRAY_LEN(functions); i++)
		if (strlen(functions[i].name) == len && !strncmp(functions[i].name, name, len))
			return &functions[i];
	return NULL;
}

int value_call(const struct value_function *f, struct values *v, yyjson_mut_val **args,
	       size_t count, yyjson_mut_val **out, struct err *why)
{
	struct call c = { v, args, count, why };

	if (count < f->least || count > f->most)
		return err_set(why, -EINVAL, "wrong number of arguments for %s: %zu", f->name, count);
	return f->call(&c, out);
}
