/* berth: what no other system's configuration has a name for. */
#include "base/cleanup.h"
#include "bootcfg/read.h"
#include "bootcfg/types.h"

static const struct type container_name = {
	.kind = TYPE_SCALAR, .name = "container", .read = read_text, .check = check_container_name,
	.expected = "the name of a container",
};
static const struct type critical = {
	.kind = TYPE_LIST, .name = "list of containers", .item = &container_name, .count_max = 32,
	.expected = "a list of names of containers", .single = true,
};
static const struct type web_address = {
	.kind = TYPE_SCALAR, .name = "address", .read = read_text, .check = check_web_address,
	.expected = "an address such as \"https://updates.example.org/stable.json\"",
};
static const struct type certificates = {
	.kind = TYPE_SCALAR, .name = "certificates", .read = read_text,
	.expected = "certificates in PEM format",
};
static const struct key update_keys[] = {
	{ .name = "channel", .type = &web_address, .normal = "none: updates are given by hand",
	  .example = "\"https://updates.example.org/stable.json\"",
	  .help = "Where the text lies that names the newest version." },
	{ .name = "proxy", .type = &web_address, .normal = "none", .example = "\"http://192.0.2.1:3128\"",
	  .help = "The proxy that updates are downloaded through." },
	{ .name = "ca_certs", .type = &certificates, .normal = "Mozilla's",
	  .example = "\"-----BEGIN CERTIFICATE-----...\"",
	  .help = "The authorities that the update server's certificate may come from." },
	{ .name = "hold", .json = "hold_ms", .type = &type_duration, .normal = "30s", .example = "2m",
	  .help = "How long everything must be as before an update until the update is kept." },
	{ .name = "limit", .json = "limit_ms", .type = &type_duration, .normal = "5m", .example = "10m",
	  .help = "How long it may take until that begins; then the machine goes back." },
	{ .name = "critical", .type = &critical, .normal = "every container that is declared here",
	  .example = "[web]", .help = "Containers without which an update is not kept, unless they were "
				      "not healthy before it either." },
};
static const struct type update = {
	.kind = TYPE_OBJECT, .name = "update settings", .keys = update_keys,
	.key_count = ARRAY_LEN(update_keys), .expected = "a mapping with \"hold\" or \"critical\"",
};
static const struct key berth_keys[] = {
	{ .name = "update", .type = &update, .normal = "what its keys say", .example = "{hold: 1m}",
	  .help = "When a new version is kept, and when the machine goes back to the one before." },
};
const struct type type_berth = {
	.kind = TYPE_OBJECT, .name = "Berth's own settings", .keys = berth_keys,
	.key_count = ARRAY_LEN(berth_keys), .expected = "a mapping",
};
