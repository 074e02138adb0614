/* POST images/create: an image of a registry. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/json.h"
#include "api/progress.h"
#include "base/cleanup.h"

/* "NAME" and "TAG" or "sha256:..." as docker's clients send them apart. */
static int read_reference(struct request *r, struct ref *ref, struct err *e)
{
	const char *name = request_query(r, "fromImage"), *tag = request_query(r, "tag");
	autobuf struct buf text = { 0 };

	buf_adds(&text, name);
	if (tag && *tag)
		buf_addf(&text, "%s%s", digest_valid(tag) ? "@" : ":", tag);
	return ref_parse(ref, buf_text(&text), e);
}

static int pulled(struct request *r, const char *result, void *state, struct buf *tail,
		  struct err *e)
{
	const char *full = state;
	char text[REF_TEXT_MAX];
	autobuf struct buf status = { 0 };
	struct ref ref;
	bool news;
	int rc = engine_take_image(r->engine, result, full, &news, e);

	if (rc < 0 || ref_parse(&ref, full, e) < 0)
		return rc < 0 ? rc : -EINVAL;
	buf_addf(&status, "Status: %s for %s", news ? "Downloaded newer image" : "Image is up to date",
		 ref_familiar(&ref, text));
	json_open(tail, NULL, '{');
	json_string(tail, "status", buf_text(&status));
	json_close(tail, '}');
	buf_adds(tail, "\r\n");
	return 0;
}

void handle_image_create(struct request *r)
{
	const char *auth = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND,
						       "X-Registry-Auth");
	const char *platform = request_query(r, "platform");
	char full[REF_TEXT_MAX], *state;
	struct ref ref;
	struct err e = { 0 };
	const char *arguments[4] = { NULL };
	size_t n = 0;

	if (request_query(r, "fromSrc") && *request_query(r, "fromSrc")) {
		handle_import(r);
		return;
	}
	if (!request_query(r, "fromImage")) {
		reply_error(r, MHD_HTTP_BAD_REQUEST, "images/create needs fromImage or fromSrc");
		return;
	}
	if (read_reference(r, &ref, &e) < 0) {
		reply_errno(r, -EINVAL, &e);
		return;
	}
	state = strdup(ref_full(&ref, full));
	if (!state) {
		reply_error(r, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory");
		return;
	}
	if (platform && *platform) {
		arguments[n++] = "--platform";
		arguments[n++] = platform;
	}
	arguments[n] = full;
	reply_job(r, &(struct progress_wish){
		.job = { .command = "pull", .arguments = arguments, .input = auth,
			 .input_len = auth ? strlen(auth) : 0 },
		.type = "application/json", .lines = true, .done = pulled, .state = state,
	});
}
