/* The host's own settings with cloud-init's names: time, names, authorities. */
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

/* ---- the host's name ---- */
static const char *const hosts_words[] = { "true", "false", "localhost", NULL };
const struct type type_manage_hosts = {
	SCALAR(read_manage_hosts), .name = "true, false or localhost", .words = hosts_words,
	.expected = "true, false or \"localhost\"",
};

/* ---- timezone ---- */
const struct type type_timezone = {
	SCALAR(read_text), .name = "time zone", .check = check_time_zone,
	.expected = "a time zone such as \"Europe/Berlin\"",
};

/* ---- ca_certs ---- */
static const struct type certificate = {
	SCALAR(read_text), .name = "certificate", .check = check_certificate, .secret = true,
	.expected = "a certificate in PEM format (\"-----BEGIN CERTIFICATE-----...\")",
};
static const struct type certificates = {
	.kind = TYPE_LIST, .name = "list of certificates", .item = &certificate, .single = true,
	.expected = "a list of certificates in PEM format", .count_max = 200,
};
static const struct key ca_keys[] = {
	{ .name = "trusted", .type = &certificates, .normal = "none",
	  .example = "[\"-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----\\n\"]",
	  .help = "Authorities that the host trusts too, when it fetches images, updates and "
		  "metadata." },
	{ .name = "remove_defaults", .type = &type_bool, .normal = "false", .example = "true",
	  .help = "Whether the image's own (Mozilla's) are not trusted any more." },
	{ .name = "remove-defaults", .refused = "this is the old spelling: write "
						"\"remove_defaults\"" },
};
const struct type type_ca_certs = {
	OBJECT(ca_keys), .name = "certificate authorities",
	.expected = "a mapping with \"trusted\"",
};
