#include "unpack/wire.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

enum {
	PIECE_BYTES = 64 * 1024,
	/* path, target, and the most that xattrs may be */
	STRINGS_MAX = 2 * TREE_PATH_MAX + 256 * 1024,
};

struct head {
	uint32_t kind, entry_kind;
	uint32_t mode, uid, gid, mtime_nsec, major, minor;
	int64_t mtime;
	uint64_t size_bytes;
	uint32_t xattr_count;
	uint32_t len;           /* of what follows: strings, data, a result or a sentence */
};

struct xattr_head {
	uint32_t name_len, value_len;
};

struct wire {
	int fd;
	size_t used, pos;      /* of piece: bytes there; of them taken (reading) */
	unsigned char piece[PIECE_BYTES];
	unsigned char strings[STRINGS_MAX];
};

struct wire *wire_new(int fd)
{
	struct wire *w = calloc(1, sizeof(*w));

	if (w)
		w->fd = fd;
	return w;
}

void wire_free(struct wire *w)
{
	free(w);
}

/* ---- writing ---- */

static int flush(struct wire *w)
{
	int rc = file_write_all(w->fd, w->piece, w->used);

	w->used = 0;
	return rc;
}

static int put(struct wire *w, const void *data, size_t len)
{
	int rc = 0;

	if (w->used + len > sizeof(w->piece))
		rc = flush(w);
	if (!rc && len > sizeof(w->piece))
		return file_write_all(w->fd, data, len);
	if (!rc) {
		memcpy(w->piece + w->used, data, len);
		w->used += len;
	}
	return rc;
}

static int told(int rc, struct err *e)
{
	return rc < 0 ? err_code(e, rc, "hand the layer on") : 0;
}

static int put_strings(struct wire *w, const struct entry *entry)
{
	int rc = put(w, entry->path, strlen(entry->path) + 1);

	if (!rc)
		rc = put(w, entry->target, strlen(entry->target) + 1);
	for (size_t i = 0; !rc && i < entry->xattr_count; i++) {
		const struct xattr *x = &entry->xattrs[i];
		struct xattr_head h = { (uint32_t)strlen(x->name) + 1, (uint32_t)x->len };

		rc = put(w, &h, sizeof(h));
		if (!rc)
			rc = put(w, x->name, h.name_len);
		if (!rc)
			rc = put(w, x->value, x->len);
	}
	return rc;
}

int wire_put_entry(struct wire *w, const struct entry *entry, struct err *e)
{
	struct head h = {
		.kind = WIRE_ENTRY, .entry_kind = (uint32_t)entry->kind, .mode = entry->mode,
		.uid = entry->uid, .gid = entry->gid, .mtime = entry->mtime,
		.mtime_nsec = entry->mtime_nsec, .major = entry->major, .minor = entry->minor,
		.size_bytes = entry->size_bytes, .xattr_count = (uint32_t)entry->xattr_count,
	};
	size_t len = strlen(entry->path) + strlen(entry->target) + 2;
	int rc;

	for (size_t i = 0; i < entry->xattr_count; i++)
		len += sizeof(struct xattr_head) + strlen(entry->xattrs[i].name) + 1 +
		       entry->xattrs[i].len;
	if (len > STRINGS_MAX)
		return err_set(e, -E2BIG, "entry \"%.200s\": its extended attributes are larger than "
			       "%d bytes together", entry->path, STRINGS_MAX - 2 * TREE_PATH_MAX);
	h.len = (uint32_t)len;
	rc = put(w, &h, sizeof(h));
	return told(rc ? rc : put_strings(w, entry), e);
}

static int put_block(struct wire *w, enum wire_kind kind, const void *data, size_t len)
{
	struct head h = { .kind = kind, .len = (uint32_t)len };
	int rc = put(w, &h, sizeof(h));

	return rc ? rc : put(w, data, len);
}

static int on_entry(void *ctx, const struct entry *entry, struct err *e)
{
	return wire_put_entry(ctx, entry, e);
}

static int on_data(void *ctx, const void *data, size_t len, struct err *e)
{
	int rc = 0;

	for (size_t n; !rc && len; len -= n, data = (const char *)data + n) {
		n = len < PIECE_BYTES ? len : PIECE_BYTES;
		rc = put_block(ctx, WIRE_DATA, data, n);
	}
	return told(rc, e);
}

struct sink wire_sink(struct wire *w)
{
	return (struct sink){ on_entry, on_data, w };
}

int wire_put_end(struct wire *w, const struct layer_result *result, struct err *e)
{
	int rc = put_block(w, WIRE_END, result, sizeof(*result));

	return told(rc ? rc : flush(w), e);
}

int wire_put_fault(struct wire *w, const struct err *fault)
{
	int rc = put_block(w, WIRE_FAULT, fault->text, strlen(fault->text));

	return rc ? rc : flush(w);
}

/* ---- reading ---- */

