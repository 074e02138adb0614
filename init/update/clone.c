#include "update/clone.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "update/device.h"
#include "update/failnote.h"

enum {
	PIECE_BYTES = 256 * 1024,
	EDGE_BYTES = 1 << 20, /* what the tables may take at either end */
	BOOT_CODE_BYTES = 440,
};

_Static_assert(FAILNOTE_OFFSET % PIECE_BYTES == 0, "the note begins a piece");

int clone_layout(const struct gpt *source, uint64_t disk_sectors, const unsigned char (*guids)[16],
		 struct gpt *out, struct err *e)
{
	int data = gpt_find(source, "data");
	struct gpt t = *source;

	if (data < 0)
		return err_set(e, -ENODEV, "the running disk has no partition named \"data\"");
	if (disk_sectors * t.sector_bytes <
	    t.entries[data].first * t.sector_bytes + CLONE_DATA_BYTES_MIN + EDGE_BYTES)
		return err_set(e, -ENOSPC, "the disk is too small: it has %llu MiB, at least %llu are needed",
			       (unsigned long long)(disk_sectors * t.sector_bytes >> 20),
			       (unsigned long long)(t.entries[data].first * t.sector_bytes +
						    CLONE_DATA_BYTES_MIN + EDGE_BYTES) >> 20);
	memcpy(t.guid, guids[GPT_ENTRIES_MAX], sizeof(t.guid));
	for (uint32_t i = 0; i < t.entry_count; i++)
		if (t.entries[i].first)
			memcpy(t.entries[i].unique, guids[i], sizeof(t.entries[i].unique));
	t.disk_sectors = disk_sectors;
	t.entries[data].last = t.entries[data].first; /* to be grown from one sector on */
	t.entries[data].attributes |= GPT_ATTR_EMPTY;
	if (!gpt_grow(&t, data))
		return err_set(e, -EINVAL, "the running disk's data partition is not its last");
	*out = t;
	return 0;
}

void clone_boot_sector(const unsigned char source[512], uint64_t disk_sectors,
		       unsigned char out[512])
{
	/* UEFI 2.10, 5.2.3: from LBA 1 to the end, or as much of it as the field holds. */
	const uint32_t size = disk_sectors - 1 > UINT32_MAX ? UINT32_MAX : (uint32_t)(disk_sectors - 1);
	const uint32_t first = htole32(1), count = htole32(size);
	unsigned char *entry = out + 446;

	memset(out, 0, 512);
	memcpy(out, source, BOOT_CODE_BYTES);
	memcpy(entry, "\x00\x00\x02\x00\xee\xff\xff\xff", 8);
	memcpy(entry + 8, &first, sizeof(first));
	memcpy(entry + 12, &count, sizeof(count));
	out[510] = 0x55;
	out[511] = 0xaa;
}

/* ---- the copy ---- */

struct job {
	const struct clone *c;
	char *piece, *back;
	uint64_t done, total;
	clone_progress_fn *progress;
	void *arg;
};

static uint64_t offset_of(const struct gpt *t, const char *name)
{
	return t->entries[gpt_find(t, name)].first * t->sector_bytes;
}

static uint64_t bytes_of(const struct gpt *t, const char *name)
{
	const struct gpt_entry *p = &t->entries[gpt_find(t, name)];

	return (p->last - p->first + 1) * t->sector_bytes;
}

/* The state's partition is copied with a boot state of its own in it, and no note of the other
 * machine's. Pieces begin at multiples of PIECE_BYTES, and so does the note. */
static void patch_state(char *piece, uint64_t at, size_t len)
{
	static const off_t offsets[BOOTSTATE_COPIES] = BOOTSTATE_OFFSETS;
	const struct bootstate fresh = { .prefer = SLOT_A, .slot = { { true, 0 }, { false, 0 } } };

	if (at == FAILNOTE_OFFSET && len >= FAILNOTE_BYTES)
		memset(piece, 0, FAILNOTE_BYTES);
	for (unsigned i = 0; i < BOOTSTATE_COPIES && at == 0; i++)
		if ((size_t)offsets[i] + BOOTSTATE_BYTES <= len)
			bootstate_format(&fresh, i, piece + offsets[i]);
}

static const struct {
	const char *to, *from[SLOT_COUNT]; /* by the running slot */
	enum { WHOLE, BOOT_BYTES, ROOT_BYTES } size;
	bool state;
} copies[] = {
	{ "bios", { "bios", "bios" }, WHOLE, false },
	{ "esp", { "esp", "esp" }, WHOLE, false },
	{ "state", { "state", "state" }, WHOLE, true },
	{ "boot-a", { "boot-a", "boot-b" }, BOOT_BYTES, false },
	{ "root-a", { "root-a", "root-b" }, ROOT_BYTES, false },
};

