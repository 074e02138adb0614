#include "fetch/program/web.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yyjson.h>

#include "base/cleanup.h"

enum { CONNECT_S = 30, SLOW_BYTES = 64, SLOW_S = 30, REDIRECTS = 5, TOKEN_BYTES = 64 * 1024,
       RETRY_AFTER_MOST_S = 300 };

int web_open(struct web *w, const struct endpoint *at, const struct credentials *client,
	     const char *scope, struct err *e)
{
	bool own = client->user || client->identity_token || client->registry_token;

	*w = (struct web){ .at = at, .credentials = own && !at->mirror ? client : &at->credentials };
	snprintf(w->url, sizeof(w->url), "%s", at->url);
	snprintf(w->scope, sizeof(w->scope), "%s", scope);
	if (w->credentials->registry_token)
		w->token = strdup(w->credentials->registry_token);
	w->curl = curl_easy_init();
	return w->curl ? 0 : err_set(e, -ENOMEM, "the HTTP client does not start");
}

void web_close(struct web *w)
{
	curl_easy_cleanup(w->curl);
	free(w->token);
	*w = (struct web){ .at = NULL };
}

/* ---- what comes ---- */

struct taking {
	struct buf *body;
	size_t max;
	bool too_large;
};

static size_t on_body(char *data, size_t one, size_t len, void *arg)
{
	struct taking *t = arg;

	if (len * one > t->max - t->body->len) {
		t->too_large = true;
		return 0;
	}
	buf_add(t->body, data, len * one);
	return buf_ok(t->body) ? len * one : 0;
}

static void copy_header(char *out, size_t room, const char *value, size_t len)
{
	if (len < room)
		snprintf(out, room, "%.*s", (int)len, value);
}

static void read_header(struct web_answer *a, const char *name, size_t name_len, const char *value,
			size_t len)
{
	char text[WEB_HEADER_MAX];
	const struct {
		const char *name;
		char *out;
		size_t room;
	} rows[] = {
		{ "Content-Type", a->type, sizeof(a->type) },
		{ "Location", a->location, sizeof(a->location) },
		{ "Range", a->range, sizeof(a->range) },
	};

	copy_header(text, sizeof(text), "", 0);
	copy_header(text, sizeof(text), value, len);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strlen(rows[i].name) == name_len && !strncasecmp(name, rows[i].name, name_len))
			copy_header(rows[i].out, rows[i].room, value, len);
	if (name_len == 11 && !strncasecmp(name, "Retry-After", name_len))
		a->retry_after_s = strtol(text, NULL, 10);
	if (name_len == 16 && !strncasecmp(name, "WWW-Authenticate", name_len))
		challenge_parse(text, &a->challenge);
}

/* Each answer of a redirection begins anew. */
static size_t on_header(char *line, size_t one, size_t len, void *arg)
{
	struct web_answer *a = arg;
	const char *colon = memchr(line, ':', len), *value;
	size_t n = len;

	(void)one;
	if (n >= 5 && !strncmp(line, "HTTP/", 5)) {
		*a = (struct web_answer){ .status = 0 };
		return len;
	}
	if (!colon)
		return len;
	while (n && strchr("\r\n \t", line[n - 1]))
		n--;
	value = colon + 1;
	while (value < line + n && (*value == ' ' || *value == '\t'))
		value++;
	read_header(a, line, (size_t)(colon - line), value,
		    value < line + n ? (size_t)(line + n - value) : 0);
	return len;
}

/* ---- one exchange ---- */

static bool set_tls(const struct web *w, CURL *c)
{
	struct curl_blob ca = { w->at->ca, w->at->ca ? strlen(w->at->ca) : 0, CURL_BLOB_COPY };

	if (w->at->ca && curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &ca) != CURLE_OK)
		return false;
	return !w->at->plain_too ||
	       (curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L) == CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L) == CURLE_OK);
}

/* curl leaves both out where a redirection leads to another host. */
static bool set_credentials(const struct web *w, CURL *c)
{
	const struct credentials *own = w->credentials;

	if (w->token)
		return curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER) == CURLE_OK &&
		       curl_easy_setopt(c, CURLOPT_XOAUTH2_BEARER, w->token) == CURLE_OK;
	if (!w->basic || !own->user)
		return true;
	return curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_USERNAME, own->user) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PASSWORD, own->password ? own->password : "") == CURLE_OK;
}

static bool set_common(CURL *c, const char *url)
{
	/* What began protected stays protected. */
	const char *protocols = strncmp(url, "https:", 6) ? "http,https" : "https";

	return curl_easy_setopt(c, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, protocols) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)REDIRECTS) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)SLOW_S) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_USERAGENT, "berth/" BERTH_VERSION) == CURLE_OK;
}

/* An address that the registry gave leads where it likes: no credentials go to another host. */
static bool is_ours(const struct web *w, const char *url)
{
	size_t n = strlen(w->url);

	return !strncmp(url, w->url, n) && (url[n] == '/' || !url[n]);
}

