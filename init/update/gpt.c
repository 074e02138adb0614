#include "update/gpt.h"

#include <endian.h>
#include <errno.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { ENTRY_BYTES = 128, TABLE_BYTES = GPT_ENTRIES_MAX * ENTRY_BYTES, HEADER_BYTES = 92 };

static const char signature[8] = { 'E', 'F', 'I', ' ', 'P', 'A', 'R', 'T' };

struct wire_header {
	char signature[8];
	uint32_t revision, header_bytes, header_crc, reserved;
	uint64_t self, other, first_usable, last_usable;
	unsigned char guid[16];
	uint64_t entries;
	uint32_t entry_count, entry_bytes, entries_crc;
} __attribute__((packed));

struct wire_entry {
	unsigned char type[16], unique[16];
	uint64_t first, last, attributes;
	uint16_t name[GPT_NAME_MAX];
} __attribute__((packed));

_Static_assert(sizeof(struct wire_header) == HEADER_BYTES, "UEFI 2.10, table 5.5");
_Static_assert(sizeof(struct wire_entry) == ENTRY_BYTES, "UEFI 2.10, table 5.6");

static uint32_t crc32(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint32_t crc = ~0U;

	while (len--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0);
	}
	return ~crc;
}

static int read_at(int disk, void *data, size_t len, uint64_t offset)
{
	ssize_t n = pread(disk, data, len, (off_t)offset);

	return n == (ssize_t)len ? 0 : n < 0 ? -errno : -EIO;
}

static int write_at(int disk, const void *data, size_t len, uint64_t offset)
{
	ssize_t n = pwrite(disk, data, len, (off_t)offset);

	return n == (ssize_t)len ? 0 : n < 0 ? -errno : -EIO;
}

static void entry_from_wire(const struct wire_entry *w, struct gpt_entry *out)
{
	memcpy(out->type, w->type, sizeof(out->type));
	memcpy(out->unique, w->unique, sizeof(out->unique));
	out->first = le64toh(w->first);
	out->last = le64toh(w->last);
	out->attributes = le64toh(w->attributes);
	for (int i = 0; i < GPT_NAME_MAX; i++) {
		uint16_t c = le16toh(w->name[i]);

		out->raw_name[i] = c;
		out->name[i] = c < 0x80 ? (char)c : '?';
	}
}

static void entry_to_wire(const struct gpt_entry *in, struct wire_entry *w)
{
	memcpy(w->type, in->type, sizeof(w->type));
	memcpy(w->unique, in->unique, sizeof(w->unique));
	w->first = htole64(in->first);
	w->last = htole64(in->last);
	w->attributes = htole64(in->attributes);
	for (int i = 0; i < GPT_NAME_MAX; i++)
		w->name[i] = htole16(in->raw_name[i]);
}

static bool header_is_sane(struct wire_header h, const struct gpt *t, uint64_t self)
{
	uint32_t crc = le32toh(h.header_crc);

	if (memcmp(h.signature, signature, sizeof(signature)) != 0 ||
	    le32toh(h.header_bytes) != HEADER_BYTES)
		return false;
	h.header_crc = 0;
	return crc32(&h, sizeof(h)) == crc && le64toh(h.self) == self &&
	       le32toh(h.entry_bytes) == ENTRY_BYTES && le32toh(h.entry_count) <= GPT_ENTRIES_MAX &&
	       le64toh(h.entries) < t->disk_sectors && le64toh(h.other) < t->disk_sectors &&
	       le64toh(h.last_usable) < t->disk_sectors &&
	       le64toh(h.first_usable) <= le64toh(h.last_usable);
}

static bool entries_are_sane(const struct gpt *t)
{
	for (uint32_t i = 0; i < t->entry_count; i++) {
		const struct gpt_entry *p = &t->entries[i];

		if (p->first && (p->first < t->first_usable || p->last < p->first ||
				 p->last > t->last_usable))
			return false;
	}
	return true;
}

/* Reads the table whose header is at sector `self`. 0 or -errno; t is changed only by success. */
static int read_copy(int disk, uint64_t self, struct gpt *t)
{
	autofree struct wire_entry *table = malloc(TABLE_BYTES);
	struct gpt found = *t;
	struct wire_header h;
	int rc = table ? read_at(disk, &h, sizeof(h), self * t->sector_bytes) : -ENOMEM;

	if (!rc && !header_is_sane(h, t, self))
		rc = -EBADMSG;
	if (rc < 0)
		return rc;
	found.entry_count = le32toh(h.entry_count);
	found.first_usable = le64toh(h.first_usable);
	found.last_usable = le64toh(h.last_usable);
	found.backup = self == 1 ? le64toh(h.other) : self;
	memcpy(found.guid, h.guid, sizeof(found.guid));
	rc = read_at(disk, table, (size_t)found.entry_count * ENTRY_BYTES,
		     le64toh(h.entries) * t->sector_bytes);
	if (!rc && crc32(table, (size_t)found.entry_count * ENTRY_BYTES) != le32toh(h.entries_crc))
		rc = -EBADMSG;
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < found.entry_count; i++)
		entry_from_wire(&table[i], &found.entries[i]);
	if (!entries_are_sane(&found))
		return -EBADMSG;
	*t = found;
	return 0;
}

