#include "pid1/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "pid1/machine.h"

#define CLOCK_FILE "/var/lib/berth/clock"
#define SEED_FILE "/var/lib/berth/seed"
#define RESCUE_FILE "/var/lib/berth/rescue-once"
#define KEYS_LIVE "/run/berth/ssh/authorized_keys"
#define KEYS_KEPT "/var/lib/berth/ssh/authorized_keys"

enum {
	SEED_BYTES = 512,
	SEED_FILE_BYTES = SEED_BYTES + 1,
	SEED_CREDIT = 'C',   /* first byte of the file: made by a pool that was full */
	SEED_NO_CREDIT = 'N',
	CREDIT_BITS = 256,   /* what the kernel's pool holds */
	KEYS_MAX_BYTES = 256 * 1024,
};

/* A file's time as the least that it can be now. */
static int raise_clock(const char *path, const char *what, struct err *say)
{
	struct timespec now;
	struct stat st;
	char date[32];

	if (stat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(say, "look at \"%s\"", path);
	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec >= st.st_mtim.tv_sec)
		return 0;
	if (clock_settime(CLOCK_REALTIME, &st.st_mtim) < 0)
		return err_sys(say, "set the clock");
	strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", gmtime(&st.st_mtim.tv_sec));
	err_set(say, 0, "set to %s UTC, the time of %s", date, what);
	return 0;
}

int keep_step_clock_build(struct machine *m, struct err *say)
{
	(void)m;
	return raise_clock("/usr/lib/os-release", "the image", say);
}

int keep_step_clock_var(struct machine *m, struct err *say)
{
	int rc = raise_clock(CLOCK_FILE, "the last boot", say);

	(void)m;
	keep_clock_touch();
	return rc;
}

void keep_clock_touch(void)
{
	autoclose int fd = open(CLOCK_FILE, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd >= 0)
		futimens(fd, NULL);
}

int keep_step_entropy(struct machine *m, struct err *say)
{
	char byte;
	pid_t pid;

	(void)m;
	if (getrandom(&byte, 1, GRND_NONBLOCK) == 1)
		return 0;
	pid = fork();
	if (pid == 0)
		_exit(getrandom(&byte, 1, 0) != 1);
	if (pid < 0)
		return err_sys(say, "gather entropy beside the boot");
	err_set(say, 0, "no hardware source; gathered beside the boot");
	return 0;
}

/* Fills `seed` with a new one and marks what it is worth. */
static int make_seed(unsigned char seed[SEED_FILE_BYTES])
{
	seed[0] = SEED_CREDIT;
	if (getrandom(seed + 1, SEED_BYTES, GRND_NONBLOCK) == SEED_BYTES)
		return 0;
	seed[0] = SEED_NO_CREDIT;
	return getrandom(seed + 1, SEED_BYTES, GRND_INSECURE) == SEED_BYTES ? 0 : -errno;
}

static int add_entropy(const unsigned char *seed, bool credit, struct err *e)
{
	struct { /* struct rand_pool_info with its bytes */
		int entropy_count, buf_size;
		unsigned char bytes[SEED_BYTES];
	} add = { .entropy_count = credit ? CREDIT_BITS : 0, .buf_size = SEED_BYTES };
	autoclose int fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC);

	memcpy(add.bytes, seed, SEED_BYTES);
	if (fd < 0 || ioctl(fd, RNDADDENTROPY, &add) < 0)
		return err_sys(e, "give the seed to the kernel");
	return 0;
}

int keep_step_seed(struct machine *m, struct err *say)
{
	unsigned char fresh[SEED_FILE_BYTES];
	autobuf struct buf old = { 0 };
	const unsigned char *seed;
	int rc;

	(void)m;
	if (file_read_at(AT_FDCWD, SEED_FILE, SEED_FILE_BYTES, &old, NULL) < 0)
		buf_reset(&old);
	seed = (const unsigned char *)old.data;
	/* Mixed in without credit first: the new seed then is worth at least what the old one was. */
	if (old.len == SEED_FILE_BYTES)
		add_entropy(seed + 1, false, NULL);
	rc = make_seed(fresh);
	if (rc < 0)
		return err_code(say, rc, "make a seed");
	rc = file_replace_at(AT_FDCWD, SEED_FILE, fresh, sizeof(fresh), 0600, say);
	if (rc < 0 || old.len != SEED_FILE_BYTES)
		return rc;
	return add_entropy(seed + 1, seed[0] == SEED_CREDIT, say);
}

void keep_seed_save(void)
{
	unsigned char fresh[SEED_FILE_BYTES];

	if (!make_seed(fresh))
		file_replace_at(AT_FDCWD, SEED_FILE, fresh, sizeof(fresh), 0600, NULL);
}

static int copy_keys(const char *from, const char *to, bool *copied, struct err *say)
{
	autobuf struct buf source = { 0 }, there = { 0 };
	int rc = file_read_at(AT_FDCWD, from, KEYS_MAX_BYTES, &source, say);

	*copied = false;
	if (rc == -ENOENT || !source.len) {
		err_set(say, 0, "none");
		return 0;
	}
	if (rc < 0)
		return rc;
	/* Written only when they changed: not one write to the disk at an ordinary boot. */
	if (!file_read_at(AT_FDCWD, to, KEYS_MAX_BYTES, &there, NULL) && there.len == source.len &&
	    !memcmp(there.data, source.data, there.len))
		return 0;
	*copied = true;
	return file_replace_at(AT_FDCWD, to, source.data, source.len, 0600, say);
}

int keep_step_ssh_keys(struct machine *m, struct err *say)
{
	bool copied;
	int rc = m->var_in_memory ? 0 : copy_keys(KEYS_LIVE, KEYS_KEPT, &copied, say);

	if (rc >= 0 && !m->var_in_memory && copied)
		err_set(say, 0, "kept for rescue mode");
	return rc;
}

int keep_ask_rescue(const struct machine *m, struct err *e)
{
	if (m->var_in_memory)
		return err_set(e, -EROFS, "there is no data partition to remember it on; type Esc when the "
			       "machine starts and choose rescue there");
	return file_replace_at(AT_FDCWD, RESCUE_FILE, "", 0, 0600, e);
}

bool keep_rescue_asked(void)
{
	autoclose int dir = open("/var/lib/berth", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (unlink(RESCUE_FILE) < 0)
		return false;
	if (dir >= 0)
		fsync(dir);
	return true;
}

int keep_step_ssh_keys_back(struct machine *m, struct err *say)
{
	bool copied;
	int rc = copy_keys(KEYS_KEPT, KEYS_LIVE, &copied, say);

	(void)m;
	if (rc >= 0 && copied)
		err_set(say, 0, "the last known ones may log in");
	return rc;
}
