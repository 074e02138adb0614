#include "update/slots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "update/bootdisk.h"
#include "update/device.h"
#include "update/gpt.h"

static const char *const boot_names[SLOT_COUNT] = { "boot-a", "boot-b" };
static const char *const root_names[SLOT_COUNT] = { "root-a", "root-b" };

static int partition_path(const struct bootdisk *d, const struct gpt *t, const char *name,
			  char out[SLOT_PATH_MAX], struct err *e)
{
	int index = gpt_find(t, name);
	char device[BOOTDISK_NAME_MAX];

	if (index < 0)
		return err_set(e, -ENODEV, "/dev/%s has no partition named \"%s\"", d->disk, name);
	bootdisk_partition(d, index + 1, device);
	snprintf(out, SLOT_PATH_MAX, "/dev/%s", device);
	return 0;
}

static int find_running(struct slots *s, struct err *e)
{
	char name[BOOTDISK_NAME_MAX], path[SLOT_PATH_MAX];
	int rc = bootdisk_root_partition(name, e);

	if (rc < 0)
		return rc;
	snprintf(path, sizeof(path), "/dev/%s", name);
	for (enum slot i = SLOT_A; i < SLOT_COUNT; i++)
		if (!strcmp(s->root[i], path)) {
			s->running = i;
			return 0;
		}
	return err_set(e, -ENODEV, "the root lies on %s, which is neither slot's partition", path);
}

int slots_find(struct slots *out, struct err *e)
{
	struct slots s = { 0 };
	struct bootdisk d;
	char path[SLOT_PATH_MAX];
	autoclose int disk = -1;
	struct gpt t;
	int rc = bootdisk_find(&d, e);

	if (rc < 0)
		return rc;
	snprintf(path, sizeof(path), "/dev/%s", d.disk);
	s.in_memory = bootdisk_in_memory(&d);
	disk = open(path, O_RDONLY | O_CLOEXEC);
	if (disk < 0)
		return err_sys(e, "open \"%s\"", path);
	rc = gpt_read(disk, &t, e);
	if (!rc)
		rc = partition_path(&d, &t, "state", s.state, e);
	for (enum slot i = SLOT_A; i < SLOT_COUNT && !rc; i++) {
		rc = partition_path(&d, &t, boot_names[i], s.boot[i], e);
		if (!rc)
			rc = partition_path(&d, &t, root_names[i], s.root[i], e);
	}
	if (!rc)
		rc = find_running(&s, e);
	if (!rc)
		*out = s;
	return rc;
}

int slots_read_state(const struct slots *s, struct bootstate *out, struct err *e)
{
	autoclose int fd = device_open(s->state, e);

	return fd < 0 ? fd : bootstate_read(fd, out, e);
}

int slots_write_state(const struct slots *s, const struct bootstate *b, struct err *e)
{
	autoclose int fd = device_open(s->state, e);

	return fd < 0 ? fd : bootstate_write(fd, b, e);
}
