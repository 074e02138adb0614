#include "bootcfg/walk.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

enum { STEPS_MAX = 200000, COUNT_MAX = 1000 };

void walk_fault(struct walk *w, enum fault_level level, const struct node *n, const char *fmt, ...)
{
	char message[2 * ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	fault_add(w->faults, level, w->file, n->line, n->column, buf_text(&w->path), "%s",
		  message);
}

yyjson_mut_val *walk_text(struct walk *w, const char *text, size_t len)
{
	return yyjson_mut_strncpy(w->doc, text, len);
}

size_t walk_enter(struct walk *w, const char *key)
{
	size_t before = w->path.len;

	buf_addf(&w->path, before ? ".%.100s" : "%.100s", key);
	return before;
}

static size_t enter_item(struct walk *w, size_t i)
{
	size_t before = w->path.len;

	buf_addf(&w->path, "[%zu]", i);
	return before;
}

void walk_leave(struct walk *w, size_t before)
{
	w->path.len = before;
	if (w->path.data)
		w->path.data[before] = '\0';
}

static void fault_expected(struct walk *w, const struct type *t, const struct node *n,
			   const char *why)
{
	char text[NODE_FOUND_MAX];
	bool hide = t->secret && n->kind == NODE_TEXT && !n->null;

	walk_fault(w, FAULT_ERROR, n, "found %s, expected %s%s%s",
		   hide ? "a text that is not shown here" : node_found(n, text), t->expected,
		   why[0] ? ": " : "", why);
}

/* The value of a text node with `read`: its text, after Compose's dollars and a list of words. */
static yyjson_mut_val *walk_scalar(struct walk *w, const struct type *t, const struct node *n)
{
	struct err why = { "" };
	yyjson_mut_val *v = NULL;

	if (t->read)
		v = t->read(w, t, n, &why);
	if (!v)
		fault_expected(w, t, n, why.text);
	return v;
}

static void splice(struct walk *w, const struct node *n, yyjson_mut_val *list,
		   yyjson_mut_val *items)
{
	yyjson_mut_val *item;

	while ((item = yyjson_mut_arr_remove_first(items))) {
		origins_note(&w->origins, item, n->line);
		yyjson_mut_arr_append(list, item);
	}
}

static void walk_item(struct walk *w, const struct type *t, const struct node *n,
		      yyjson_mut_val *list)
{
	yyjson_mut_val *v;

	if (n->kind == NODE_TEXT && n->null) {
		walk_fault(w, FAULT_ERROR, n, "this item is empty, expected %s", t->expected);
		return;
	}
	v = walk_value(w, t, n);
	if (!v)
		return;
	if (t->splice && yyjson_mut_is_arr(v))
		splice(w, n, list, v);
	else
		yyjson_mut_arr_append(list, v);
}

static bool too_many(struct walk *w, const struct type *t, const struct node *n)
{
	size_t max = t->count_max ? t->count_max : COUNT_MAX;

	if (n->count <= max)
		return false;
	walk_fault(w, FAULT_ERROR, n, "there are %zu entries, more than the %zu that are allowed",
		   n->count, max);
	return true;
}

static yyjson_mut_val *walk_list(struct walk *w, const struct type *t, const struct node *n)
{
	yyjson_mut_val *list = yyjson_mut_arr(w->doc);

	if (n->kind == NODE_TEXT) {
		walk_item(w, t->item, n, list);
		return list;
	}
	for (size_t i = 0; i < n->count; i++) {
		size_t before = enter_item(w, i);

		walk_item(w, t->item, n->items[i], list);
		walk_leave(w, before);
	}
	return list;
}

static bool repeated(struct walk *w, const struct node_pair *p)
{
	if (!p->first_line)
		return false;
	walk_fault(w, FAULT_ERROR, p->key,
		   "this key is here twice, first in line %u; the first one counts",
		   p->first_line);
	return true;
}

/* A value without anything: a mapping with no keys is meant where one is expected. */
static yyjson_mut_val *walk_map_value(struct walk *w, const struct type *t,
				      const struct node_pair *p)
{
	const struct node *n = p->value;
	struct node empty = { .kind = NODE_MAP, .line = n->line, .column = n->column };

	if (n->kind != NODE_TEXT || !n->null)
		return walk_value(w, t, n);
	if (t->kind == TYPE_OBJECT)
		return walk_value(w, t, &empty);
	walk_fault(w, FAULT_ERROR, p->key, "this key has no value, expected %s", t->expected);
	return NULL;
}

static void put_map_value(struct walk *w, const struct type *t, yyjson_mut_val *into,
			  const struct node *key, yyjson_mut_val *v)
{
	yyjson_mut_val *name = walk_text(w, key->text, key->len);

	if (!v || !name)
		return;
	if (!t->list_key) {
		yyjson_mut_obj_add(into, name, v);
		return;
	}
	yyjson_mut_obj_insert(v, yyjson_mut_str(w->doc, t->list_key), name, 0);
	yyjson_mut_arr_append(into, v);
}

static yyjson_mut_val *walk_map(struct walk *w, const struct type *t, const struct node *n)
{
	yyjson_mut_val *into = t->list_key ? yyjson_mut_arr(w->doc) : yyjson_mut_obj(w->doc);

	for (size_t i = 0; i < n->count; i++) {
		const struct node_pair *p = &n->pairs[i];
		size_t before = walk_enter(w, p->key->text);
		const char *why = t->check ? t->check(p->key->text) : NULL;

		if (why)
			walk_fault(w, FAULT_ERROR, p->key, "this name cannot be used: %s", why);
		else if (!repeated(w, p))
			put_map_value(w, t, into, p->key, walk_map_value(w, t->item, p));
		walk_leave(w, before);
	}
	return into;
}

static void fault_unknown(struct walk *w, const struct type *t, const struct node *key)
{
	const char *nearest = schema_nearest(t, key->text);

	if (nearest)
		walk_fault(w, FAULT_ERROR, key, "there is no such key; is \"%s\" meant?", nearest);
	else
		walk_fault(w, FAULT_ERROR, key, "there is no such key here");
}

static void fault_refused(struct walk *w, const struct type *t, const struct key *k,
			  const struct node *key)
{
	bool foreign = t->foreign && k >= t->foreign && k < t->foreign + t->foreign_count;

	walk_fault(w, foreign ? FAULT_WARNING : FAULT_ERROR, key, "%s", k->refused);
}

static void put_key(struct walk *w, const struct key *k, const struct node *key,
		    yyjson_mut_val *into, yyjson_mut_val *v)
{
	const char *name = k->json ? k->json : k->name;
	yyjson_mut_val *there = yyjson_mut_obj_get(into, name);

	if (there && k->append)
		splice(w, key, there, v);
	else if (there)
		walk_fault(w, FAULT_ERROR, key, "this says what another key (%s) already says",
			   name);
	else
		yyjson_mut_obj_add_val(w->doc, into, name, v);
}

static void walk_keys(struct walk *w, const struct type *t, const struct node *n,
		      yyjson_mut_val *into);

static void walk_key(struct walk *w, const struct key *k, const struct node_pair *p,
		     yyjson_mut_val *into)
{
	struct node empty = { .kind = NODE_MAP, .line = p->key->line, .column = p->key->column };
	const struct node *value = p->value;
	yyjson_mut_val *v;

	if (value->kind == NODE_TEXT && value->null) {
		if (k->type->kind != TYPE_OBJECT)
			return;
		value = &empty;
	}
	if (k->flatten && value->kind == NODE_MAP) {
		walk_keys(w, k->type, value, into);
		return;
	}
	v = walk_value(w, k->type, value);
	if (v)
		put_key(w, k, p->key, into, v);
}

static const struct node_pair *pair_of(const struct node *n, const char *name)
{
	for (size_t i = 0; i < n->count; i++)
		if (strcmp(n->pairs[i].key->text, name) == 0)
			return &n->pairs[i];
	return NULL;
}

static void check_required(struct walk *w, const struct type *t, const struct node *n)
{
	for (size_t i = 0; i < t->key_count; i++) {
		const struct key *k = &t->keys[i];
		const struct node_pair *p = k->required ? pair_of(n, k->name) : NULL;

		if (!k->required || (p && !(p->value->kind == NODE_TEXT && p->value->null)))
			continue;
		walk_fault(w, FAULT_ERROR, n, "the key \"%s\" is missing, for example \"%s: %s\"",
			   k->name, k->name, k->example);
	}
}

static bool is_free(const struct type *t, const char *key)
{
	return t->open || (t->extensions && strncmp(key, "x-", 2) == 0);
}

static void walk_keys(struct walk *w, const struct type *t, const struct node *n,
		      yyjson_mut_val *into)
{
	check_required(w, t, n);
	for (size_t i = 0; i < n->count; i++) {
		const struct node_pair *p = &n->pairs[i];
		const struct key *k = schema_key(t, p->key->text);
		size_t before = walk_enter(w, p->key->text);

		if (!k && !is_free(t, p->key->text))
			fault_unknown(w, t, p->key);
		else if (k && k->refused)
			fault_refused(w, t, k, p->key);
		else if (k && !repeated(w, p))
			walk_key(w, k, p, into);
		walk_leave(w, before);
	}
}

static yyjson_mut_val *walk_object(struct walk *w, const struct type *t, const struct node *n)
{
	yyjson_mut_val *into = yyjson_mut_obj(w->doc);

	walk_keys(w, t, n, into);
	return into;
}

/* The form that fits the node's kind; NULL after a fault. */
static yyjson_mut_val *walk_form(struct walk *w, const struct type *t, const struct node *n)
{
	struct err why = { "" };
	yyjson_mut_val *v;

	if (n->kind == NODE_TEXT)
		return t->single ? walk_list(w, t, n) : walk_scalar(w, t, n);
	if (n->kind == NODE_LIST && t->kind == TYPE_LIST)
		return too_many(w, t, n) ? NULL : walk_list(w, t, n);
	if (n->kind == NODE_LIST && t->read_list && !too_many(w, t, n)) {
		v = t->read_list(w, t, n, &why);
		if (!v && why.text[0])
			walk_fault(w, FAULT_ERROR, n, "%s", why.text);
		return v;
	}
	if (n->kind == NODE_MAP && t->kind == TYPE_OBJECT)
		return walk_object(w, t, n);
	if (n->kind == NODE_MAP && t->kind == TYPE_MAP)
		return too_many(w, t, n) ? NULL : walk_map(w, t, n);
	fault_expected(w, t, n, "");
	return NULL;
}

yyjson_mut_val *walk_value(struct walk *w, const struct type *t, const struct node *n)
{
	size_t errors = w->faults->errors;
	yyjson_mut_val *v;

	if (++w->steps > STEPS_MAX) {
		if (w->steps == STEPS_MAX + 1)
			walk_fault(w, FAULT_ERROR, n,
				   "aliases make this text longer than 200000 values");
		return NULL;
	}
	if (n->kind == NODE_TEXT && n->null)
		return NULL;
	v = walk_form(w, t, n);
	if (v)
		origins_note(&w->origins, v, n->line);
	if (v && t->finish)
		t->finish(w, n, v);
	if (w->faults->errors == errors)
		return v;
	if (v && t->marked && !yyjson_mut_obj_get(v, "faulty"))
		yyjson_mut_obj_add_bool(w->doc, v, "faulty", true);
	if (!t->atomic)
		return v;
	yyjson_mut_arr_add_strcpy(w->doc, w->dropped, buf_text(&w->path));
	return NULL;
}