static uint64_t copy_bytes(const struct clone *c, size_t row)
{
	return copies[row].size == BOOT_BYTES ? c->boot_bytes :
	       copies[row].size == ROOT_BYTES ? c->root_bytes :
						bytes_of(c->from, copies[row].to);
}

/* One partition: written, or (`compare`) read back. */
static int go_through(struct job *j, size_t row, bool compare, struct err *e)
{
	const struct clone *c = j->c;
	uint64_t from = offset_of(c->from, copies[row].from[c->running]);
	uint64_t to = offset_of(c->to, copies[row].to), len = copy_bytes(c, row);

	for (uint64_t at = 0; at < len; at += PIECE_BYTES) {
		size_t n = len - at < PIECE_BYTES ? (size_t)(len - at) : PIECE_BYTES;
		int rc = device_read(c->source, j->piece, n, from + at);

		if (rc < 0)
			return err_code(e, rc, "read the running disk");
		if (copies[row].state)
			patch_state(j->piece, at, n);
		rc = compare ? device_read(c->target, j->back, n, to + at) :
			       device_write(c->target, j->piece, n, to + at);
		if (rc == 0 && compare && memcmp(j->piece, j->back, n) != 0)
			rc = -EIO;
		if (rc < 0)
			return err_code(e, rc, "%s partition %s", compare ? "verify" : "write", copies[row].to);
		j->done += n;
		if (j->progress)
			j->progress(j->arg, compare ? "verifying" : "writing", j->done, j->total);
	}
	return 0;
}

static int wipe(struct job *j, uint64_t offset, uint64_t len, struct err *e)
{
	int rc = 0;

	memset(j->piece, 0, PIECE_BYTES);
	for (uint64_t at = 0; at < len && rc == 0; at += PIECE_BYTES)
		rc = device_write(j->c->target, j->piece,
				  len - at < PIECE_BYTES ? (size_t)(len - at) : PIECE_BYTES, offset + at);
	return rc < 0 ? err_code(e, rc, "erase the disk's old table") : 0;
}

static int write_boot_sector(struct job *j, struct err *e)
{
	const struct clone *c = j->c;
	int rc = device_read(c->source, j->piece, DEVICE_BLOCK_BYTES, 0);

	if (!rc)
		rc = device_read(c->target, j->back, DEVICE_BLOCK_BYTES, 0);
	if (rc < 0)
		return err_code(e, rc, "read the boot sector");
	clone_boot_sector((unsigned char *)j->piece, c->to->disk_sectors, (unsigned char *)j->back);
	rc = device_write(c->target, j->back, DEVICE_BLOCK_BYTES, 0);
	if (!rc)
		rc = device_flush(c->target);
	return rc < 0 ? err_code(e, rc, "write the boot sector") : 0;
}

static int write_all(struct job *j, struct err *e)
{
	const struct clone *c = j->c;
	uint64_t size = c->to->disk_sectors * c->to->sector_bytes;
	int rc = wipe(j, 0, EDGE_BYTES, e);

	size -= size % DEVICE_BLOCK_BYTES;
	if (!rc)
		rc = wipe(j, size - EDGE_BYTES, EDGE_BYTES, e);
	/* What an older system left there must not look like a version in slot B. */
	if (!rc)
		rc = wipe(j, offset_of(c->to, "boot-b"), DEVICE_BLOCK_BYTES, e);
	if (!rc && device_flush(c->target) < 0)
		rc = err_sys(e, "erase the disk's old table");
	for (size_t i = 0; i < ARRAY_LEN(copies) && !rc; i++)
		rc = go_through(j, i, false, e);
	if (!rc && device_flush(c->target) < 0)
		rc = err_sys(e, "write the disk");
	j->done = 0;
	for (size_t i = 0; i < ARRAY_LEN(copies) && !rc; i++)
		rc = go_through(j, i, true, e);
	if (!rc)
		rc = gpt_write(c->table, c->to, e);
	return rc ? rc : write_boot_sector(j, e);
}

int clone_write(const struct clone *c, clone_progress_fn *progress, void *arg, struct err *e)
{
	struct job j = { .c = c, .progress = progress, .arg = arg };
	int rc;

	for (size_t i = 0; i < ARRAY_LEN(copies); i++) {
		if (gpt_find(c->from, copies[i].from[c->running]) < 0)
			return err_set(e, -ENODEV, "the running disk has no partition named \"%s\"",
				       copies[i].from[c->running]);
		j.total += copy_bytes(c, i);
	}
	j.piece = device_buffer(PIECE_BYTES);
	j.back = device_buffer(PIECE_BYTES);
	rc = j.piece && j.back ? write_all(&j, e) : err_set(e, -ENOMEM, "copy the system: out of memory");
	free(j.piece);
	free(j.back);
	return rc;
}
