#include "bootcfg/merge.h"

#include <string.h>

#include "base/cleanup.h"
#include "bootcfg/origins.h"

static const char default_hostname[] = "berth";

yyjson_mut_doc *merge_empty(void)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);

	yyjson_mut_doc_set_root(doc, yyjson_mut_obj(doc));
	return doc;
}

static yyjson_mut_val *list_of(yyjson_mut_doc *doc, const char *name)
{
	yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
	yyjson_mut_val *list = yyjson_mut_obj_get(root, name);

	if (yyjson_mut_is_arr(list))
		return list;
	list = yyjson_mut_arr(doc);
	yyjson_mut_obj_remove_key(root, name);
	yyjson_mut_obj_add_val(doc, root, name, list);
	return list;
}

static bool has_text(yyjson_mut_val *list, const char *text)
{
	yyjson_mut_val *item;
	size_t i, max;

	yyjson_mut_arr_foreach(list, i, max, item) {
		if (yyjson_mut_equals_str(item, text))
			return true;
	}
	return false;
}

void merge_ssh_keys(yyjson_mut_doc *into, yyjson_mut_doc *from)
{
	yyjson_mut_val *keys = list_of(into, "ssh_authorized_keys"), *key;
	size_t i, max;

	yyjson_mut_arr_foreach(list_of(from, "ssh_authorized_keys"), i, max, key) {
		const char *text = yyjson_mut_get_str(key);

		if (!text || has_text(keys, text))
			continue;
		origins_take_key(into, yyjson_mut_arr_size(keys), from, i);
		yyjson_mut_arr_add_strcpy(into, keys, text);
	}
}

static const char *name_of(yyjson_mut_val *item)
{
	return yyjson_mut_get_str(yyjson_mut_obj_get(item, "name"));
}

static bool all_named(yyjson_mut_val *list)
{
	yyjson_mut_val *item;
	size_t i, max;

	yyjson_mut_arr_foreach(list, i, max, item) {
		if (!name_of(item))
			return false;
	}
	return yyjson_mut_is_arr(list);
}

static void merge_named(yyjson_mut_doc *doc, yyjson_mut_val *into, yyjson_mut_val *from)
{
	yyjson_mut_val *item, *old;
	size_t i, max, k, old_max;

	yyjson_mut_arr_foreach(from, i, max, item) {
		yyjson_mut_val *copy = yyjson_mut_val_mut_copy(doc, item);
		size_t at = yyjson_mut_arr_size(into);

		yyjson_mut_arr_foreach(into, k, old_max, old) {
			if (yyjson_mut_equals_str(yyjson_mut_obj_get(old, "name"), name_of(item)))
				at = k;
		}
		if (at < yyjson_mut_arr_size(into))
			yyjson_mut_arr_replace(into, at, copy);
		else
			yyjson_mut_arr_append(into, copy);
	}
}

static void merge_objects(yyjson_mut_doc *doc, yyjson_mut_val *into, yyjson_mut_val *from, bool top)
{
	yyjson_mut_val *key, *value;
	size_t i, max;

	yyjson_mut_obj_foreach(from, i, max, key, value) {
		yyjson_mut_val *old = yyjson_mut_obj_get(into, yyjson_mut_get_str(key));

		if (top && (yyjson_mut_equals_str(key, "ssh_authorized_keys") ||
			    yyjson_mut_equals_str(key, "origins")))
			continue;
		if (yyjson_mut_is_obj(old) && yyjson_mut_is_obj(value)) {
			merge_objects(doc, old, value, false);
			continue;
		}
		if (top && all_named(old) && all_named(value)) {
			merge_named(doc, old, value);
			continue;
		}
		yyjson_mut_obj_remove_key(into, yyjson_mut_get_str(key));
		yyjson_mut_obj_add(into, yyjson_mut_val_mut_copy(doc, key),
				   yyjson_mut_val_mut_copy(doc, value));
	}
}

void merge_over(yyjson_mut_doc *into, yyjson_mut_doc *from)
{
	yyjson_mut_val *below = yyjson_mut_obj_get(yyjson_mut_doc_get_root(into), "dropped"), *path;
	yyjson_mut_val *above = yyjson_mut_obj_get(yyjson_mut_doc_get_root(from), "dropped");
	size_t i, max;

	/* What was left out of either stays said. */
	yyjson_mut_arr_foreach(below, i, max, path) {
		if (yyjson_mut_is_arr(above))
			yyjson_mut_arr_add_strcpy(from, above, yyjson_mut_get_str(path));
	}
	merge_objects(into, yyjson_mut_doc_get_root(into), yyjson_mut_doc_get_root(from), true);
	origins_add(into, from, "");
	merge_ssh_keys(into, from);
}

