#include "cli/create_objects.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

typedef int add_fn(yyjson_mut_doc *doc, yyjson_mut_val *item, char *text, struct err *e);

static void put(yyjson_mut_doc *doc, yyjson_mut_val *item, const char *key, const char *text)
{
	yyjson_mut_obj_add_strcpy(doc, item, key, text);
}

static bool is_rights(const char *text)
{
	return *text && strspn(text, "rwm") == strlen(text);
}

/* "/dev/a", "/dev/a:/dev/b", "/dev/a:rw", "/dev/a:/dev/b:rw" */
static int add_device(yyjson_mut_doc *doc, yyjson_mut_val *item, char *text, struct err *e)
{
	char *second = strchr(text, ':'), *third;

	if (second)
		*second++ = '\0';
	third = second ? strchr(second, ':') : NULL;
	if (third)
		*third++ = '\0';
	if (second && !third && is_rights(second)) {
		third = second;
		second = NULL;
	}
	if (*text != '/' || (second && *second != '/') || (third && !is_rights(third)))
		return err_set(e, -EINVAL, "bad format for a device: \"%s\"", text);
	put(doc, item, "PathOnHost", text);
	put(doc, item, "PathInContainer", second ? second : text);
	put(doc, item, "CgroupPermissions", third ? third : "rwm");
	return 0;
}

/* "nofile=1024:2048", "nproc=10"; -1 is no limit. */
static int add_ulimit(yyjson_mut_doc *doc, yyjson_mut_val *item, char *text, struct err *e)
{
	char *number = strchr(text, '='), *end = NULL;
	long long soft, hard;

	if (!number || number == text)
		return err_set(e, -EINVAL, "invalid ulimit argument: %s", text);
	*number++ = '\0';
	soft = hard = strtoll(number, &end, 10);
	if (end > number && *end == ':') {
		number = end + 1;
		hard = strtoll(number, &end, 10);
	}
	if (end == number || *end || soft < -1 || hard < -1 || (hard >= 0 && soft > hard))
		return err_set(e, -EINVAL, "invalid ulimit argument: %s=%s", text, number);
	put(doc, item, "Name", text);
	yyjson_mut_obj_add_sint(doc, item, "Soft", soft);
	yyjson_mut_obj_add_sint(doc, item, "Hard", hard);
	return 0;
}

static int add_rate(yyjson_mut_doc *doc, yyjson_mut_val *item, char *text, struct err *e)
{
	char *number = strrchr(text, ':');
	long long rate;

	if (!number || *text != '/')
		return err_set(e, -EINVAL, "bad format: \"%s\" is not DEVICE:NUMBER", text);
	*number++ = '\0';
	if (create_size(number, &rate) < 0 || rate < 1)
		return err_set(e, -EINVAL, "invalid rate for device: %s:%s", text, number);
	put(doc, item, "Path", text);
	yyjson_mut_obj_add_sint(doc, item, "Rate", rate);
	return 0;
}

/* ---- --mount ---- */

enum mount_kind { TEXT, TRUE, BYTES, OCTAL };

/* docker's words; `part`: the object inside that the key is in. */
static const struct mount_word {
	const char *word, *part, *key;
	enum mount_kind kind;
} words[] = {
	{ "type", NULL, "Type", TEXT },
	{ "source", NULL, "Source", TEXT }, { "src", NULL, "Source", TEXT },
	{ "target", NULL, "Target", TEXT }, { "dst", NULL, "Target", TEXT },
	{ "destination", NULL, "Target", TEXT },
	{ "readonly", NULL, "ReadOnly", TRUE }, { "ro", NULL, "ReadOnly", TRUE },
	{ "consistency", NULL, "Consistency", TEXT },
	{ "bind-propagation", "BindOptions", "Propagation", TEXT },
	{ "bind-recursive", "BindOptions", "Recursive", TEXT },
	{ "bind-nonrecursive", "BindOptions", "NonRecursive", TRUE },
	{ "volume-nocopy", "VolumeOptions", "NoCopy", TRUE },
	{ "volume-subpath", "VolumeOptions", "Subpath", TEXT },
	{ "volume-driver", "VolumeOptions", "Driver", TEXT },
	{ "tmpfs-size", "TmpfsOptions", "SizeBytes", BYTES },
	{ "tmpfs-mode", "TmpfsOptions", "Mode", OCTAL },
};

