/* What the firmware says about the machine (SMBIOS, by /sys/class/dmi/id), and the cloud that this
 * means, so that no machine waits for a metadata service that is not there. */
#pragma once

enum { DMI_TEXT_MAX = 256 };

enum platform {
	PLATFORM_NONE,
	PLATFORM_EC2,
	PLATFORM_OPENSTACK,
	PLATFORM_GCP,
	PLATFORM_AZURE,
	PLATFORM_DIGITALOCEAN,
	PLATFORM_HETZNER,
	PLATFORM_VULTR,
	PLATFORM_VMWARE,
};

struct dmi {
	char vendor[DMI_TEXT_MAX], product[DMI_TEXT_MAX], serial[DMI_TEXT_MAX];
	char uuid[DMI_TEXT_MAX], bios[DMI_TEXT_MAX], chassis_tag[DMI_TEXT_MAX];
};

/* What the firmware does not say stays empty. `dir`: an fd of /sys/class/dmi/id. */
void dmi_read_at(int dir, struct dmi *out);
void dmi_read(struct dmi *out);

enum platform dmi_platform(const struct dmi *d);
