/* "features": what the runtime understands, from the tables that it goes by.
 * Source: runtime-spec features.md and features-linux.md. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "oci/args.h"
#include "oci/commands.h"
#include "oci/hooks.h"
#include "oci/filter_compile.h"
#include "oci/mounts.h"
#include "oci/namespaces.h"
#include "spec/capability.h"
#include "spec/oci.h"
#include "spec/oci_make.h"

typedef const char *name_fn(size_t index);

static const char *action(size_t i)
{
	return filter_name(FILTER_ACTIONS, i);
}

static const char *operator_name(size_t i)
{
	return filter_name(FILTER_OPERATORS, i);
}

static const char *architecture(size_t i)
{
	return filter_name(FILTER_ARCHITECTURES, i);
}

static const char *flag(size_t i)
{
	return filter_name(FILTER_FLAGS, i);
}

static const char *capability(size_t i)
{
	return i < CAPABILITY_COUNT ? capability_name((int)i) : NULL;
}

static void add_names(yyjson_mut_doc *doc, yyjson_mut_val *to, const char *key, name_fn *name)
{
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, to, key);
	const char *text;

	for (size_t i = 0; (text = name(i)); i++)
		yyjson_mut_arr_add_str(doc, list, text);
}

static void add_enabled(yyjson_mut_doc *doc, yyjson_mut_val *to, const char *key, bool enabled)
{
	yyjson_mut_obj_add_bool(doc, yyjson_mut_obj_add_obj(doc, to, key), "enabled", enabled);
}

static void add_cgroup(yyjson_mut_doc *doc, yyjson_mut_val *to)
{
	yyjson_mut_val *cgroup = yyjson_mut_obj_add_obj(doc, to, "cgroup");

	yyjson_mut_obj_add_bool(doc, cgroup, "v1", false);
	yyjson_mut_obj_add_bool(doc, cgroup, "v2", true);
	yyjson_mut_obj_add_bool(doc, cgroup, "systemd", false);
	yyjson_mut_obj_add_bool(doc, cgroup, "systemdUser", false);
	yyjson_mut_obj_add_bool(doc, cgroup, "rdma", true);
}

static void add_seccomp(yyjson_mut_doc *doc, yyjson_mut_val *to)
{
	yyjson_mut_val *seccomp = yyjson_mut_obj_add_obj(doc, to, "seccomp");

	yyjson_mut_obj_add_bool(doc, seccomp, "enabled", true);
	add_names(doc, seccomp, "actions", action);
	add_names(doc, seccomp, "operators", operator_name);
	add_names(doc, seccomp, "archs", architecture);
	add_names(doc, seccomp, "knownFlags", flag);
	add_names(doc, seccomp, "supportedFlags", flag);
}

static void add_linux(yyjson_mut_doc *doc, yyjson_mut_val *to)
{
	yyjson_mut_val *l = yyjson_mut_obj_add_obj(doc, to, "linux");

	add_names(doc, l, "namespaces", namespaces_type);
	add_names(doc, l, "capabilities", capability);
	add_cgroup(doc, l);
	add_seccomp(doc, l);
	add_enabled(doc, l, "apparmor", true);
	add_enabled(doc, l, "selinux", true);
	add_enabled(doc, l, "intelRdt", false);
	add_enabled(doc, yyjson_mut_obj_add_obj(doc, l, "mountExtensions"), "idmap", true);
}

static void add_annotations(yyjson_mut_doc *doc, yyjson_mut_val *to)
{
	yyjson_mut_val *notes = yyjson_mut_obj_add_obj(doc, to, "annotations");
	uint32_t v = filter_compiler();
	char text[32];

	snprintf(text, sizeof(text), "%u.%u.%u", v >> 16, v >> 8 & 0xff, v & 0xff);
	yyjson_mut_obj_add_strcpy(doc, notes, "io.github.seccomp.libseccomp.version", text);
}

static void add_unsafe(yyjson_mut_doc *doc, yyjson_mut_val *to)
{
	/* They choose the user, and the owners of files. */
	static const char *names[] = { ANNOTATION_USER, ANNOTATION_GROUP_ADD,
				       ANNOTATION_ROOT_IDMAP };

	yyjson_mut_obj_add_val(doc, to, "potentiallyUnsafeConfigAnnotations",
			       yyjson_mut_arr_with_str(doc, names, ARRAY_LEN(names)));
}

int cmd_features(const struct options *o, int argc, char **argv, struct err *e)
{
	static const struct arg args[] = { ARG_END };
	yyjson_mut_doc *doc;
	yyjson_mut_val *root;
	autofree char *text = NULL;
	int next = args_parse(args, argc, argv, e);

	(void)o;
	if (next < 0)
		return next;
	if (next != argc)
		return err_set(e, -EINVAL, "\"features\" takes no container ID");
	doc = yyjson_mut_doc_new(NULL);
	root = doc ? yyjson_mut_obj(doc) : NULL;
	if (!root)
		return err_set(e, -ENOMEM, "out of memory");
	yyjson_mut_doc_set_root(doc, root);
	yyjson_mut_obj_add_str(doc, root, "ociVersionMin", "1.0.0");
	yyjson_mut_obj_add_str(doc, root, "ociVersionMax", OCI_VERSION);
	add_names(doc, root, "hooks", hooks_name);
	add_names(doc, root, "mountOptions", mounts_option);
	add_linux(doc, root);
	add_annotations(doc, root);
	add_unsafe(doc, root);
	text = yyjson_mut_write(doc, YYJSON_WRITE_PRETTY, NULL);
	yyjson_mut_doc_free(doc);
	if (!text)
		return err_set(e, -ENOMEM, "out of memory");
	return puts(text) < 0 || fflush(stdout) ? err_sys(e, "write the features") : 0;
}
