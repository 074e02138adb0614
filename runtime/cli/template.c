#include "cli/template.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/template_value.h"

enum { VARIABLES_MOST = 16, DEPTH_MOST = 32 };

struct variable {
	const char *name;
	size_t len;
	yyjson_mut_val *value;
};

struct run {
	struct values v;
	const char *begin, *end; /* of the whole text */
	yyjson_mut_val *root;
	struct variable variables[VARIABLES_MOST];
	size_t variable_count;
	int depth;
	struct buf *out;
	struct err *e;
};

/* One {{action}}, without its braces and blanks. */
struct action {
	const char *text, *end, *after; /* after: behind the braces and the blanks that "-" eats */
};

static int fault(struct run *r, const char *at, const char *what)
{
	return err_set(r->e, -EINVAL, "template: %d: %s", (int)(at - r->begin) + 1, what);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* The action that begins at or after `from`; what is text before it ends at `*text_end`. */
static bool next_action(const char *from, const char *end, const char **text_end,
			struct action *out)
{
	const char *open = memmem(from, (size_t)(end - from), "{{", 2), *close;
	char quote = 0;

	if (!open)
		return false;
	for (close = open + 2; close + 1 < end && (quote || strncmp(close, "}}", 2)); close++)
		if (quote ? *close == quote : *close == '"' || *close == '`')
			quote = quote ? 0 : *close;
	if (close + 1 >= end)
		return false;
	out->text = open + 2;
	out->end = close;
	out->after = close + 2;
	*text_end = open;
	if (out->text + 1 < close && *out->text == '-' && is_blank(out->text[1])) {
		out->text++;
		while (*text_end > from && is_blank((*text_end)[-1]))
			(*text_end)--;
	}
	if (out->end - 1 > out->text && out->end[-1] == '-' && is_blank(out->end[-2])) {
		out->end--;
		while (out->after < end && is_blank(*out->after))
			out->after++;
	}
	while (out->text < out->end && is_blank(*out->text))
		out->text++;
	while (out->end > out->text && is_blank(out->end[-1]))
		out->end--;
	return true;
}

static bool is_word(const struct action *a, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(a->end - a->text) >= len && !strncmp(a->text, word, len) &&
	       (a->text + len == a->end || is_blank(a->text[len]));
}

/* ---- expressions ---- */

static int pipeline(struct run *r, const char **at, const char *end, yyjson_mut_val *dot,
		    yyjson_mut_val **out);

static void skip(const char **at, const char *end)
{
	while (*at < end && is_blank(**at))
		(*at)++;
}

static size_t name_len(const char *at, const char *end)
{
	size_t n = 0;

	while (at + n < end && (strchr("_", at[n]) || (at[n] >= 'a' && at[n] <= 'z') ||
				(at[n] >= 'A' && at[n] <= 'Z') || (n && at[n] >= '0' && at[n] <= '9')))
		n++;
	return n;
}

static yyjson_mut_val *fields(const char **at, const char *end, yyjson_mut_val *value)
{
	while (*at + 1 < end && **at == '.' && name_len(*at + 1, end)) {
		size_t len = name_len(*at + 1, end);

		value = yyjson_mut_is_obj(value) ? yyjson_mut_obj_getn(value, *at + 1, len) : NULL;
		*at += 1 + len;
	}
	return value;
}

static yyjson_mut_val *variable(const struct run *r, const char *name, size_t len)
{
	for (size_t i = r->variable_count; i--;)
		if (r->variables[i].len == len && !strncmp(r->variables[i].name, name, len))
			return r->variables[i].value;
	return len ? NULL : r->root;
}

static int string(struct run *r, const char **at, const char *end, yyjson_mut_val **out)
{
	autobuf struct buf text = { 0 };
	const char *begin = *at;
	char quote = *(*at)++;

	for (; *at < end && **at != quote; (*at)++) {
		char c = **at;

		if (quote == '"' && c == '\\' && *at + 1 < end) {
			(*at)++;
			c = **at == 'n' ? '\n' : **at == 't' ? '\t' : **at;
		}
		buf_addc(&text, c);
	}
	if (*at == end)
		return fault(r, begin, "a string has no end");
	(*at)++;
	*out = value_text(&r->v, buf_text(&text), text.len);
	return 0;
}

static int operand(struct run *r, const char **at, const char *end, yyjson_mut_val *dot,
		   yyjson_mut_val **out)
{
	const char *begin = *at;
	size_t len;
	char *stop;

	if (**at == '"' || **at == '`')
		return string(r, at, end, out);
	if (**at == '(') {
		int rc;

		(*at)++;
		rc = pipeline(r, at, end, dot, out);
		if (rc < 0)
			return rc;
		if (*at == end || **at != ')')
			return fault(r, begin, "a parenthesis is not closed");
		(*at)++;
		*out = fields(at, end, *out);
		return 0;
	}
	if (**at == '$') {
		(*at)++;
		len = name_len(*at, end);
		*out = variable(r, *at, len);
		*at += len;
		*out = fields(at, end, *out);
		return 0;
	}
	if (**at == '.') {
		*out = fields(at, end, dot);
		if (*at == begin)
			(*at)++;
		return 0;
	}
	if ((**at >= '0' && **at <= '9') || **at == '-') {
		*out = yyjson_mut_sint(r->v.doc, strtoll(*at, &stop, 10));
		*at = stop;
		return 0;
	}
	len = name_len(*at, end);
	*at += len;
	if (len == 4 && !strncmp(begin, "true", 4))
		*out = yyjson_mut_bool(r->v.doc, true);
	else if (len == 5 && !strncmp(begin, "false", 5))
		*out = yyjson_mut_bool(r->v.doc, false);
	else if (len == 3 && !strncmp(begin, "nil", 3))
		*out = NULL;
	else
		return fault(r, begin, len ? "a function is not known here" : "something is not understood");
	return 0;
}

/* A function and its arguments, or one operand; `piped` (if there is one) is the last argument. */
static int command(struct run *r, const char **at, const char *end, yyjson_mut_val *dot,
		   bool has_pipe, yyjson_mut_val **value)
{
	yyjson_mut_val *args[VALUE_ARGS_MOST];
	const char *begin = *at;
	size_t len = name_len(*at, end), count = 0;
	const struct value_function *f = value_function(*at, len);
	struct err why = { 0 };
	int rc = 0;

	if (f)
		*at += len;
	for (skip(at, end); !rc && *at < end && **at != '|' && **at != ')'; skip(at, end)) {
		if (count == VALUE_ARGS_MOST - 1)
			return fault(r, *at, "too many arguments");
		rc = operand(r, at, end, dot, &args[count++]);
	}
	if (rc < 0)
		return rc;
	if (!f && (count != 1 || has_pipe))
		return fault(r, begin, count ? "a function is not known here" : "a value is missing");
	if (!f) {
		*value = args[0];
		return 0;
	}
	if (has_pipe)
		args[count++] = *value;
	rc = value_call(f, &r->v, args, count, value, &why);
	return rc < 0 ? fault(r, begin, why.text) : 0;
}

static int pipeline(struct run *r, const char **at, const char *end, yyjson_mut_val *dot,
		    yyjson_mut_val **out)
{
	bool first = true;
	int rc;

	if (++r->depth > DEPTH_MOST)
		return fault(r, *at, "too deep");
	do {
		skip(at, end);
		rc = command(r, at, end, dot, !first, out);
		first = false;
		skip(at, end);
	} while (!rc && *at < end && **at == '|' && (*at)++);
	r->depth--;
	return rc;
}

static int evaluate(struct run *r, const char *at, const char *end, yyjson_mut_val *dot,
		    yyjson_mut_val **out)
{
	int rc = pipeline(r, &at, end, dot, out);

	return rc < 0 ? rc : at < end ? fault(r, at, "something is not understood") : 0;
}

/* ---- blocks ---- */

static int block(struct run *r, const char *from, const char *end, yyjson_mut_val *dot);

/* From behind {{if}}, {{range}} or {{with}} to its {{else}} (or NULL) and {{end}}. */
static int find_end(struct run *r, const char *from, struct action *otherwise,
		    const char **text_end, struct action *over, const char **over_text)
{
	int depth = 0;

	otherwise->text = NULL;
	for (const char *at = from;;) {
		struct action a;
		const char *text;

		if (!next_action(at, r->end, &text, &a))
			return fault(r, from, "{{end}} is missing");
		at = a.after;
		if (is_word(&a, "if") || is_word(&a, "range") || is_word(&a, "with")) {
			depth++;
		} else if (is_word(&a, "else") && !depth && !otherwise->text) {
			*otherwise = a;
			*text_end = text;
		} else if (is_word(&a, "end") && !depth--) {
			*over = a;
			*over_text = text;
			return 0;
		}
	}
}

static int push(struct run *r, const char *name, size_t len, yyjson_mut_val *value)
{
	if (r->variable_count == VARIABLES_MOST)
		return fault(r, name, "too many variables");
	r->variables[r->variable_count++] = (struct variable){ name, len, value };
	return 0;
}

/* "$i, $x := " or "$x := "; moves behind it. */
struct names {
	const char *name[2];
	size_t len[2];
	int count;
};

static void take_names(const char **at, const char *end, struct names *n)
{
	const char *p = *at;

	*n = (struct names){ .count = 0 };
	while (n->count < 2 && p < end && *p == '$') {
		n->name[n->count] = ++p;
		n->len[n->count] = name_len(p, end);
		p += n->len[n->count++];
		skip(&p, end);
		if (p < end && *p == ',')
			p++;
		skip(&p, end);
	}
	if (n->count && p + 1 < end && p[0] == ':' && p[1] == '=')
		*at = p + 2;
	else
		n->count = 0;
}

static int one_round(struct run *r, const struct names *n, yyjson_mut_val *key,
		     yyjson_mut_val *item, const char *from, const char *end)
{
	size_t before = r->variable_count;
	int rc = 0;

	if (n->count == 2)
		rc = push(r, n->name[0], n->len[0], key);
	if (!rc && n->count)
		rc = push(r, n->name[n->count - 1], n->len[n->count - 1], item);
	if (!rc)
		rc = block(r, from, end, item);
	r->variable_count = before;
	return rc;
}

static int loop_over(struct run *r, const struct names *n, yyjson_mut_val *value, const char *from,
		     const char *end)
{
	yyjson_mut_val *key, *item;
	size_t i, max;
	int rc = 0;

	yyjson_mut_arr_foreach(value, i, max, item)
		if (!rc)
			rc = one_round(r, n, yyjson_mut_uint(r->v.doc, i), item, from, end);
	yyjson_mut_obj_foreach(value, i, max, key, item)
		if (!rc)
			rc = one_round(r, n, key, item, from, end);
	return rc;
}

/* {{if}}, {{with}}, {{range}}: `*after` is where the text goes on. */
static int control(struct run *r, const struct action *a, yyjson_mut_val *dot, const char **after)
{
	struct action otherwise = { 0 }, over = { 0 };
	const char *body_end = NULL, *over_text = NULL, *at = a->text + strcspn(a->text, " \t\n");
	bool range = is_word(a, "range"), with = is_word(a, "with"), has;
	yyjson_mut_val *value = NULL;
	struct names names;
	int rc = find_end(r, a->after, &otherwise, &body_end, &over, &over_text);

	if (rc < 0)
		return rc;
	skip(&at, a->end);
	take_names(&at, a->end, &names);
	rc = evaluate(r, at, a->end, dot, &value);
	if (rc < 0)
		return rc;
	*after = over.after;
	body_end = otherwise.text ? body_end : over_text;
	has = value_is_true(value);
	if (has && range)
		return loop_over(r, &names, value, a->after, body_end);
	if (has)
		return one_round(r, &names, NULL, with ? value : dot, a->after, body_end);
	return otherwise.text ? block(r, otherwise.after, over_text, dot) : 0;
}

static int show(struct run *r, const struct action *a, yyjson_mut_val *dot)
{
	yyjson_mut_val *value = NULL;
	struct names names;
	const char *at = a->text;
	int rc;

	if (!strncmp(at, "/*", 2))
		return 0;
	take_names(&at, a->end, &names);
	rc = evaluate(r, at, a->end, dot, &value);
	if (rc < 0)
		return rc;
	if (names.count)
		return push(r, names.name[0], names.len[0], value);
	value_print(r->out, value);
	return 0;
}

static int block(struct run *r, const char *from, const char *end, yyjson_mut_val *dot)
{
	int rc = 0;

	if (++r->depth > DEPTH_MOST)
		return fault(r, from, "too deep");
	while (!rc && from < end) {
		struct action a = { 0 };
		const char *text;

		if (!next_action(from, end, &text, &a)) {
			if (memmem(from, (size_t)(end - from), "{{", 2))
				return fault(r, from, "an action is not closed");
			buf_add(r->out, from, (size_t)(end - from));
			break;
		}
		buf_add(r->out, from, (size_t)(text - from));
		from = a.after;
		if (is_word(&a, "if") || is_word(&a, "range") || is_word(&a, "with"))
			rc = control(r, &a, dot, &from);
		else if (is_word(&a, "end") || is_word(&a, "else"))
			rc = fault(r, a.text, "there is nothing that it ends");
		else
			rc = show(r, &a, dot);
	}
	r->depth--;
	return rc;
}

int template_run(const char *text, yyjson_val *dot, struct buf *out, struct err *e)
{
	struct run r = { .v.doc = yyjson_mut_doc_new(NULL), .begin = text, .end = text + strlen(text),
			 .out = out, .e = e };
	int rc;

	if (!r.v.doc)
		return err_set(e, -ENOMEM, "out of memory");
	r.root = yyjson_val_mut_copy(r.v.doc, dot);
	rc = block(&r, r.begin, r.end, r.root);
	yyjson_mut_doc_free(r.v.doc);
	return rc;
}

char *template_unescape(const char *text)
{
	char *out = malloc(strlen(text) + 1), *to = out;

	for (; out && *text; text++) {
		if (*text == '\\' && (text[1] == 't' || text[1] == 'n'))
			*to++ = *++text == 't' ? '\t' : '\n';
		else
			*to++ = *text;
	}
	if (out)
		*to = '\0';
	return out;
}
