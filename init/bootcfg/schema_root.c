/* The configuration's top level: what cloud-init's users know, with cloud-init's meaning. */
#include "base/cleanup.h"
#include "bootcfg/network.h"
#include "bootcfg/read.h"
#include "bootcfg/types.h"

/* ---- a row of root_keys each ---- */
static const struct type no_password_login = {
	SCALAR(read_false), .name = "false", .expected = "false (SSH takes keys only)",
};
static const struct type message = {
	SCALAR(read_text), .name = "text", .expected = "a text",
};

static const struct key root_keys[] = {
	/* names */
	{ .name = "hostname", .type = &type_hostname, .normal = "the metadata's, else \"berth\"",
	  .example = "web-1", .help = "The machine's name; behind the first dot its domain." },
	{ .name = "fqdn", .type = &type_hostname, .normal = "hostname, if it has a dot",
	  .example = "web-1.example.org", .help = "The machine's name with its domain." },
	{ .name = "prefer_fqdn_over_hostname", .type = &type_bool, .normal = "false",
	  .example = "true", .help = "Whether the kernel's host name is the one with the domain." },
	{ .name = "manage_etc_hosts", .type = &type_manage_hosts, .normal = "true",
	  .example = "false", .help = "Whether the machine's names are put into /etc/hosts." },

	/* who gets in */
	{ .name = "ssh_authorized_keys", .type = &type_ssh_keys,
	  .normal = "nobody can log in over SSH",
	  .example = "[\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMZ5bCqDnBsgPZPrbFs4cyxbt0ny6nYv7hCp4"
		     "Yhwqk9a me@laptop\"]",
	  .help = "Public keys that may log in as root." },
	{ .name = "users", .type = &type_users, .normal = "root alone",
	  .example = "[default, {name: core, groups: [docker]}]",
	  .help = "Users besides root (\"default\")." },
	{ .name = "groups", .type = &type_groups, .normal = "none",
	  .example = "[staff, {ops: [core]}]", .help = "Groups, perhaps with their users." },
	{ .name = "disable_root", .type = &type_bool, .normal = "false", .example = "true",
	  .help = "Whether root may not log in over SSH. Needs a user who can." },
	{ .name = "chpasswd", .type = &type_chpasswd, .normal = "no passwords",
	  .example = "{expire: false}", .help = "Passwords of the console, as hashes." },
	{ .name = "ssh_pwauth", .type = &no_password_login, .normal = "false", .example = "false",
	  .help = "That SSH takes no passwords." },
	{ .name = "ssh_keys", .type = &type_host_keys, .normal = "made at the first boot, and kept",
	  .example = "{}", .help = "The keys that the machine shows to who logs in." },
	{ .name = "ssh", .type = &type_ssh, .normal = "what its keys say",
	  .example = "{emit_keys_to_console: false}",
	  .help = "Settings of SSH." },

	/* files, commands */
	{ .name = "write_files", .type = &type_files, .normal = "none",
	  .example = "[{path: /etc/motd.local, content: \"hello\\n\"}]",
	  .help = "Files that are written at every boot, before the services start." },
	{ .name = "bootcmd", .type = &type_commands, .normal = "none",
	  .example = "[\"echo early > /dev/kmsg\", [mkdir, -p, /var/lib/app]]",
	  .help = "Commands at every boot, before network and containers start; two minutes at "
		  "most. $INSTANCE_ID is set." },
	{ .name = "runcmd", .type = &type_commands, .normal = "none",
	  .example = "[\"echo once >> /var/lib/app.log\"]",
	  .help = "Commands once in the life of an instance, when everything else has started." },
	{ .name = "final_message", .type = &message, .normal = "none",
	  .example = "\"up after $uptime s\"",
	  .help = "Said on the console at the end of a boot; $uptime, $timestamp, $version and "
		  "$datasource are filled in." },
	{ .name = "phone_home", .type = &type_phone_home, .normal = "nobody is told",
	  .example = "{url: \"https://example.org/$INSTANCE_ID\"}",
	  .help = "A call at the first boot of an instance." },
	{ .name = "power_state", .type = &type_power_state, .normal = "the machine stays on",
	  .example = "{mode: poweroff, delay: 5}",
	  .help = "How the first boot of an instance ends." },

	/* the host */
	{ .name = "timezone", .type = &type_timezone, .normal = "UTC", .example = "Europe/Berlin",
	  .help = "The time zone that the host shows." },
	{ .name = "ntp", .type = &type_ntp, .normal = "pool.ntp.org",
	  .example = "{servers: [192.0.2.1]}", .help = "Where the time comes from." },
	{ .name = "ca_certs", .type = &type_ca_certs, .normal = "Mozilla's", .example = "{}",
	  .help = "Whom the host trusts when it fetches something over TLS." },
	{ .name = "network", .type = &type_network, .normal = "DHCP on every wired link",
	  .example = "{version: 2, ethernets: {eth0: {dhcp4: true}}}",
	  .help = "The network, as netplan writes it." },

	/* disks */
	{ .name = "device_aliases", .type = &type_device_aliases, .normal = "none",
	  .example = "{data: /dev/vdb}", .help = "Short names of disks, for disk_setup and fs_setup." },
	{ .name = "disk_setup", .type = &type_disk_setup, .normal = "no disk is touched",
	  .example = "{/dev/vdb: {layout: true}}",
	  .help = "Partitions of further disks. Only empty ones, unless overwrite is said." },
	{ .name = "fs_setup", .type = &type_fs_setup, .normal = "none",
	  .example = "[{device: /dev/vdb, partition: 1, filesystem: ext4, label: data}]",
	  .help = "File systems on further disks. Only where nothing is, unless overwrite is said." },
	{ .name = "mounts", .type = &type_mounts, .normal = "none",
	  .example = "[[LABEL=data, /srv], [/dev/vdc, none, swap]]",
	  .help = "Mounts, in the fields of fstab(5)." },
	{ .name = "mount_default_fields", .type = &type_mount_defaults,
	  .normal = "[null, null, auto, \"defaults,nofail\", \"0\", \"2\"]",
	  .example = "[null, null, ext4, \"noatime,nofail\", \"0\", \"2\"]",
	  .help = "What stands for the fields that a mount leaves out." },
	{ .name = "swap", .type = &type_swap, .normal = "none", .example = "{size: 512M}",
	  .help = "A swap file on the data partition." },
	{ .name = "growpart", .type = &type_growpart, .normal = "the data partition grows",
	  .example = "{mode: auto}", .help = "How the data partition grows with its disk." },

	/* containers */
	{ .name = "containers", .type = &type_containers, .normal = "none",
	  .example = "{web: {image: nginx, ports: [\"80:80\"]}}",
	  .help = "Containers that run, by name, with the keys of a Compose service." },
	{ .name = "volumes", .type = &type_volume_names, .normal = "made when a container names them",
	  .example = "{data: {name: app-data}}", .help = "Names of volumes." },
	{ .name = "configs", .type = &type_configs, .normal = "none",
	  .example = "{site: {content: \"listen 80\\n\"}}",
	  .help = "Files for containers, which name them in their own configs." },
	{ .name = "secrets", .type = &type_configs, .normal = "none",
	  .example = "{token: {content: \"s3cret\"}}",
	  .help = "The same for what is secret: in /run/secrets of a container." },
	{ .name = "networks", .refused = "not supported yet: containers share the host's bridge" },
	{ .name = "services", .refused = "containers are declared under \"containers\", with the "
					 "same keys as Compose's services" },

	{ .name = "berth", .type = &type_berth, .normal = "nothing",
	  .example = "{update: {hold: 1m}}", .help = "Berth's own settings." },
	{ .name = "ca-certs", .refused = "this is the old spelling: write \"ca_certs\"" },
};