static int fill(struct wire *w)
{
	ssize_t n;

	do
		n = read(w->fd, w->piece, sizeof(w->piece));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	w->pos = 0;
	w->used = (size_t)n;
	return n ? 0 : -EPIPE;
}

static int get(struct wire *w, void *out, size_t len)
{
	while (len) {
		size_t n = w->used - w->pos;
		int rc = n ? 0 : fill(w);

		if (rc < 0)
			return rc;
		n = w->used - w->pos < len ? w->used - w->pos : len;
		memcpy(out, w->piece + w->pos, n);
		w->pos += n;
		out = (char *)out + n;
		len -= n;
	}
	return 0;
}

/* The next string of the strings; NULL: it does not end in them. */
static const char *next_string(const unsigned char **at, const unsigned char *end, size_t max)
{
	const char *text = (const char *)*at;
	size_t room = (size_t)(end - *at);
	size_t len = strnlen(text, room);

	if (len == room || len >= max)
		return NULL;
	*at += len + 1;
	return text;
}

static bool xattr_known(const char *name)
{
	return !strcmp(name, "security.capability") || !strcmp(name, "trusted.overlay.opaque") ||
	       (!strncmp(name, "user.", 5) && name[5]);
}

static bool read_xattrs(struct entry *entry, uint32_t count, const unsigned char *at,
			const unsigned char *end)
{
	for (uint32_t i = 0; i < count; i++) {
		struct xattr_head h;
		const char *name;

		if ((size_t)(end - at) < sizeof(h))
			return false;
		memcpy(&h, at, sizeof(h));
		at += sizeof(h);
		name = next_string(&at, end, sizeof(entry->xattrs[0].name));
		if (!name || !xattr_known(name) || h.value_len > (size_t)(end - at) ||
		    entry_add_xattr(entry, name, at, h.value_len) < 0)
			return false;
		at += h.value_len;
	}
	return at == end;
}

static bool entry_kind_known(uint32_t kind)
{
	return kind == ENTRY_DIR || kind == ENTRY_FILE || kind == ENTRY_SYMLINK ||
	       kind == ENTRY_HARDLINK || kind == ENTRY_CHAR || kind == ENTRY_BLOCK ||
	       kind == ENTRY_FIFO;
}

static bool read_entry(struct wire *w, const struct head *h, struct entry *entry)
{
	const unsigned char *at = w->strings, *end = w->strings + h->len;
	const char *path = next_string(&at, end, TREE_PATH_MAX);
	const char *target = path ? next_string(&at, end, TREE_PATH_MAX) : NULL;

	entry->kind = (enum entry_kind)h->entry_kind;
	entry->mode = h->mode & 07777;
	entry->uid = h->uid;
	entry->gid = h->gid;
	entry->mtime = h->mtime;
	entry->mtime_nsec = h->mtime_nsec;
	entry->major = h->major;
	entry->minor = h->minor;
	entry->size_bytes = h->size_bytes;
	entry->xattr_count = 0;
	if (!target || !entry_kind_known(h->entry_kind) || h->xattr_count > XATTRS_MAX ||
	    h->uid == UINT32_MAX || h->gid == UINT32_MAX || h->mtime_nsec >= 1000000000 ||
	    h->size_bytes > LAYER_BYTES_MAX || tree_clean(path, entry->path, NULL) < 0)
		return false;
	if (entry->kind == ENTRY_HARDLINK) {
		if (tree_clean(target, entry->target, NULL) < 0)
			return false;
	} else {
		strcpy(entry->target, target);
	}
	return read_xattrs(entry, h->xattr_count, at, end);
}

/* Whether the archive has them only the sender knows; that they are texts is checked. */
static bool digests_end(const struct stream_sums *sums)
{
	return memchr(sums->blob, '\0', sizeof(sums->blob)) &&
	       memchr(sums->diff_id, '\0', sizeof(sums->diff_id));
}

int wire_get(struct wire *w, struct wire_record *out, struct err *e)
{
	struct head h;
	int rc = get(w, &h, sizeof(h));
	bool good = false;

	if (!rc && h.len > sizeof(w->strings))
		rc = -EBADMSG;
	if (!rc)
		rc = get(w, w->strings, h.len);
	if (rc < 0)
		return err_code(e, rc, "the process that reads the layer ended early");
	out->kind = (enum wire_kind)h.kind;
	if (h.kind == WIRE_ENTRY) {
		good = read_entry(w, &h, &out->entry);
	} else if (h.kind == WIRE_DATA) {
		out->data = w->strings;
		out->len = h.len;
		good = true;
	} else if (h.kind == WIRE_END && h.len == sizeof(out->result)) {
		memcpy(&out->result, w->strings, sizeof(out->result));
		good = digests_end(&out->result.sums);
	} else if (h.kind == WIRE_FAULT && h.len < sizeof(out->fault.text)) {
		memcpy(out->fault.text, w->strings, h.len);
		out->fault.text[h.len] = '\0';
		good = true;
	}
	return good ? 0 : err_set(e, -EBADMSG, "the process that reads the layer says what it cannot");
}
