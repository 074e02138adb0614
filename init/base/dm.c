#include "base/dm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { TABLE_BYTES_MAX = 4096 };

/* What the control device takes: the header, then one target and its parameters. */
struct request {
	struct dm_ioctl head;
	struct dm_target_spec target;
	char table[TABLE_BYTES_MAX];
};

_Static_assert(offsetof(struct request, target) % 8 == 0, "the target follows the header aligned");

static void request_begin(struct request *r, const char *name, uint32_t flags)
{
	memset(r, 0, sizeof(*r));
	r->head.version[0] = DM_VERSION_MAJOR;
	r->head.data_size = sizeof(*r);
	r->head.data_start = offsetof(struct request, target);
	r->head.flags = flags;
	snprintf(r->head.name, sizeof(r->head.name), "%s", name);
}

static int open_control(struct err *e)
{
	int fd = open("/dev/" DM_DIR "/" DM_CONTROL_NODE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "open the device mapper") : fd;
}

int dm_make_verity(const char *name, uint64_t sectors, const char *table, struct err *e)
{
	autoclose int control = open_control(e);
	struct request r;

	if (control < 0)
		return control;
	if (strlen(table) >= sizeof(r.table))
		return err_set(e, -E2BIG, "the table of \"%s\" is too long", name);
	request_begin(&r, name, DM_READONLY_FLAG);
	if (ioctl(control, DM_DEV_CREATE, &r) < 0)
		return err_sys(e, "make the device \"%s\"", name);
	request_begin(&r, name, DM_READONLY_FLAG);
	r.head.target_count = 1;
	r.target.length = sectors;
	r.target.next = sizeof(r.target) + sizeof(r.table);
	snprintf(r.target.target_type, sizeof(r.target.target_type), "verity");
	snprintf(r.table, sizeof(r.table), "%s", table);
	if (ioctl(control, DM_TABLE_LOAD, &r) < 0)
		return err_sys(e, "load the verity table of \"%s\"", name);
	/* Without DM_SUSPEND_FLAG it is the resume, which puts the table in force. */
	request_begin(&r, name, 0);
	return ioctl(control, DM_DEV_SUSPEND, &r) < 0 ? err_sys(e, "start \"%s\"", name) : 0;
}

int dm_table(const char *name, struct buf *out, struct err *e)
{
	autoclose int control = open_control(e);
	struct request r;

	if (control < 0)
		return control;
	request_begin(&r, name, DM_STATUS_TABLE_FLAG);
	if (ioctl(control, DM_TABLE_STATUS, &r) < 0)
		return err_sys(e, "ask for the table of \"%s\"", name);
	if (r.head.flags & DM_BUFFER_FULL_FLAG || r.head.target_count < 1)
		return err_set(e, -EOVERFLOW, "the table of \"%s\" is not one line", name);
	r.table[sizeof(r.table) - 1] = '\0';
	buf_addf(out, "%llu %llu %.*s %s", (unsigned long long)r.target.sector_start,
		 (unsigned long long)r.target.length, DM_MAX_TYPE_NAME - 1, r.target.target_type, r.table);
	return 0;
}
