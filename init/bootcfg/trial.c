#include "bootcfg/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <yyjson.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"

enum { CONFIG_BYTES_MAX = 8 * 1024 * 1024 };

static const char candidate_name[] = "candidate.json";
static const char trial_name[] = "trial.json";
static const char refused_name[] = "refused.json";

struct trial {
	char digest[SHA256_HEX_MAX]; /* empty: nothing is on trial */
	unsigned tries;              /* boots left */
	bool passed;
};

/* What cannot be read is not there: then a configuration is tried once more. */
static yyjson_doc *read_json(int folder, const char *name)
{
	autobuf struct buf text = { 0 };

	if (file_read_at(folder, name, CONFIG_BYTES_MAX, &text, NULL) < 0)
		return NULL;
	return yyjson_read(buf_text(&text), text.len, 0);
}

static void get_text(yyjson_val *from, const char *key, char *out, size_t room)
{
	const char *text = yyjson_get_str(yyjson_obj_get(from, key));

	snprintf(out, room, "%s", text ? text : "");
}

static void digest_in(int folder, const char *name, char out[SHA256_HEX_MAX])
{
	yyjson_doc *doc = read_json(folder, name);

	get_text(yyjson_doc_get_root(doc), "digest", out, SHA256_HEX_MAX);
	yyjson_doc_free(doc);
}

static void read_trial(int folder, struct trial *out)
{
	yyjson_doc *doc = read_json(folder, trial_name);
	yyjson_val *root = yyjson_doc_get_root(doc);

	get_text(root, "digest", out->digest, sizeof(out->digest));
	out->tries = (unsigned)yyjson_get_uint(yyjson_obj_get(root, "tries"));
	out->passed = yyjson_get_bool(yyjson_obj_get(root, "passed"));
	yyjson_doc_free(doc);
}

static int write_trial(int folder, const struct trial *t, struct err *e)
{
	autobuf struct buf out = { 0 };

	buf_addf(&out, "{\"digest\":\"%s\",\"tries\":%u,\"passed\":%s}\n", t->digest, t->tries,
		 t->passed ? "true" : "false");
	if (!buf_ok(&out))
		return err_set(e, -ENOMEM, "write down which configuration is on trial: out of memory");
	return file_replace_at(folder, trial_name, out.data, out.len, 0600, e);
}

/* ---- refusals ---- */

static bool is_refused(int folder, const char *digest, char reason[TRIAL_REASON_MAX])
{
	yyjson_doc *doc = read_json(folder, refused_name);
	bool found = false;
	yyjson_val *row;
	size_t i, max;

	yyjson_arr_foreach(yyjson_doc_get_root(doc), i, max, row)
		if (yyjson_equals_str(yyjson_obj_get(row, "digest"), digest)) {
			get_text(row, "reason", reason, TRIAL_REASON_MAX);
			found = true;
		}
	yyjson_doc_free(doc);
	return found;
}

/* A row of the list as text; nothing for those that are left out. */
static void add_row(struct buf *out, yyjson_val *row)
{
	char *json = yyjson_val_write(row, 0, NULL);

	if (json)
		buf_addf(out, "%s%s", out->len > 1 ? ",\n" : "", json);
	free(json);
}

static int write_refusals(int folder, struct buf *out, struct err *e)
{
	buf_adds(out, "]\n");
	if (!buf_ok(out))
		return err_set(e, -ENOMEM, "write the refused configurations: out of memory");
	return file_replace_at(folder, refused_name, out->data, out->len, 0600, e);
}

/* The others, the oldest left out when there are too many, and this one. */
static int add_refusal(int folder, const char *digest, const char *reason, const char *beside,
		       struct err *e)
{
	yyjson_doc *doc = read_json(folder, refused_name);
	yyjson_val *rows = yyjson_doc_get_root(doc), *row;
	size_t i, max, drop = yyjson_arr_size(rows);
	autobuf struct buf out = { 0 };

	drop = drop < TRIAL_REFUSED_MAX ? 0 : drop - TRIAL_REFUSED_MAX + 1;
	buf_addc(&out, '[');
	yyjson_arr_foreach(rows, i, max, row)
		if (i >= drop)
			add_row(&out, row);
	yyjson_doc_free(doc);
	buf_addf(&out, "%s{\"digest\":\"%s\",\"reason\":", out.len > 1 ? ",\n" : "", digest);
	buf_add_json_string(&out, reason, strlen(reason));
	if (beside) {
		buf_adds(&out, ",\"beside\":");
		buf_add_json_string(&out, beside, strlen(beside));
	}
	buf_addc(&out, '}');
	return write_refusals(folder, &out, e);
}

