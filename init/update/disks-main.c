/* disks: PID 1's service `disks`, which runs when the boot configuration has something for it (the
 * stage of that name). Reads /run/berth/config.json. */
#include "base/cleanup.h"
#include "base/log.h"
#include "update/disks.h"
#include "update/hostconfig.h"

int main(void)
{
	static int (*const steps[])(yyjson_val *) = { disks_partition, disks_format, disks_mount,
						      disks_swap };
	autobuf struct buf text = { 0 };
	struct err e = { "" };
	yyjson_doc *doc;
	int failures = 0;

	log_name("disks");
	if (hostconfig_read(&text, &e) < 0) {
		log_error("%s", e.text);
		return 1;
	}
	doc = yyjson_read(buf_text(&text), text.len, 0);
	if (!doc) {
		log_error("\"%s\" is damaged", hostconfig_path);
		return 1;
	}
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		failures += steps[i](yyjson_doc_get_root(doc));
	yyjson_doc_free(doc);
	return failures > 0;
}