bool web_prepare(struct web *w, CURL *curl, const char *path, struct web_answer *answer)
{
	autobuf struct buf url = { 0 };
	bool whole = *path != '/';

	if (!whole)
		buf_adds(&url, w->url);
	buf_adds(&url, path);
	return buf_ok(&url) && set_common(curl, url.data) && set_tls(w, curl) &&
	       (!is_ours(w, url.data) || set_credentials(w, curl)) &&
	       curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_HEADERDATA, answer) == CURLE_OK;
}

static bool set_body(CURL *c, const struct web_request *rq)
{
	if (!strcmp(rq->method, "HEAD"))
		return curl_easy_setopt(c, CURLOPT_NOBODY, 1L) == CURLE_OK;
	if (rq->body || !strcmp(rq->method, "POST") || !strcmp(rq->method, "PUT") ||
	    !strcmp(rq->method, "PATCH")) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)rq->body_len);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, rq->body ? rq->body : "");
	}
	return curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, rq->method) == CURLE_OK;
}

static struct curl_slist *headers_of(const struct web_request *rq)
{
	struct curl_slist *list = NULL;

	for (size_t i = 0; rq->headers && rq->headers[i]; i++) {
		struct curl_slist *more = curl_slist_append(list, rq->headers[i]);

		list = more ? more : list;
	}
	return list;
}

static CURLcode ask_once(struct web *w, const struct web_request *rq, struct web_answer *answer,
			 struct buf *body, bool *too_large, char *why)
{
	struct taking taking = { .body = body, .max = rq->max };
	struct curl_slist *headers = headers_of(rq);
	CURLcode code;

	curl_easy_reset(w->curl);
	buf_reset(body);
	*answer = (struct web_answer){ .status = 0 };
	why[0] = '\0';
	if (!web_prepare(w, w->curl, rq->path, answer) || !set_body(w->curl, rq) ||
	    curl_easy_setopt(w->curl, CURLOPT_HTTPHEADER, headers) != CURLE_OK ||
	    (rq->secret && curl_easy_setopt(w->curl, CURLOPT_FOLLOWLOCATION, 0L) != CURLE_OK)) {
		curl_slist_free_all(headers);
		return CURLE_OUT_OF_MEMORY;
	}
	curl_easy_setopt(w->curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(w->curl, CURLOPT_WRITEDATA, &taking);
	curl_easy_setopt(w->curl, CURLOPT_ERRORBUFFER, why);
	code = curl_easy_perform(w->curl);
	curl_easy_getinfo(w->curl, CURLINFO_RESPONSE_CODE, &answer->status);
	curl_easy_setopt(w->curl, CURLOPT_ERRORBUFFER, NULL);
	curl_slist_free_all(headers);
	*too_large = taking.too_large;
	return code;
}

/* ---- patience ---- */

bool web_may_pass(CURLcode code, long status)
{
	static const CURLcode passing[] = {
		CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT,
		CURLE_PARTIAL_FILE,         CURLE_OPERATION_TIMEDOUT,    CURLE_GOT_NOTHING,
		CURLE_SEND_ERROR,           CURLE_RECV_ERROR,            CURLE_SSL_CONNECT_ERROR,
	};

	if (code == CURLE_OK)
		return status >= 500 || status == 429 || status == 408;
	for (size_t i = 0; i < ARRAY_LEN(passing); i++)
		if (passing[i] == code)
			return true;
	return false;
}

int64_t web_pause_ms(int nth, const struct web_answer *answer)
{
	long wait = answer->retry_after_s;

	if (wait > 0)
		return 1000 * (int64_t)(wait < RETRY_AFTER_MOST_S ? wait : RETRY_AFTER_MOST_S);
	return 250 << (nth < 6 ? nth : 6);
}

/* A registry of this machine, or one that is said to be insecure, may speak plain HTTP. */
static bool try_plain(struct web *w, CURLcode code)
{
	if (!w->at->plain_too || strncmp(w->url, "https://", 8))
		return false;
	if (code != CURLE_SSL_CONNECT_ERROR && code != CURLE_COULDNT_CONNECT &&
	    code != CURLE_RECV_ERROR && code != CURLE_GOT_NOTHING)
		return false;
	memmove(w->url + 4, w->url + 5, strlen(w->url + 5) + 1);
	return true;
}

static int fetch_token(struct web *w, struct err *e)
{
	const struct credentials *own = w->credentials;
	struct challenge *c = &w->challenge;
	autobuf struct buf url = { 0 }, body = { 0 }, form = { 0 };
	const char *const headers[] = { "Content-Type: application/x-www-form-urlencoded", NULL };
	struct web_request rq = { .method = "GET", .max = TOKEN_BYTES };
	/* The token's server is a registry of its own: same rules, another address. */
	struct web server = { .at = w->at, .credentials = own, .curl = w->curl,
			      .basic = own->user && !own->identity_token };
	struct web_answer answer;
	char why[CURL_ERROR_SIZE];
	bool too_large;
	CURLcode code;

	if (challenge_url(c, *w->scope ? w->scope : c->scope, &url) < 0)
		return err_set(e, -EINVAL, "the registry names \"%.200s\" for tokens, which is no "
			       "address", c->realm);
	if (!strncmp(w->url, "https:", 6) && !strncmp(c->realm, "http:", 5) && !w->at->plain_too)
		return err_set(e, -EACCES, "the registry wants credentials sent unprotected to \"%.200s\"",
			       c->realm);
	snprintf(server.url, sizeof(server.url), "%.*s", (int)(sizeof(server.url) - 1), c->realm);
	server.url[strcspn(server.url + 8, "/") + 8] = '\0';
	if (own->identity_token) {
		buf_adds(&form, "grant_type=refresh_token&client_id=berth&service=");
		url_escape(&form, c->service);
		buf_adds(&form, "&scope=");
		url_escape(&form, w->scope);
		buf_adds(&form, "&refresh_token=");
		url_escape(&form, own->identity_token);
		rq = (struct web_request){ .method = "POST", .headers = headers, .max = TOKEN_BYTES,
					   .body = form.data, .body_len = form.len, .secret = true };
	}
	rq.path = url.data;
	code = ask_once(&server, &rq, &answer, &body, &too_large, why);
	if (code != CURLE_OK)
		return err_set(e, -EIO, "Get \"%.200s\": %s", c->realm, *why ? why :
			       curl_easy_strerror(code));
	if (answer.status != 200)
		return err_set(e, answer.status == 401 || answer.status == 403 ? -EACCES : -EIO,
			       answer.status == 401 ? "unauthorized: incorrect username or password" :
			       "the server of tokens answers %ld", answer.status);
	free(w->token);
	w->token = token_of(buf_text(&body), body.len);
	return w->token ? 0 : err_set(e, -EBADMSG, "the server of tokens sent none");
}

bool web_authenticate(struct web *w, const struct web_answer *answer, int *tried, struct err *e)
{
	if (++*tried > 2)
		return false;
	if (answer->challenge.bearer && !w->credentials->registry_token) {
		w->challenge = answer->challenge;
		return fetch_token(w, e) == 0;
	}
	if (!answer->challenge.basic)
		return false;
	if (!w->credentials->user) {
		err_set(e, -EACCES, "no basic auth credentials");
		return false;
	}
	if (w->basic)
		return false;
	w->basic = true;
	return true;
}

static int no_answer(struct web *w, const struct web_request *rq, CURLcode code, const char *why,
		     struct err *e)
{
	return err_set(e, -EIO, "%c%s \"%s%.200s\": %s", rq->method[0],
		       strcmp(rq->method, "GET") ? strcmp(rq->method, "HEAD") ? rq->method + 1 : "ead" :
		       "et", *rq->path == '/' ? w->url : "", rq->path,
		       *why ? why : curl_easy_strerror(code));
}

int web_call(struct web *w, const struct web_request *rq, struct web_answer *answer,
	     struct buf *body, struct err *e)
{
	char why[CURL_ERROR_SIZE];
	int tried = 0, failures = 0;

