/* The host's own settings with cloud-init's names: ntp. */
#include "base/cleanup.h"
#include "bootcfg/read.h"
#include "bootcfg/types.h"

/* ---- ntp ---- */
static const struct type ntp_host = {
	.kind = TYPE_SCALAR, .name = "host", .read = read_text, .check = check_host_or_address,
	.expected = "a host name or an IP address",
};
static const struct type ntp_hosts = {
	.kind = TYPE_LIST, .name = "list of hosts", .item = &ntp_host, .count_max = 16,
	.expected = "a list of host names or IP addresses", .single = true,
};
static const struct key ntp_keys[] = {
	{ .name = "enabled", .type = &type_bool, .normal = "true", .example = "false",
	  .help = "Whether the clock is set from the network." },
	{ .name = "servers", .type = &ntp_hosts, .normal = "none", .example = "[ntp.example.org]",
	  .help = "Time servers." },
	{ .name = "pools", .type = &ntp_hosts, .normal = "pool.ntp.org if there is no server either",
	  .example = "[0.pool.ntp.org]", .help = "Names that stand for many servers." },
	{ .name = "peers", .refused = "not supported: Berth follows servers, it is no peer" },
	{ .name = "allow", .refused = "not supported: Berth serves no time to others" },
	{ .name = "ntp_client", .refused = "there is one client; leave this key out" },
	{ .name = "config", .refused = "there is one client without such options; leave it out" },
};
const struct type type_ntp = {
	.kind = TYPE_OBJECT, .name = "time settings", .keys = ntp_keys,
	.key_count = ARRAY_LEN(ntp_keys), .expected = "a mapping with \"servers\" or \"pools\"",
};
