#include "update/bootstate.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { SEQ_COUNT = 4, SECTOR_MAX = 4096 };

static const char head[] = "# GRUB Environment Block\n";

char slot_letter(enum slot s)
{
	return s == SLOT_A ? 'a' : 'b';
}

enum slot slot_other(enum slot s)
{
	return s == SLOT_A ? SLOT_B : SLOT_A;
}

/* ---- the format ---- */

void bootstate_format(const struct bootstate *b, unsigned seq, char out[BOOTSTATE_BYTES])
{
	char text[BOOTSTATE_BYTES];
	int len = snprintf(text, sizeof(text),
			   "%sseq=%u\nprefer=%c\na_good=%d\na_tries=%u\nb_good=%d\nb_tries=%u\nend=%u\n",
			   head, seq % SEQ_COUNT, slot_letter(b->prefer), b->slot[SLOT_A].good,
			   b->slot[SLOT_A].tries, b->slot[SLOT_B].good, b->slot[SLOT_B].tries,
			   seq % SEQ_COUNT);

	memset(out, '#', BOOTSTATE_BYTES);
	memcpy(out, text, (size_t)len);
}

/* "KEY=c\n" at *p, c one of `allowed`: its index there, and *p behind it; else -1. */
static int take(const char **p, const char *key, const char *allowed)
{
	size_t len = strlen(key);
	const char *found;

	if (strncmp(*p, key, len) != 0 || (*p)[len] != '=' || (*p)[len + 1] == '\0' ||
	    (*p)[len + 2] != '\n')
		return -1;
	found = strchr(allowed, (*p)[len + 1]);
	*p += len + 3;
	return found ? (int)(found - allowed) : -1;
}

bool bootstate_parse(const char sector[BOOTSTATE_BYTES], struct bootstate *out, unsigned *seq)
{
	static const struct {
		const char *key, *allowed;
	} lines[] = {
		{ "seq", "0123" },    { "prefer", "ab" }, { "a_good", "01" }, { "a_tries", "0123" },
		{ "b_good", "01" }, { "b_tries", "0123" }, { "end", "0123" },
	};
	enum { SEQ, PREFER, A_GOOD, A_TRIES, B_GOOD, B_TRIES, END, LINES };
	char text[BOOTSTATE_BYTES + 1];
	const char *p = text + sizeof(head) - 1;
	int value[LINES];

	memcpy(text, sector, BOOTSTATE_BYTES);
	text[BOOTSTATE_BYTES] = '\0';
	if (memcmp(text, head, sizeof(head) - 1) != 0)
		return false;
	for (int i = 0; i < LINES; i++) {
		value[i] = take(&p, lines[i].key, lines[i].allowed);
		if (value[i] < 0)
			return false;
	}
	if (value[SEQ] != value[END])
		return false;
	*seq = (unsigned)value[SEQ];
	*out = (struct bootstate){
		.prefer = value[PREFER] ? SLOT_B : SLOT_A,
		.slot = { { value[A_GOOD], (unsigned)value[A_TRIES] },
			  { value[B_GOOD], (unsigned)value[B_TRIES] } },
	};
	return true;
}

int bootstate_newer(const bool valid[BOOTSTATE_COPIES], const unsigned seq[BOOTSTATE_COPIES])
{
	if (valid[0] && valid[1])
		return (seq[0] + 1) % SEQ_COUNT == seq[1];
	return valid[0] ? 0 : valid[1] ? 1 : -1;
}

/* ---- what Linux does to it ---- */

int bootstate_disarm(struct bootstate *b, enum slot target, struct err *e)
{
	enum slot keep = slot_other(target);

	if (!b->slot[keep].good)
		return err_set(e, -EPERM, "slot %c, which is running, is not confirmed yet: the other slot is "
			       "the only good one (\"berth update status\" says what is waited for)",
			       slot_letter(keep));
	b->prefer = keep;
	b->slot[target].good = false;
	b->slot[target].tries = 0;
	return 0;
}

void bootstate_arm(struct bootstate *b, enum slot target)
{
	b->prefer = target;
	b->slot[target].good = false;
	b->slot[target].tries = BOOTSTATE_TRIES;
}

void bootstate_confirm(struct bootstate *b, enum slot s)
{
	b->prefer = s;
	b->slot[s].good = true;
	b->slot[s].tries = 0;
}

int bootstate_give_up(struct bootstate *b, enum slot s, struct err *e)
{
	enum slot other = slot_other(s);

	if (!b->slot[other].good && !b->slot[other].tries)
		return err_set(e, -EPERM, "slot %c holds no version that could be booted",
			       slot_letter(other));
	b->slot[s].good = false;
	b->slot[s].tries = 0;
	return 0;
}

