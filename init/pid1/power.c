#include "pid1/power.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "pid1/machine.h"

enum { DEVICES_MAX = 8 };

static int devices[DEVICES_MAX];
static int device_count;
static void (*on_pressed)(void *arg);
static void *on_pressed_arg;

static bool has_power_key(int fd)
{
	unsigned char keys[KEY_MAX / 8 + 1] = { 0 };

	return ioctl(fd, EVIOCGBIT(EV_KEY, sizeof(keys)), keys) >= 0 &&
	       keys[KEY_POWER / 8] & 1 << KEY_POWER % 8;
}

int power_step(struct machine *m, struct err *say)
{
	autodir DIR *dir = opendir("/dev/input");
	struct dirent *entry;

	(void)m;
	while (dir && (entry = readdir(dir)) && device_count < DEVICES_MAX) {
		autoclose int fd = -1;

		if (strncmp(entry->d_name, "event", 5))
			continue;
		fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0 && has_power_key(fd))
			devices[device_count++] = take_fd(&fd);
	}
	if (!device_count)
		err_set(say, 0, "this machine has none");
	return 0;
}

static void on_input(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct input_event event;
	struct loop_source **source = arg;

	while (read(fd, &event, sizeof(event)) == sizeof(event))
		if (event.type == EV_KEY && event.code == KEY_POWER && event.value == 1)
			on_pressed(on_pressed_arg);
	/* The device is gone (unplugged). */
	if (events & (EPOLLHUP | EPOLLERR))
		loop_remove(l, *source);
}

void power_attach(struct loop *l, void (*pressed)(void *arg), void *arg)
{
	static struct loop_source *sources[DEVICES_MAX];

	on_pressed = pressed;
	on_pressed_arg = arg;
	for (int i = 0; i < device_count; i++)
		sources[i] = loop_fd(l, devices[i], EPOLLIN, on_input, &sources[i]);
}
