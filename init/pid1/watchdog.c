#include "pid1/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "pid1/machine.h"

enum { TIMEOUT_S = 60, FEED_MS = 10000 };

static int device = -1;

static int open_device(void)
{
	static const char *const paths[] = { "/dev/watchdog0", "/dev/watchdog" };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		int fd = open(paths[i], O_WRONLY | O_CLOEXEC);

		if (fd >= 0 || errno != ENOENT)
			return fd < 0 ? -errno : fd;
	}
	return -ENOENT;
}

int watchdog_step(struct machine *m, struct err *say)
{
	struct watchdog_info info = { 0 };
	int seconds = TIMEOUT_S;

	(void)m;
	device = open_device();
	if (device == -ENOENT || device == -ENODEV) {
		device = -1;
		err_set(say, 0, "this machine has none");
		return 0;
	}
	if (device < 0)
		return err_code(say, device, "open \"/dev/watchdog0\"");
	/* Hardware that cannot do 60 s answers with what it can; feeding each 10 s suits all. */
	if (ioctl(device, WDIOC_SETTIMEOUT, &seconds) < 0)
		ioctl(device, WDIOC_GETTIMEOUT, &seconds);
	ioctl(device, WDIOC_GETSUPPORT, &info);
	watchdog_feed();
	err_set(say, 0, "%.32s, resets a hung machine after %d s", (const char *)info.identity,
		seconds);
	return 0;
}

void watchdog_feed(void)
{
	if (device >= 0)
		ioctl(device, WDIOC_KEEPALIVE, 0);
}

static void on_feed(struct loop *l, void *arg)
{
	(void)arg;
	watchdog_feed();
	loop_timer(l, FEED_MS, on_feed, NULL);
}

void watchdog_attach(struct loop *l)
{
	if (device >= 0)
		on_feed(l, NULL);
}

void watchdog_disarm(void)
{
	/* The "magic close"; a watchdog that cannot be stopped (nowayout) will reset the machine. */
	if (device >= 0 && write(device, "V", 1) == 1)
		close(device);
	device = -1;
}
