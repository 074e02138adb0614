#include "update/content.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"

enum {
	LOOK_BYTES = 1 << 20,
	EXT_MAGIC_AT = 1024 + 56, /* struct ext4_super_block.s_magic, little endian */
};

static bool all_zero(const unsigned char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i])
			return false;
	return true;
}

int content_of(int device, enum content *out, struct err *e)
{
	autofree unsigned char *head = malloc(LOOK_BYTES);
	ssize_t n = head ? pread(device, head, LOOK_BYTES, 0) : -1;

	if (!head)
		return err_set(e, -ENOMEM, "look at the device: out of memory");
	if (n < 0)
		return err_sys(e, "read the device");
	if (n > EXT_MAGIC_AT + 1 && head[EXT_MAGIC_AT] == 0x53 && head[EXT_MAGIC_AT + 1] == 0xef)
		*out = CONTENT_EXT4;
	else
		*out = all_zero(head, (size_t)n) ? CONTENT_BLANK : CONTENT_FOREIGN;
	return 0;
}
