/* search and login: one question, whose answer goes up as a document. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "fetch/program/fetch.h"
#include "fetch/search.h"
#include "image/talk.h"

enum { SEARCH_BYTES = 1 << 20, PING_BYTES = 64 * 1024, LIMIT_MOST = 100, LIMIT = 25 };

static int send_up(struct fetch *f, const char *what, const struct buf *b, struct err *e)
{
	autoclose int fd = talk_document(what, buf_text(b), b->len);
	int rc = fd < 0 ? fd : talk_send(f->sock, fd, "%s", what);

	return rc < 0 ? err_code(e, rc, "hand on the answer") : 0;
}

static int refused(struct fetch *f, const char *what, const struct web_answer *answer,
		   const struct buf *body, struct err *e)
{
	autobuf struct buf why = { 0 };

	web_explain(answer, body, &why);
	f->status = (int)answer->status;
	return err_set(e, answer->status == 401 ? -EACCES : -EIO, "%s: %s", what, buf_text(&why));
}

/* Docker Hub answers searches under a name of its own; others where they are. */
static int open_index(struct fetch *f, struct err *e)
{
	struct endpoint *at = &f->endpoints.all[f->endpoints.count - 1];

	if (!strcmp(f->ref.domain, "docker.io"))
		snprintf(at->url, sizeof(at->url), "https://index.docker.io");
	return web_open(&f->web, at, &f->credentials, "", e);
}

/* The registry's first version has a search, the second has none: docker asks for it still. */
int fetch_search(struct fetch *f, struct err *e)
{
	autobuf struct buf path = { 0 }, body = { 0 }, results = { 0 };
	struct web_request rq = { .method = "GET", .max = SEARCH_BYTES };
	struct web_answer answer;
	int rc = open_index(f, e);

	buf_adds(&path, "/v1/search?q=");
	/* "library/" is what we put before a bare word; nobody searches for it. */
	url_escape(&path, strncmp(f->ref.path, "library/", 8) ? f->ref.path : f->ref.path + 8);
	buf_addf(&path, "&n=%d", f->limit > 0 && f->limit <= LIMIT_MOST ? f->limit : LIMIT);
	if (!rc && !buf_ok(&path))
		rc = err_set(e, -ENOMEM, "out of memory");
	rq.path = path.data;
	if (!rc)
		rc = web_call(&f->web, &rq, &answer, &body, e);
	if (rc < 0)
		return rc;
	if (answer.status != 200)
		return refused(f, "search", &answer, &body, e);
	rc = search_results(buf_text(&body), body.len, &results, e);
	return rc ? rc : send_up(f, "results", &results, e);
}

/* Are these credentials good? The registry's own address asks for them, if it wants any. */
int fetch_login(struct fetch *f, struct err *e)
{
	autobuf struct buf body = { 0 };
	struct web_request rq = { .method = "GET", .path = "/v2/", .max = PING_BYTES };
	struct web_answer answer;
	char what[ENDPOINT_URL_MAX + 32];
	int rc = web_open(&f->web, &f->endpoints.all[f->endpoints.count - 1], &f->credentials, "", e);

	if (!rc)
		rc = web_call(&f->web, &rq, &answer, &body, e);
	if (rc == -EACCES)
		f->status = 401;
	if (rc < 0)
		return rc;
	snprintf(what, sizeof(what), "login attempt to %s/v2/", f->web.url);
	if (answer.status != 200)
		return refused(f, what, &answer, &body, e);
	return send_up(f, "granted", &body, e);
}
