/* Disks besides Berth's own: partition tables, file systems, mounts, swap (cloud-init's modules
 * disk-setup, mounts, growpart). */
#include <string.h>

#include "base/cleanup.h"
#include "bootcfg/read.h"
#include "bootcfg/types.h"

static const struct type text = { SCALAR(read_text), .name = "text", .expected = "a text" };
static const struct type device = {
	SCALAR(read_text), .name = "device", .check = check_device,
	.expected = "a device such as \"/dev/vdb1\", \"LABEL=data\" or an alias with \".1\" behind",
};
static const struct type disk_path = {
	SCALAR(read_text), .name = "disk", .check = check_dev_path,
	.expected = "a disk such as \"/dev/vdb\"",
};

/* ---- disk_setup ---- */
static const char *const tables[] = { "gpt", "mbr", NULL };
static const struct type table = {
	SCALAR(read_text), .name = "kind of partition table", .words = tables,
	.expected = "\"gpt\" (\"mbr\" is written as a GPT too)",
};
static const struct type layout = {
	SCALAR(read_layout), .name = "layout", .read_list = read_layout,
	.expected = "true (one partition), false (none), or a list of percentages such as [33, 67]",
};
static const struct key disk_keys[] = {
	{ .name = "table_type", .type = &table, .normal = "gpt", .example = "gpt",
	  .help = "The kind of table." },
	{ .name = "layout", .type = &layout, .normal = "false", .example = "[50, 50]",
	  .help = "The partitions, in percent of the disk." },
	{ .name = "overwrite", .type = &type_bool, .normal = "false", .example = "true",
	  .help = "Whether a disk that is not empty is partitioned anew: once for each instance." },
};
static const struct type disk = {
	OBJECT(disk_keys), .name = "disk", .atomic = true,
	.expected = "a mapping with \"layout\"",
};
const struct type type_disk_setup = {
	.kind = TYPE_MAP, .name = "disks by name", .item = &disk, .list_key = "device",
	.check = check_device, .count_max = 32,
	.expected = "a mapping of disks such as \"/dev/vdb: {layout: true}\"",
};
const struct type type_device_aliases = {
	.kind = TYPE_MAP, .name = "disks by alias", .item = &disk_path, .check = check_user_name,
	.count_max = 32, .expected = "a mapping such as \"data: /dev/vdb\"",
};

/* ---- fs_setup ---- */
static const char *const filesystems[] = { "ext4", "swap", NULL };
static const struct type filesystem = {
	SCALAR(read_text), .name = "file system", .words = filesystems,
	.expected = "\"ext4\" or \"swap\"",
};
static const struct type label = {
	SCALAR(read_text), .name = "label", .check = check_fs_label,
	.expected = "a label of 1 to 16 characters",
};
static const struct type partition = {
	SCALAR(read_partition), .name = "partition",
	.expected = "a partition's number, \"auto\", \"any\" or \"none\"",
};
static const struct key fs_keys[] = {
	{ .name = "device", .type = &device, .required = true, .example = "/dev/vdb",
	  .help = "The disk or the partition." },
	{ .name = "filesystem", .type = &filesystem, .required = true, .example = "ext4",
	  .help = "What is made on it." },
	{ .name = "label", .type = &label, .normal = "none", .example = "data",
	  .help = "The label, by which mounts may name it." },
	{ .name = "partition", .type = &partition, .normal = "none: the device as it is",
	  .example = "1", .help = "The partition of the disk; auto: the first one, or the disk if it "
				  "has none; any: the one that has this file system already." },
	{ .name = "overwrite", .type = &type_bool, .normal = "false", .example = "true",
	  .help = "Whether data that is there is lost: once for each instance." },
	{ .name = "extra_opts", .refused = "not supported: the file system is made as Berth's own "
					   "is; leave this key out" },
	{ .name = "cmd", .refused = "not supported: use bootcmd" },
	{ .name = "replace_fs", .refused = "not supported: use overwrite" },
};
static const struct type fs = {
	OBJECT(fs_keys), .name = "file system", .atomic = true,
	.expected = "a mapping with \"device\" and \"filesystem\"",
};
const struct type type_fs_setup = {
	.kind = TYPE_LIST, .name = "list of file systems", .item = &fs, .count_max = 32,
	.expected = "a list of file systems",
};

/* ---- mounts ---- */
static const struct type fields = {
	.kind = TYPE_LIST, .name = "mount", .item = &text, .count_max = 6, .finish = finish_mount,
	.atomic = true,
	.expected = "a list such as [LABEL=data, /srv, ext4, \"defaults,nofail\"]",
};
const struct type type_mounts = {
	.kind = TYPE_LIST, .name = "list of mounts", .item = &fields, .count_max = 64,
	.expected = "a list of mounts such as [LABEL=data, /srv]",
};
const struct type type_mount_defaults = {
	SCALAR(NULL), .name = "six fields", .read_list = read_mount_defaults,
	.expected = "a list of the six fields of a mount, null for none",
};

/* ---- swap ---- */
static const struct type swap_size = {
	SCALAR(read_swap_size), .name = "byte size", .min = 1024 * 1024,
	.expected = "a byte size of a megabyte at least such as \"1G\", or \"auto\"",
};
static const struct type swap_max = {
	SCALAR(read_bytes), .name = "byte size", .min = 1024 * 1024,
	.expected = "a byte size such as \"1G\"",
};
static const struct type swap_path = {
	SCALAR(read_text), .name = "path", .check = check_swap_path,
	.expected = "a path below /var such as \"/var/swap.img\"",
};
static const struct key swap_keys[] = {
	{ .name = "filename", .type = &swap_path, .normal = "/var/swap.img",
	  .example = "/var/swap.img", .help = "The file, on the data partition." },
	{ .name = "size", .type = &swap_size, .normal = "none: there is no swap file",
	  .example = "512M", .help = "Its size; auto: as the memory is, an eighth of the room at most." },
	{ .name = "maxsize", .type = &swap_max, .normal = "none", .example = "2G",
	  .help = "What auto does not go beyond." },
};
const struct type type_swap = {
	OBJECT(swap_keys), .name = "swap file", .atomic = true, .expected = "a mapping with \"size\"",
};

/* ---- growpart ---- */
static const char *const grow_modes[] = { "auto", "growpart", NULL };
static const struct type grow_mode = {
	SCALAR(read_text), .name = "mode", .words = grow_modes,
	.expected = "\"auto\" (the data partition always grows with its disk)",
};
static const char *const grow_paths[] = { "/", "/var", NULL };
static const struct type grow_path = {
	SCALAR(read_text), .name = "path", .words = grow_paths,
	.expected = "\"/\" (the data partition is the one that grows)",
};
static const struct type grow_devices = {
	.kind = TYPE_LIST, .name = "list of paths", .item = &grow_path, .single = true,
	.expected = "[\"/\"]",
};
static const struct key grow_keys[] = {
	{ .name = "mode", .type = &grow_mode, .normal = "auto", .example = "auto",
	  .help = "That the data partition grows with its disk, which it always does." },
	{ .name = "devices", .type = &grow_devices, .normal = "[\"/\"]", .example = "[\"/\"]",
	  .help = "What grows." },
	{ .name = "ignore_growroot_disabled", .type = &type_bool, .normal = "false",
	  .example = "false", .help = "Nothing disables it here, so it means nothing." },
};
const struct type type_growpart = {
	OBJECT(grow_keys), .name = "growing", .expected = "a mapping with \"mode: auto\"",
};
