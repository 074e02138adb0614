/* Binds ("SOURCE:TARGET:OPTIONS"), Mounts, Tmpfs and Volumes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/body.h"
#include "base/cleanup.h"
#include "engine/container.h"

static struct spec_volume *add_volume(struct body *b, const char *type, const char *target)
{
	struct spec_volume *v = record_list_add(&b->spec.volumes, sizeof(*v));

	if (!v)
		return NULL;
	v->type = strdup(type);
	v->target = strdup(target);
	return v->type && v->target ? v : NULL;
}

static int check_target(const struct body *b, const char *target, struct err *e)
{
	if (*target != '/')
		return err_set(e, -EINVAL, "invalid mount path: '%.256s' mount path must be absolute",
			       target);
	for (size_t i = 0; i < b->spec.volumes.count; i++)
		if (!strcmp(b->spec.volumes.items[i].target, target))
			return err_set(e, -EINVAL, "Duplicate mount point: %.256s", target);
	return 0;
}

/* A name becomes a directory's: no slash, no "..". */
static int check_volume_name(const char *name, struct err *e)
{
	if (container_name_valid(name))
		return 0;
	return err_set(e, -EINVAL, "\"%.256s\" includes invalid characters for a local volume name, only "
		       "\"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host "
		       "directory, use absolute path", name);
}

static const char *const propagations[] = {
	"private", "rprivate", "slave", "rslave", "shared", "rshared",
};

static bool is_propagation(const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(propagations); i++)
		if (!strcmp(text, propagations[i]))
			return true;
	return false;
}

/* z and Z ask for SELinux labels; there is no SELinux, and docker takes them as well then. */
static int take_bind_option(struct spec_volume *v, const char *option, struct err *e)
{
	if (!strcmp(option, "ro"))
		v->read_only = true;
	else if (!strcmp(option, "nocopy"))
		v->nocopy = true;
	else if (is_propagation(option) && !strcmp(v->type, "bind"))
		return body_replace(&v->bind_propagation, option, e);
	else if (strcmp(option, "rw") && strcmp(option, "z") && strcmp(option, "Z"))
		return err_set(e, -EINVAL, "invalid mode: %.64s", option);
	return 0;
}

static int take_bind(struct body *b, char *text, struct err *e)
{
	char *target = strchr(text, ':'), *options = target ? strchr(target + 1, ':') : NULL;
	char *rest = NULL;
	struct spec_volume *v;
	int rc;

	if (!target || target == text)
		return err_set(e, -EINVAL, "invalid volume specification: '%.256s'", text);
	*target++ = '\0';
	if (options)
		*options++ = '\0';
	rc = check_target(b, target, e);
	if (!rc && *text != '/')
		rc = check_volume_name(text, e);
	if (rc < 0)
		return rc;
	v = add_volume(b, *text == '/' ? "bind" : "volume", target);
	if (!v || body_replace(&v->source, text, e) < 0)
		return body_no_memory(e);
	for (char *o = options ? strtok_r(options, ",", &rest) : NULL; o && !rc;
	     o = strtok_r(NULL, ",", &rest))
		rc = take_bind_option(v, o, e);
	return rc;
}

int take_binds(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	size_t i, max;
	yyjson_val *item;

	(void)member;
	yyjson_arr_foreach(v, i, max, item) {
		autofree char *text = NULL;
		int rc = take_string(b, &text, item, e);

		if (!rc)
			rc = text ? take_bind(b, text, e) :
				    err_set(e, -EINVAL, "invalid empty volume spec");
		if (rc < 0)
			return rc;
	}
	return 0;
}

int take_volumes(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	size_t i, max;
	yyjson_val *key, *item;

	(void)member;
	yyjson_obj_foreach(v, i, max, key, item) {
		int rc = check_target(b, yyjson_get_str(key), e);

		(void)item;
		if (rc < 0)
			return rc;
		if (!add_volume(b, "volume", yyjson_get_str(key)))
			return body_no_memory(e);
	}
	return 0;
}

/* ---- tmpfs ---- */

/* "64m", "1g": docker's and the kernel's. */
static int parse_size(const char *text, int64_t *out)
{
	static const char units[] = "kmg";
	char *end;
	long long number = strtoll(text, &end, 10);
	const char *unit = *end ? strchr(units, *end | 0x20) : NULL;
	int shift = unit ? 10 * (int)(unit - units + 1) : 0;

	if (end == text || number < 0 || (*end && (!unit || end[1])) || number > INT64_MAX >> shift)
		return -EINVAL;
	*out = number << shift;
	return 0;
}