int trial_forget(int folder, const char *beside, struct err *e)
{
	yyjson_doc *doc = read_json(folder, refused_name);
	autobuf struct buf out = { 0 };
	yyjson_val *row;
	size_t i, max;
	int count = 0, rc;

	buf_addc(&out, '[');
	yyjson_arr_foreach(yyjson_doc_get_root(doc), i, max, row)
		if (!beside || yyjson_equals_str(yyjson_obj_get(row, "beside"), beside))
			count++;
		else
			add_row(&out, row);
	yyjson_doc_free(doc);
	rc = count ? write_refusals(folder, &out, e) : 0;
	return rc < 0 ? rc : count;
}

/* ---- a boot ---- */

/* The candidate first: while trial.json names another digest it means nothing. */
static int begin(int folder, const struct trial *t, const char *json, struct err *e)
{
	int rc = 0;

	if (json)
		rc = file_replace_at(folder, candidate_name, json, strlen(json), 0600, e);
	else if (unlinkat(folder, candidate_name, 0) < 0 && errno != ENOENT)
		rc = err_sys(e, "remove \"%s\"", candidate_name);
	return rc < 0 ? rc : write_trial(folder, t, e);
}

enum trial_state trial_enter(int folder, const char *digest, const char *json,
			     char reason[TRIAL_REASON_MAX], struct err *e)
{
	static const char no_gate[] = "none of its boots got as far as its gate";
	char good[SHA256_HEX_MAX];
	struct trial t;

	digest_in(folder, TRIAL_LAST_GOOD, good);
	if (!strcmp(good, digest))
		return TRIAL_GOOD;
	if (is_refused(folder, digest, reason))
		return TRIAL_REFUSED;
	read_trial(folder, &t);
	if (strcmp(t.digest, digest) != 0) {
		t = (struct trial){ .tries = TRIAL_TRIES };
		snprintf(t.digest, sizeof(t.digest), "%s", digest);
	} else if (t.passed) {
		return TRIAL_GOOD;
	}
	if (faccessat(folder, TRIAL_LAST_GOOD, F_OK, 0) < 0) {
		begin(folder, &t, json, e);
		return TRIAL_FIRST;
	}
	if (t.tries == 0 && add_refusal(folder, digest, no_gate, NULL, e) == 0) {
		snprintf(reason, TRIAL_REASON_MAX, "%s", no_gate);
		return TRIAL_REFUSED;
	}
	t.tries -= t.tries > 0;
	begin(folder, &t, json, e);
	return TRIAL_NEW;
}

/* ---- what becomes of it ---- */

/* The rename alone decides: with it done, the digest of last-good.json is this one's. */
int trial_keep(int folder, struct err *e)
{
	char candidate[SHA256_HEX_MAX];
	struct trial t;

	read_trial(folder, &t);
	if (!*t.digest || t.passed)
		return 0;
	digest_in(folder, candidate_name, candidate);
	if (!strcmp(candidate, t.digest) &&
	    (renameat(folder, candidate_name, folder, TRIAL_LAST_GOOD) < 0 || fsync(folder) < 0))
		return err_sys(e, "keep the configuration as the last good one");
	t.passed = true;
	return write_trial(folder, &t, e);
}

int trial_refuse(int folder, const char *reason, const char *beside, struct err *e)
{
	struct trial t;

	read_trial(folder, &t);
	if (!*t.digest || t.passed)
		return err_set(e, -ENOENT, "no configuration is on trial");
	if (faccessat(folder, TRIAL_LAST_GOOD, F_OK, 0) < 0)
		return err_set(e, -ENOENT, "there is no configuration to go back to");
	return add_refusal(folder, t.digest, reason, beside, e);
}

int trial_give_back(int folder, struct err *e)
{
	struct trial t;

	read_trial(folder, &t);
	if (!*t.digest || t.passed || t.tries >= TRIAL_TRIES)
		return 0;
	t.tries++;
	return write_trial(folder, &t, e);
}
