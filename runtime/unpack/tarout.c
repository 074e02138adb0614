#include "unpack/tarout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"

enum { BLOCK = 512, BUFFER_BYTES = 256 * 1024 };

/* POSIX.1-1988 ustar header. */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type;
	char link[100], magic[6], version[2], owner[32], group[32], major[8], minor[8];
	char prefix[155], rest[12];
};

struct tarout {
	int fd;
	char prefix[TREE_PATH_MAX];
	uint64_t left;         /* of the current file's data */
	size_t padding;        /* after it */
	struct buf pax;
	size_t used;
	char buffer[BUFFER_BYTES];
};

static const char types[] = {
	[ENTRY_DIR] = '5',  [ENTRY_FILE] = '0',  [ENTRY_SYMLINK] = '2', [ENTRY_HARDLINK] = '1',
	[ENTRY_CHAR] = '3', [ENTRY_BLOCK] = '4', [ENTRY_FIFO] = '6',
};

int tarout_new(struct tarout **out, int fd, struct err *e)
{
	struct tarout *t = calloc(1, sizeof(*t));

	if (!t)
		return err_set(e, -ENOMEM, "out of memory");
	t->fd = fd;
	*out = t;
	return 0;
}

void tarout_free(struct tarout *t)
{
	if (t)
		buf_free(&t->pax);
	free(t);
}

int tarout_prefix(struct tarout *t, const char *prefix)
{
	if (strlen(prefix) >= sizeof(t->prefix))
		return -ENAMETOOLONG;
	strcpy(t->prefix, prefix);
	return 0;
}

static int flush(struct tarout *t, struct err *e)
{
	int rc = file_write_all(t->fd, t->buffer, t->used);

	t->used = 0;
	return rc < 0 ? err_code(e, rc, "write the output") : 0;
}

static int put(struct tarout *t, const void *data, size_t len, struct err *e)
{
	const char *p = data;

	while (len) {
		size_t room = sizeof(t->buffer) - t->used, n = len < room ? len : room;
		int rc;

		memcpy(t->buffer + t->used, p, n);
		t->used += n;
		p += n;
		len -= n;
		rc = t->used == sizeof(t->buffer) ? flush(t, e) : 0;
		if (rc < 0)
			return rc;
	}
	return 0;
}

static size_t padding_of(uint64_t size)
{
	return (size_t)((BLOCK - size % BLOCK) % BLOCK);
}

static int put_padding(struct tarout *t, size_t len, struct err *e)
{
	static const char zeros[BLOCK];

	return put(t, zeros, len, e);
}

/* "LENGTH KEY=VALUE\n", where LENGTH counts its own digits. */
static void add_pax(struct tarout *t, const char *key, const void *value, size_t len)
{
	size_t rest = strlen(key) + len + 3, total = rest;

	for (;;) {
		size_t next = rest + (size_t)snprintf(NULL, 0, "%zu", total);

		if (next == total)
			break;
		total = next;
	}
	buf_addf(&t->pax, "%zu %s=", total, key);
	buf_add(&t->pax, value, len);
	buf_addc(&t->pax, '\n');
}

/* Octal if it fits, else a pax record and zero in its place. */
static void add_number(struct tarout *t, char *field, size_t width, const char *key, uint64_t value)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%0*" PRIo64, (int)width - 1, value);

	if ((size_t)n < width) {
		memcpy(field, text, (size_t)n);
		return;
	}
	memset(field, '0', width - 1);
	n = snprintf(text, sizeof(text), "%" PRIu64, value);
	add_pax(t, key, text, (size_t)n);
}

static void add_text(struct tarout *t, char *field, size_t width, const char *key, const char *text)
{
	size_t len = strlen(text);

	memcpy(field, text, len < width ? len : width);
	if (len > width)
		add_pax(t, key, text, len);
}

static void add_mtime(struct tarout *t, struct header *h, const struct entry *entry)
{
	char text[64];

	if (entry->mtime >= 0 && !entry->mtime_nsec) {
		add_number(t, h->mtime, sizeof(h->mtime), "mtime", (uint64_t)entry->mtime);
		return;
	}
	add_number(t, h->mtime, sizeof(h->mtime), "mtime",
		   entry->mtime > 0 ? (uint64_t)entry->mtime : 0);
	/* Before 1970 a fraction would count the other way; whole seconds do. */
	if (entry->mtime < 0)
		snprintf(text, sizeof(text), "%" PRId64, entry->mtime);
	else
		snprintf(text, sizeof(text), "%" PRId64 ".%09" PRIu32, entry->mtime,
			 entry->mtime_nsec);
	add_pax(t, "mtime", text, strlen(text));
}

static void add_xattrs(struct tarout *t, const struct entry *entry)
{
	for (size_t i = 0; i < entry->xattr_count; i++) {
		char key[sizeof("SCHILY.xattr.") + sizeof(entry->xattrs[i].name)];

		snprintf(key, sizeof(key), "SCHILY.xattr.%s", entry->xattrs[i].name);
		add_pax(t, key, entry->xattrs[i].value, entry->xattrs[i].len);
	}
}