static const struct mount_word *find_word(const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(words[i].word, text))
			return &words[i];
	return NULL;
}

static int add_value(yyjson_mut_doc *doc, yyjson_mut_val *to, const struct mount_word *w,
		     const char *value, struct err *e)
{
	long long number = 0;
	char *end = NULL;

	if (w->kind == TRUE) {
		yyjson_mut_obj_add_bool(doc, to, w->key, !value || !strcmp(value, "true") ||
								 !strcmp(value, "1"));
		return 0;
	}
	if (!value || !*value)
		return err_set(e, -EINVAL, "invalid field '%s' must be a key=value pair", w->word);
	if (w->kind == TEXT) {
		put(doc, to, w->key, value);
		return 0;
	}
	if (w->kind == OCTAL)
		number = strtoll(value, &end, 8);
	if (w->kind == BYTES ? create_size(value, &number) < 0 : *end != '\0')
		return err_set(e, -EINVAL, "invalid value for %s: %s", w->word, value);
	yyjson_mut_obj_add_sint(doc, to, w->key, number);
	return 0;
}

static int add_word(yyjson_mut_doc *doc, yyjson_mut_val *item, char *text, struct err *e)
{
	char *value = strchr(text, '=');
	const struct mount_word *w;
	yyjson_mut_val *part;

	if (value)
		*value++ = '\0';
	w = find_word(text);
	if (!w)
		return err_set(e, -EINVAL, "unknown option '%s' of --mount", text);
	if (!w->part)
		return add_value(doc, item, w, value, e);
	part = yyjson_mut_obj_get(item, w->part);
	if (!part)
		part = yyjson_mut_obj_add_obj(doc, item, w->part);
	return add_value(doc, part, w, value, e);
}

static int add_mount(yyjson_mut_doc *doc, yyjson_mut_val *item, char *text, struct err *e)
{
	char *rest = NULL;

	for (char *word = strtok_r(text, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		int rc = add_word(doc, item, word, e);

		if (rc < 0)
			return rc;
	}
	if (!yyjson_mut_obj_get(item, "Type"))
		put(doc, item, "Type", "volume");
	if (!yyjson_mut_obj_get(item, "Target"))
		return err_set(e, -EINVAL, "--mount: target is required");
	return 0;
}

/* ---- all of them ---- */

static int add_list(yyjson_mut_doc *doc, yyjson_mut_val *host, const char *key,
		    const struct cli_list *list, add_fn *add, struct err *e)
{
	yyjson_mut_val *items;

	if (!list->count)
		return 0;
	items = yyjson_mut_obj_add_arr(doc, host, key);
	for (size_t i = 0; i < list->count; i++) {
		autofree char *text = strdup(list->items[i]);
		int rc = text ? add(doc, yyjson_mut_arr_add_obj(doc, items), text, e) : -ENOMEM;

		if (rc < 0)
			return rc;
	}
	return 0;
}

int create_add_objects(yyjson_mut_doc *doc, yyjson_mut_val *host, const struct create_options *o,
		       struct err *e)
{
	const struct {
		const char *key;
		const struct cli_list *list;
		add_fn *add;
	} rows[] = {
		{ "Devices", &o->devices, add_device }, { "Ulimits", &o->ulimits, add_ulimit },
		{ "Mounts", &o->mounts, add_mount }, { "BlkioDeviceReadBps", &o->read_bps, add_rate },
		{ "BlkioDeviceReadIOps", &o->read_iops, add_rate },
		{ "BlkioDeviceWriteBps", &o->write_bps, add_rate },
		{ "BlkioDeviceWriteIOps", &o->write_iops, add_rate },
	};
	int rc = 0;

	for (size_t i = 0; !rc && i < ARRAY_LEN(rows); i++)
		rc = add_list(doc, host, rows[i].key, rows[i].list, rows[i].add, e);
	return rc;
}