	for (;;) {
		bool too_large = false;
		CURLcode code = ask_once(w, rq, answer, body, &too_large, why);

		if (too_large)
			return err_set(e, -EFBIG, "\"%.200s\": the answer is larger than %zu bytes",
				       rq->path, rq->max);
		if (code == CURLE_OK && answer->status == 401) {
			if (web_authenticate(w, answer, &tried, e))
				continue;
			return e && *e->text ? -EACCES : 0;
		}
		if (code != CURLE_OK && try_plain(w, code))
			continue;
		if (code == CURLE_OK && !web_may_pass(code, answer->status))
			return 0;
		if (!web_may_pass(code, answer->status) || ++failures >= WEB_TRIES || w->at->mirror)
			return code == CURLE_OK ? 0 : no_answer(w, rq, code, why, e);
		poll(NULL, 0, (int)web_pause_ms(failures, answer));
	}
}

/* ---- the registry's words ---- */

static bool add_error(struct buf *out, yyjson_val *error)
{
	const char *code = yyjson_get_str(yyjson_obj_get(error, "code"));
	const char *message = yyjson_get_str(yyjson_obj_get(error, "message"));

	if (!code || strlen(code) > 100)
		return false;
	/* docker's way: MANIFEST_UNKNOWN -> "manifest unknown" */
	for (const char *p = code; *p; p++)
		buf_addc(out, *p == '_' ? ' ' : (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p));
	if (message)
		buf_addf(out, ": %.200s", message);
	return true;
}

void web_explain(const struct web_answer *answer, const struct buf *body, struct buf *out)
{
	yyjson_doc *doc = body->len ? yyjson_read(body->data, body->len, 0) : NULL;
	yyjson_val *errors = yyjson_obj_get(yyjson_doc_get_root(doc), "errors");

	if (!add_error(out, yyjson_arr_get_first(errors)))
		buf_addf(out, answer->status == 429 ? "toomanyrequests: the registry answers %ld" :
			 "the registry answers %ld", answer->status);
	yyjson_doc_free(doc);
}
