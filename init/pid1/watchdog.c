#include "pid1/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "pid1/machine.h"

enum { TIMEOUT_S = 60, FEED_MS = 10000, DOGS_MAX = 8 };

static int dogs[DOGS_MAX];
static int dog_count;

/* Takes one over and adds its name. Hardware that cannot do 60 s answers with what it can; feeding
 * each 10 s suits all. */
static void adopt(int fd, struct buf *names, int *longest_s)
{
	struct watchdog_info info = { 0 };
	int seconds = TIMEOUT_S;

	if (ioctl(fd, WDIOC_SETTIMEOUT, &seconds) < 0)
		ioctl(fd, WDIOC_GETTIMEOUT, &seconds);
	ioctl(fd, WDIOC_GETSUPPORT, &info);
	buf_addf(names, "%s%.32s", names->len ? ", " : "", (const char *)info.identity);
	if (seconds > *longest_s)
		*longest_s = seconds;
	dogs[dog_count++] = fd;
}

int watchdog_step(struct machine *m, struct err *say)
{
	autobuf struct buf names = { 0 };
	int longest_s = 0, rc = 0;

	(void)m;
	for (int i = 0; i < DOGS_MAX; i++) {
		char path[32];
		int fd;

		snprintf(path, sizeof(path), "/dev/watchdog%d", i);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0)
			adopt(fd, &names, &longest_s);
		else if (errno != ENOENT && errno != ENODEV)
			rc = err_sys(say, "open \"%s\"", path);
	}
	watchdog_feed();
	if (rc < 0)
		return rc;
	if (!dog_count)
		err_set(say, 0, "this machine has none");
	else
		err_set(say, 0, "%s: a hung machine is reset after %d s at most", buf_text(&names),
			longest_s);
	return 0;
}

void watchdog_feed(void)
{
	for (int i = 0; i < dog_count; i++)
		ioctl(dogs[i], WDIOC_KEEPALIVE, 0);
}

static void on_feed(struct loop *l, void *arg)
{
	(void)arg;
	watchdog_feed();
	loop_timer(l, FEED_MS, on_feed, NULL);
}

void watchdog_attach(struct loop *l)
{
	if (dog_count)
		on_feed(l, NULL);
}

void watchdog_disarm(void)
{
	/* The "magic close"; a watchdog that cannot be stopped (nowayout) will reset the machine. */
	for (int i = 0; i < dog_count; i++)
		if (write(dogs[i], "V", 1) == 1)
			close(dogs[i]);
	dog_count = 0;
}
