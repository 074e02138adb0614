#include "update/lookback.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <yyjson.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "update/boots.h"
#include "update/device.h"
#include "update/failnote.h"
#include "update/json.h"

/* A panic, a hang. */
static const char no_word[] = "none of its boots wrote down what was wrong: it did not come up";

static int read_note(const struct slots *s, struct buf *out, struct err *e)
{
	autoclose int fd = device_open(s->state, e);

	return fd < 0 ? fd : failnote_read(fd, out, e);
}

static int understand(const struct buf *text, enum slot *slot, struct slot_record *out,
		      struct err *e)
{
	yyjson_doc *doc = yyjson_read(buf_text(text), text->len, 0);
	yyjson_val *root = yyjson_doc_get_root(doc);
	const char *letter = json_text(root, "slot", "");
	struct slot_record r = { .result = RESULT_FAILED };
	int rc = -ENOENT;

	json_copy_text(root, "version", r.version, sizeof(r.version));
	json_copy_text(root, "reason", r.reason, sizeof(r.reason));
	for (enum slot i = SLOT_A; i < SLOT_COUNT; i++)
		if (letter[0] == slot_letter(i) && !letter[1]) {
			*slot = i;
			*out = r;
			rc = 0;
		}
	yyjson_doc_free(doc);
	return rc < 0 ? err_set(e, rc, "the note that a version left names no slot") : 0;
}

int lookback_note(const struct slots *s, enum slot *slot, struct slot_record *out, struct err *e)
{
	autobuf struct buf text = { 0 };
	int rc = read_note(s, &text, e);

	return rc < 0 ? rc : understand(&text, slot, out, e);
}

/* From the state partition into the history of boots. Without a data partition here either, it
 * stays where it is. */
static void keep_note(const struct slots *s)
{
	autobuf struct buf text = { 0 };
	autoclose int boots = -1, fd = -1;
	struct err e = { "" };
	int rc;

	if (facts_data(NULL) < 0 || read_note(s, &text, NULL) < 0)
		return;
	boots = store_open(BOOTS_PATH, &e);
	rc = boots < 0 ? boots : boots_adopt(boots, buf_text(&text), text.len, &e);
	if (rc < 0 && rc != -EBADMSG) { /* what is no record will not become one */
		log_warn("%s", e.text);
		return;
	}
	fd = device_open(s->state, &e);
	if (fd < 0 || failnote_clear(fd, &e) < 0)
		log_warn("%s", e.text);
}

/* This boot is the fallback. The refusal is written before the state: a power cut in between comes
 * by here again. */
static void settle(struct machine *m)
{
	enum slot other = slot_other(m->slots.running), noted = SLOT_COUNT;
	struct slot_record note = { 0 }, r;
	struct err e = { "" };
	const char *reason = no_word;

	if (!bootstate_settle(&m->state, m->slots.running))
		return;
	if (m->store >= 0 && store_read_slot(m->store, other, &r, NULL) == 0) {
		lookback_note(&m->slots, &noted, &note, NULL);
		if (noted == other && !strcmp(note.version, r.version))
			reason = note.reason;
		if (r.result == RESULT_INSTALLED && store_fail_slot(m->store, other, reason, &e) < 0)
			log_warn("%s", e.text);
		store_read_slot(m->store, other, &r, NULL);
		log_error("%s failed in slot %c and is refused: %s", r.version, slot_letter(other), r.reason);
	}
	if (slots_write_state(&m->slots, &m->state, &e) < 0)
		log_error("%s", e.text);
}

void lookback(struct machine *m)
{
	settle(m);
	keep_note(&m->slots);
}