static int disk_geometry(int disk, struct gpt *t)
{
	uint64_t bytes = 0;
	int sector = 512;

	/* A plain file (tests, image build) has no geometry of its own: sectors of 512 bytes. */
	if (ioctl(disk, BLKGETSIZE64, &bytes) < 0) {
		off_t end = lseek(disk, 0, SEEK_END);

		if (end < 0)
			return -errno;
		bytes = (uint64_t)end;
	} else if (ioctl(disk, BLKSSZGET, &sector) < 0) {
		return -errno;
	}
	if (sector < 512 || sector > 4096)
		return -EINVAL;
	t->sector_bytes = (uint32_t)sector;
	t->disk_sectors = bytes / (uint32_t)sector;
	return t->disk_sectors < 128 ? -EINVAL : 0;
}

int gpt_read(int disk, struct gpt *out, struct err *e)
{
	autofree struct gpt *t = calloc(1, sizeof(*t));
	int rc = t ? disk_geometry(disk, t) : -ENOMEM;

	if (rc < 0)
		return err_code(e, rc, "read the disk's size");
	rc = read_copy(disk, 1, t);
	if (rc == -EBADMSG)
		rc = read_copy(disk, t->disk_sectors - 1, t);
	if (rc == -EBADMSG)
		return err_set(e, rc, "the disk has no valid GUID partition table");
	if (rc < 0)
		return err_code(e, rc, "read the partition table");
	*out = *t;
	return 0;
}

int gpt_find(const struct gpt *t, const char *name)
{
	for (uint32_t i = 0; i < t->entry_count; i++)
		if (t->entries[i].first && !strcmp(t->entries[i].name, name))
			return (int)i;
	return -ENOENT;
}

static bool is_last(const struct gpt *t, int index)
{
	for (uint32_t i = 0; i < t->entry_count; i++)
		if (t->entries[i].first > t->entries[index].first)
			return false;
	return true;
}

bool gpt_grow(struct gpt *t, int index)
{
	uint64_t mib = (1 << 20) / t->sector_bytes;
	uint64_t tail = TABLE_BYTES / t->sector_bytes + 1; /* backup table and header */
	uint64_t last_usable = t->disk_sectors - tail - 1;
	uint64_t last = (last_usable + 1) / mib * mib - 1;

	if (!is_last(t, index) || last <= t->entries[index].last)
		return false;
	t->last_usable = last_usable;
	t->backup = t->disk_sectors - 1;
	t->entries[index].last = last;
	return true;
}

static int write_copy(int disk, const struct gpt *t, const void *table, uint64_t self,
		      uint64_t other, uint64_t entries)
{
	autofree unsigned char *sector = calloc(1, t->sector_bytes);
	struct wire_header h = {
		.revision = htole32(0x00010000),
		.header_bytes = htole32(HEADER_BYTES),
		.self = htole64(self),
		.other = htole64(other),
		.first_usable = htole64(t->first_usable),
		.last_usable = htole64(t->last_usable),
		.entries = htole64(entries),
		.entry_count = htole32(t->entry_count),
		.entry_bytes = htole32(ENTRY_BYTES),
		.entries_crc = htole32(crc32(table, (size_t)t->entry_count * ENTRY_BYTES)),
	};
	int rc;

	if (!sector)
		return -ENOMEM;
	memcpy(h.signature, signature, sizeof(signature));
	memcpy(h.guid, t->guid, sizeof(h.guid));
	h.header_crc = htole32(crc32(&h, sizeof(h)));
	memcpy(sector, &h, sizeof(h));
	rc = write_at(disk, table, TABLE_BYTES, entries * t->sector_bytes);
	if (!rc)
		rc = write_at(disk, sector, t->sector_bytes, self * t->sector_bytes);
	return rc < 0 ? rc : fsync(disk) < 0 ? -errno : 0;
}

int gpt_write(int disk, const struct gpt *t, struct err *e)
{
	autofree struct wire_entry *table = calloc(1, TABLE_BYTES);
	int rc;

	if (!table)
		return err_set(e, -ENOMEM, "write the partition table: out of memory");
	for (uint32_t i = 0; i < t->entry_count; i++)
		entry_to_wire(&t->entries[i], &table[i]);
	rc = write_copy(disk, t, table, t->backup, 1, t->backup - TABLE_BYTES / t->sector_bytes);
	if (!rc)
		rc = write_copy(disk, t, table, 1, t->backup, 2);
	return rc < 0 ? err_code(e, rc, "write the partition table") : 0;
}
