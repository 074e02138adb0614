/* "state" and "list". */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "oci/args.h"
#include "oci/commands.h"
#include "oci/state.h"

/* Source: runtime-spec runtime.md, "State"; rootfs, created and owner are runc's. */
static yyjson_mut_val *state_json(const struct state *s, enum status status, const char *owner,
				  yyjson_mut_doc *doc)
{
	yyjson_mut_val *root = yyjson_mut_obj(doc), *notes = yyjson_mut_obj(doc);

	yyjson_mut_obj_add_strcpy(doc, root, "ociVersion", s->ociVersion);
	yyjson_mut_obj_add_strcpy(doc, root, "id", s->id);
	yyjson_mut_obj_add_int(doc, root, "pid", status == STATUS_STOPPED ? 0 : s->pid);
	yyjson_mut_obj_add_str(doc, root, "status", status_name(status));
	yyjson_mut_obj_add_strcpy(doc, root, "bundle", s->bundle);
	yyjson_mut_obj_add_strcpy(doc, root, "rootfs", s->rootfs ? s->rootfs : "");
	yyjson_mut_obj_add_strcpy(doc, root, "created", s->created ? s->created : "");
	for (size_t i = 0; i < s->annotations.count; i++)
		yyjson_mut_obj_add(notes, yyjson_mut_strcpy(doc, s->annotations.items[i].name),
				   yyjson_mut_strcpy(doc, s->annotations.items[i].value));
	if (s->annotations.count)
		yyjson_mut_obj_add_val(doc, root, "annotations", notes);
	yyjson_mut_obj_add_strcpy(doc, root, "owner", owner);
	return root;
}

static int print(yyjson_mut_doc *doc, yyjson_mut_val *root, yyjson_write_flag flags, struct err *e)
{
	autofree char *text = NULL;

	yyjson_mut_doc_set_root(doc, root);
	text = yyjson_mut_write(doc, flags, NULL);
	yyjson_mut_doc_free(doc);
	if (!text)
		return err_set(e, -ENOMEM, "out of memory");
	return puts(text) < 0 || fflush(stdout) ? err_sys(e, "write the answer") : 0;
}

int cmd_state(const struct options *o, int argc, char **argv, struct err *e)
{
	autostate struct state s = { 0 };
	autoclose int dir = -1;
	yyjson_mut_doc *doc;
	const char *id;
	int rc = command_only_id(argc, argv, &id, e);

	dir = rc < 0 ? rc : state_load(o->root, id, false, &s, e);
	if (dir < 0)
		return dir;
	doc = yyjson_mut_doc_new(NULL);
	if (!doc)
		return err_set(e, -ENOMEM, "out of memory");
	return print(doc, state_json(&s, state_status(dir, &s), "", doc),
		     YYJSON_WRITE_PRETTY_TWO_SPACES, e);
}

/* ---- list ---- */

enum { COLUMNS = 6 };

struct row {
	struct state state;
	enum status status;
	char pid[16], owner[64];
};

struct rows {
	struct row *items;
	size_t count;
};

static void find_owner(int dir, char *out, size_t room)
{
	struct passwd *user;
	struct stat st = { 0 };

	fstat(dir, &st);
	user = getpwuid(st.st_uid);
	if (user)
		snprintf(out, room, "%s", user->pw_name);
	else
		snprintf(out, room, "#%u", st.st_uid);
}

/* Without the lock: the state is replaced as a whole, and a list should not wait for a "create". */
static int add_row(const char *root, const char *id, struct rows *rows, struct err *e)
{
	struct state s = { 0 };
	autoclose int dir = state_peek(root, id, &s, NULL);
	struct row *row;

	if (dir < 0) /* it is about to be there, or to go */
		return 0;
	row = record_list_add(rows, sizeof(*row));
	if (!row) {
		state_free(&s);
		return err_set(e, -ENOMEM, "out of memory");
	}
	row->state = s;
	row->status = state_status(dir, &s);
	snprintf(row->pid, sizeof(row->pid), "%d",
		 row->status == STATUS_STOPPED ? 0 : (int)s.pid);
	find_owner(dir, row->owner, sizeof(row->owner));
	return 0;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct row *)a)->state.id, ((const struct row *)b)->state.id);
}