static int take_tmpfs_option(struct spec_volume *v, const char *option, struct err *e)
{
	/* What every tmpfs of ours is, and docker's as well. */
	static const char *const always[] = { "rw", "nosuid", "nodev", "noexec" };
	char *end;

	if (!strncmp(option, "size=", 5) && !parse_size(option + 5, &v->tmpfs_size))
		return 0;
	if (!strncmp(option, "mode=", 5)) {
		v->tmpfs_mode = strtol(option + 5, &end, 8);
		if (end > option + 5 && !*end)
			return 0;
	}
	if (!strcmp(option, "ro")) {
		v->read_only = true;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		if (!strcmp(option, always[i]))
			return 0;
	return err_set(e, -ENOTSUP, "tmpfs option \"%.64s\" is not supported", option);
}

int take_tmpfs(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	size_t i, max;
	yyjson_val *key, *item;

	(void)member;
	yyjson_obj_foreach(v, i, max, key, item) {
		autofree char *options = strdup(yyjson_get_str(item) ? yyjson_get_str(item) : "");
		int rc = check_target(b, yyjson_get_str(key), e);
		struct spec_volume *made = rc ? NULL : add_volume(b, "tmpfs", yyjson_get_str(key));
		char *rest = NULL;

		if (rc < 0)
			return rc;
		if (!made || !options)
			return body_no_memory(e);
		for (char *o = strtok_r(options, ",", &rest); o && !rc; o = strtok_r(NULL, ",", &rest))
			rc = take_tmpfs_option(made, o, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* ---- Mounts ---- */

static int take_propagation(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	const char *text = yyjson_get_str(v);

	if (text && *text && !is_propagation(text))
		return err_set(e, -EINVAL, "unknown propagation \"%.64s\"", text);
	return take_string(b, member, v, e);
}

#define VOLUME(member) offsetof(struct spec_volume, member)

static const struct body_key bind_keys[] = {
	{ "Propagation", take_propagation, VOLUME(bind_propagation) },
	{ NULL, NULL, 0 },
};

static const struct body_key volume_keys[] = {
	{ "NoCopy", take_bool, VOLUME(nocopy) },
	{ NULL, NULL, 0 },
};

static const struct body_key tmpfs_keys[] = {
	{ "Mode", take_int, VOLUME(tmpfs_mode) },
	{ "SizeBytes", take_int, VOLUME(tmpfs_size) },
	{ NULL, NULL, 0 },
};

static int take_bind_part(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	return body_walk(b, "BindOptions.", v, bind_keys, member, e);
}

static int take_volume_part(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	return body_walk(b, "VolumeOptions.", v, volume_keys, member, e);
}

static int take_tmpfs_part(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	return body_walk(b, "TmpfsOptions.", v, tmpfs_keys, member, e);
}

static const struct body_key mount_keys[] = {
	{ "BindOptions", take_bind_part, 0 },
	{ "Consistency", take_nothing, 0 }, /* of Docker Desktop's file sharing */
	{ "ReadOnly", take_bool, VOLUME(read_only) },
	{ "Source", take_string, VOLUME(source) },
	{ "Target", take_nothing, 0 },      /* taken before, to find the mount's place */
	{ "TmpfsOptions", take_tmpfs_part, 0 },
	{ "Type", take_nothing, 0 },
	{ "VolumeOptions", take_volume_part, 0 },
	{ NULL, NULL, 0 },
};

static int take_mount(struct body *b, yyjson_val *v, struct err *e)
{
	static const char *const types[] = { "bind", "volume", "tmpfs" };
	const char *type = yyjson_get_str(yyjson_obj_get(v, "Type"));
	const char *target = yyjson_get_str(yyjson_obj_get(v, "Target"));
	struct spec_volume *made;
	size_t t = 0;
	int rc = target ? check_target(b, target, e) :
			  err_set(e, -EINVAL, "a mount needs a Target");

	while (t < ARRAY_LEN(types) && (!type || strcmp(type, types[t])))
		t++;
	if (!rc && t == ARRAY_LEN(types))
		rc = err_set(e, -ENOTSUP, "mount type \"%.64s\" is not supported", type ? type : "");
	if (rc < 0)
		return rc;
	made = add_volume(b, type, target);
	if (!made)
		return body_no_memory(e);
	rc = body_walk(b, "", v, mount_keys, made, e);
	if (!rc && !strcmp(type, "volume") && made->source)
		rc = check_volume_name(made->source, e);
	return rc;
}

int take_mounts(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	size_t i, max;
	yyjson_val *item;

	(void)member;
	yyjson_arr_foreach(v, i, max, item) {
		int rc = take_mount(b, item, e);

		if (rc < 0)
			return rc;
	}
	return 0;
}
