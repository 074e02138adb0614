/* The configuration's top level: what cloud-init's users know, with cloud-init's meaning. */
#include "base/cleanup.h"
#include "bootcfg/network.h"
#include "bootcfg/read.h"
#include "bootcfg/types.h"

static const struct key root_keys[] = {
	{ .name = "hostname", .type = &type_hostname, .normal = "the metadata's, else \"berth\"",
	  .example = "web-1", .help = "The machine's name." },
	{ .name = "ssh_authorized_keys", .type = &type_ssh_keys, .normal = "nobody can log in over SSH",
	  .example = "[\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMZ5bCqDnBsgPZPrbFs4cyxbt0ny6nYv7hCp4"
		     "Yhwqk9a me@laptop\"]",
	  .help = "Public keys that may log in as root." },
	{ .name = "write_files", .type = &type_files, .normal = "none",
	  .example = "[{path: /etc/motd.local, content: \"hello\\n\"}]",
	  .help = "Files that are written at every boot, before the services start." },
	{ .name = "ntp", .type = &type_ntp, .normal = "pool.ntp.org", .example = "{servers: [192.0.2.1]}",
	  .help = "Where the time comes from." },
	{ .name = "network", .type = &type_network, .normal = "DHCP on every wired link",
	  .example = "{version: 2, ethernets: {eth0: {dhcp4: true}}}",
	  .help = "The network, as netplan writes it." },
	{ .name = "containers", .type = &type_containers, .normal = "none",
	  .example = "{web: {image: nginx, ports: [\"80:80\"]}}",
	  .help = "Containers that run, by name, with the keys of a Compose service." },
	{ .name = "berth", .type = &type_berth, .normal = "nothing",
	  .example = "{update: {hold: 1m}}", .help = "Berth's own settings." },
	{ .name = "services", .refused = "containers are declared under \"containers\", with the "
					 "same keys as Compose's services" },
};

static const struct type type_instance = {
	.kind = TYPE_SCALAR, .name = "text", .read = read_text, .expected = "a text",
};

#define LATER "not supported yet, ignored: "
#define NEVER "not supported, ignored: "

/* cloud-init's keys that Berth does not have: one warning each, the rest goes on. */
static const struct key foreign_keys[] = {
	{ .name = "apt", .refused = NEVER "Berth has no packages; use a container" },
	{ .name = "bootcmd", .refused = LATER "use a container" },
	{ .name = "ca_certs", .refused = LATER "give certificates to the container that needs them" },
	{ .name = "chpasswd", .refused = NEVER "there are no passwords, use ssh_authorized_keys" },
	{ .name = "disable_root", .refused = NEVER "root is Berth's one account" },
	{ .name = "disk_setup", .refused = LATER "the data partition is set up by itself" },
	{ .name = "final_message", .refused = LATER "the console says when it is ready" },
	{ .name = "fqdn", .refused = LATER "use hostname" },
	{ .name = "fs_setup", .refused = LATER "the data partition is set up by itself" },
	{ .name = "growpart", .refused = NEVER "the data partition always grows with the disk" },
	{ .name = "groups", .refused = NEVER "root is Berth's one account" },
	{ .name = "keyboard", .refused = NEVER "the console's keyboard is US" },
	{ .name = "locale", .refused = NEVER "the host speaks the C locale" },
	{ .name = "manage_etc_hosts", .refused = NEVER "/etc/hosts is always written" },
	{ .name = "mounts", .refused = LATER "named volumes lie on the data partition" },
	{ .name = "package_update", .refused = NEVER "Berth has no packages; use a container" },
	{ .name = "package_upgrade", .refused = NEVER "Berth has no packages; the image is updated" },
	{ .name = "packages", .refused = NEVER "Berth has no packages; use a container" },
	{ .name = "password", .refused = NEVER "there are no passwords, use ssh_authorized_keys" },
	{ .name = "phone_home", .refused = LATER "nothing is sent" },
	{ .name = "power_state", .refused = LATER "the machine stays on" },
	{ .name = "preserve_hostname", .refused = NEVER "the name is set at every boot" },
	{ .name = "resize_rootfs", .refused = NEVER "the data partition always grows with the disk" },
	{ .name = "resolv_conf", .refused = LATER "name servers come from DHCP" },
	{ .name = "rsyslog", .refused = LATER "logs stay on the machine" },
	{ .name = "runcmd", .refused = LATER "use a container" },
	{ .name = "ssh", .refused = LATER "SSH takes keys only, and root's" },
	{ .name = "ssh_deletekeys", .refused = NEVER "the host key is made once and kept" },
	{ .name = "ssh_genkeytypes", .refused = NEVER "the host key is Ed25519" },
	{ .name = "ssh_import_id", .refused = LATER "use ssh_authorized_keys" },
	{ .name = "ssh_keys", .refused = LATER "the host key is made once and kept" },
	{ .name = "ssh_pwauth", .refused = NEVER "SSH takes keys only" },
	{ .name = "swap", .refused = LATER "there is no swap" },
	{ .name = "timezone", .refused = LATER "the host's clock shows UTC" },
	{ .name = "user", .refused = NEVER "root is Berth's one account" },
	{ .name = "users", .refused = LATER "root is Berth's one account; put the keys into "
				      "ssh_authorized_keys" },
	{ .name = "yum_repos", .refused = NEVER "Berth has no packages; use a container" },
};

/* NoCloud's meta-data; what else is in it belongs to the one who made the disk. */
static const struct key meta_keys[] = {
	{ .name = "local-hostname", .json = "hostname", .type = &type_hostname, .normal = "none",
	  .example = "web-1", .help = "The machine's name, if user-data has none." },
	{ .name = "instance-id", .json = "instance_id", .type = &type_instance, .normal = "none",
	  .example = "iid-1", .help = "Changes when the disk is for another machine." },
	{ .name = "public-keys", .json = "ssh_authorized_keys", .type = &type_ssh_keys,
	  .normal = "none", .example = "[]",
	  .help = "Public keys that may log in as root." },
};

const struct type schema_meta = {
	.kind = TYPE_OBJECT, .name = "metadata", .keys = meta_keys,
	.key_count = ARRAY_LEN(meta_keys), .open = true, .expected = "a mapping",
};

const struct type schema_root = {
	.kind = TYPE_OBJECT, .name = "configuration", .keys = root_keys,
	.key_count = ARRAY_LEN(root_keys), .extensions = true,
	.expected = "a mapping of keys such as \"hostname: berth\"",
	.foreign = foreign_keys, .foreign_count = ARRAY_LEN(foreign_keys),
};
