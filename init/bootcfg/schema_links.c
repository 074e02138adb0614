/* Network cards, VLANs, dummies. */
#include "bootcfg/schema_link.h"

const struct type type_link_id = {
	SCALAR(read_text), .name = "link", .check = check_link_id,
	.expected = "the name of a link that is defined here",
};
const struct type type_link_ids = {
	.kind = TYPE_LIST, .name = "list of links", .item = &type_link_id, .count_max = 64,
	.expected = "a list of links that are defined here",
};

/* ---- ethernets ---- */
static const struct type glob = {
	SCALAR(read_text), .name = "pattern", .check = check_link_id,
	.expected = "a name, or a pattern such as \"enp*\"",
};
static const struct type globs = {
	.kind = TYPE_LIST, .name = "list of patterns", .item = &glob, .count_max = 16, .single = true,
	.expected = "a name, or a list of names",
};
static const struct type link_name = {
	SCALAR(read_text), .name = "link's name", .check = check_link_name,
	.expected = "a name of at most 15 characters such as \"lan0\"",
};
static const struct key match_keys[] = {
	{ .name = "name", .type = &glob, .normal = "any", .example = "\"enp*\"",
	  .help = "The kernel's name of the card; \"*\" and \"?\" stand for others." },
	{ .name = "macaddress", .type = &type_link_mac, .normal = "any",
	  .example = "\"52:54:00:12:34:56\"", .help = "The card's own MAC address." },
	{ .name = "driver", .type = &globs, .normal = "any", .example = "virtio_net",
	  .help = "The kernel's driver; with a list, any of them." },
	{ .name = "path", .refused = "not supported: use macaddress, name or driver" },
};

static void finish_match(struct walk *w, const struct node *n, yyjson_mut_val *match)
{
	if (yyjson_mut_obj_size(match) == 0)
		walk_fault(w, FAULT_ERROR, n, "there is nothing that a card could be told by");
}

static const struct type match = {
	OBJECT(match_keys), .name = "card", .finish = finish_match,
	.expected = "a mapping such as {macaddress: \"52:54:00:12:34:56\"}",
};
#define OFFLOAD "not supported: the kernel's choice stays"
#define SRIOV "not supported: there is no SR-IOV in Berth"
static const struct key ethernet_keys[] = {
	{ .name = "match", .type = &match, .normal = "the card with this name",
	  .example = "{macaddress: \"52:54:00:12:34:56\"}",
	  .help = "Which cards are meant; all that is said must hold." },
	{ .name = "set-name", .type = &link_name, .normal = "the kernel's name", .example = "lan0",
	  .help = "The name that the card gets." },
	{ .name = "wakeonlan", .type = &type_bool, .normal = "the card's setting",
	  .example = "true", .help = "A magic packet wakes the machine." },
	LINK_KEYS,
	LINK_REFUSED,
	{ .name = "auth", .refused = "not supported: there is no 802.1X in Berth" },
	{ .name = "receive-checksum-offload", .refused = OFFLOAD },
	{ .name = "transmit-checksum-offload", .refused = OFFLOAD },
	{ .name = "tcp-segmentation-offload", .refused = OFFLOAD },
	{ .name = "tcp6-segmentation-offload", .refused = OFFLOAD },
	{ .name = "generic-segmentation-offload", .refused = OFFLOAD },
	{ .name = "generic-receive-offload", .refused = OFFLOAD },
	{ .name = "large-receive-offload", .refused = OFFLOAD },
	{ .name = "link", .refused = SRIOV },
	{ .name = "virtual-function-count", .refused = SRIOV },
	{ .name = "embedded-switch-mode", .refused = SRIOV },
	{ .name = "delay-virtual-functions-rebind", .refused = SRIOV },
	{ .name = "infiniband-mode", .refused = "not supported: there is no InfiniBand in Berth" },
};
FINISH(ethernet)
static const struct type ethernet = {
	OBJECT(ethernet_keys), .name = "ethernet", .finish = finish_ethernet, .marked = true,
	.expected = "a mapping such as {dhcp4: true}",
};
const struct type type_ethernets = { LINKS("ethernets", ethernet, check_link_id) };

/* ---- VLANs ---- */
static const struct type vlan_id = { INT(0, 4094), .expected = "a number from 0 to 4094" };
static const struct key vlan_keys[] = {
	{ .name = "id", .type = &vlan_id, .required = true, .example = "10", .help = "The tag." },
	{ .name = "link", .type = &type_link_id, .required = true, .example = "lan0",
	  .help = "The link that carries the VLAN." },
	LINK_KEYS,
	LINK_REFUSED,
};
FINISH(vlan)
static const struct type vlan = {
	OBJECT(vlan_keys), .name = "VLAN", .finish = finish_vlan, .marked = true,
	.expected = "a mapping such as {id: 10, link: lan0}",
};
const struct type type_vlans = { LINKS("VLANs", vlan, check_link_name) };

/* ---- dummies ---- */
static const struct key dummy_keys[] = { LINK_KEYS, LINK_REFUSED };
FINISH(dummy)
static const struct type dummy = {
	OBJECT(dummy_keys), .name = "dummy", .finish = finish_dummy, .marked = true,
	.expected = "a mapping such as {addresses: [192.0.2.10/32]}",
};
const struct type type_dummies = { LINKS("dummy links", dummy, check_link_name) };