bool bootstate_settle(struct bootstate *b, enum slot running)
{
	enum slot other = slot_other(running);

	if (b->prefer == running || b->slot[other].good || b->slot[other].tries)
		return false;
	b->prefer = running;
	return true;
}

bool bootstate_give_back(struct bootstate *b, enum slot s)
{
	if (b->slot[s].good || b->slot[s].tries >= BOOTSTATE_TRIES)
		return false;
	b->slot[s].tries++;
	return true;
}

/* ---- the partition ---- */

static const off_t offsets[BOOTSTATE_COPIES] = BOOTSTATE_OFFSETS;

struct copies {
	struct bootstate state[BOOTSTATE_COPIES];
	unsigned seq[BOOTSTATE_COPIES];
	bool valid[BOOTSTATE_COPIES];
};

/* O_DIRECT wants whole sectors, from memory at a multiple of their size: 512 bytes, or 4096 on
 * some disks, where nothing lies behind the copy. */
static int sector_io(int fd, off_t offset, char copy[BOOTSTATE_BYTES], bool write)
{
	static _Alignas(SECTOR_MAX) char sector[SECTOR_MAX];
	int len = BOOTSTATE_BYTES;
	ssize_t n;

	if (ioctl(fd, BLKSSZGET, &len) < 0 || len < BOOTSTATE_BYTES || len > SECTOR_MAX)
		len = BOOTSTATE_BYTES;
	if (write) {
		memset(sector, 0, sizeof(sector));
		memcpy(sector, copy, BOOTSTATE_BYTES);
		n = pwrite(fd, sector, (size_t)len, offset);
	} else {
		n = pread(fd, sector, (size_t)len, offset);
	}
	if (n != len)
		return n < 0 ? -errno : -EIO;
	if (!write)
		memcpy(copy, sector, BOOTSTATE_BYTES);
	return 0;
}

static int read_copies(int fd, struct copies *c)
{
	char sector[BOOTSTATE_BYTES];
	int failed = 0;

	for (int i = 0; i < BOOTSTATE_COPIES; i++) {
		int rc = sector_io(fd, offsets[i], sector, false);

		/* One sector that cannot be read is a damaged copy; it may still be written. */
		failed = rc < 0 ? rc : failed;
		c->valid[i] = rc == 0 && bootstate_parse(sector, &c->state[i], &c->seq[i]);
	}
	return c->valid[0] || c->valid[1] ? 0 : failed ? failed : -EBADMSG;
}

int bootstate_read(int fd, struct bootstate *out, struct err *e)
{
	struct copies c = { 0 };
	int rc = read_copies(fd, &c);

	if (rc == -EBADMSG)
		return err_set(e, rc, "both copies of the boot state are damaged (\"berth update confirm\" makes "
			       "them anew)");
	if (rc < 0)
		return err_code(e, rc, "read the boot state");
	*out = c.state[bootstate_newer(c.valid, c.seq)];
	return 0;
}

static int write_copy(int fd, int which, const struct bootstate *b, unsigned seq, struct err *e)
{
	char sector[BOOTSTATE_BYTES], back[BOOTSTATE_BYTES];
	int rc;

	bootstate_format(b, seq, sector);
	rc = sector_io(fd, offsets[which], sector, true);
	if (!rc && fsync(fd) < 0)
		rc = -errno;
	if (!rc)
		rc = sector_io(fd, offsets[which], back, false);
	if (rc < 0)
		return err_code(e, rc, "write the boot state");
	if (memcmp(sector, back, sizeof(sector)) != 0)
		return err_set(e, -EIO, "the disk did not keep the boot state that was written");
	return 0;
}

int bootstate_blank(int fd, struct err *e)
{
	char zeros[BOOTSTATE_BYTES] = "";

	for (int i = 0; i < BOOTSTATE_COPIES; i++) {
		int rc = sector_io(fd, offsets[i], zeros, true);

		if (rc < 0)
			return err_code(e, rc, "write the boot state");
	}
	return fsync(fd) < 0 ? err_sys(e, "write the boot state") : 0;
}

int bootstate_write(int fd, const struct bootstate *b, struct err *e)
{
	struct copies c = { 0 };
	int newer, rc;

	read_copies(fd, &c);
	newer = bootstate_newer(c.valid, c.seq);
	if (newer >= 0)
		return write_copy(fd, 1 - newer, b, c.seq[newer] + 1, e);
	rc = bootstate_blank(fd, e);
	if (!rc)
		rc = write_copy(fd, 0, b, 0, e);
	return rc < 0 ? rc : write_copy(fd, 1, b, 1, e);
}
