#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "tls/tls.h"

enum { CONFIG_MAX = 16 << 20 };

static char *copy(yyjson_val *api, const char *name)
{
	const char *text = yyjson_get_str(yyjson_obj_get(api, name));

	return text ? strdup(text) : NULL;
}

int settings_read(const char *path, struct settings *out, struct err *e)
{
	autobuf struct buf text = { 0 };
	int rc = file_read_at(AT_FDCWD, path, CONFIG_MAX, &text, e);
	yyjson_doc *doc;
	yyjson_val *api;
	int64_t port;

	*out = (struct settings){ 0 };
	if (rc < 0)
		return rc;
	doc = yyjson_read(buf_text(&text), text.len, 0);
	api = yyjson_obj_get(yyjson_obj_get(yyjson_doc_get_root(doc), "berth"), "api");
	port = yyjson_get_sint(yyjson_obj_get(api, "port"));
	out->port = (uint16_t)port;
	out->client_ca_certs = copy(api, "client_ca_certs");
	out->certificate = copy(api, "certificate");
	out->key = copy(api, "key");
	rc = !doc ? err_set(e, -EBADMSG, "\"%s\" is no JSON", path) :
	     !api ? -ENOENT :
	     port < 1 || port > UINT16_MAX || !out->client_ca_certs || !out->certificate || !out->key ?
		    err_set(e, -EBADMSG, "berth.api in \"%s\" is not whole", path) : 0;
	yyjson_doc_free(doc);
	if (rc < 0)
		settings_free(out);
	return rc;
}

void settings_free(struct settings *s)
{
	if (s->key)
		explicit_bzero(s->key, strlen(s->key));
	free(s->client_ca_certs);
	free(s->certificate);
	free(s->key);
	*s = (struct settings){ 0 };
}
