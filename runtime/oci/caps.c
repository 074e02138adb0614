#include "oci/caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "spec/capability.h"

static int read_set(const struct string_list *names, uint64_t *out, struct err *e)
{
	*out = 0;
	for (size_t i = 0; i < names->count; i++) {
		int number = capability_number(names->items[i]);

		if (number < 0)
			return err_set(e, -EINVAL, "process.capabilities: unknown capability \"%s\"",
				       names->items[i]);
		*out |= (uint64_t)1 << number;
	}
	return 0;
}

int caps_read(const struct oci_capabilities *from, struct caps *out, struct err *e)
{
	static const struct oci_capabilities none;
	const struct oci_capabilities *c = from ? from : &none;
	const struct {
		const struct string_list *names;
		uint64_t *set;
	} rows[] = {
		{ &c->bounding, &out->bounding },	{ &c->effective, &out->effective },
		{ &c->inheritable, &out->inheritable }, { &c->permitted, &out->permitted },
		{ &c->ambient, &out->ambient },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int rc = read_set(rows[i].names, rows[i].set, e);

		if (rc < 0)
			return rc;
	}
	return 0;
}

int caps_bound(const struct caps *caps, struct err *e)
{
	/* The kernel may know more capabilities than the table does; none of them stays. */
	for (int i = 0; i < 64; i++) {
		if (i < CAPABILITY_COUNT && caps->bounding >> i & 1)
			continue;
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0) {
			if (errno == EINVAL)
				break;
			return err_sys(e, "drop capability %d from the bounding set", i);
		}
	}
	return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ? err_sys(e, "keep capabilities") : 0;
}

static int set_sets(const struct caps *caps)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	for (int half = 0; half < 2; half++) {
		data[half].effective = (uint32_t)(caps->effective >> 32 * half);
		data[half].permitted = (uint32_t)(caps->permitted >> 32 * half);
		data[half].inheritable = (uint32_t)(caps->inheritable >> 32 * half);
	}
	return (int)syscall(SYS_capset, &head, data);
}

int caps_apply(const struct caps *caps, struct err *e)
{
	if (set_sets(caps) < 0)
		return err_sys(e, "set capabilities");
	for (int i = 0; i < CAPABILITY_COUNT; i++)
		if (caps->ambient >> i & 1 &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
			return err_sys(e, "raise ambient capability \"%s\"", capability_name(i));
	return 0;
}
