/* What a container may use: devices, limits, shares. */
#include "base/cleanup.h"
#include "bootcfg/read.h"
#include "bootcfg/types.h"

const struct type type_pids = {
	SCALAR(read_int), .name = "integer", .min = -1, .max = 4194304,
	.expected = "a number of processes up to 4194304, or -1 for no limit",
};
const struct type type_cpus = {
	SCALAR(read_cpus), .name = "number of processors",
	.expected = "a number of processors such as \"0.5\"",
};
static const struct type io_weight = {
	SCALAR(read_int), .name = "integer", .min = 10, .max = 1000,
	.expected = "a weight from 10 to 1000",
};
static const struct type operations = {
	SCALAR(read_int), .name = "integer", .min = 1, .max = INT64_MAX,
	.expected = "a number of operations per second",
};
static const struct type limit = {
	SCALAR(read_int), .name = "integer", .min = -1, .max = INT64_MAX,
	.expected = "a number, or -1 for no limit",
};

/* ---- devices ---- */
static const struct type rights = {
	SCALAR(read_text), .name = "rights", .expected = "of \"r\", \"w\" and \"m\"",
	.check = check_not_empty,
};
static const struct key device_keys[] = {
	{ .name = "source", .type = &type_path, .required = true, .example = "/dev/ttyUSB0",
	  .help = "The host's device." },
	{ .name = "target", .type = &type_path, .normal = "the same path",
	  .example = "/dev/ttyUSB0", .help = "Its path in the container." },
	{ .name = "permissions", .type = &rights, .normal = "rwm", .example = "rw",
	  .help = "Read, write, make nodes." },
};
static const struct type device = {
	OBJECT(device_keys), .name = "device", .read = read_device,
	.expected = "a device such as \"/dev/ttyUSB0\" or \"/dev/sda:/dev/xvda:r\"",
};
const struct type type_devices = {
	.kind = TYPE_LIST, .name = "list of devices", .item = &device,
	.expected = "a list of devices such as \"/dev/ttyUSB0\"",
};

/* ---- limits ---- */
static const struct key ulimit_keys[] = {
	{ .name = "soft", .type = &limit, .required = true, .example = "1024",
	  .help = "The limit." },
	{ .name = "hard", .type = &limit, .required = true, .example = "4096",
	  .help = "How far the container may raise it." },
};
static const struct type ulimit = {
	OBJECT(ulimit_keys), .name = "limit", .read = read_ulimit,
	.expected = "a number, or a mapping with \"soft\" and \"hard\"",
};
const struct type type_ulimits = {
	.kind = TYPE_MAP, .name = "limits by name", .item = &ulimit, .check = check_ulimit_name,
	.list_key = "name", .expected = "a mapping such as \"nofile: 65536\"",
};
static const struct key byte_rate_keys[] = {
	{ .name = "path", .type = &type_path, .required = true, .example = "/dev/sda",
	  .help = "The host's block device." },
	{ .name = "rate", .type = &type_bytes, .required = true, .example = "10m",
	  .help = "Bytes per second." },
};
static const struct type byte_rate = {
	OBJECT(byte_rate_keys), .name = "rate", .expected = "a mapping with \"path\" and \"rate\"",
};
static const struct type byte_rates = {
	.kind = TYPE_LIST, .name = "list of rates", .item = &byte_rate,
	.expected = "a list of rates",
};
static const struct key operation_rate_keys[] = {
	{ .name = "path", .type = &type_path, .required = true, .example = "/dev/sda",
	  .help = "The host's block device." },
	{ .name = "rate", .type = &operations, .required = true, .example = "1000",
	  .help = "Operations per second." },
};
static const struct type operation_rate = {
	OBJECT(operation_rate_keys), .name = "rate",
	.expected = "a mapping with \"path\" and \"rate\"",
};
static const struct type operation_rates = {
	.kind = TYPE_LIST, .name = "list of rates", .item = &operation_rate,
	.expected = "a list of rates",
};
static const struct key blkio_keys[] = {
	{ .name = "weight", .type = &io_weight, .normal = "500", .example = "300",
	  .help = "Share of the disks' time." },
	{ .name = "device_read_bps", .json = "read_bps", .type = &byte_rates, .normal = "none",
	  .example = "[{path: /dev/sda, rate: 10m}]", .help = "Bytes read per second." },
	{ .name = "device_write_bps", .json = "write_bps", .type = &byte_rates, .normal = "none",
	  .example = "[{path: /dev/sda, rate: 10m}]", .help = "Bytes written per second." },
	{ .name = "device_read_iops", .json = "read_iops", .type = &operation_rates,
	  .normal = "none", .example = "[{path: /dev/sda, rate: 1000}]",
	  .help = "Reads per second." },
	{ .name = "device_write_iops", .json = "write_iops", .type = &operation_rates,
	  .normal = "none", .example = "[{path: /dev/sda, rate: 1000}]",
	  .help = "Writes per second." },
	{ .name = "weight_device", .refused = "not supported yet" },
};
const struct type type_blkio = {
	OBJECT(blkio_keys), .name = "disk limits", .expected = "a mapping",
};

static const struct key limit_keys[] = {
	{ .name = "cpus", .json = "nano_cpus", .type = &type_cpus, .normal = "no limit",
	  .example = "\"0.5\"", .help = "As cpus." },
	{ .name = "memory", .json = "mem_limit", .type = &type_bytes, .normal = "no limit",
	  .example = "64m", .help = "As mem_limit." },
	{ .name = "pids", .json = "pids_limit", .type = &type_pids, .normal = "no limit",
	  .example = "100", .help = "As pids_limit." },
};
static const struct type deploy_limits = {
	OBJECT(limit_keys), .name = "limits", .expected = "a mapping",
};
static const struct key reservation_keys[] = {
	{ .name = "memory", .json = "mem_reservation", .type = &type_bytes, .normal = "none",
	  .example = "32m", .help = "As mem_reservation." },
	{ .name = "cpus",
	  .refused = "not supported: a processor cannot be reserved; use cpu_shares" },
	{ .name = "devices", .refused = "not supported yet" },
};
static const struct type reservations = {
	OBJECT(reservation_keys), .name = "reservations", .expected = "a mapping",
};
static const struct key resource_keys[] = {
	{ .name = "limits", .type = &deploy_limits, .flatten = true, .normal = "none",
	  .example = "{memory: 64m}", .help = "What the container may use." },
	{ .name = "reservations", .type = &reservations, .flatten = true, .normal = "none",
	  .example = "{memory: 32m}", .help = "What is kept for it." },
};
static const struct type resources = {
	OBJECT(resource_keys), .name = "resources", .expected = "a mapping",
};
static const struct key deploy_keys[] = {
	{ .name = "resources", .type = &resources, .flatten = true, .normal = "none",
	  .example = "{limits: {memory: 64m}}", .help = "Limits in Compose's newer form." },
	{ .name = "replicas", .refused = "not supported: declare each container by its own name" },
	{ .name = "restart_policy", .refused = "not supported: use \"restart\"" },
	{ .name = "labels", .refused = "not supported: use \"labels\"" },
	{ .name = "mode", .refused = "not supported: there is one host" },
	{ .name = "placement", .refused = "not supported: there is one host" },
	{ .name = "endpoint_mode", .refused = "not supported: there is one host" },
	{ .name = "update_config", .refused = "not supported: there is one host" },
	{ .name = "rollback_config", .refused = "not supported: there is one host" },
};
const struct type type_deploy = {
	OBJECT(deploy_keys), .name = "deploy", .expected = "a mapping",
};
