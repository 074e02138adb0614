/* berth: what no other system's configuration has a name for. */
#include "base/cleanup.h"
#include "bootcfg/types.h"

static const struct key berth_keys[] = {
	{ .name = "firewall", .type = &type_firewall,
	  .normal = "SSH, ICMP and published ports are let in", .example = "{allow: [\"443/tcp\"]}",
	  .help = "Who may connect to the host itself. Containers' published ports are open anyway." },
	{ .name = "update", .type = &type_update, .normal = "what its keys say", .example = "{hold: 1m}",
	  .help = "Where new versions come from, what is done about them by itself, when one is kept." },
};
const struct type type_berth = {
	.kind = TYPE_OBJECT, .name = "Berth's own settings", .keys = berth_keys,
	.key_count = ARRAY_LEN(berth_keys), .expected = "a mapping",
};