static void copy_if_missing(yyjson_mut_doc *into, yyjson_mut_doc *from, const char *name)
{
	yyjson_mut_val *root = yyjson_mut_doc_get_root(into);
	const char *text =
		yyjson_mut_get_str(yyjson_mut_obj_get(yyjson_mut_doc_get_root(from), name));

	if (!text || yyjson_mut_obj_get(root, name))
		return;
	yyjson_mut_obj_add_val(into, root, name, yyjson_mut_strcpy(into, text));
	origins_add_below(into, from, name);
}

void merge_metadata(yyjson_mut_doc *into, yyjson_mut_doc *meta)
{
	copy_if_missing(into, meta, "hostname");
	copy_if_missing(into, meta, "instance_id");
	merge_ssh_keys(into, meta);
}

static void set_text(yyjson_mut_doc *doc, const char *name, const char *text, size_t len)
{
	yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
	yyjson_mut_val *value = yyjson_mut_strncpy(doc, text, len);

	yyjson_mut_obj_remove_key(root, name);
	yyjson_mut_obj_add_val(doc, root, name, value);
}

/* As cloud-init's get_hostname_fqdn: a name with a dot is the long one, and the short one is what
 * stands before its first dot. */
static void choose_names(yyjson_mut_doc *config)
{
	yyjson_mut_val *root = yyjson_mut_doc_get_root(config);
	bool prefer = yyjson_mut_get_bool(yyjson_mut_obj_remove_key(root, "prefer_fqdn_over_hostname"));
	const char *host = yyjson_mut_get_str(yyjson_mut_obj_get(root, "hostname"));
	const char *fqdn = yyjson_mut_get_str(yyjson_mut_obj_get(root, "fqdn"));

	if (!host && !fqdn)
		host = default_hostname;
	if (!fqdn && strchr(host, '.')) {
		set_text(config, "fqdn", host, strlen(host));
		origins_copy(config, "fqdn", "hostname");
	}
	fqdn = yyjson_mut_get_str(yyjson_mut_obj_get(root, "fqdn"));
	if (fqdn && (prefer || !host)) {
		set_text(config, "hostname", fqdn, prefer ? strlen(fqdn) : strcspn(fqdn, "."));
		origins_copy(config, "hostname", "fqdn");
	} else {
		set_text(config, "hostname", host, strcspn(host, "."));
	}
}

void merge_defaults(yyjson_mut_doc *config)
{
	static const char *const lists[] = { "ssh_authorized_keys", "write_files", "containers",
					     "dropped" };
	static const char *const ntp_lists[] = { "servers", "pools" };
	yyjson_mut_val *root = yyjson_mut_doc_get_root(config);
	yyjson_mut_val *ntp = yyjson_mut_obj_get(root, "ntp");

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		list_of(config, lists[i]);
	choose_names(config);
	if (!ntp)
		ntp = yyjson_mut_obj_add_obj(config, root, "ntp");
	if (!yyjson_mut_obj_get(ntp, "enabled")) {
		yyjson_mut_obj_add_bool(config, ntp, "enabled", true);
		origins_default(config, "ntp.enabled");
	}
	for (size_t i = 0; i < ARRAY_LEN(ntp_lists); i++)
		if (!yyjson_mut_obj_get(ntp, ntp_lists[i]))
			yyjson_mut_obj_add_arr(config, ntp, ntp_lists[i]);
}

static yyjson_mut_val *source_to_json(yyjson_mut_doc *doc, const struct source *source,
				      const char *used)
{
	yyjson_mut_val *o = yyjson_mut_obj(doc);

	yyjson_mut_obj_add_strcpy(doc, o, "kind", source->kind);
	yyjson_mut_obj_add_strcpy(doc, o, "where", source->where);
	if (used)
		yyjson_mut_obj_add_strcpy(doc, o, "used", used);
	return o;
}

char *merge_result(yyjson_mut_doc *config, const struct source *source, const char *used,
		   const struct faults *faults, size_t *len)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_obj(doc), *key, *value;
	size_t i, max;
	char *json;

	yyjson_mut_obj_add_int(doc, root, "version", 1);
	yyjson_mut_obj_add_val(doc, root, "source", source_to_json(doc, source, used));
	yyjson_mut_obj_add_val(doc, root, "faults", faults_to_json(faults, doc));
	yyjson_mut_obj_foreach(yyjson_mut_doc_get_root(config), i, max, key, value) {
		yyjson_mut_obj_add(root, yyjson_mut_val_mut_copy(doc, key),
				   yyjson_mut_val_mut_copy(doc, value));
	}
	yyjson_mut_doc_set_root(doc, root);
	json = yyjson_mut_write(doc, YYJSON_WRITE_PRETTY, len);
	yyjson_mut_doc_free(doc);
	return json;
}
