/* QEMU's fw_cfg: -fw_cfg name=opt/berth/user-data,file=FILE, and meta-data, vendor-data and
 * network-config beside it (docs/specs/fw_cfg of QEMU). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "bootcfg/config.h"
#include "bootcfg/source.h"

static const char folder[] = "/sys/firmware/qemu_fw_cfg/by_name/opt/berth";

static int read_item(int dir, const char *name, struct buf *out, struct err *e)
{
	char path[64];
	int code;

	snprintf(path, sizeof(path), "%s/raw", name);
	code = file_read_at(dir, path, CONFIG_TEXT_MAX, out, e);
	return code == -ENOENT ? 0 : code;
}

int source_fwcfg(struct source *out, struct err *e)
{
	struct source s = { .kind = "fw_cfg", .file = "user-data", .where = "fw_cfg opt/berth" };
	autoclose int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct {
		const char *name;
		struct buf *into;
	} items[] = {
		{ "user-data", &s.user_data }, { "meta-data", &s.meta_data },
		{ "vendor-data", &s.vendor_data }, { "network-config", &s.network },
	};
	int code = 0;

	if (dir < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(items) && code == 0; i++)
		code = read_item(dir, items[i].name, items[i].into, e);
	if (code < 0 || (!s.user_data.len && !s.meta_data.len)) {
		source_free(&s);
		return code;
	}
	*out = s;
	return 1;
}
