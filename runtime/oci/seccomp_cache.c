#include <errno.h>

#include "oci/args.h"
#include "oci/commands.h"
#include "oci/filter.h"
#include "spec/capability.h"
#include "spec/seccomp_profile.h"

/* The profile as a config.json would hold it, which is what the cache is looked up by. */
static yyjson_doc *default_profile(void)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	autoseccomp struct oci_seccomp profile = { 0 };
	yyjson_doc *frozen = NULL;

	if (doc && !seccomp_profile_default(capability_default_set(), &profile)) {
		yyjson_mut_doc_set_root(doc, oci_seccomp_write(&profile, doc));
		frozen = yyjson_mut_doc_imut_copy(doc, NULL);
	}
	yyjson_mut_doc_free(doc);
	return frozen;
}

int cmd_seccomp_cache(const struct options *o, int argc, char **argv, struct err *e)
{
	static const struct arg rows[] = { ARG_END };
	int next = args_parse(rows, argc, argv, e), rc;
	yyjson_doc *doc;

	(void)o;
	if (next < 0)
		return next;
	if (next + 1 != argc)
		return err_set(e, -EINVAL, "\"seccomp-cache\" needs a file name");
	doc = default_profile();
	if (!doc)
		return err_set(e, -ENOMEM, "out of memory");
	rc = filter_ship(argv[next], yyjson_doc_get_root(doc), e);
	yyjson_doc_free(doc);
	return rc;
}