static int put_header(struct tarout *t, struct header *h, struct err *e)
{
	unsigned int sum = 0;

	memcpy(h->magic, "ustar", 6);
	memcpy(h->version, "00", 2);
	memset(h->checksum, ' ', sizeof(h->checksum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += ((unsigned char *)h)[i];
	snprintf(h->checksum, sizeof(h->checksum), "%06o", sum);
	return put(t, h, sizeof(*h), e);
}

static int put_pax(struct tarout *t, struct err *e)
{
	struct header h = { .type = 'x', .name = "pax" };
	char size[32];
	int rc;

	if (!buf_ok(&t->pax))
		return err_set(e, -ENOMEM, "out of memory");
	if (!t->pax.len)
		return 0;
	memcpy(h.mode, "0000644", 8);
	memcpy(h.uid, "0000000", 8);
	memcpy(h.gid, "0000000", 8);
	memcpy(h.mtime, "00000000000", 12);
	/* At most 64 xattrs of 64 KiB: always eleven digits. */
	snprintf(size, sizeof(size), "%011zo", t->pax.len);
	memcpy(h.size, size, sizeof(h.size));
	rc = put_header(t, &h, e);
	if (!rc)
		rc = put(t, t->pax.data, t->pax.len, e);
	return rc ? rc : put_padding(t, padding_of(t->pax.len), e);
}

static int join(const struct tarout *t, const char *path, char *out, size_t room, struct err *e)
{
	const char *slash = *t->prefix && *path ? "/" : "";

	if ((size_t)snprintf(out, room, "%s%s%s", t->prefix, slash, path) >= room)
		return err_set(e, -ENAMETOOLONG, "\"%.200s\": path too long", path);
	return 0;
}

static int put_entry(void *ctx, const struct entry *entry, struct err *e)
{
	struct tarout *t = ctx;
	struct header h = { .type = types[entry->kind] };
	char path[2 * TREE_PATH_MAX], target[2 * TREE_PATH_MAX];
	int rc = join(t, entry->path, path, sizeof(path) - 1, e);

	if (rc < 0)
		return rc;
	buf_reset(&t->pax);
	if (entry->kind == ENTRY_DIR)
		strcat(path, "/");
	add_text(t, h.name, sizeof(h.name), "path", path);
	if (entry->kind == ENTRY_HARDLINK) {
		rc = join(t, entry->target, target, sizeof(target), e);
		if (rc < 0)
			return rc;
		add_text(t, h.link, sizeof(h.link), "linkpath", target);
	} else if (entry->kind == ENTRY_SYMLINK) {
		add_text(t, h.link, sizeof(h.link), "linkpath", entry->target);
	}
	add_number(t, h.mode, sizeof(h.mode), "mode", entry->mode);
	add_number(t, h.uid, sizeof(h.uid), "uid", entry->uid);
	add_number(t, h.gid, sizeof(h.gid), "gid", entry->gid);
	t->left = entry->kind == ENTRY_FILE ? entry->size_bytes : 0;
	t->padding = padding_of(t->left);
	add_number(t, h.size, sizeof(h.size), "size", t->left);
	add_number(t, h.major, sizeof(h.major), "SCHILY.devmajor", entry->major);
	add_number(t, h.minor, sizeof(h.minor), "SCHILY.devminor", entry->minor);
	add_mtime(t, &h, entry);
	add_xattrs(t, entry);
	rc = put_pax(t, e);
	return rc ? rc : put_header(t, &h, e);
}

static int put_data(void *ctx, const void *data, size_t len, struct err *e)
{
	struct tarout *t = ctx;
	int rc;

	if (len > t->left)
		return err_set(e, -EINVAL, "more data than the entry's size");
	rc = put(t, data, len, e);
	t->left -= len;
	if (!rc && len && !t->left)
		rc = put_padding(t, t->padding, e);
	return rc;
}

struct sink tarout_sink(struct tarout *t)
{
	return (struct sink){ .entry = put_entry, .data = put_data, .ctx = t };
}

static int put_own(struct tarout *t, enum entry_kind kind, uint32_t mode, const char *path,
		   size_t size, struct err *e)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	int rc;

	if (!entry || strlen(path) >= sizeof(entry->path)) {
		free(entry);
		return err_set(e, -ENOMEM, "out of memory");
	}
	entry->kind = kind;
	entry->mode = mode;
	entry->size_bytes = size;
	strcpy(entry->path, path);
	rc = put_entry(t, entry, e);
	free(entry);
	return rc;
}

int tarout_dir(struct tarout *t, const char *path, struct err *e)
{
	return put_own(t, ENTRY_DIR, 0755, path, 0, e);
}

int tarout_file(struct tarout *t, const char *path, const void *data, size_t len, struct err *e)
{
	int rc = put_own(t, ENTRY_FILE, 0644, path, len, e);

	return rc ? rc : put_data(t, data, len, e);
}

int tarout_end(struct tarout *t, struct err *e)
{
	int rc = put_padding(t, BLOCK, e);

	if (!rc)
		rc = put_padding(t, BLOCK, e);
	return rc ? rc : flush(t, e);
}
