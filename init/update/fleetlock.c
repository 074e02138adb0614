#include "update/fleetlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <yyjson.h>

#include "base/file.h"
#include "base/jail.h"
#include "base/sha256.h"
#include "update/json.h"

enum { ANSWER_BYTES_MAX = 16 * 1024, TEXT_MAX = 200, JUDGE_MS = 10000, SECONDS = 30 };
enum { FILE_BYTES_MAX = 4096 };

void fleetlock_id(const char *machine_id, char out[FLEETLOCK_ID_MAX])
{
	char hex[SHA256_HEX_MAX], text[128];

	snprintf(text, sizeof(text), "berth fleet lock %s", machine_id);
	snprintf(out, FLEETLOCK_ID_MAX, "%s", sha256_hex(text, strlen(text), hex));
}

/* ---- what is asked ---- */

int fleetlock_address(const struct fleetlock *l, enum fleetlock_step step, char out[URL_BYTES_MAX],
		      struct err *e)
{
	static const char *const paths[] = {
		[FLEETLOCK_TAKE] = "v1/pre-reboot", [FLEETLOCK_GIVE_BACK] = "v1/steady-state",
	};
	size_t len = strlen(l->url);
	int written = snprintf(out, URL_BYTES_MAX, "%s%s%s", l->url,
			       len && l->url[len - 1] == '/' ? "" : "/", paths[step]);

	return written < URL_BYTES_MAX ? 0 : err_set(e, -ENAMETOOLONG, "the lock's address is too long");
}

void fleetlock_body(const struct fleetlock *l, const char *id, struct buf *out)
{
	buf_adds(out, "{\"client_params\":{\"id\":");
	buf_add_json_string(out, id, strlen(id));
	buf_adds(out, ",\"group\":");
	buf_add_json_string(out, l->group, strlen(l->group));
	buf_adds(out, "}}");
}

/* ---- what is answered ---- */

struct text {
	const char *data;
	size_t len;
};

/* One line: what comes from outside moves no cursor. */
static void add_plain(struct buf *out, const char *text)
{
	for (size_t i = 0; text && text[i] && i < TEXT_MAX; i++)
		buf_addc(out, (unsigned char)text[i] < ' ' || text[i] == 0x7f ? ' ' : text[i]);
}

static int read_refusal(void *arg, struct buf *out, struct err *e)
{
	const struct text *t = arg;
	yyjson_doc *doc = yyjson_read(t->data, t->len, 0);
	yyjson_val *root = yyjson_doc_get_root(doc);
	const char *kind = yyjson_get_str(yyjson_obj_get(root, "kind"));

	if (!kind)
		return err_set(e, -EBADMSG, "its answer is not FleetLock's");
	add_plain(out, kind);
	buf_adds(out, ": ");
	add_plain(out, yyjson_get_str(yyjson_obj_get(root, "value")));
	return 0;
}

int fleetlock_judge(int status, const char *body, size_t len, struct err *e)
{
	struct text text = { body, len };
	const struct jail_task task = {
		.jail = JAIL_PARSE, .fn = read_refusal, .arg = &text, .max_bytes = 2 * TEXT_MAX + 8,
		.timeout_ms = JUDGE_MS,
	};
	autobuf struct buf said = { 0 };
	struct err why = { "" };

	if (status >= 200 && status < 300)
		return 0;
	if (jail_run(&task, &said, &why) < 0)
		return err_set(e, -EAGAIN, "status %d, and %s", status, why.text);
	return err_set(e, -EAGAIN, "%s (status %d)", buf_text(&said), status);
}

int fleetlock_ask(const struct fleetlock *l, enum fleetlock_step step, const char *id,
		  const struct fetch_way *way, struct err *e)
{
	autoanswer struct fetch_answer answer = { 0 };
	autobuf struct buf body = { 0 };
	char url[URL_BYTES_MAX];
	struct fetch_ask ask = {
		.url = url, .method = "POST", .way = way, .max = ANSWER_BYTES_MAX, .seconds = SECONDS,
		.headers = "fleet-lock-protocol: true\nContent-Type: application/json\n",
	};
	int rc = fleetlock_address(l, step, url, e);

	if (rc < 0)
		return rc;
	fleetlock_body(l, id, &body);
	if (!buf_ok(&body))
		return err_set(e, -ENOMEM, "ask for the lock: out of memory");
	ask.body = body.data;
	ask.body_bytes = body.len;
	rc = fetch_ask(&ask, &answer, e);
	return rc < 0 ? rc : fleetlock_judge(answer.status, buf_text(&answer.body), answer.body.len, e);
}

/* ---- the file ---- */

int fleetlock_read(int store, struct fleetlock *out, struct err *e)
{
	autobuf struct buf text = { 0 };
	yyjson_doc *doc;
	yyjson_val *root;
	int rc = file_read_at(store, FLEETLOCK_FILE, FILE_BYTES_MAX, &text, e);

	if (rc < 0)
		return rc;
	doc = yyjson_read(buf_text(&text), text.len, 0);
	root = yyjson_doc_get_root(doc);
	json_copy_text(root, "url", out->url, sizeof(out->url));
	json_copy_text(root, "group", out->group, sizeof(out->group));
	json_copy_text(root, "boot", out->boot, sizeof(out->boot));
	yyjson_doc_free(doc);
	return *out->url ? 0 : err_set(e, -EBADMSG, "\"" FLEETLOCK_FILE "\" is damaged");
}

int fleetlock_write(int store, const struct fleetlock *l, struct err *e)
{
	autobuf struct buf out = { 0 };

	buf_adds(&out, "{\"url\":");
	buf_add_json_string(&out, l->url, strlen(l->url));
	buf_adds(&out, ",\"group\":");
	buf_add_json_string(&out, l->group, strlen(l->group));
	buf_addf(&out, ",\"boot\":\"%s\"}\n", l->boot);
	if (!buf_ok(&out))
		return err_set(e, -ENOMEM, "write down the lock: out of memory");
	return file_replace_at(store, FLEETLOCK_FILE, out.data, out.len, 0644, e);
}

int fleetlock_remove(int store, struct err *e)
{
	if ((unlinkat(store, FLEETLOCK_FILE, 0) < 0 && errno != ENOENT) || fsync(store) < 0)
		return err_sys(e, "remove \"" FLEETLOCK_FILE "\"");
	return 0;
}
