#include "bootcfg/label.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum {
	ISO_DESCRIPTOR_AT = 32768,
	ISO_LABEL_AT = 40,
	ISO_LABEL_LEN = 32,
	FAT_LABEL_LEN = 11,
	FAT_ENTRY = 32,
	FAT_ROOT_MAX = 65536,
	FAT_ATTR_LABEL = 0x08,
	FAT_ATTR_LONG = 0x0f,
};

static void copy_label(char label[LABEL_MAX], const void *from, size_t len)
{
	memcpy(label, from, len);
	while (len && (label[len - 1] == ' ' || label[len - 1] == '\0'))
		len--;
	label[len] = '\0';
}

static bool read_at(int fd, void *out, size_t len, uint64_t at)
{
	return pread(fd, out, len, (off_t)at) == (ssize_t)len;
}

static const char *read_iso(int fd, char label[LABEL_MAX])
{
	uint8_t d[128];

	if (!read_at(fd, d, sizeof(d), ISO_DESCRIPTOR_AT))
		return NULL;
	if (d[0] != 1 || memcmp(d + 1, "CD001", 5) != 0)
		return NULL;
	copy_label(label, d + ISO_LABEL_AT, ISO_LABEL_LEN);
	return "iso9660";
}

static uint32_t le16(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t le32(const uint8_t *p)
{
	return le16(p) | le16(p + 2) << 16;
}

struct fat {
	uint64_t root_at;   /* bytes */
	uint32_t root_len;  /* bytes, bounded */
	size_t label_at;    /* in the boot sector */
};

static bool is_power_of_2(uint32_t n)
{
	return n && !(n & (n - 1));
}

/* False: this is no FAT boot sector (a partition table's sector has the same end mark). */
static bool read_geometry(const uint8_t s[512], struct fat *fat)
{
	uint32_t sector = le16(s + 11), cluster = s[13], reserved = le16(s + 14), fats = s[16];
	uint32_t entries = le16(s + 17), fat_len = le16(s + 22) ? le16(s + 22) : le32(s + 36);
	uint64_t after_fats = (uint64_t)reserved + (uint64_t)fats * fat_len;

	if (s[510] != 0x55 || s[511] != 0xaa || sector < 512 || sector > 4096 ||
	    !is_power_of_2(sector) || !is_power_of_2(cluster) || !reserved || !fats || !fat_len)
		return false;
	if (entries) {
		fat->root_at = after_fats * sector;
		fat->root_len = entries * FAT_ENTRY;
		fat->label_at = 43;
	} else {
		uint32_t first = le32(s + 44);

		if (first < 2)
			return false;
		fat->root_at = (after_fats + (uint64_t)(first - 2) * cluster) * sector;
		fat->root_len = cluster * sector;
		fat->label_at = 71;
	}
	if (fat->root_len > FAT_ROOT_MAX)
		fat->root_len = FAT_ROOT_MAX;
	return true;
}

/* The root folder's entry counts more than the boot sector's copy: systems change only that. */
static bool find_entry(int fd, const struct fat *fat, char label[LABEL_MAX])
{
	for (uint32_t at = 0; at + FAT_ENTRY <= fat->root_len; at += FAT_ENTRY) {
		uint8_t entry[FAT_ENTRY];

		if (!read_at(fd, entry, sizeof(entry), fat->root_at + at) || !entry[0])
			return false;
		if (entry[0] == 0xe5 || (entry[11] & FAT_ATTR_LONG) == FAT_ATTR_LONG ||
		    !(entry[11] & FAT_ATTR_LABEL))
			continue;
		copy_label(label, entry, FAT_LABEL_LEN);
		return true;
	}
	return false;
}

static const char *read_fat(int fd, char label[LABEL_MAX])
{
	uint8_t sector[512];
	struct fat fat;

	if (!read_at(fd, sector, sizeof(sector), 0) || !read_geometry(sector, &fat))
		return NULL;
	if (!find_entry(fd, &fat, label))
		copy_label(label, sector + fat.label_at, FAT_LABEL_LEN);
	return "vfat";
}

const char *label_read(int fd, char label[LABEL_MAX])
{
	const char *type = read_iso(fd, label);

	return type ? type : read_fat(fd, label);
}
