/* config.json, up to the point where the machine would be touched: every check that "create" makes
 * of a configuration, each whatever the others said. */
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "oci/caps.h"
#include "oci/cgroup.h"
#include "oci/devices.h"
#include "oci/hooks.h"
#include "oci/mounts.h"
#include "oci/namespaces.h"
#include "oci/paths.h"
#include "oci/process.h"
#include "oci/sysctl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Refused without a sentence is a fault as well. */
#define SAYS(call)                                       \
	do {                                             \
		struct err e = { 0 };                    \
		if ((call) < 0 && !e.text[0])            \
			abort();                         \
	} while (0)

static void check_process(const struct oci_spec *s)
{
	struct caps caps;

	SAYS(caps_read(s->process->capabilities, true, &caps, &e));
	SAYS(process_check(s->process, s->linux_ ? s->linux_->personality : NULL, &e));
}

static void check_linux(const struct oci_spec *s)
{
	automounts struct mounts mounts = { 0 };
	autofree char *cgroup = NULL;
	struct namespaces ns = { 0 };
	struct err unused;

	SAYS(namespaces_plan(s->linux_, &ns, &e));
	SAYS(sysctl_check(s, &ns, &e));
	SAYS(cgroup_check(&s->linux_->resources, &e));
	SAYS(paths_check(s->linux_, &e));
	SAYS(devices_check(s->linux_, &e));
	cgroup = cgroup_path(s->linux_->cgroupsPath, "fuzz", &unused);
	if (!cgroup)
		return;
	if (cgroup[0] == '/' || !cgroup[0])
		abort();
	SAYS(mounts_plan(s, &ns, cgroup, &mounts, &e));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	yyjson_doc *doc = yyjson_read((const char *)data, len, 0);
	autooci struct oci_spec spec = { 0 };

	if (doc && !oci_spec_read(yyjson_doc_get_root(doc), &spec, NULL)) {
		if (spec.process)
			check_process(&spec);
		if (spec.linux_)
			check_linux(&spec);
		SAYS(hooks_check(spec.hooks, &e));
	}
	yyjson_doc_free(doc);
	return 0;
}
