#include "spec/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"

/* What every "T *items; size_t count;" looks like. Such members are read and written with memcpy,
 * since a T * must not be accessed as a void *. */
struct any_list {
	void *items;
	size_t count;
};

void *record_list_add(void *list, size_t item_size)
{
	struct any_list l;
	char *grown;

	memcpy(&l, list, sizeof(l));
	/* Grow at powers of two; count alone tells when. */
	if (!(l.count & (l.count - 1)) || !l.items) {
		size_t room = l.count ? l.count * 2 : 1;

		grown = reallocarray(l.items, room, item_size);
		if (!grown)
			return NULL;
		l.items = grown;
	}
	grown = (char *)l.items + l.count * item_size;
	memset(grown, 0, item_size);
	l.count++;
	memcpy(list, &l, sizeof(l));
	return grown;
}

int string_list_add(struct string_list *list, const char *text)
{
	char *copy = strdup(text);
	char **slot = copy ? record_list_add(list, sizeof(*slot)) : NULL;

	if (!slot) {
		free(copy);
		return -ENOMEM;
	}
	*slot = copy;
	list->present = true;
	return 0;
}

bool string_list_has(const struct string_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->items[i], text))
			return true;
	return false;
}

int string_map_set(struct string_map *map, const char *name, const char *value)
{
	autofree char *value_copy = strdup(value);
	autofree char *name_copy = strdup(name);
	struct string_pair *pair;

	if (!value_copy || !name_copy)
		return -ENOMEM;
	for (size_t i = 0; i < map->count; i++) {
		if (strcmp(map->items[i].name, name) != 0)
			continue;
		free(map->items[i].value);
		map->items[i].value = take_ptr(value_copy);
		return 0;
	}
	pair = record_list_add(map, sizeof(*pair));
	if (!pair)
		return -ENOMEM;
	pair->name = take_ptr(name_copy);
	pair->value = take_ptr(value_copy);
	return 0;
}

const char *string_map_get(const struct string_map *map, const char *name)
{
	for (size_t i = 0; i < map->count; i++)
		if (!strcmp(map->items[i].name, name))
			return map->items[i].value;
	return NULL;
}

/* ---- reading ---- */

/* The key's place in the document, built only when there is something to complain about. */
struct place {
	const struct place *up;
	const char *key;
	size_t index; /* of a list entry, where key is NULL */
};

static void place_text(const struct place *p, char *out, size_t room)
{
	size_t len;

	if (!p) {
		out[0] = '\0';
		return;
	}
	place_text(p->up, out, room);
	len = strlen(out);
	if (p->key)
		snprintf(out + len, room - len, "%s%s", len ? "." : "", p->key);
	else
		snprintf(out + len, room - len, "[%zu]", p->index);
}

static int complain(const struct place *at, const char *what, struct err *e)
{
	char where[256];

	place_text(at, where, sizeof(where));
	return err_set(e, -EINVAL, "%s: %s", where[0] ? where : "document", what);
}

static int no_memory(struct err *e)
{
	return err_set(e, -ENOMEM, "out of memory");
}

static int read_string(yyjson_val *v, const struct place *at, char **out, struct err *e)
{
	const char *text = yyjson_get_str(v);

	if (!text)
		return complain(at, "expected a string", e);
	if (yyjson_get_len(v) > RECORD_STRING_MAX)
		return complain(at, "string is too long", e);
	/* A C string would silently end at the NUL: "/safe\0/../../etc". */
	if (strlen(text) != yyjson_get_len(v))
		return complain(at, "string has a NUL character", e);
	*out = strdup(text);
	return *out ? 0 : no_memory(e);
}

static int read_strings(yyjson_val *v, const struct place *at, struct string_list *out,
			struct err *e)
{
	size_t i, max;
	yyjson_val *item;

