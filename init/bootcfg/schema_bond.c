/* Bonds, with netplan's parameters and with those of version 1. */
#include "bootcfg/schema_link.h"

/* ---- bonds ---- */
static const char *const modes[] = {
	"balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb",
	"balance-alb", NULL,
};
static const struct type mode = { WORDS(modes), .expected = "a mode such as \"active-backup\"" };
static const char *const rates[] = { "slow", "fast", NULL };
static const struct type rate = { WORDS(rates), .expected = "slow or fast" };
static const struct type interval = {
	SCALAR(read_interval), .name = "milliseconds", .min = 1, .max = 3600000,
	.expected = "milliseconds such as 100, or \"1s\"",
};
static const struct type interval_s = {
	SCALAR(read_interval), .name = "seconds", .min = 1000, .max = 100000000,
	.expected = "seconds such as 15, or \"500ms\"",
};
static const char *const policies[] = {
	"layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac", NULL,
};
static const struct type policy = { WORDS(policies), .expected = "a policy such as \"layer3+4\"" };
static const char *const selects[] = { "stable", "bandwidth", "count", NULL };
static const struct type select_type = {
	WORDS(selects), .expected = "stable, bandwidth or count",
};
static const char *const validates[] = { "none", "active", "backup", "all", NULL };
static const struct type validate = { WORDS(validates), .expected = "none, active, backup or all" };
static const char *const alls[] = { "any", "all", NULL };
static const struct type all_targets = { WORDS(alls), .expected = "any or all" };
static const char *const macs[] = { "none", "active", "follow", NULL };
static const struct type mac_policy = { WORDS(macs), .expected = "none, active or follow" };
static const char *const reselects[] = { "always", "better", "failure", NULL };
static const struct type reselect = { WORDS(reselects), .expected = "always, better or failure" };
static const struct type bytes = { INT(0, 255), .expected = "a number from 0 to 255" };
static const struct type port = { INT(0, 65535), .expected = "a number from 0 to 65535" };

static const struct type arp_target = {
	SCALAR(read_text), .name = "IPv4 address", .check = check_ipv4,
	.expected = "an IPv4 address such as \"192.0.2.1\"",
};
static const struct type arp_targets = {
	.kind = TYPE_LIST, .name = "list of IPv4 addresses", .item = &arp_target, .count_max = 16,
	.expected = "a list of IPv4 addresses",
};

static const struct key bond_parameter_keys[] = {
	{ .name = "mode", .type = &mode, .normal = "balance-rr", .example = "802.3ad",
	  .help = "How the links are used together." },
	{ .name = "lacp-rate", .type = &rate, .normal = "slow", .example = "fast",
	  .help = "802.3ad: LACP packets each 30 seconds, or each second." },
	{ .name = "mii-monitor-interval", .type = &interval, .normal = "100", .example = "100",
	  .help = "How often carriers are looked at. Never 0 without arp-interval: a bond that "
		  "looks at nothing loses packets." },
	{ .name = "min-links", .type = &port, .normal = "1", .example = "1",
	  .help = "Links that must be up for the bond to be." },
	{ .name = "transmit-hash-policy", .type = &policy, .normal = "layer2",
	  .example = "layer3+4", .help = "What decides which link a packet takes." },
	{ .name = "ad-select", .type = &select_type, .normal = "stable", .example = "bandwidth",
	  .help = "802.3ad: which group of links is used." },
	{ .name = "all-members-active", .json = "all-slaves-active", .type = &type_bool,
	  .normal = "false", .example = "false",
	  .help = "Take packets from links that are not in use as well." },
	{ .name = "all-slaves-active", .type = &type_bool, .normal = "false", .example = "false",
	  .help = "The older name of all-members-active." },
	{ .name = "arp-interval", .type = &interval, .normal = "0", .example = "1000",
	  .help = "How often arp-ip-targets are asked; 0: never." },
	{ .name = "arp-ip-targets", .type = &arp_targets, .normal = "none",
	  .example = "[192.0.2.1]", .help = "IPv4 addresses that must answer." },
	{ .name = "arp-validate", .type = &validate, .normal = "none", .example = "all",
	  .help = "Which answers are checked." },
	{ .name = "arp-all-targets", .type = &all_targets, .normal = "any", .example = "all",
	  .help = "How many of arp-ip-targets must answer." },
	{ .name = "up-delay", .type = &interval, .normal = "0", .example = "200",
	  .help = "How long a carrier must be there until the link is used." },
	{ .name = "down-delay", .type = &interval, .normal = "0", .example = "200",
	  .help = "How long a carrier must be gone until the link is left." },
	{ .name = "fail-over-mac-policy", .type = &mac_policy, .normal = "none",
	  .example = "active", .help = "Whose MAC address the bond has." },
	{ .name = "gratuitous-arp", .type = &bytes, .normal = "1", .example = "3",
	  .help = "How often neighbours are told of another link." },
	{ .name = "gratuitious-arp", .json = "gratuitous-arp", .type = &bytes, .normal = "1",
	  .example = "3", .help = "The same with netplan's old spelling." },
	{ .name = "packets-per-member", .json = "packets-per-slave", .type = &port, .normal = "1",
	  .example = "1", .help = "balance-rr: packets until the next link's turn." },
	{ .name = "packets-per-slave", .type = &port, .normal = "1", .example = "1",
	  .help = "The older name of packets-per-member." },
	{ .name = "primary-reselect-policy", .type = &reselect, .normal = "always",
	  .example = "better", .help = "When the primary link is used again." },
	{ .name = "resend-igmp", .type = &bytes, .normal = "1", .example = "1",
	  .help = "How often multicast groups are joined anew." },
	{ .name = "learn-packet-interval", .type = &interval_s, .normal = "1", .example = "1",
	  .help = "balance-tlb and balance-alb: how often switches are taught." },
	{ .name = "primary", .type = &type_link_id, .normal = "none", .example = "lan0",
	  .help = "active-backup: the link that is preferred." },
};
static const struct type bond_parameters = {
	OBJECT(bond_parameter_keys), .name = "bond's parameters",
	.expected = "a mapping such as {mode: active-backup}",
};
static const struct key bond_keys[] = {
	{ .name = "interfaces", .type = &type_link_ids, .normal = "none", .example = "[lan0, lan1]",
	  .help = "The links that are bonded." },
	{ .name = "parameters", .type = &bond_parameters, .normal = "what its keys say",
	  .example = "{mode: active-backup}", .help = "How." },
	LINK_KEYS,
	LINK_REFUSED,
};
FINISH(bond)
static const struct type bond = {
	OBJECT(bond_keys), .name = "bond", .finish = finish_bond, .marked = true,
	.expected = "a mapping such as {interfaces: [lan0, lan1]}",
};
const struct type type_bonds = { LINKS("bonds", bond, check_link_name) };

