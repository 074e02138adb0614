#include "oci/caps.h"

#include <errno.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>

#include "base/cleanup.h"
#include "oci/report.h"

static void free_caps(cap_t *caps)
{
	cap_free(*caps);
}

#define autocaps __attribute__((cleanup(free_caps)))

/* Everything the kernel knows, or what this process may hand on. */
static int find_limit(bool all_rights, uint64_t *out, struct err *e)
{
	autocaps cap_t own = all_rights ? NULL : cap_get_proc();

	*out = 0;
	if (!all_rights && !own)
		return err_sys(e, "read the runtime's own capabilities");
	for (cap_value_t i = 0; i < cap_max_bits() && i < 64; i++) {
		cap_flag_value_t has = CAP_SET;

		if (own && (cap_get_flag(own, i, CAP_PERMITTED, &has) < 0 ||
			    cap_get_bound(i) != CAP_SET))
			has = CAP_CLEAR;
		if (has == CAP_SET)
			*out |= (uint64_t)1 << i;
	}
	return 0;
}

/* -1: no such name. cap_from_name() takes bare numbers too, which are not the specification's. */
static int find_number(const char *name)
{
	cap_value_t number;

	if (strncmp(name, "CAP_", 4) != 0 || cap_from_name(name, &number) < 0 || number > 63)
		return -1;
	return number;
}

static uint64_t read_set(const struct string_list *names, uint64_t limit, uint64_t *warned)
{
	uint64_t set = 0;

	for (size_t i = 0; i < names->count; i++) {
		int number = find_number(names->items[i]);
		uint64_t bit = number < 0 ? 0 : (uint64_t)1 << number;

		set |= bit & limit;
		if (!bit)
			report_warn("process.capabilities: unknown capability \"%s\" is left out",
				    names->items[i]);
		else if (!(bit & (limit | *warned)))
			report_warn("process.capabilities: \"%s\" cannot be granted here and is "
				    "left out",
				    names->items[i]);
		*warned |= bit & ~limit;
	}
	return set;
}

/* The kernel's own rules between the sets, which would make capset refuse all of them. */
static void trim(const char *name, uint64_t *set, uint64_t allowed, const char *by)
{
	if (*set & ~allowed)
		report_warn("process.capabilities.%s: leaves out what is not %s as well", name, by);
	*set &= allowed;
}

int caps_read(const struct oci_capabilities *from, bool all_rights, struct caps *out,
	      struct err *e)
{
	static const struct oci_capabilities none;
	const struct oci_capabilities *c = from ? from : &none;
	uint64_t limit, warned = 0;
	int rc = find_limit(all_rights, &limit, e);

	if (rc < 0)
		return rc;
	*out = (struct caps){
		.bounding = read_set(&c->bounding, limit, &warned),
		.effective = read_set(&c->effective, limit, &warned),
		.inheritable = read_set(&c->inheritable, limit, &warned),
		.permitted = read_set(&c->permitted, limit, &warned),
		.ambient = read_set(&c->ambient, limit, &warned),
	};
	trim("effective", &out->effective, out->permitted, "permitted");
	trim("inheritable", &out->inheritable, out->bounding, "bounding");
	trim("ambient", &out->ambient, out->permitted & out->inheritable,
	     "permitted and inheritable");
	return 0;
}

int caps_bound(const struct caps *caps, struct err *e)
{
	for (cap_value_t i = 0; i < cap_max_bits(); i++)
		if (!(i < 64 && caps->bounding >> i & 1) && cap_drop_bound(i) < 0)
			return err_sys(e, "drop capability %d from the bounding set", i);
	return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ? err_sys(e, "keep capabilities") : 0;
}

static int fill(cap_t to, cap_flag_t flag, uint64_t set)
{
	int rc = 0;

	for (cap_value_t i = 0; !rc && i < cap_max_bits() && i < 64; i++)
		if (set >> i & 1)
			rc = cap_set_flag(to, flag, 1, &i, CAP_SET);
	return rc;
}

int caps_apply(const struct caps *caps, struct err *e)
{
	autocaps cap_t to = cap_init();

	if (!to || fill(to, CAP_EFFECTIVE, caps->effective) < 0 ||
	    fill(to, CAP_PERMITTED, caps->permitted) < 0 ||
	    fill(to, CAP_INHERITABLE, caps->inheritable) < 0 || cap_set_proc(to) < 0)
		return err_sys(e, "set capabilities");
	for (cap_value_t i = 0; i < cap_max_bits() && i < 64; i++)
		if (caps->ambient >> i & 1 && cap_set_ambient(i, CAP_SET) < 0)
			return err_sys(e, "raise ambient capability %d", i);
	return 0;
}
