#include "bootcfg/vmware.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bootcfg/config.h"

enum {
	MAGIC = 0x564D5868,
	PORT = 0x5658,
	COMMAND_MESSAGE = 30,
	RPCI = 0x49435052,
	STATUS_OK = 1,       /* bits of C's upper half */
	STATUS_WAITING = 2,
};

#define COOKIE 0x80000000U

/* C's upper half of a message call. */
enum message { OPEN, SEND_LENGTH, SEND, RECEIVE_LENGTH, RECEIVE, RECEIVED, CLOSE };

#if defined(__x86_64__)
static void door(struct vmware_call *call)
{
	__asm__ volatile("inl %%dx, %%eax"
			 : "+a"(call->a), "+b"(call->b), "+c"(call->c), "+d"(call->d), "+S"(call->si),
			   "+D"(call->di)
			 :
			 : "memory");
}
#else
static void door(struct vmware_call *call)
{
	call->c = 0; /* no success */
}
#endif

void (*vmware_door)(struct vmware_call *call) = door;

struct channel {
	unsigned id, si, di;
};

/* Returns the status; `b` in and out, `d`'s upper half out. */
static unsigned call(const struct channel *ch, enum message what, unsigned *b, unsigned *kind)
{
	struct vmware_call c = {
		.a = MAGIC, .b = *b, .c = (unsigned)what << 16 | COMMAND_MESSAGE,
		.d = ch->id << 16 | PORT, .si = ch->si, .di = ch->di,
	};

	vmware_door(&c);
	*b = c.b;
	if (kind)
		*kind = c.d >> 16;
	return c.c >> 16;
}

static bool channel_open(struct channel *ch)
{
	struct vmware_call c = { .a = MAGIC, .b = RPCI | COOKIE, .c = OPEN << 16 | COMMAND_MESSAGE,
				 .d = PORT };

	vmware_door(&c);
	*ch = (struct channel){ c.d >> 16, c.si, c.di };
	return c.c >> 16 & STATUS_OK;
}

static bool send_text(const struct channel *ch, const char *text)
{
	unsigned left = (unsigned)strlen(text), word = left;

	if (!(call(ch, SEND_LENGTH, &word, NULL) & STATUS_OK))
		return false;
	while (left) {
		unsigned n = left < 4 ? left : 4;

		word = 0;
		memcpy(&word, text, n);
		if (!(call(ch, SEND, &word, NULL) & STATUS_OK))
			return false;
		text += n;
		left -= n;
	}
	return true;
}

static int receive_text(const struct channel *ch, struct buf *out)
{
	unsigned left = 0, kind, word, status = call(ch, RECEIVE_LENGTH, &left, &kind);

	if (!(status & STATUS_OK) || !(status & STATUS_WAITING) || kind != SEND_LENGTH)
		return -EIO;
	if (left > CONFIG_TEXT_MAX)
		return -EFBIG;
	while (left) {
		unsigned n = left < 4 ? left : 4;

		word = STATUS_OK;
		if (!(call(ch, RECEIVE, &word, &kind) & STATUS_OK) || kind != SEND)
			return -EIO;
		buf_add(out, &word, n);
		left -= n;
	}
	word = STATUS_OK;
	call(ch, RECEIVED, &word, NULL);
	return 0;
}

int vmware_guestinfo(const char *key, struct buf *out, struct err *e)
{
	char question[128];
	struct channel ch;
	struct buf answer = { 0 };
	unsigned unused = 0;
	int code = 0;

	snprintf(question, sizeof(question), "info-get %s", key);
	if (!channel_open(&ch))
		return err_set(e, -EIO, "VMware's hypervisor opens no channel");
	if (!send_text(&ch, question))
		code = -EIO;
	if (code == 0)
		code = receive_text(&ch, &answer);
	call(&ch, CLOSE, &unused, NULL);
	if (code < 0)
		err_set(e, code, "VMware's hypervisor does not answer for \"%s\" as expected", key);
	/* "1 VALUE", or "0 REASON". */
	if (code == 0 && answer.len > 2 && answer.data[0] == '1') {
		buf_add(out, answer.data + 2, answer.len - 2);
		code = 1;
	}
	buf_free(&answer);
	return code;
}
