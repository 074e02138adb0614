/* Readers and checks of disks, mounts and swap. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "bootcfg/read.h"

/* A path under /dev, a tag, or a name that device_aliases explains. */
const char *check_device(const char *text)
{
	static const char *const tags[] = { "LABEL=", "UUID=", "PARTUUID=", "PARTLABEL=" };

	for (size_t i = 0; i < ARRAY_LEN(tags); i++)
		if (strncmp(text, tags[i], strlen(tags[i])) == 0)
			return text[strlen(tags[i])] ? check_no_blank(text) : "it names nothing";
	if (*text == '/')
		return check_dev_path(text);
	return check_user_name(text);
}

const char *check_dev_path(const char *text)
{
	if (strncmp(text, "/dev/", 5) != 0 || !text[5])
		return "it must begin with \"/dev/\"";
	return strstr(text, "..") ? "it must not hold \"..\"" : check_no_blank(text);
}

const char *check_fs_label(const char *text)
{
	if (!*text || strlen(text) > 16)
		return "it must have 1 to 16 characters";
	return check_no_blank(text);
}

const char *check_swap_path(const char *text)
{
	if (strncmp(text, "/var/", 5) != 0 || !text[5])
		return "only the data partition, /var, has room for it";
	return strstr(text, "..") ? "it must not hold \"..\"" : NULL;
}

/* ---- layout ---- */

/* One partition: its percentage, or [percentage, type]; the type is of no use on Linux. */
static bool layout_item(struct walk *w, const struct node *n, yyjson_mut_val *list, int64_t *total)
{
	const struct node *share = n->kind == NODE_LIST && n->count == 2 ? n->items[0] : n;
	int64_t percent;

	if (share->kind != NODE_TEXT || parse_int(share->text, 1, 100, &percent) < 0)
		return false;
	*total += percent;
	yyjson_mut_arr_add_int(w->doc, list, percent);
	return true;
}

yyjson_mut_val *read_layout(struct walk *w, const struct type *t, const struct node *n,
			    struct err *why)
{
	yyjson_mut_val *list = yyjson_mut_arr(w->doc), *answer;
	int64_t total = 0;

	if (n->kind == NODE_TEXT) {
		answer = read_bool(w, t, n, why);
		if (!answer)
			return NULL;
		if (yyjson_mut_get_bool(answer))
			yyjson_mut_arr_add_int(w->doc, list, 100);
		return list;
	}
	for (size_t i = 0; i < n->count; i++)
		if (!layout_item(w, n->items[i], list, &total)) {
			err_set(why, -EINVAL, "item %zu of this list is no percentage from 1 to 100",
				i + 1);
			return NULL;
		}
	if (total <= 100 && n->count && n->count <= 16)
		return list;
	err_set(why, -EINVAL, "these are 1 to 16 percentages that add up to 100 at most");
	return NULL;
}

yyjson_mut_val *read_partition(struct walk *w, const struct type *t, const struct node *n,
			       struct err *why)
{
	static const char *const words[] = { "auto", "any", "none" };
	int64_t number;

	(void)t, (void)why;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(n->text, words[i]) == 0)
			return yyjson_mut_str(w->doc, words[i]);
	if (parse_int(n->text, 1, 128, &number) < 0)
		return NULL;
	return walk_text(w, n->text, n->len);
}

/* ---- mounts ---- */

/* [spec, file, type, options, frequency, pass] of fstab(5). */
void finish_mount(struct walk *w, const struct node *n, yyjson_mut_val *mount)
{
	const char *spec = yyjson_mut_get_str(yyjson_mut_arr_get(mount, 0));
	const char *file = yyjson_mut_get_str(yyjson_mut_arr_get(mount, 1));
	const char *type = yyjson_mut_get_str(yyjson_mut_arr_get(mount, 2));
	bool swap = type && strcmp(type, "swap") == 0;

	if (!spec || !file) {
		walk_fault(w, FAULT_ERROR, n, "a mount has a device and a path at least");
		return;
	}
	if (!swap && (*file != '/' || strstr(file, "..") || !file[1]))
		walk_fault(w, FAULT_ERROR, n, "\"%.80s\" is no absolute path to mount on", file);
	if (swap && *file == '/')
		walk_fault(w, FAULT_ERROR, n, "swap is mounted on \"none\"");
}

yyjson_mut_val *read_mount_defaults(struct walk *w, const struct type *t, const struct node *n,
				    struct err *why)
{
	yyjson_mut_val *list = yyjson_mut_arr(w->doc);

	(void)t;
	for (size_t i = 0; i < n->count; i++) {
		const struct node *field = n->items[i];

		if (field->kind != NODE_TEXT) {
			err_set(why, -EINVAL, "field %zu is a list or a mapping, expected a text or null",
				i + 1);
			return NULL;
		}
		yyjson_mut_arr_append(list, field->null ? yyjson_mut_null(w->doc) :
							  walk_text(w, field->text, field->len));
	}
	if (n->count == 6)
		return list;
	err_set(why, -EINVAL, "there are %zu fields, expected six", n->count);
	return NULL;
}

/* ---- swap ---- */
yyjson_mut_val *read_swap_size(struct walk *w, const struct type *t, const struct node *n,
			       struct err *why)
{
	if (strcmp(n->text, "auto") == 0)
		return yyjson_mut_str(w->doc, "auto");
	if (strcmp(n->text, "0") == 0)
		return yyjson_mut_sint(w->doc, 0);
	return read_bytes(w, t, n, why);
}
