/* config.json, up to the point where the machine would be touched: every check that "create" makes
 * of a configuration. */
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "oci/caps.h"
#include "oci/cgroup.h"
#include "oci/limits.h"
#include "oci/mounts.h"
#include "oci/namespaces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_process(const struct oci_process *p)
{
	struct caps caps;
	struct err e = { 0 };

	if (caps_read(p->capabilities, &caps, &e) < 0 || limits_check(p, &e) < 0)
		if (!e.text[0])
			abort();
}

static void check(const struct oci_spec *s)
{
	automounts struct mounts mounts = { 0 };
	autofree char *cgroup = NULL;
	struct namespaces ns;
	struct err e = { 0 };

	if (s->process)
		check_process(s->process);
	if (!s->linux_)
		return;
	if (namespaces_plan(s->linux_, &ns, &e) < 0 && !e.text[0])
		abort();
	if (mounts_plan(s, &mounts, &e) < 0 && !e.text[0])
		abort();
	cgroup = cgroup_path(s->linux_->cgroupsPath, "fuzz", &e);
	if (cgroup && (cgroup[0] == '/' || !cgroup[0]))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	yyjson_doc *doc = yyjson_read((const char *)data, len, 0);
	autooci struct oci_spec spec = { 0 };

	if (doc && !oci_spec_read(yyjson_doc_get_root(doc), &spec, NULL))
		check(&spec);
	yyjson_doc_free(doc);
	return 0;
}
