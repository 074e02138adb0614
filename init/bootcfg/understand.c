#include "bootcfg/understand.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "bootcfg/config.h"
#include "bootcfg/merge.h"
#include "bootcfg/network.h"
#include "bootcfg/parts.h"

/* Puts the part over `into`. 0, or -EBADMSG: its SSH keys were all that could be told. */
static int read_part(const struct part *p, yyjson_mut_doc *into, struct faults *faults)
{
	struct config_text in = { .schema = p->typed ? &schema_root : NULL, .file = p->file,
				  .text = buf_text(&p->text), .len = p->text.len };
	yyjson_mut_doc *config = NULL;
	int code = config_parse(&in, &config, faults);

	if (code == 0)
		merge_over(into, config);
	else if (config)
		merge_ssh_keys(into, config);
	yyjson_mut_doc_free(config);
	return code;
}

int understand_text(const struct buf *raw, const char *file, bool online, yyjson_mut_doc **out,
		    struct faults *faults)
{
	autoparts struct parts parts = { .count = 0 };
	yyjson_mut_doc *doc;
	size_t usable = 0;
	int code = parts_read(raw, file, online, &parts, faults);

	doc = merge_empty();
	for (size_t i = 0; i < parts.count; i++)
		usable += read_part(&parts.items[i], doc, faults) == 0;
	*out = doc;
	if (parts.needs_network)
		return -EAGAIN;
	/* Nothing at all is a configuration that says nothing. */
	if (code == 0 && (usable || (!parts.count && !parts.refused)))
		return 0;
	return -EBADMSG;
}

/* The provider's text is not the user's fault: what is not done of it is one warning. 0, or
 * -EAGAIN: it includes something. */
static int add_vendor(const struct source *s, bool online, yyjson_mut_doc *under,
		       struct faults *faults)
{
	autofaults struct faults own = { 0 };
	yyjson_mut_doc *config = NULL;
	int code = understand_text(&s->vendor_data, "vendor-data", online, &config, &own);

	if (code == 0)
		merge_over(under, config);
	yyjson_mut_doc_free(config);
	if (own.count)
		fault_add(faults, FAULT_WARNING, own.items[0].file, own.items[0].line, own.items[0].column,
			  own.items[0].path, "%s (%zu such things in vendor-data)", own.items[0].message,
			  own.errors + own.warnings);
	return code == -EAGAIN ? code : 0;
}

static void add_metadata(const struct source *s, yyjson_mut_doc *config, struct faults *faults)
{
	struct config_text in = { .schema = &schema_meta, .file = "meta-data",
				  .text = buf_text(&s->meta_data), .len = s->meta_data.len };
	yyjson_mut_doc *meta = NULL;

	if (in.len && config_parse(&in, &meta, faults) == 0)
		merge_metadata(config, meta);
	yyjson_mut_doc_free(meta);
}

static void add_network(const struct source *s, yyjson_mut_doc *config, struct faults *faults)
{
	if (s->openstack_network && s->network.len)
		network_read(NETWORK_OPENSTACK, "network_data.json", s->network.data, s->network.len, config,
			     faults);
	else if (s->network.len)
		network_read(NETWORK_NETPLAN, "network-config", s->network.data, s->network.len, config, faults);
}

static void add_notes(const struct source *s, struct faults *faults)
{
	for (const char *at = buf_text(&s->notes); *at;) {
		size_t len = strcspn(at, "\n");

		fault_add(faults, FAULT_WARNING, s->kind, 0, 0, "", "%.*s", (int)len, at);
		at += len + (at[len] == '\n');
	}
}

int understand(const struct source *s, bool online, yyjson_mut_doc **out, struct faults *faults)
{
	yyjson_mut_doc *user = NULL, *all;
	int code = understand_text(&s->user_data, s->file, online, &user, faults);

	all = merge_empty();
	if (code == 0 && s->vendor_data.len)
		code = add_vendor(s, online, all, faults);
	if (code == -EAGAIN)
		add_network(s, user, faults);
	if (code < 0) {
		yyjson_mut_doc_free(all);
		*out = user;
		return code;
	}
	merge_over(all, user);
	yyjson_mut_doc_free(user);
	add_metadata(s, all, faults);
	add_network(s, all, faults);
	add_notes(s, faults);
	*out = all;
	return 0;
}
