#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "spec/capability.h"
#include "spec/oci_make_parts.h"

static const uint64_t all_capabilities = ((uint64_t)1 << CAPABILITY_COUNT) - 1;

/* Docker's order: "ALL" first, then what is dropped, then what is added. */
static int change_set(const struct string_list *names, bool add, uint64_t *set, struct err *e)
{
	for (size_t i = 0; i < names->count; i++) {
		int number = capability_number(names->items[i]);

		if (!strcasecmp(names->items[i], "ALL"))
			continue;
		if (number < 0)
			return err_set(e, -EINVAL, "unknown capability \"%s\"", names->items[i]);
		if (add)
			*set |= (uint64_t)1 << number;
		else
			*set &= ~((uint64_t)1 << number);
	}
	return 0;
}

static bool has_all(const struct string_list *names)
{
	for (size_t i = 0; i < names->count; i++)
		if (!strcasecmp(names->items[i], "ALL"))
			return true;
	return false;
}

static int choose_capabilities(const struct container_spec *spec, uint64_t *out, struct err *e)
{
	uint64_t set = capability_default_set();
	int rc;

	if (has_all(&spec->cap_drop))
		set = 0;
	if (has_all(&spec->cap_add) || spec->privileged)
		set = all_capabilities;
	rc = change_set(&spec->cap_drop, false, &set, e);
	if (!rc)
		rc = change_set(&spec->cap_add, true, &set, e);
	*out = set;
	return rc;
}

static const struct {
	const char *text;
	enum { OPT_IGNORE, OPT_NNP_ON, OPT_NNP_OFF, OPT_SECCOMP_OFF, OPT_PATHS_OFF } does;
} options[] = {
	{ "no-new-privileges", OPT_NNP_ON },
	{ "no-new-privileges:true", OPT_NNP_ON },
	{ "no-new-privileges=true", OPT_NNP_ON },
	{ "no-new-privileges:false", OPT_NNP_OFF },
	{ "no-new-privileges=false", OPT_NNP_OFF },
	{ "seccomp=unconfined", OPT_SECCOMP_OFF },
	{ "seccomp:unconfined", OPT_SECCOMP_OFF },
	{ "seccomp=builtin", OPT_IGNORE },
	{ "systempaths=unconfined", OPT_PATHS_OFF },
	{ "apparmor=unconfined", OPT_IGNORE },
	{ "apparmor:unconfined", OPT_IGNORE },
	{ "label=disable", OPT_IGNORE },
	{ "label:disable", OPT_IGNORE },
};

static int apply_option(struct oci_make *m, const char *text, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if (strcmp(options[i].text, text) != 0)
			continue;
		switch (options[i].does) {
		case OPT_NNP_ON:
			m->security.new_privileges = false;
			break;
		case OPT_NNP_OFF:
			m->security.new_privileges = true;
			break;
		case OPT_SECCOMP_OFF:
			m->security.seccomp_unconfined = true;
			break;
		case OPT_PATHS_OFF:
			m->security.paths_unconfined = true;
			break;
		case OPT_IGNORE:
			break;
		}
		return 0;
	}
	return err_set(e, -EINVAL, "security_opt \"%s\" is not supported", text);
}

int make_security(struct oci_make *m, struct err *e)
{
	int rc = choose_capabilities(m->spec, &m->security.capabilities, e);

	/* A privileged container is meant to be able to do what the machine's root can. */
	m->security.seccomp_unconfined = m->spec->privileged;
	m->security.paths_unconfined = m->spec->privileged;
	m->security.new_privileges = m->spec->privileged;
	for (size_t i = 0; !rc && i < m->spec->security_opt.count; i++)
		rc = apply_option(m, m->spec->security_opt.items[i], e);
	return rc;
}

/* Docker's lists (moby, oci/defaults.go). A path that the kernel does not have is skipped. */
static const char *const masked[] = {
	"/proc/acpi",	    "/proc/asound",	"/proc/interrupts",  "/proc/kcore",
	"/proc/keys",	    "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi",
	"/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware",
};

static const char *const read_only[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

int make_paths(struct oci_make *m, struct err *e)
{
	struct oci_linux *l = m->oci.linux_;

	(void)e;
	if (m->security.paths_unconfined)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(masked); i++)
		if (string_list_add(&l->maskedPaths, masked[i]) < 0)
			return -ENOMEM;
	for (size_t i = 0; i < ARRAY_LEN(read_only); i++)
		if (string_list_add(&l->readonlyPaths, read_only[i]) < 0)
			return -ENOMEM;
	return 0;
}
