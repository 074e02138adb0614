/* GET images/search, POST auth: questions to a registry. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/json.h"
#include "api/progress.h"
#include "base/cleanup.h"
#include "yyjson.h"

void handle_search(struct request *r)
{
	const char *term = request_query(r, "term"), *limit = request_query(r, "limit");
	const char *filters = request_query(r, "filters");
	const char *auth = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND,
						       "X-Registry-Auth");
	const char *arguments[4] = { "--limit", limit && *limit ? limit : "25", term, NULL };
	struct ref ref;
	struct err e = { 0 };

	if (filters && *filters && strcmp(filters, "{}")) {
		reply_error(r, MHD_HTTP_NOT_IMPLEMENTED, "filters of search are not supported");
		return;
	}
	if (!term || ref_parse(&ref, term, &e) < 0) {
		reply_error(r, MHD_HTTP_BAD_REQUEST, "%s", term ? e.text : "search needs a term");
		return;
	}
	reply_job(r, &(struct progress_wish){
		.job = { .command = "search", .arguments = arguments, .input = auth,
			 .input_len = auth ? strlen(auth) : 0 },
		.type = "application/json",
	});
}

static int granted(struct request *r, const char *result, void *state, struct buf *tail,
		   struct err *e)
{
	(void)r;
	(void)result;
	(void)state;
	(void)e;
	json_open(tail, NULL, '{');
	json_string(tail, "IdentityToken", "");
	json_string(tail, "Status", "Login Succeeded");
	json_close(tail, '}');
	buf_addc(tail, '\n');
	return 0;
}

/* "https://index.docker.io/v1/" is what docker's clients call the hub; others are hosts. */
static int read_server(const char *address, char out[REF_TEXT_MAX], struct err *e)
{
	static const char hub[] = "index.docker.io";
	const char *host = strstr(address, "://") ? strstr(address, "://") + 3 : address;
	int len = (int)strcspn(host, "/");
	struct ref ref;

	if (!len || (len == sizeof(hub) - 1 && !strncmp(host, hub, sizeof(hub) - 1)))
		snprintf(out, REF_TEXT_MAX, "docker.io/login");
	else
		snprintf(out, REF_TEXT_MAX, "%.*s/login", len < REF_NAME_MAX ? len : REF_NAME_MAX, host);
	return ref_parse(&ref, out, e);
}

void handle_auth(struct request *r)
{
	yyjson_doc *doc = yyjson_read(buf_text(&r->body), r->body.len, 0);
	const char *address = yyjson_get_str(yyjson_obj_get(yyjson_doc_get_root(doc),
							    "serveraddress"));
	char name[REF_TEXT_MAX];
	const char *arguments[] = { name, NULL };
	struct err e = { 0 };
	int rc = yyjson_is_obj(yyjson_doc_get_root(doc)) ? read_server(address ? address : "", name, &e) :
		err_set(&e, -EINVAL, "auth: the body is no JSON object");

	yyjson_doc_free(doc);
	if (rc < 0) {
		reply_errno(r, rc, &e);
		return;
	}
	reply_job(r, &(struct progress_wish){
		.job = { .command = "login", .arguments = arguments, .input = r->body.data,
			 .input_len = r->body.len },
		.type = "application/json", .done = granted,
	});
}
