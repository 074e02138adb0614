/* POST /containers/create */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/body.h"
#include "api/handlers.h"
#include "api/json.h"
#include "api/request.h"
#include "base/cleanup.h"
#include "spec/oci_make.h"

static int no_such_image(const char *name, struct err *e)
{
	char text[REF_TEXT_MAX];
	struct ref ref;

	/* In full, with its tag: clients pull what the sentence names. */
	if (ref_parse(&ref, name, NULL) < 0)
		return err_set(e, -ENOENT, "No such image: %s", name);
	return err_set(e, -ENOENT, "No such image: %s", ref_familiar(&ref, text));
}

/* "linux", "linux/amd64", "linux/arm64/v8": of the image that is there. */
static int check_platform(const char *wanted, const char *name, const struct image_config *image,
			  struct err *e)
{
	const char *os = image->os ? image->os : "", *cpu = image->architecture;
	size_t len = strcspn(wanted, "/"), cpu_len;
	const char *rest = wanted[len] ? wanted + len + 1 : "";
	bool fits = strlen(os) == len && !strncmp(os, wanted, len);

	cpu_len = strcspn(rest, "/");
	if (fits && cpu_len && cpu)
		fits = strlen(cpu) == cpu_len && !strncmp(cpu, rest, cpu_len);
	return fits ? 0 : err_set(e, -ENOENT, "image with reference %s was found but its platform "
				  "(%s/%s) does not match the specified platform (%s)", name, os,
				  cpu ? cpu : "", wanted);
}

/* What the image has to say before there is a container. */
static int check_image(struct request *r, struct body *b, struct err *e)
{
	autoimage struct image_config image = { 0 };
	const char *platform = request_query(r, "platform");
	__attribute__((cleanup(strings_clear))) struct string_list argv = { 0 };
	int rc = engine_image_config(r->engine, b->spec.image, &image, e);

	if (rc == -ENOENT)
		return no_such_image(b->spec.image, e);
	if (!rc && platform && *platform)
		rc = check_platform(platform, b->spec.image, &image, e);
	if (!rc && body_publish_all(b, &image) < 0)
		rc = body_no_memory(e);
	if (rc < 0)
		return rc;
	rc = container_spec_argv(&b->spec, &image, &argv, e);
	return rc == -ENOENT ? -EINVAL : rc;
}

static int take_name(struct request *r, struct container_spec *spec, struct err *e)
{
	const char *name = request_query(r, "name");
	char made[ENGINE_NAME_MAX];
	int rc = 0;

	if (!name || !*name) {
		rc = engine_free_name(r->engine, made);
		name = made;
	}
	if (rc < 0)
		return err_code(e, rc, "find a name for the container");
	name += *name == '/';
	if (!container_name_valid(name))
		return err_set(e, -EINVAL, "Invalid container name (%.256s), only "
			       "[a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", name);
	spec->name = strdup(name);
	return spec->name ? 0 : body_no_memory(e);
}

static int create(struct request *r, struct body *b, struct container **out, struct err *e)
{
	int rc = body_read(b, buf_text(&r->body), r->body.len, e);

	if (!rc)
		rc = take_name(r, &b->spec, e);
	if (!rc)
		rc = check_image(r, b, e);
	if (!rc)
		rc = container_spec_check(&b->spec, e);
	if (!rc)
		rc = engine_create(r->engine, &b->spec, NULL, out, e);
	return rc;
}

void handle_create(struct request *r)
{
	struct container *c = NULL;
	struct buf json = { 0 };
	struct err e = { 0 };
	struct body b;
	int rc = create(r, &b, &c, &e);

	container_spec_free(&b.spec);
	if (rc < 0) {
		reply_errno(r, rc, &e);
		return;
	}
	c->console_rows = b.console_rows;
	c->console_columns = b.console_columns;
	json_open(&json, NULL, '{');
	json_string(&json, "Id", c->id);
	json_open(&json, "Warnings", '[');
	json_close(&json, ']');
	json_close(&json, '}');
	buf_addc(&json, '\n');
	reply_json(r, MHD_HTTP_CREATED, &json);
}