static const struct type type_instance = {
	.kind = TYPE_SCALAR, .name = "text", .read = read_text, .expected = "a text",
};

#define NEVER "not supported, ignored: "

/* cloud-init's keys that Berth does not have: one warning each, the rest goes on. All that its
 * schema-cloud-config-v1.json names at the top level, up to 25.1. */
static const struct key foreign_keys[] = {
	{ .name = "allow_public_ssh_keys",
	  .refused = NEVER "keys of the metadata are always taken" },
	{ .name = "ansible", .refused = NEVER "use a container" },
	{ .name = "apk_repos", .refused = NEVER "Berth has no packages; use a container" },
	{ .name = "apt", .refused = NEVER "Berth has no packages; use a container" },
	{ .name = "apt_pipelining", .refused = NEVER "Berth has no packages; use a container" },
	{ .name = "apt_reboot_if_required",
	  .refused = NEVER "Berth has no packages; berth.update restarts after updates" },
	{ .name = "apt_update", .refused = NEVER "Berth has no packages; use a container" },
	{ .name = "apt_upgrade", .refused = NEVER "Berth has no packages; the image is updated" },
	{ .name = "authkey_hash", .refused = NEVER "fingerprints are SHA-256" },
	{ .name = "autoinstall", .refused = NEVER "\"berth install\" puts Berth on a disk" },
	{ .name = "byobu_by_default", .refused = NEVER "Berth has no byobu" },
	{ .name = "chef", .refused = NEVER "use a container" },
	{ .name = "cloud_config_modules", .refused = NEVER "the order of a boot is fixed" },
	{ .name = "cloud_final_modules", .refused = NEVER "the order of a boot is fixed" },
	{ .name = "cloud_init_modules", .refused = NEVER "the order of a boot is fixed" },
	{ .name = "create_hostname_file", .refused = NEVER "/etc/hostname is always written" },
	{ .name = "datasource", .refused = NEVER "Berth finds its sources itself" },
	{ .name = "datasource_list", .refused = NEVER "Berth finds its sources itself" },
	{ .name = "disable_ec2_metadata", .refused = NEVER "block it with the host's firewall" },
	{ .name = "disable_root_opts", .refused = NEVER "disable_root leaves root's keys out" },
	{ .name = "drivers", .refused = NEVER "every driver is in the kernel" },
	{ .name = "fan", .refused = NEVER "Berth has no fan networking" },
	{ .name = "grub-dpkg", .refused = NEVER "the loader is the image's" },
	{ .name = "grub_dpkg", .refused = NEVER "the loader is the image's" },
	{ .name = "keyboard", .refused = NEVER "the console's keyboard is US" },
	{ .name = "landscape", .refused = NEVER "use a container" },
	{ .name = "launch-index", .refused = NEVER "the text is for this machine" },
	{ .name = "locale", .refused = NEVER "the host speaks the C locale" },
	{ .name = "locale_configfile", .refused = NEVER "the host speaks the C locale" },
	{ .name = "lxd", .refused = NEVER "Berth runs OCI containers" },
	{ .name = "manage_resolv_conf", .refused = NEVER "use nameservers in network" },
	{ .name = "mcollective", .refused = NEVER "use a container" },
	{ .name = "merge_how", .refused = NEVER "there is one way to merge" },
	{ .name = "merge_type", .refused = NEVER "there is one way to merge" },
	{ .name = "migrate", .refused = NEVER "there is nothing to migrate" },
	{ .name = "no_ssh_fingerprints", .refused = NEVER "no fingerprints are shown" },
	{ .name = "output", .refused = NEVER "what commands say is in the log of their service" },
	{ .name = "package_reboot_if_required",
	  .refused = NEVER "Berth has no packages; berth.update restarts after updates" },
	{ .name = "package_update", .refused = NEVER "Berth has no packages; use a container" },
	{ .name = "package_upgrade",
	  .refused = NEVER "Berth has no packages; the image is updated" },
	{ .name = "packages", .refused = NEVER "Berth has no packages; use a container" },
	{ .name = "password", .refused = NEVER "passwords are taken as hashes only: use chpasswd" },
	{ .name = "preserve_hostname", .refused = NEVER "the name is set at every boot" },
	{ .name = "puppet", .refused = NEVER "use a container" },
	{ .name = "random_seed", .refused = NEVER "the seed is kept from boot to boot" },
	{ .name = "reporting", .refused = NEVER "use phone_home" },
	{ .name = "resize_rootfs",
	  .refused = NEVER "the data partition always grows with the disk" },
	{ .name = "resolv_conf", .refused = NEVER "use nameservers in network" },
	{ .name = "rh_subscription", .refused = NEVER "Berth has no packages" },
	{ .name = "rpi", .refused = NEVER "Berth runs on PCs" },
	{ .name = "rsyslog", .refused = NEVER "a container can forward logs" },
	{ .name = "salt_minion", .refused = NEVER "use a container" },
	{ .name = "snap", .refused = NEVER "Berth has no packages; use a container" },
	{ .name = "spacewalk", .refused = NEVER "Berth has no packages" },
	{ .name = "ssh_deletekeys",
	  .refused = NEVER "the host key is made once and kept; use ssh_keys" },
	{ .name = "ssh_fp_console_blacklist", .refused = NEVER "no fingerprints are shown" },
	{ .name = "ssh_genkeytypes", .refused = NEVER "the host key is Ed25519" },
	{ .name = "ssh_import_id",
	  .refused = NEVER "nobody else's server decides who logs in; use ssh_authorized_keys" },
	{ .name = "ssh_key_console_blacklist", .refused = NEVER "the console shows no host keys" },
	{ .name = "ssh_publish_hostkeys", .refused = NEVER "phone_home sends the host key" },
	{ .name = "ssh_quiet_keygen", .refused = NEVER "making keys says nothing anyway" },
	{ .name = "system_info", .refused = NEVER "it describes distributions" },
	{ .name = "ubuntu_advantage", .refused = NEVER "Berth has no packages" },
	{ .name = "ubuntu_pro", .refused = NEVER "Berth has no packages" },
	{ .name = "updates", .refused = NEVER "there is no hot-plug of networks" },
	{ .name = "user", .refused = NEVER "the default user is root; use users" },
	{ .name = "vendor_data",
	  .refused = NEVER "vendor-data is read wherever the source has it" },
	{ .name = "wireguard", .refused = NEVER "use network" },
	{ .name = "yum_repo_dir", .refused = NEVER "Berth has no packages; use a container" },
	{ .name = "yum_repos", .refused = NEVER "Berth has no packages; use a container" },
	{ .name = "zypper", .refused = NEVER "Berth has no packages; use a container" },
	{ .name = "include", .refused = NEVER "there is no file beside this one (Compose's key)" },
	{ .name = "name", .refused = NEVER "there is one project, the host (Compose's key)" },
	{ .name = "version", .refused = NEVER "it means nothing in Compose either" },
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

static void finish_root(struct walk *w, const struct node *n, yyjson_mut_val *root)
{
	compose_finish(w, n, root);
}

const struct type schema_root = {
	.kind = TYPE_OBJECT, .name = "configuration", .keys = root_keys,
	.key_count = ARRAY_LEN(root_keys), .extensions = true,
	.expected = "a mapping of keys such as \"hostname: berth\"",
	.finish = finish_root, .foreign = foreign_keys, .foreign_count = ARRAY_LEN(foreign_keys),
};
