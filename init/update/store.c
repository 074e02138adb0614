#include "update/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <yyjson.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/path.h"
#include "update/json.h"

enum { RECORD_BYTES_MAX = 64 * 1024 };

static const char *const results[RESULT_COUNT] = {
	[RESULT_INSTALLED] = "installed", [RESULT_CONFIRMED] = "confirmed", [RESULT_FAILED] = "failed",
};

static const char *const slot_files[SLOT_COUNT] = { "slot-a.json", "slot-b.json" };

const char *result_name(enum result r)
{
	return results[r];
}

int store_open(const char *path, struct err *e)
{
	int fd, rc = path_mkdirs(path, 0755, e);

	if (rc < 0)
		return rc;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open \"%s\"", path) : fd;
}

/* The parsed file, to be freed; NULL with the reason in *rc. */
static yyjson_doc *read_json(int store, const char *name, int *rc, struct err *e)
{
	autobuf struct buf text = { 0 };
	yyjson_doc *doc = NULL;

	*rc = file_read_at(store, name, RECORD_BYTES_MAX, &text, e);
	if (*rc < 0)
		return NULL;
	doc = yyjson_read(buf_text(&text), text.len, 0);
	if (!doc)
		*rc = err_set(e, -EBADMSG, "\"%s\" is damaged", name);
	return doc;
}

/* ---- slots ---- */

static void read_before(yyjson_val *from, struct before *out)
{
	yyjson_val *name;
	size_t i, count;

	out->known = yyjson_is_obj(from);
	out->data = yyjson_get_bool(yyjson_obj_get(from, "data"));
	out->links = (unsigned)yyjson_get_uint(yyjson_obj_get(from, "links"));
	out->route = yyjson_get_bool(yyjson_obj_get(from, "route"));
	out->router4 = yyjson_get_bool(yyjson_obj_get(from, "router4"));
	out->router6 = yyjson_get_bool(yyjson_obj_get(from, "router6"));
	yyjson_arr_foreach(yyjson_obj_get(from, "healthy"), i, count, name)
		if (out->healthy_count < CRITICAL_MAX && yyjson_is_str(name))
			snprintf(out->healthy[out->healthy_count++], NAME_MAX_BYTES, "%s",
				 yyjson_get_str(name));
}

int store_read_slot(int store, enum slot s, struct slot_record *out, struct err *e)
{
	struct slot_record r = { 0 };
	char result[16];
	int rc;
	yyjson_doc *doc = read_json(store, slot_files[s], &rc, e);
	yyjson_val *root = yyjson_doc_get_root(doc);

	if (!doc)
		return rc;
	json_copy_text(root, "digest", r.digest, sizeof(r.digest));
	json_copy_text(root, "version", r.version, sizeof(r.version));
	json_copy_text(root, "reason", r.reason, sizeof(r.reason));
	json_copy_text(root, "config", r.config, sizeof(r.config));
	json_copy_text(root, "result", result, sizeof(result));
	r.time_ns = yyjson_get_sint(yyjson_obj_get(root, "time_ns"));
	for (int i = 0; i < RESULT_COUNT; i++)
		if (!strcmp(results[i], result))
			r.result = (enum result)i;
	read_before(yyjson_obj_get(root, "before"), &r.before);
	yyjson_doc_free(doc);
	*out = r;
	return 0;
}

static const char *truth(bool b)
{
	return b ? "true" : "false";
}

static void add_before(struct buf *out, const struct before *b)
{
	buf_addf(out, ",\"before\":{\"data\":%s,\"links\":%u", truth(b->data), b->links);
	buf_addf(out, ",\"route\":%s,\"router4\":%s,\"router6\":%s,\"healthy\":[", truth(b->route),
		 truth(b->router4), truth(b->router6));
	for (unsigned i = 0; i < b->healthy_count; i++) {
		buf_adds(out, i ? "," : "");
		buf_add_json_string(out, b->healthy[i], strlen(b->healthy[i]));
	}
	buf_adds(out, "]}");
}

int store_write_slot(int store, enum slot s, const struct slot_record *r, struct err *e)
{
	autobuf struct buf out = { 0 };

	buf_addc(&out, '{');
	json_add_text(&out, "digest", r->digest);
	json_add_text(&out, "version", r->version);
	json_add_text(&out, "result", results[r->result]);
	json_add_text(&out, "reason", r->reason);
	json_add_text(&out, "config", r->config);
	buf_addf(&out, "\"time_ns\":%lld", (long long)r->time_ns);
	if (r->before.known)
		add_before(&out, &r->before);
	buf_adds(&out, "}\n");
	if (!buf_ok(&out))
		return err_set(e, -ENOMEM, "write down what slot %c holds: out of memory", slot_letter(s));
	return file_replace_at(store, slot_files[s], out.data, out.len, 0644, e);
}

