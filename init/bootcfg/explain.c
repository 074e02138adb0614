/* The table of keys for people: one key at a time, or all of them as a page. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "bootcfg/commands.h"
#include "bootcfg/schema.h"

enum { COLUMN = 26, OBJECTS_MAX = 200 };

/* A list's items or a map's values: the object whose keys stand below this type, or NULL. Appends
 * the way there to `path`, unless that is NULL. */
static const struct type *object_of(const struct type *t, struct buf *path)
{
	while (t && t->kind != TYPE_OBJECT && t->item) {
		if (path)
			buf_adds(path, t->kind == TYPE_LIST ? "[]" : ".NAME");
		t = t->item;
	}
	return t && t->kind == TYPE_OBJECT ? t : NULL;
}

/* A text in lines of at most 78 columns, each behind the indentation. */
static void print_wrapped(const char *text, int indent)
{
	int column = 0;

	while (*text) {
		int len = (int)strcspn(text, " ");

		if (column && indent + column + 1 + len > 78) {
			putchar('\n');
			column = 0;
		}
		printf("%*s%.*s", column ? 1 : indent, "", len, text);
		column += len + (column ? 1 : 0);
		text += len;
		text += strspn(text, " ");
	}
	putchar('\n');
}

/* The way to a key as YAML: "containers.NAME.ports" is three lines; a "[]" begins an item. */
static void add_example(struct buf *out, const char *path, const char *example)
{
	autofree char *copy = strdup(path);
	char *save = NULL, *part = copy ? strtok_r(copy, ".", &save) : NULL;
	const char *dash = "";
	int depth = 0;

	while (part) {
		char *list = strstr(part, "[]");
		char *next = strtok_r(NULL, ".", &save);

		if (list)
			*list = '\0';
		buf_addf(out, "%*s%s%s:", 2 * depth - (int)strlen(dash), "", dash,
			 strcmp(part, "NAME") == 0 ? "web" : part);
		buf_addf(out, next ? "\n" : " %s\n", example);
		dash = list ? "- " : "";
		depth += list ? 2 : 1;
		part = next;
	}
}

/* ---- explain ---- */
static void print_row(const char *word, const char *text)
{
	printf("    %-12s", word);
	print_wrapped(text, 0);
}

