#include "pid1/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "pid1/machine.h"

/* Not less than 60 s: the final part of a shutdown may take that long (shutdown.c). */
enum { TIMEOUT_S = 60, TIMEOUT_MOST_S = 600, FEED_MS = 10000, DOGS_MAX = 8 };

static int dogs[DOGS_MAX];
static int dog_count, timeout_s = TIMEOUT_S;
static bool feeding; /* there is a timer */

/* Hardware that cannot do it answers with what it can; feeding each 10 s suits all. */
static int set_timeout(int fd)
{
	int seconds = timeout_s;

	if (ioctl(fd, WDIOC_SETTIMEOUT, &seconds) < 0)
		ioctl(fd, WDIOC_GETTIMEOUT, &seconds);
	return seconds;
}

/* Takes one over and adds its name. */
static void adopt(int fd, struct buf *names, int *longest_s)
{
	struct watchdog_info info = { 0 };
	int seconds = set_timeout(fd);

	ioctl(fd, WDIOC_GETSUPPORT, &info);
	buf_addf(names, "%s%.32s", names->len ? ", " : "", (const char *)info.identity);
	if (seconds > *longest_s)
		*longest_s = seconds;
	dogs[dog_count++] = fd;
}

static int adopt_all(struct buf *names, int *longest_s, struct err *e)
{
	int rc = 0;

	for (int i = 0; i < DOGS_MAX; i++) {
		char path[32];
		int fd;

		snprintf(path, sizeof(path), "/dev/watchdog%d", i);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0)
			adopt(fd, names, longest_s);
		else if (errno != ENOENT && errno != ENODEV)
			rc = err_sys(e, "open \"%s\"", path);
	}
	watchdog_feed();
	return rc;
}

int watchdog_step(struct machine *m, struct err *say)
{
	autobuf struct buf names = { 0 };
	int longest_s = 0, rc = adopt_all(&names, &longest_s, say);

	(void)m;
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
	feeding = dog_count && loop_timer(l, FEED_MS, on_feed, NULL);
}

void watchdog_attach(struct loop *l)
{
	if (dog_count && !feeding)
		on_feed(l, NULL);
}

int watchdog_change(struct loop *l, const char *what, struct err *e)
{
	autobuf struct buf names = { 0 };
	char *end;
	long seconds = strtol(what, &end, 10);
	int longest_s = 0, rc = 0;

	if (!strcmp(what, "off")) {
		watchdog_disarm();
		return 0;
	}
	if (*end || seconds < TIMEOUT_S || seconds > TIMEOUT_MOST_S)
		return err_set(e, -EINVAL, "\"watchdog\" takes off, or %d to %d seconds", TIMEOUT_S,
			       TIMEOUT_MOST_S);
	timeout_s = (int)seconds;
	if (!dog_count)
		rc = adopt_all(&names, &longest_s, e);
	for (int i = 0; i < dog_count; i++)
		set_timeout(dogs[i]);
	watchdog_attach(l);
	return rc;
}

void watchdog_disarm(void)
{
	/* The "magic close"; a watchdog that cannot be stopped (nowayout) will reset the machine. */
	for (int i = 0; i < dog_count; i++)
		if (write(dogs[i], "V", 1) == 1)
			close(dogs[i]);
	dog_count = 0;
}
