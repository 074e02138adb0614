#include "spec/oci_make.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "spec/oci_make_parts.h"
#include "spec/seccomp_profile.h"

static const char default_path[] =
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static int append(const struct string_list *from, struct string_list *to)
{
	for (size_t i = 0; i < from->count; i++)
		if (string_list_add(to, from->items[i]) < 0)
			return -ENOMEM;
	return 0;
}

/* Docker's way to clear the image's entrypoint: [] or [""]. */
static bool clears(const struct string_list *l)
{
	return l->present && (l->count == 0 || (l->count == 1 && !l->items[0][0]));
}

int container_spec_argv(const struct container_spec *spec, const struct image_config *image,
			struct string_list *out, struct err *e)
{
	bool own = spec->entrypoint.present;
	struct string_list made = { 0 };
	int rc = 0;

	if (!own)
		rc = append(&image->Entrypoint, &made);
	else if (!clears(&spec->entrypoint))
		rc = append(&spec->entrypoint, &made);
	/* An own entrypoint makes the image's Cmd meaningless: it was written for the other one. */
	if (!rc && spec->command.present)
		rc = append(&spec->command, &made);
	else if (!rc && !own)
		rc = append(&image->Cmd, &made);
	if (!rc && !made.count)
		rc = err_set(e, -EINVAL, "no command specified");
	else if (rc < 0)
		rc = err_set(e, rc, "out of memory");
	if (rc < 0)
		string_list_free(&made);
	else
		*out = made;
	return rc;
}

/* Adds "NAME=value", or replaces the entry of the same name. */
static int env_set(struct string_list *env, const char *entry)
{
	size_t len = strcspn(entry, "=");

	for (size_t i = 0; i < env->count; i++) {
		char *copy;

		if (strncmp(env->items[i], entry, len) != 0 || env->items[i][len] != '=')
			continue;
		copy = strdup(entry);
		if (!copy)
			return -ENOMEM;
		free(env->items[i]);
		env->items[i] = copy;
		return 0;
	}
	return string_list_add(env, entry);
}

static int env_set_pair(struct string_list *env, const char *name, const char *value)
{
	autobuf struct buf text = { 0 };

	buf_addf(&text, "%s=%s", name, value);
	return buf_ok(&text) ? env_set(env, buf_text(&text)) : -ENOMEM;
}

int container_spec_env(const struct container_spec *spec, const struct image_config *image,
		       const char *hostname, struct string_list *out, struct err *e)
{
	struct string_list made = { 0 };
	int rc = env_set(&made, default_path);

	if (!rc && hostname && hostname[0])
		rc = env_set_pair(&made, "HOSTNAME", hostname);
	if (!rc && spec->tty)
		rc = env_set(&made, "TERM=xterm");
	for (size_t i = 0; !rc && i < image->Env.count; i++)
		rc = env_set(&made, image->Env.items[i]);
	for (size_t i = 0; !rc && i < spec->environment.count; i++)
		rc = env_set_pair(&made, spec->environment.items[i].name,
				  spec->environment.items[i].value);
	if (rc < 0) {
		string_list_free(&made);
		return err_set(e, rc, "out of memory");
	}
	*out = made;
	return 0;
}

/* One step of the table below fills one part of the document. */
typedef int make_fn(struct oci_make *m, struct err *e);

static make_fn *const steps[] = {
	make_security, make_process, make_user,	  make_root,	  make_namespaces,
	make_mounts,   make_devices, make_resources, make_sysctls, make_paths,
};

static int run_steps(struct oci_make *m, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		int rc = steps[i](m, e);

		/* Deep helpers only say -ENOMEM. */
		if (rc < 0)
			return rc == -ENOMEM ? err_set(e, rc, "out of memory") : rc;
	}
	return 0;
}

static int add_seccomp(const struct oci_make *m, yyjson_mut_doc *doc, yyjson_mut_val *root)
{
	autoseccomp struct oci_seccomp profile = { 0 };

	if (m->security.seccomp_unconfined)
		return 0;
	if (seccomp_profile_default(m->security.capabilities, &profile) < 0)
		return -ENOMEM;
	return yyjson_mut_obj_add_val(doc, yyjson_mut_obj_get(root, "linux"), "seccomp",
				      oci_seccomp_write(&profile, doc)) ?
		       0 :
		       -ENOMEM;
}

static int write_text(const struct oci_make *m, struct buf *out)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = doc ? oci_spec_write(&m->oci, doc) : NULL;
	autofree char *text = NULL;
	size_t len;

	if (root && !add_seccomp(m, doc, root)) {
		yyjson_mut_doc_set_root(doc, root);
		text = yyjson_mut_write(doc, 0, &len);
	}
	yyjson_mut_doc_free(doc);
	if (!text)
		return -ENOMEM;
	buf_add(out, text, len);
	return buf_ok(out) ? 0 : -ENOMEM;
}

int container_spec_to_oci(const struct container_spec *spec, const struct image_config *image,
			  const struct oci_context *context, struct buf *out, struct err *e)
{
	static const struct image_config no_image;
	struct oci_make m = { .spec = spec, .image = image ? image : &no_image, .context = context };
	int rc;

	m.oci.ociVersion = strdup(OCI_VERSION);
	m.oci.process = calloc(1, sizeof(*m.oci.process));
	m.oci.root = calloc(1, sizeof(*m.oci.root));
	m.oci.linux_ = calloc(1, sizeof(*m.oci.linux_));
	if (!m.oci.ociVersion || !m.oci.process || !m.oci.root || !m.oci.linux_)
		rc = err_set(e, -ENOMEM, "out of memory");
	else
		rc = run_steps(&m, e);
	if (!rc) {
		rc = write_text(&m, out);
		if (rc < 0)
			err_set(e, rc, "out of memory");
	}
	oci_spec_free(&m.oci);
	return rc;
}