static int find_rows(const char *root, struct rows *rows, struct err *e)
{
	autodir DIR *dir = opendir(root);
	struct dirent *entry;
	int rc = 0;

	if (!dir)
		return errno == ENOENT ? 0 : err_sys(e, "open \"%s\"", root);
	while (!rc && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			rc = add_row(root, entry->d_name, rows, e);
	if (rows->count)
		qsort(rows->items, rows->count, sizeof(*rows->items), by_id);
	return rc;
}

static void row_cells(const struct row *r, const char *cells[COLUMNS])
{
	cells[0] = r->state.id;
	cells[1] = r->pid;
	cells[2] = status_name(r->status);
	cells[3] = r->state.bundle;
	cells[4] = r->state.created ? r->state.created : "";
	cells[5] = r->owner;
}

/* runc's table: columns as wide as their longest word and three spaces, twelve at least. */
static void print_table(const struct rows *rows)
{
	const char *cells[COLUMNS] = { "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER" };
	size_t widths[COLUMNS] = { 12, 12, 12, 12, 12, 12 };

	for (size_t i = 0; i < rows->count; i++) {
		row_cells(&rows->items[i], cells);
		for (int k = 0; k < COLUMNS; k++)
			if (strlen(cells[k]) + 3 > widths[k])
				widths[k] = strlen(cells[k]) + 3;
	}
	printf("%-*s%-*s%-*s%-*s%-*sOWNER\n", (int)widths[0], "ID", (int)widths[1], "PID",
	       (int)widths[2], "STATUS", (int)widths[3], "BUNDLE", (int)widths[4], "CREATED");
	for (size_t i = 0; i < rows->count; i++) {
		row_cells(&rows->items[i], cells);
		for (int k = 0; k < COLUMNS - 1; k++)
			printf("%-*s", (int)widths[k], cells[k]);
		printf("%s\n", cells[COLUMNS - 1]);
	}
}

static int print_json(const struct rows *rows, struct err *e)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *list = doc ? yyjson_mut_arr(doc) : NULL;

	if (!list)
		return err_set(e, -ENOMEM, "out of memory");
	for (size_t i = 0; i < rows->count; i++) {
		const struct row *r = &rows->items[i];

		yyjson_mut_arr_append(list, state_json(&r->state, r->status, r->owner, doc));
	}
	return print(doc, list, 0, e);
}

static int print_rows(const struct rows *rows, const char *format, bool quiet, struct err *e)
{
	if (quiet)
		for (size_t i = 0; i < rows->count; i++)
			puts(rows->items[i].state.id);
	else if (!strcmp(format, "json"))
		return print_json(rows, e);
	else
		print_table(rows);
	return fflush(stdout) ? err_sys(e, "write the answer") : 0;
}

int cmd_list(const struct options *o, int argc, char **argv, struct err *e)
{
	const char *format = "table";
	bool quiet = false;
	const struct arg args[] = {
		ARG_TEXT("format", 'f', &format, "table or json"),
		ARG_FLAG("quiet", 'q', &quiet, "only the IDs"),
		ARG_END,
	};
	struct rows rows = { 0 };
	int next = args_parse(args, argc, argv, e), rc;

	if (next < 0)
		return next;
	if (next != argc)
		return err_set(e, -EINVAL, "\"list\" takes no container ID");
	if (strcmp(format, "table") != 0 && strcmp(format, "json") != 0)
		return err_set(e, -EINVAL, "--format is table or json, not \"%s\"", format);
	rc = find_rows(o->root, &rows, e);
	if (!rc)
		rc = print_rows(&rows, format, quiet, e);
	for (size_t i = 0; i < rows.count; i++)
		state_free(&rows.items[i].state);
	free(rows.items);
	return rc;
}
