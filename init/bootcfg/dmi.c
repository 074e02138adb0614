#include "bootcfg/dmi.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/cleanup.h"

#define FIELD(name) offsetof(struct dmi, name)

static const struct {
	const char *file;
	size_t at;
} fields[] = {
	{ "sys_vendor", FIELD(vendor) },	    { "product_name", FIELD(product) },
	{ "product_serial", FIELD(serial) },	    { "product_uuid", FIELD(uuid) },
	{ "bios_vendor", FIELD(bios) },		    { "chassis_asset_tag", FIELD(chassis_tag) },
};

/* How each provider says that it can be told by; compared up to the row's length where `prefix`. */
static const struct {
	size_t at;
	const char *text;
	enum platform is;
	int prefix;
} rows[] = {
	{ FIELD(vendor), "Amazon EC2", PLATFORM_EC2, 0 },
	{ FIELD(bios), "Amazon EC2", PLATFORM_EC2, 0 },
	{ FIELD(product), "Google Compute Engine", PLATFORM_GCP, 0 },
	{ FIELD(chassis_tag), "7783-7084-3265-9085-8269-3286-77", PLATFORM_AZURE, 0 },
	{ FIELD(vendor), "DigitalOcean", PLATFORM_DIGITALOCEAN, 0 },
	{ FIELD(vendor), "Hetzner", PLATFORM_HETZNER, 0 },
	{ FIELD(vendor), "Vultr", PLATFORM_VULTR, 0 },
	{ FIELD(product), "OpenStack Nova", PLATFORM_OPENSTACK, 0 },
	{ FIELD(product), "OpenStack Compute", PLATFORM_OPENSTACK, 0 },
	{ FIELD(chassis_tag), "OpenStack Nova", PLATFORM_OPENSTACK, 0 },
	{ FIELD(chassis_tag), "OpenStack Compute", PLATFORM_OPENSTACK, 0 },
	{ FIELD(chassis_tag), "OpenTelekomCloud", PLATFORM_OPENSTACK, 0 },
	{ FIELD(chassis_tag), "SAP CCloud VM", PLATFORM_OPENSTACK, 0 },
	{ FIELD(chassis_tag), "HUAWEICLOUD", PLATFORM_OPENSTACK, 0 },
	{ FIELD(vendor), "VMware", PLATFORM_VMWARE, 1 },
	/* Amazon's older, Xen machines: both begin with it. */
	{ FIELD(serial), "ec2", PLATFORM_EC2, 1 },
};

void dmi_read_at(int dir, struct dmi *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		char *text = (char *)out + fields[i].at;
		autoclose int fd = openat(dir, fields[i].file, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? 0 : read(fd, text, DMI_TEXT_MAX - 1);

		while (n > 0 && strchr(" \n", text[n - 1]))
			n--;
		text[n > 0 ? n : 0] = '\0';
	}
}

void dmi_read(struct dmi *out)
{
	autoclose int dir = open("/sys/class/dmi/id", O_PATH | O_DIRECTORY | O_CLOEXEC);

	dmi_read_at(dir, out);
}

enum platform dmi_platform(const struct dmi *d)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *text = (const char *)d + rows[i].at;
		size_t len = strlen(rows[i].text) + !rows[i].prefix;

		if (strncasecmp(text, rows[i].text, len) == 0 &&
		    (rows[i].at != FIELD(serial) || strncasecmp(d->uuid, rows[i].text, len) == 0))
			return rows[i].is;
	}
	return PLATFORM_NONE;
}