void store_read_good(int store, struct before *out)
{
	int rc;
	yyjson_doc *doc = read_json(store, "good.json", &rc, NULL);

	*out = (struct before){ 0 };
	read_before(yyjson_obj_get(yyjson_doc_get_root(doc), "before"), out);
	yyjson_doc_free(doc);
}

int store_write_good(int store, const struct before *b, struct err *e)
{
	autobuf struct buf out = { 0 };

	buf_adds(&out, "{\"good\":true");
	add_before(&out, b);
	buf_adds(&out, "}\n");
	if (!buf_ok(&out))
		return err_set(e, -ENOMEM, "write down how the machine is: out of memory");
	return file_replace_at(store, "good.json", out.data, out.len, 0644, e);
}

/* ---- refusals ---- */

void store_read_refusals(int store, struct refusals *out)
{
	yyjson_val *row;
	size_t i, count;
	int rc;
	yyjson_doc *doc = read_json(store, "refused.json", &rc, NULL);

	out->count = 0;
	yyjson_arr_foreach(yyjson_doc_get_root(doc), i, count, row) {
		struct refusal *r = &out->rows[out->count];

		if (out->count == REFUSED_MAX)
			break;
		json_copy_text(row, "digest", r->digest, sizeof(r->digest));
		json_copy_text(row, "version", r->version, sizeof(r->version));
		json_copy_text(row, "reason", r->reason, sizeof(r->reason));
		out->count += r->digest[0] != '\0';
	}
	yyjson_doc_free(doc);
}

const struct refusal *refusals_find(const struct refusals *r, const char *digest)
{
	for (unsigned i = 0; i < r->count; i++)
		if (!strcmp(r->rows[i].digest, digest))
			return &r->rows[i];
	return NULL;
}

static int write_refusals(int store, const struct refusals *r, struct err *e)
{
	autobuf struct buf out = { 0 };

	buf_addc(&out, '[');
	for (unsigned i = 0; i < r->count; i++) {
		buf_adds(&out, i ? ",\n{" : "{");
		json_add_text(&out, "digest", r->rows[i].digest);
		json_add_text(&out, "version", r->rows[i].version);
		buf_adds(&out, "\"reason\":");
		buf_add_json_string(&out, r->rows[i].reason, strlen(r->rows[i].reason));
		buf_addc(&out, '}');
	}
	buf_adds(&out, "]\n");
	if (!buf_ok(&out))
		return err_set(e, -ENOMEM, "write the refused versions: out of memory");
	return file_replace_at(store, "refused.json", out.data, out.len, 0644, e);
}

int store_refuse(int store, const struct refusal *r, struct err *e)
{
	struct refusals list;

	store_read_refusals(store, &list);
	if (refusals_find(&list, r->digest))
		return 0;
	if (list.count == REFUSED_MAX)
		memmove(&list.rows[0], &list.rows[1], --list.count * sizeof(list.rows[0]));
	list.rows[list.count++] = *r;
	return write_refusals(store, &list, e);
}

int store_forget(int store, const char *what, struct err *e)
{
	size_t len = what ? strlen(what) : 0;
	struct refusals list;
	unsigned kept = 0;
	int forgotten, rc;

	store_read_refusals(store, &list);
	for (unsigned i = 0; i < list.count; i++) {
		const struct refusal *r = &list.rows[i];

		if (strncmp(r->digest, what ? what : "", len) != 0 &&
		    strncmp(r->version, what ? what : "", len) != 0)
			list.rows[kept++] = *r;
	}
	forgotten = (int)(list.count - kept);
	list.count = kept;
	rc = forgotten ? write_refusals(store, &list, e) : 0;
	return rc < 0 ? rc : forgotten;
}

int store_fail_slot(int store, enum slot s, const char *reason, struct err *e)
{
	struct slot_record r;
	struct refusal refusal = { 0 };
	int rc = store_read_slot(store, s, &r, e);

	if (rc < 0)
		return rc;
	snprintf(r.reason, sizeof(r.reason), "%s", reason);
	r.result = RESULT_FAILED;
	snprintf(refusal.digest, sizeof(refusal.digest), "%s", r.digest);
	snprintf(refusal.version, sizeof(refusal.version), "%s", r.version);
	snprintf(refusal.reason, sizeof(refusal.reason), "%s", reason);
	/* The refusal first: a cut in between tells the same story once more. */
	rc = *refusal.digest ? store_refuse(store, &refusal, e) : 0;
	return rc < 0 ? rc : store_write_slot(store, s, &r, e);
}
