/* VMware's guestinfo: guestinfo.userdata, .vendordata and .metadata, each with .encoding (base64,
 * gzip+base64). What a text is encoded with is seen by the text itself (parts.h).
 * Source: docs.cloud-init.io "VMware". */
#include <string.h>

#include "base/cleanup.h"
#include "base/jail.h"
#include "bootcfg/config.h"
#include "bootcfg/dmi.h"
#include "bootcfg/meta.h"
#include "bootcfg/parts.h"
#include "bootcfg/section.h"
#include "bootcfg/source.h"
#include "bootcfg/vmware.h"

enum { ANSWER_MAX = 4 * CONFIG_TEXT_MAX, ASK_MS = 30000 };

static const char *const keys[] = { "guestinfo.userdata", "guestinfo.vendordata",
				    "guestinfo.metadata" };

/* In the jail: should the firmware lie, the process dies there. */
static int ask_all(void *arg, struct buf *out, struct err *e)
{
	int code = 0;

	(void)arg;
	for (size_t i = 0; i < ARRAY_LEN(keys) && code >= 0; i++) {
		autobuf struct buf value = { 0 };

		code = vmware_guestinfo(keys[i], &value, e);
		if (code > 0)
			section_add(out, keys[i], value.data, value.len);
	}
	return code < 0 ? code : 0;
}

static int take(const struct buf *answer, struct source *s, struct err *e)
{
	autobuf struct buf meta = { 0 }, plain = { 0 };
	struct buf *const places[] = { &s->user_data, &s->vendor_data, &meta };
	struct section part;
	int code = 0;

	for (size_t at = 0; section_next(answer, &at, &part);)
		for (size_t i = 0; i < ARRAY_LEN(keys); i++)
			if (strcmp(part.name, keys[i]) == 0)
				buf_add(places[i], part.data, part.len);
	if (meta.len)
		code = parts_plain(&meta, &plain, e);
	if (code == 0 && plain.len)
		code = meta_convert(META_HETZNER, &plain, NULL, s, e);
	return code;
}

int source_vmware(struct source *out, struct err *e)
{
	struct source s = { .kind = "vmware", .where = "VMware's guestinfo", .file = "user-data" };
	struct jail_task task = { .jail = JAIL_PARSE, .fn = ask_all, .max_bytes = ANSWER_MAX,
				  .timeout_ms = ASK_MS };
	autobuf struct buf answer = { 0 };
	struct dmi dmi;
	int code;

	dmi_read(&dmi);
	if (dmi_platform(&dmi) != PLATFORM_VMWARE)
		return 0;
	code = jail_run(&task, &answer, e);
	if (code == 0)
		code = take(&answer, &s, e);
	if (code < 0 || (!s.user_data.len && !s.meta_data.len)) {
		source_free(&s);
		return code;
	}
	*out = s;
	return 1;
}