/* ---- version 1's names ---- */
static const struct key bond_params_v1[] = {
	{ .name = "bond-mode", .json = "mode", .type = &mode, .normal = "balance-rr",
	  .example = "802.3ad", .help = "As mode." },
	{ .name = "bond-miimon", .json = "mii-monitor-interval", .type = &interval, .normal = "100",
	  .example = "100", .help = "As mii-monitor-interval." },
	{ .name = "bond-lacp-rate", .json = "lacp-rate", .type = &rate, .normal = "slow",
	  .example = "fast", .help = "As lacp-rate." },
	{ .name = "bond-xmit-hash-policy", .json = "transmit-hash-policy", .type = &policy,
	  .normal = "layer2", .example = "layer3+4", .help = "As transmit-hash-policy." },
	{ .name = "bond-primary", .json = "primary", .type = &type_link_id, .normal = "none",
	  .example = "eth0", .help = "As primary." },
	{ .name = "bond-primary-reselect", .json = "primary-reselect-policy", .type = &reselect,
	  .normal = "always", .example = "better", .help = "As primary-reselect-policy." },
	{ .name = "bond-min-links", .json = "min-links", .type = &port, .normal = "1",
	  .example = "1", .help = "As min-links." },
	{ .name = "bond-updelay", .json = "up-delay", .type = &interval, .normal = "0",
	  .example = "200", .help = "As up-delay." },
	{ .name = "bond-downdelay", .json = "down-delay", .type = &interval, .normal = "0",
	  .example = "200", .help = "As down-delay." },
	{ .name = "bond-fail-over-mac", .json = "fail-over-mac-policy", .type = &mac_policy,
	  .normal = "none", .example = "active", .help = "As fail-over-mac-policy." },
	{ .name = "bond-num-grat-arp", .json = "gratuitous-arp", .type = &bytes, .normal = "1",
	  .example = "1", .help = "As gratuitous-arp." },
	{ .name = "bond-arp-interval", .json = "arp-interval", .type = &interval, .normal = "0",
	  .example = "1000", .help = "As arp-interval." },
	{ .name = "bond-arp-ip-target", .json = "arp-ip-targets", .type = &arp_targets,
	  .normal = "none", .example = "[192.0.2.1]", .help = "As arp-ip-targets." },
	{ .name = "bond-arp-validate", .json = "arp-validate", .type = &validate,
	  .normal = "none", .example = "all", .help = "As arp-validate." },
	{ .name = "bond-ad-select", .json = "ad-select", .type = &select_type, .normal = "stable",
	  .example = "bandwidth", .help = "As ad-select." },
};
const struct type type_bond_params_v1 = {
	OBJECT(bond_params_v1), .name = "bond's parameters",
	.expected = "a mapping such as {bond-mode: active-backup}",
};
