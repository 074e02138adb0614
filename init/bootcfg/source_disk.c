/* Disks that somebody made for this machine: NoCloud (label "cidata"), ConfigDrive ("config-2"),
 * and a file on the EFI system partition of the disk that booted. Sources: docs.cloud-init.io
 * "NoCloud"; docs.openstack.org/nova "Config drives". */
#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "bootcfg/config.h"
#include "bootcfg/disks.h"
#include "bootcfg/meta.h"
#include "bootcfg/source.h"

struct file {
	const char *path;
	struct buf *into;
	bool required;
};

static int read_files(int root, const struct file *files, size_t count, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		struct err why = { "" };
		int code = disk_read(root, files[i].path, CONFIG_TEXT_MAX, files[i].into, &why);

		if (code < 0 && (files[i].required || code != -ENOENT))
			return err_set(e, code, "%s", why.text);
	}
	return 0;
}

/* Reads the disk's files by `read`; the mount ends with it. */
static int read_disk(const struct disk *d, int (*read)(int root, struct source *s, struct err *e),
		     struct source *s, struct source *out, struct err *e)
{
	autoclose int root = disk_mount(d, e);
	int code = root < 0 ? root : read(root, s, e);

	disk_unmount();
	if (code < 0) {
		source_free(s);
		err_prefix(e, "%s", d->device);
		return code;
	}
	snprintf(s->where, sizeof(s->where), "%s", d->device);
	*out = *s;
	return 1;
}

static int read_nocloud(int root, struct source *s, struct err *e)
{
	const struct file files[] = {
		{ "user-data", &s->user_data, true },
		{ "meta-data", &s->meta_data, false },
		{ "vendor-data", &s->vendor_data, false },
		{ "network-config", &s->network, false },
	};

	return read_files(root, files, ARRAY_LEN(files), e);
}

int source_nocloud(struct source *out, struct err *e)
{
	struct source s = { .kind = "nocloud", .file = "user-data" };
	struct disk d;
	int code = disk_by_label("cidata", &d, e);

	return code <= 0 ? code : read_disk(&d, read_nocloud, &s, out, e);
}

static int read_configdrive(int root, struct source *s, struct err *e)
{
	autobuf struct buf meta = { 0 }, vendor = { 0 };
	const struct file files[] = {
		{ "openstack/latest/meta_data.json", &meta, true },
		{ "openstack/latest/user_data", &s->user_data, false },
		{ "openstack/latest/vendor_data.json", &vendor, false },
		{ "openstack/latest/network_data.json", &s->network, false },
	};
	int code = read_files(root, files, ARRAY_LEN(files), e);

	s->openstack_network = true;
	return code < 0 ? code : meta_convert(META_OPENSTACK, &meta, &vendor, s, e);
}

int source_configdrive(struct source *out, struct err *e)
{
	struct source s = { .kind = "configdrive", .file = "user_data" };
	struct disk d;
	int code = disk_by_label("config-2", &d, e);

	return code <= 0 ? code : read_disk(&d, read_configdrive, &s, out, e);
}

static int read_esp(int root, struct source *s, struct err *e)
{
	const struct file files[] = {
		{ "berth/user-data", &s->user_data, false },
		{ "berth/meta-data", &s->meta_data, false },
		{ "berth/network-config", &s->network, false },
	};

	return read_files(root, files, ARRAY_LEN(files), e);
}

int source_esp(struct source *out, struct err *e)
{
	struct source s = { .kind = "esp", .file = "user-data" };
	struct disk d;
	int code = disk_esp(&d, e);

	if (code <= 0)
		return code;
	code = read_disk(&d, read_esp, &s, out, e);
	if (code <= 0 || out->user_data.len)
		return code;
	source_free(out);
	*out = (struct source){ 0 };
	return 0;
}
