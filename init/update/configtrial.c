#include "update/configtrial.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <yyjson.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/spawn.h"
#include "update/hostconfig.h"

enum config_trial configtrial_read(char digest[SHA256_HEX_MAX])
{
	static const struct {
		const char *word;
		enum config_trial trial;
	} rows[] = { { "first", CONFIG_FIRST }, { "new", CONFIG_NEW } };
	autobuf struct buf text = { 0 };
	enum config_trial found = CONFIG_SETTLED;
	const char *in_force;
	yyjson_doc *doc;
	yyjson_val *root;

	*digest = '\0';
	if (hostconfig_read(&text, NULL) < 0)
		return CONFIG_SETTLED;
	doc = yyjson_read(buf_text(&text), text.len, 0);
	root = yyjson_doc_get_root(doc);
	in_force = yyjson_get_str(yyjson_obj_get(root, "digest"));
	snprintf(digest, SHA256_HEX_MAX, "%s", in_force ? in_force : "");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (yyjson_equals_str(yyjson_obj_get(root, "trial"), rows[i].word))
			found = rows[i].trial;
	yyjson_doc_free(doc);
	return found;
}

static int ask_bootcfg(const char *verb, const char *first, const char *second, struct err *e)
{
	const char *const argv[] = { "/usr/lib/berth/bootcfg", verb, first, second, NULL };
	const struct spawn s = { .argv = argv, .inherit_stdio = true };

	return spawn_run(&s, e);
}

int configtrial_keep(struct err *e)
{
	return ask_bootcfg("keep", NULL, NULL, e);
}

int configtrial_refuse(const char *reason, const char *beside, struct err *e)
{
	return ask_bootcfg("refuse", reason, beside, e);
}

int configtrial_reconsider(const char *version, struct err *e)
{
	return ask_bootcfg("forget", version, NULL, e);
}

int configtrial_give_back(struct err *e)
{
	return ask_bootcfg("give-back", NULL, NULL, e);
}

bool configtrial_decided(void)
{
	return access("/run/berth/config-kept", F_OK) == 0;
}