static void print_key(const char *path, const struct key *k)
{
	autobuf struct buf example = { 0 };

	if (k->refused) {
		printf("%s\n", path);
		print_wrapped(k->refused, 4);
		return;
	}
	printf("%s: %s%s\n", path, k->type->name, k->required ? " (required)" : "");
	print_wrapped(k->help, 4);
	putchar('\n');
	if (k->type->expected)
		print_row("expected", k->type->expected);
	if (k->normal)
		print_row("without it", k->normal);
	add_example(&example, path, k->example);
	printf("\n");
	for (char *line = example.data; line && *line;) {
		size_t len = strcspn(line, "\n");

		printf("        %.*s\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

/* One line for each key of an object: its name and the beginning of what it is for. */
static void print_list(const struct type *object, const char *path)
{
	printf(path[0] ? "\n    keys below it, each explained by `berth config explain %s.KEY`:\n" :
			 "The keys of the boot configuration. `berth config explain KEY` says more, "
			 "and how each\nis written.\n%s\n", path);
	for (size_t i = 0; i < object->key_count; i++) {
		const struct key *k = &object->keys[i];

		if (!k->refused)
			printf("%*s%-*s %.*s\n", path[0] ? 6 : 2, "", COLUMN, k->name,
			       (int)strcspn(k->help, ".;"), k->help);
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
		object = k->refused ? NULL : object_of(k->type, save && *save ? &path : NULL);
		named = k->type && k->type->kind == TYPE_MAP;
	}
	if (k)
		print_key(buf_text(&path), k);
	if (k && object)
		object_of(k->type, &path);
	if (object)
		print_list(object, buf_text(&path));
	return 0;
}

int command_explain(int count, char **keys)
{
	int bad = 0;

	if (count == 0)
		print_list(&schema_root, "");
	for (int i = 0; i < count; i++) {
		if (i)
			putchar('\n');
		bad |= explain(keys[i]);
	}
	return bad;
}

/* ---- the page ---- */

/* Tables of Markdown end a cell at "|". */
static void print_cell(const char *text)
{
	for (; *text; text++)
		if (*text == '|')
			fputs("\\|", stdout);
		else
			putchar(*text == '\n' ? ' ' : *text);
}

static void page_refused(const struct key *keys, size_t count, const char *heading)
{
	size_t shown = 0;

	for (size_t i = 0; i < count; i++) {
		if (!keys[i].refused)
			continue;
		if (!shown++)
			printf("\n%s\n\n| key | why |\n| --- | --- |\n", heading);
		printf("| `%s` | ", keys[i].name);
		print_cell(keys[i].refused);
		printf(" |\n");
	}
}

static void page_key(const char *path, const struct key *k)
{
	autobuf struct buf example = { 0 };

	printf("\n#### `%s`\n\n%s\n\n", path, k->help);
	printf("*%s*: %s.", k->required ? "Required" : "Optional",
	       k->type->expected ? k->type->expected : k->type->name);
	if (k->normal)
		printf(" Without it: %s.", k->normal);
	add_example(&example, path, k->example);
	printf("\n\n```yaml\n%s```\n", buf_text(&example));
}

/* An object that stands in several places is described in the first. */
static struct {
	const struct type *object;
	char *path;
} described[OBJECTS_MAX];
static size_t described_count;

static const char *first_path(const struct type *object, const char *path)
{
	for (size_t i = 0; i < described_count; i++)
		if (described[i].object == object)
			return described[i].path;
	if (described_count < OBJECTS_MAX) {
		described[described_count].object = object;
		described[described_count++].path = strdup(path);
	}
	return path;
}

static void page_object(const struct type *object, const char *path);

static void page_keys(const struct type *object, const char *path)
{
	for (size_t i = 0; i < object->key_count; i++) {
		const struct key *k = &object->keys[i];
		autobuf struct buf below = { 0 };
		const struct type *inner;

		if (k->refused)
			continue;
		buf_addf(&below, "%s%s%s", path, path[0] ? "." : "", k->name);
		page_key(buf_text(&below), k);
		inner = object_of(k->type, &below);
		if (inner)
			page_object(inner, buf_text(&below));
	}
}

static void page_object(const struct type *object, const char *path)
{
	const char *first = first_path(object, path);
	autobuf struct buf heading = { 0 };

	if (first != path) {
		printf("\nThe keys of `%s` are those of `%s`.\n", path, first);
		return;
	}
	page_keys(object, path);
	buf_addf(&heading, "Not below `%s`:", path);
	page_refused(object->keys, object->key_count, buf_text(&heading));
}

static void page_contents(void)
{
	printf("| key | what it says |\n| --- | --- |\n");
	for (size_t i = 0; i < schema_root.key_count; i++) {
		const struct key *k = &schema_root.keys[i];

		if (k->refused)
			continue;
		printf("| [`%s`](#%s) | ", k->name, k->name);
		print_cell(k->help);
		printf(" |\n");
	}
}

int command_reference(int count, char **none)
{
	(void)count, (void)none;
	printf("# The keys of the boot configuration\n\n"
	       "Made by `make reference` out of the table that the parser reads too. On a machine:\n"
	       "`berth config explain KEY`. For editors: `berth config schema` prints a JSON Schema.\n\n");
	page_contents();
	for (size_t i = 0; i < schema_root.key_count; i++) {
		const struct key *k = &schema_root.keys[i];
		autobuf struct buf path = { 0 };
		const struct type *inner;

		if (k->refused)
			continue;
		printf("\n## %s\n", k->name);
		page_key(k->name, k);
		buf_adds(&path, k->name);
		inner = object_of(k->type, &path);
		if (inner)
			page_object(inner, buf_text(&path));
	}
	while (described_count)
		free(described[--described_count].path);
	page_refused(schema_root.keys, schema_root.key_count, "## Refused at the top level");
	page_refused(schema_root.foreign, schema_root.foreign_count,
		     "## Keys of cloud-init and Compose that Berth does not have\n\n"
		     "Each is one warning; the rest of the configuration counts.");
	return 0;
}
