/* NoCloud over HTTP: ds=nocloud;s=URL;h=HOST;i=ID in the firmware's serial number (SMBIOS type
 * 1) or on the kernel command line. URL stands in front of the files' names. Source:
 * docs.cloud-init.io "NoCloud". */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "bootcfg/ask.h"
#include "bootcfg/dmi.h"
#include "bootcfg/meta.h"
#include "bootcfg/source.h"

enum { REDIRECTS = 5 };

static bool starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* What follows "ds=nocloud" or "ds=nocloud-net", or NULL. */
static const char *seed_fields(const char *text)
{
	if (starts(text, "ds="))
		text += 3;
	if (!starts(text, "nocloud"))
		return NULL;
	text += starts(text, "nocloud-net") ? 11 : 7;
	return *text == ';' || !*text ? text : NULL;
}

/* Fields ";s=URL" and so on; long names too. */
static void field(const char *fields, const char *letter, const char *word, struct buf *out)
{
	for (const char *at = fields; *at == ';'; at += strcspn(at, ";")) {
		const char *equals = strchr(++at, '=');
		size_t len = equals ? (size_t)(equals - at) : 0;

		if ((len == strlen(letter) && !memcmp(at, letter, len)) ||
		    (len == strlen(word) && !memcmp(at, word, len)))
			buf_add(out, equals + 1, strcspn(equals + 1, ";"));
	}
}

/* "__dmi.system-serial-number__" and its like in the URL, as cloud-init has them. */
static void add_expanded(const char *url, const struct dmi *dmi, struct buf *out)
{
	const struct {
		const char *name, *value;
	} variables[] = {
		{ "__dmi.system-serial-number__", dmi->serial },
		{ "__dmi.system-uuid__", dmi->uuid },
		{ "__dmi.system-product-name__", dmi->product },
		{ "__dmi.system-manufacturer__", dmi->vendor },
		{ "__dmi.chassis-asset-tag__", dmi->chassis_tag },
	};

	while (*url) {
		size_t i = 0;

		while (i < ARRAY_LEN(variables) && !starts(url, variables[i].name))
			i++;
		if (i < ARRAY_LEN(variables)) {
			buf_adds(out, variables[i].value);
			url += strlen(variables[i].name);
		} else {
			buf_addc(out, *url++);
		}
	}
}

int seed_parse(const char *text, const struct dmi *dmi, struct source *out, struct err *e)
{
	struct source s = { .kind = "seed", .file = "user-data", .pending = true };
	const char *fields = seed_fields(text);
	autobuf struct buf url = { 0 }, plain = { 0 }, host = { 0 }, id = { 0 };

	if (!fields)
		return 0;
	field(fields, "s", "seedfrom", &plain);
	field(fields, "h", "local-hostname", &host);
	field(fields, "i", "instance-id", &id);
	add_expanded(buf_text(&plain), dmi, &url);
	if (url.len == 0)
		return 0; /* "ds=nocloud" alone: a disk has it */
	if (!starts(url.data, "http://") && !starts(url.data, "https://"))
		return err_set(e, -EINVAL, "s=%.64s in \"ds=nocloud\" is no http:// or https:// address",
			       url.data);
	if (url.len >= sizeof(s.where))
		return err_set(e, -EINVAL, "s= in \"ds=nocloud\" has more than %zu bytes",
			       sizeof(s.where) - 1);
	snprintf(s.where, sizeof(s.where), "%s", url.data);
	/* What stands here holds unless the seed says it. */
	if (host.len || id.len)
		meta_write(&(struct meta_facts){ buf_text(&host), buf_text(&id), NULL }, &s.meta_data);
	*out = s;
	return 1;
}

int source_seed_url(struct source *out, struct err *e)
{
	autobuf struct buf line = { 0 }, value = { 0 };
	struct dmi dmi;
	int code = cmdline_read(&line, e);

	if (code < 0)
		return code;
	dmi_read(&dmi);
	if (cmdline_value(buf_text(&line), "ds", &value))
		return seed_parse(buf_text(&value), &dmi, out, e);
	return starts(dmi.serial, "ds=") ? seed_parse(dmi.serial, &dmi, out, e) : 0;
}

int source_fetch_seed(struct source *s, struct err *e)
{
	struct ask a = { .redirects = REDIRECTS };
	autobuf struct buf meta = { 0 };
	int code;

	snprintf(a.base, sizeof(a.base), "%s", s->where);
	code = ask_need(&a, "user-data", &s->user_data, e);
	if (code == 0)
		code = ask_maybe(&a, "meta-data", &meta, e);
	if (code == 0)
		code = ask_maybe(&a, "vendor-data", &s->vendor_data, e);
	if (code == 0)
		code = ask_maybe(&a, "network-config", &s->network, e);
	if (code == 0 && meta.len) {
		buf_free(&s->meta_data);
		s->meta_data = meta;
		meta = (struct buf){ 0 };
	}
	return code;
}

int source_fetch_url(struct source *s, struct err *e)
{
	struct ask a = { .redirects = REDIRECTS };

	snprintf(a.base, sizeof(a.base), "%s", s->where);
	return ask_need(&a, "", &s->user_data, e);
}
