#include "oci/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#define CONFIG_FILE "config.json"

enum { CONFIG_MAX_BYTES = 16 << 20 };

int config_read(int dir, struct config *out, struct err *e)
{
	yyjson_read_err fault;
	int rc = file_read_at(dir, CONFIG_FILE, CONFIG_MAX_BYTES, &out->text, e);

	if (rc == -ENOENT)
		return err_set(e, rc, "JSON specification file config.json not found");
	if (rc < 0)
		return rc;
	out->doc = yyjson_read_opts(out->text.data, out->text.len, 0, NULL, &fault);
	if (!out->doc)
		return err_set(e, -EINVAL, "config.json: byte %zu: %s", fault.pos, fault.msg);
	rc = oci_spec_read(yyjson_doc_get_root(out->doc), &out->spec, e);
	if (rc < 0)
		err_prefix(e, "config.json");
	return rc;
}

int config_add_process(struct config *c, struct err *e)
{
	c->spec.process = calloc(1, sizeof(*c->spec.process));
	if (c->spec.process)
		c->spec.process->cwd = strdup("/");
	return c->spec.process && c->spec.process->cwd ? 0 : err_set(e, -ENOMEM, "out of memory");
}

int config_save(const struct config *c, int dir, struct err *e)
{
	return file_replace_at(dir, CONFIG_FILE, c->text.data, c->text.len, 0600, e);
}

void config_free(struct config *c)
{
	oci_spec_free(&c->spec);
	yyjson_doc_free(c->doc);
	buf_free(&c->text);
	*c = (struct config){ 0 };
}
