#include "update/content.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"

/* struct ext4_super_block, little endian: Linux Documentation/filesystems/ext4/super.rst. */
enum {
	LOOK_BYTES = 1 << 20,
	EXT_AT = 1024,
	EXT_BLOCKS_AT = EXT_AT + 4,
	EXT_LOG_BLOCK_SIZE_AT = EXT_AT + 24, /* 0: 1024 bytes */
	EXT_MAGIC_AT = EXT_AT + 56,
	EXT_INCOMPAT_AT = EXT_AT + 96,
	EXT_BLOCKS_HIGH_AT = EXT_AT + 0x150,
	EXT_INCOMPAT_64BIT = 0x80,
	EXT_LOG_BLOCK_SIZE_MAX = 6,
};

static bool all_zero(const unsigned char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i])
			return false;
	return true;
}

static uint32_t get_le32(const unsigned char *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static bool is_ext(const unsigned char *start)
{
	return start[EXT_MAGIC_AT] == 0x53 && start[EXT_MAGIC_AT + 1] == 0xef;
}

int content_ext_bytes(const unsigned char start[CONTENT_EXT_START], uint64_t *bytes)
{
	uint64_t blocks = get_le32(start + EXT_BLOCKS_AT);
	uint32_t log = get_le32(start + EXT_LOG_BLOCK_SIZE_AT);

	if (!is_ext(start) || log > EXT_LOG_BLOCK_SIZE_MAX)
		return -EBADMSG;
	if (get_le32(start + EXT_INCOMPAT_AT) & EXT_INCOMPAT_64BIT)
		blocks |= (uint64_t)get_le32(start + EXT_BLOCKS_HIGH_AT) << 32;
	*bytes = blocks << (10 + log);
	return 0;
}

int content_of(int device, enum content *out, struct err *e)
{
	autofree unsigned char *head = malloc(LOOK_BYTES);
	ssize_t n = head ? pread(device, head, LOOK_BYTES, 0) : -1;

	if (!head)
		return err_set(e, -ENOMEM, "look at the device: out of memory");
	if (n < 0)
		return err_sys(e, "read the device");
	if (n > EXT_MAGIC_AT + 1 && is_ext(head))
		*out = CONTENT_EXT4;
	else
		*out = all_zero(head, (size_t)n) ? CONTENT_BLANK : CONTENT_FOREIGN;
	return 0;
}
