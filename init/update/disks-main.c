/* disks: PID 1's service `disks`, which runs when the boot configuration has something for it (the
 * stage of that name). Reads /run/berth/config.json. */
#include <fcntl.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "update/disks.h"

enum { CONFIG_MAX = 8 * 1024 * 1024 };

int main(void)
{
	static int (*const steps[])(yyjson_val *) = { disks_partition, disks_format, disks_mount,
						      disks_swap };
	autobuf struct buf text = { 0 };
	struct err e = { "" };
	yyjson_doc *doc;
	int failures = 0;

	log_name("disks");
	if (file_read_at(AT_FDCWD, "/run/berth/config.json", CONFIG_MAX, &text, &e) < 0) {
		log_error("%s", e.text);
		return 1;
	}
	doc = yyjson_read(buf_text(&text), text.len, 0);
	for (size_t i = 0; i < ARRAY_LEN(steps) && doc; i++)
		failures += steps[i](yyjson_doc_get_root(doc));
	yyjson_doc_free(doc);
	return failures > 0 || !doc;
}
