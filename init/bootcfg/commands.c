#include "bootcfg/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "bootcfg/config.h"
#include "bootcfg/schema.h"
#include "bootcfg/understand.h"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void print_faults(FILE *to, const struct faults *faults)
{
	size_t hidden = faults->errors + faults->warnings - faults->count;

	for (size_t i = 0; i < faults->count; i++) {
		autobuf struct buf line = { 0 };

		fault_line(&faults->items[i], &line);
		fprintf(to, "%s\n", buf_text(&line));
	}
	if (hidden)
		fprintf(to, "and %zu more\n", hidden);
}

/* 0, -EBADMSG as understand_text, or another -errno when the file cannot be read. */
static int parse_file(const char *path, yyjson_mut_doc **out, struct faults *faults)
{
	autobuf struct buf text = { 0 };
	struct err e = { "" };
	int code = file_read_at(AT_FDCWD, path, CONFIG_TEXT_MAX, &text, &e);

	if (code < 0) {
		log_error("%s", e.text);
		return code;
	}
	code = understand_text(&text, base_name(path), false, out, faults);
	if (code != -EAGAIN)
		return code;
	fault_add(faults, FAULT_WARNING, base_name(path), 0, 0, "",
		  "what it includes is on the network and is not looked at here");
	return 0;
}

int command_check(int count, char **files)
{
	int bad = 0;

	for (int i = 0; i < count; i++) {
		autofaults struct faults faults = { 0 };
		yyjson_mut_doc *config = NULL;
		int code = parse_file(files[i], &config, &faults);

		print_faults(stdout, &faults);
		yyjson_mut_doc_free(config);
		bad |= code < 0 || faults.errors > 0;
	}
	return bad;
}

int command_show(int count, char **files)
{
	int bad = 0;

	for (int i = 0; i < count; i++) {
		autofaults struct faults faults = { 0 };
		yyjson_mut_doc *config = NULL;
		autofree char *json = NULL;
		int code = parse_file(files[i], &config, &faults);

		print_faults(stderr, &faults);
		json = config ? yyjson_mut_write(config, YYJSON_WRITE_PRETTY, NULL) : NULL;
		if (json)
			printf("%s\n", json);
		yyjson_mut_doc_free(config);
		bad |= code < 0 || faults.errors > 0;
	}
	return bad;
}

static void print_key(const char *path, const struct key *k)
{
	if (k->refused) {
		printf("%s\n    %s\n", path, k->refused);
		return;
	}
	printf("%s: %s%s\n    %s\n", path, k->type->name, k->required ? " (required)" : "", k->help);
	if (k->normal)
		printf("    without it: %s\n", k->normal);
	printf("    example: %s: %s\n", k->name, k->example);
}

/* A list's items or a map's values: the object whose keys stand
 * below this type, or NULL. Appends the way there to `path`, unless that is NULL. */
static const struct type *object_of(const struct type *t, struct buf *path)
{
	while (t && t->kind != TYPE_OBJECT && t->item) {
		if (path)
			buf_adds(path, t->kind == TYPE_LIST ? "[]" : ".NAME");
		t = t->item;
	}
	return t && t->kind == TYPE_OBJECT ? t : NULL;
}

static void print_keys(const struct type *object, const char *path)
{
	for (size_t i = 0; i < object->key_count; i++) {
		const struct key *k = &object->keys[i];
		autobuf struct buf below = { 0 };
		const struct type *inner;

		buf_addf(&below, "%s%s%s", path, path[0] ? "." : "", k->name);
		print_key(buf_text(&below), k);
		inner = k->type ? object_of(k->type, &below) : NULL;
		if (inner)
			print_keys(inner, buf_text(&below));
	}
}

static int unknown_key(const char *wanted, const struct type *object, const char *name)
{
	const char *near = object ? schema_nearest(object, name) : NULL;

	log_error("there is no key \"%s\"%s%s%s", wanted, near ? "; is \"" : "", near ? near : "",
		  near ? "\" meant?" : "");
	return 1;
}

/* Walks "containers.web.ports" down the tables; the name of a map's entry is skipped. */
static int explain(const char *wanted)
{
	autofree char *copy = strdup(wanted);
	autobuf struct buf path = { 0 };
	const struct type *object = &schema_root;
	const struct key *k = NULL;
	bool named = false; /* the next part may be the name of a map's entry */
	char *save = NULL;

	for (char *name = strtok_r(copy, ".", &save); name; name = strtok_r(NULL, ".", &save)) {
		const struct key *next;

		name[strcspn(name, "[")] = '\0';
		next = object ? schema_key(object, name) : NULL;
		if (!next && !named)
			return unknown_key(wanted, object, name);
		named = false;
		if (!next)
			continue;
		k = next;
		buf_addf(&path, "%s%s", path.len ? "." : "", name);
		if (k->refused || !object_of(k->type, NULL))
			object = NULL;
		else
			object = object_of(k->type, save && *save ? &path : NULL);
		named = k->type && k->type->kind == TYPE_MAP;
	}
	if (k)
		print_key(buf_text(&path), k);
	if (k && object)
		object_of(k->type, &path);
	if (object)
		print_keys(object, buf_text(&path));
	return 0;
}

int command_explain(int count, char **keys)
{
	int bad = 0;

	if (count == 0)
		print_keys(&schema_root, "");
	for (int i = 0; i < count; i++)
		bad |= explain(keys[i]);
	return bad;
}