	if (!yyjson_is_arr(v))
		return complain(at, "expected a list of strings", e);
	if (yyjson_arr_size(v) > RECORD_ITEMS_MAX)
		return complain(at, "too many entries", e);
	out->present = true;
	yyjson_arr_foreach(v, i, max, item) {
		struct place here = { at, NULL, i };
		char **slot = record_list_add(out, sizeof(*slot));
		int rc = slot ? read_string(item, &here, slot, e) : no_memory(e);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_keys(yyjson_val *v, const struct place *at, struct string_list *out,
		     struct err *e)
{
	size_t i, max;
	yyjson_val *key, *item;

	if (!yyjson_is_obj(v))
		return complain(at, "expected an object", e);
	if (yyjson_obj_size(v) > RECORD_ITEMS_MAX)
		return complain(at, "too many entries", e);
	out->present = true;
	yyjson_obj_foreach(v, i, max, key, item) {
		char **slot = record_list_add(out, sizeof(*slot));
		int rc = slot ? read_string(key, at, slot, e) : no_memory(e);

		(void)item;
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_map(yyjson_val *v, const struct place *at, struct string_map *out, struct err *e)
{
	size_t i, max;
	yyjson_val *key, *item;

	if (!yyjson_is_obj(v))
		return complain(at, "expected an object of strings", e);
	if (yyjson_obj_size(v) > RECORD_ITEMS_MAX)
		return complain(at, "too many entries", e);
	yyjson_obj_foreach(v, i, max, key, item) {
		struct place here = { at, yyjson_get_str(key), 0 };
		struct string_pair *pair = record_list_add(out, sizeof(*pair));
		int rc = pair ? read_string(key, &here, &pair->name, e) : no_memory(e);

		if (!rc)
			rc = read_string(item, &here, &pair->value, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_int(yyjson_val *v, const struct place *at, int64_t *out, struct err *e)
{
	if (yyjson_is_uint(v))
		*out = yyjson_get_uint(v) > INT64_MAX ? INT64_MAX : (int64_t)yyjson_get_uint(v);
	else if (yyjson_is_sint(v))
		*out = yyjson_get_sint(v);
	else
		return complain(at, "expected a whole number", e);
	return 0;
}

static int read_ints(yyjson_val *v, const struct place *at, void *out, struct err *e)
{
	size_t i, max;
	yyjson_val *item;

	if (!yyjson_is_arr(v))
		return complain(at, "expected a list of whole numbers", e);
	if (yyjson_arr_size(v) > RECORD_ITEMS_MAX)
		return complain(at, "too many entries", e);
	yyjson_arr_foreach(v, i, max, item) {
		struct place here = { at, NULL, i };
		int64_t *slot = record_list_add(out, sizeof(*slot));
		int rc = slot ? read_int(item, &here, slot, e) : no_memory(e);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_object(const struct record_type *type, yyjson_val *v, const struct place *at,
		       void *out, struct err *e);

static int read_list(const struct record_type *type, yyjson_val *v, const struct place *at,
		     void *out, struct err *e)
{
	size_t i, max;
	yyjson_val *item;

	if (!yyjson_is_arr(v))
		return complain(at, "expected a list", e);
	if (yyjson_arr_size(v) > RECORD_ITEMS_MAX)
		return complain(at, "too many entries", e);
	yyjson_arr_foreach(v, i, max, item) {
		struct place here = { at, NULL, i };
		void *slot = record_list_add(out, type->size);
		int rc = slot ? read_object(type, item, &here, slot, e) : no_memory(e);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_named(const struct record_type *type, yyjson_val *v, const struct place *at,
		      void *out, struct err *e)
{
	size_t i, max;
	yyjson_val *key, *item;

	if (!yyjson_is_obj(v))
		return complain(at, "expected an object", e);
	if (yyjson_obj_size(v) > RECORD_ITEMS_MAX)
		return complain(at, "too many entries", e);
	yyjson_obj_foreach(v, i, max, key, item) {
		struct place here = { at, yyjson_get_str(key), 0 };
		char *slot = record_list_add(out, type->size);
		char *name = NULL;
		int rc = slot ? read_string(key, &here, &name, e) : no_memory(e);

		if (rc < 0)
			return rc;
		memcpy(slot + type->fields[0].offset, &name, sizeof(name));
		rc = read_object(type, item, &here, slot, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_pointer(const struct record_type *type, yyjson_val *v, const struct place *at,
			void *member, struct err *e)
{
	void *made = calloc(1, type->size);

	if (!made)
		return no_memory(e);
	memcpy(member, &made, sizeof(made)); /* owned from here, also when reading fails */
	return read_object(type, v, at, made, e);
}

static int read_refused(yyjson_val *v, const struct place *at, struct err *e)
{
	bool empty = yyjson_is_null(v) || (yyjson_is_ctn(v) && yyjson_get_len(v) == 0) ||
		     yyjson_equals_str(v, "") || yyjson_is_false(v);

	return empty ? 0 : complain(at, "is not supported by this runtime", e);
}

static int read_field(const struct record_field *f, yyjson_val *v, const struct place *at,
		      void *member, struct err *e)
{
	struct opt_int *opt = member;

	switch (f->kind) {
	case RECORD_STRING:
		return read_string(v, at, member, e);
	case RECORD_STRINGS:
		return read_strings(v, at, member, e);
	case RECORD_KEYS:
		return read_keys(v, at, member, e);
	case RECORD_MAP:
		return read_map(v, at, member, e);
	case RECORD_BOOL:
		if (!yyjson_is_bool(v))
			return complain(at, "expected true or false", e);
		*(bool *)member = yyjson_get_bool(v);
		return 0;
	case RECORD_INT:
		return read_int(v, at, member, e);
	case RECORD_U64:
		if (!yyjson_is_uint(v))
			return complain(at, "expected a whole number, not negative", e);
		*(uint64_t *)member = yyjson_get_uint(v);
		return 0;
	case RECORD_OPT_INT:
		opt->set = true;
		return read_int(v, at, &opt->value, e);
	case RECORD_INTS:
		return read_ints(v, at, member, e);
	case RECORD_OBJECT:
		return read_object(f->type, v, at, member, e);
	case RECORD_POINTER:
		return read_pointer(f->type, v, at, member, e);
	case RECORD_LIST:
		return read_list(f->type, v, at, member, e);
	case RECORD_NAMED:
		return read_named(f->type, v, at, member, e);
	case RECORD_NAME:
		return 0; /* read_named's */
	case RECORD_RAW:
		memcpy(member, &v, sizeof(v));
		return 0;
	case RECORD_REFUSED:
		return read_refused(v, at, e);
	}
	return -EINVAL;
}

static const struct record_field *find_field(const struct record_type *type, const char *key)
{
	for (const struct record_field *f = type->fields; f->key; f++)
		if (!strcmp(f->key, key))
			return f;
	return NULL;
}

static int read_object(const struct record_type *type, yyjson_val *v, const struct place *at,
		       void *out, struct err *e)
{
	uint64_t seen = 0;
	size_t i, max;
	yyjson_val *key, *item;

	if (type->or_string && yyjson_is_str(v))
		return read_field(type->fields, v, at, (char *)out + type->fields->offset, e);
	if (!yyjson_is_obj(v))
		return complain(at, "expected an object", e);
	yyjson_obj_foreach(v, i, max, key, item) {
		const struct record_field *f = find_field(type, yyjson_get_str(key));
		struct place here = { at, yyjson_get_str(key), 0 };
		uint64_t bit;
		int rc;

		if (!f || yyjson_is_null(item))
			continue;
		bit = (uint64_t)1 << (f - type->fields);
		if (seen & bit)
			return complain(&here, "given twice", e);
		seen |= bit;
		rc = read_field(f, item, &here, (char *)out + f->offset, e);
		if (rc < 0)
			return rc;
	}
	for (const struct record_field *f = type->fields; f->key; f++) {
		struct place here = { at, f->key, 0 };

		if (f->required && !(seen & (uint64_t)1 << (f - type->fields)))
			return complain(&here, "is missing", e);
	}
	return 0;
}

int record_read(const struct record_type *type, yyjson_val *object, const char *path, void *out,
		struct err *e)
{
	struct place top = { NULL, path, 0 };
	int rc;

	memset(out, 0, type->size);
	rc = read_object(type, object, path[0] ? &top : NULL, out, e);
	if (rc < 0)
		record_free(type, out);
	return rc;
}

/* ---- writing ---- */

/* What a program printed may be no UTF-8, and then the whole document would not be written. */
static yyjson_mut_val *write_string(const char *text, yyjson_mut_doc *doc)
{
	autobuf struct buf clean = { 0 };

	buf_add_utf8(&clean, text, strlen(text));
	return buf_ok(&clean) ? yyjson_mut_strncpy(doc, buf_text(&clean), clean.len) : NULL;
}

static yyjson_mut_val *write_strings(const struct string_list *list, yyjson_mut_doc *doc)
{
	yyjson_mut_val *arr = yyjson_mut_arr(doc);

	for (size_t i = 0; i < list->count; i++)
		if (!yyjson_mut_arr_add_strcpy(doc, arr, list->items[i]))
			return NULL;
	return arr;
}

static yyjson_mut_val *write_ints(const struct any_list *list, yyjson_mut_doc *doc)
{
	yyjson_mut_val *arr = yyjson_mut_arr(doc);

	for (size_t i = 0; i < list->count; i++)
		if (!yyjson_mut_arr_add_sint(doc, arr, ((int64_t *)list->items)[i]))
			return NULL;
	return arr;
}

static yyjson_mut_val *write_keys(const struct string_list *list, yyjson_mut_doc *doc)
{
	yyjson_mut_val *obj = yyjson_mut_obj(doc);

	for (size_t i = 0; i < list->count; i++)
		if (!yyjson_mut_obj_add(obj, yyjson_mut_strcpy(doc, list->items[i]),
					yyjson_mut_obj(doc)))
			return NULL;
	return obj;
}

static yyjson_mut_val *write_map(const struct string_map *map, yyjson_mut_doc *doc)
{
	yyjson_mut_val *obj = yyjson_mut_obj(doc);

	for (size_t i = 0; i < map->count; i++)
		if (!yyjson_mut_obj_add(obj, yyjson_mut_strcpy(doc, map->items[i].name),
					yyjson_mut_strcpy(doc, map->items[i].value)))
			return NULL;
	return obj;
}

static yyjson_mut_val *write_list(const struct record_type *type, const struct any_list *list,
				  yyjson_mut_doc *doc)
{
	yyjson_mut_val *arr = yyjson_mut_arr(doc);

	for (size_t i = 0; i < list->count; i++)
		if (!yyjson_mut_arr_append(
			    arr, record_write(type, (char *)list->items + i * type->size, doc)))
			return NULL;
	return arr;
}

static yyjson_mut_val *write_named(const struct record_type *type, const struct any_list *list,
				   yyjson_mut_doc *doc)
{
	yyjson_mut_val *obj = yyjson_mut_obj(doc);

	for (size_t i = 0; i < list->count; i++) {
		const char *item = (const char *)list->items + i * type->size;
		const char *name;

		memcpy(&name, item + type->fields[0].offset, sizeof(name));
		if (!yyjson_mut_obj_add(obj, yyjson_mut_strcpy(doc, name),
					record_write(type, item, doc)))
			return NULL;
	}
	return obj;
}

/* Whether the member says anything that a reader would not assume by itself. */
static bool has_value(const struct record_field *f, const void *member)
{
	const struct string_list *strings = member;
	struct any_list list;
	void *pointer;

	switch (f->kind) {
	case RECORD_STRING:
	case RECORD_POINTER:
		memcpy(&pointer, member, sizeof(pointer));
		return pointer;
	case RECORD_STRINGS:
	case RECORD_KEYS:
		return strings->present || strings->count;
	case RECORD_MAP:
	case RECORD_LIST:
	case RECORD_NAMED:
	case RECORD_INTS:
		memcpy(&list, member, sizeof(list));
		return list.count;
	case RECORD_BOOL:
		return *(const bool *)member;
	case RECORD_INT:
	case RECORD_U64:
		return *(const uint64_t *)member || f->required;
	case RECORD_OPT_INT:
		return ((const struct opt_int *)member)->set;
	case RECORD_OBJECT:
		return true; /* known when it is written */
	case RECORD_NAME:
	case RECORD_RAW:
	case RECORD_REFUSED:
		break;
	}
	return false;
}

static yyjson_mut_val *write_value(const struct record_field *f, const void *member,
				   yyjson_mut_doc *doc)
{
	struct any_list list;
	void *pointer;

	switch (f->kind) {
	case RECORD_STRING:
		memcpy(&pointer, member, sizeof(pointer));
		return write_string(pointer, doc);
	case RECORD_STRINGS:
		return write_strings(member, doc);
	case RECORD_KEYS:
		return write_keys(member, doc);
	case RECORD_MAP:
		return write_map(member, doc);
	case RECORD_BOOL:
		return yyjson_mut_bool(doc, *(const bool *)member);
	case RECORD_INT:
		return yyjson_mut_sint(doc, *(const int64_t *)member);
	case RECORD_U64:
		return yyjson_mut_uint(doc, *(const uint64_t *)member);
	case RECORD_OPT_INT:
		return yyjson_mut_sint(doc, ((const struct opt_int *)member)->value);
	case RECORD_OBJECT:
		return record_write(f->type, member, doc);
	case RECORD_POINTER:
		memcpy(&pointer, member, sizeof(pointer));
		return record_write(f->type, pointer, doc);
	case RECORD_LIST:
	case RECORD_INTS:
		memcpy(&list, member, sizeof(list));
		return f->kind == RECORD_INTS ? write_ints(&list, doc) :
						write_list(f->type, &list, doc);
	case RECORD_NAMED:
		memcpy(&list, member, sizeof(list));
		return write_named(f->type, &list, doc);
	case RECORD_NAME:
	case RECORD_RAW:
	case RECORD_REFUSED:
		break;
	}
	return NULL;
}

yyjson_mut_val *record_write(const struct record_type *type, const void *record,
			     yyjson_mut_doc *doc)
{
	yyjson_mut_val *obj = yyjson_mut_obj(doc);

	for (const struct record_field *f = type->fields; obj && f->key; f++) {
		const void *member = (const char *)record + f->offset;
		yyjson_mut_val *v;

		if (!has_value(f, member))
			continue;
		v = write_value(f, member, doc);
		if (!v)
			return NULL;
		if (f->kind == RECORD_OBJECT && !yyjson_mut_obj_size(v) && !f->required)
			continue;
		if (!yyjson_mut_obj_add_val(doc, obj, f->key, v))
			return NULL;
	}
	return obj;
}

/* ---- freeing ---- */

void string_list_free(struct string_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct string_list){ 0 };
}

static void free_map(struct string_map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		free(map->items[i].name);
		free(map->items[i].value);
	}
	free(map->items);
}

static void free_list(const struct record_type *type, void *member)
{
	struct any_list list;

	memcpy(&list, member, sizeof(list));
	for (size_t i = 0; i < list.count; i++)
		record_free(type, (char *)list.items + i * type->size);
	free(list.items);
}

static void free_field(const struct record_field *f, void *member)
{
	void *pointer;

	switch (f->kind) {
	case RECORD_STRING:
	case RECORD_NAME:
		memcpy(&pointer, member, sizeof(pointer));
		free(pointer);
		break;
	case RECORD_STRINGS:
	case RECORD_KEYS:
		string_list_free(member);
		break;
	case RECORD_MAP:
		free_map(member);
		break;
	case RECORD_OBJECT:
		record_free(f->type, member);
		break;
	case RECORD_POINTER:
		memcpy(&pointer, member, sizeof(pointer));
		if (pointer)
			record_free(f->type, pointer);
		free(pointer);
		break;
	case RECORD_LIST:
	case RECORD_NAMED:
		free_list(f->type, member);
		break;
	case RECORD_INTS:
		memcpy(&pointer, member, sizeof(pointer)); /* items comes first */
		free(pointer);
		break;
	default:
		break;
	}
}

void record_free(const struct record_type *type, void *record)
{
	for (const struct record_field *f = type->fields; f->key; f++)
		free_field(f, (char *)record + f->offset);
	memset(record, 0, type->size);
}
