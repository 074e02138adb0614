/* Tunnels: WireGuard. */
#include "bootcfg/schema_link.h"

static const struct type port = { INT(0, 65535), .expected = "a number from 0 to 65535" };
static const struct type mark = { INT(0, UINT32_MAX), .expected = "a number from 0" };
/* ---- tunnels: WireGuard ---- */
static const char *const tunnel_modes[] = { "wireguard", NULL };
static const struct type tunnel_mode = {
	WORDS(tunnel_modes), .expected = "\"wireguard\" (there is no other tunnel in Berth)",
};
static const struct type public_key = {
	SCALAR(read_text), .name = "public key", .check = check_wg_key,
	.expected = "a public key such as \"wg pubkey\" prints",
};
static const struct type shared_key = {
	SCALAR(read_text), .name = "shared key", .check = check_wg_private, .secret = true,
	.expected = "a key such as \"wg genpsk\" prints, or a file's path",
};
static const struct type private_key = {
	SCALAR(read_text), .name = "private key", .check = check_wg_private, .secret = true,
	.expected = "a key such as \"wg genkey\" prints, or a file's path",
};
static const struct type endpoint = {
	SCALAR(read_text), .name = "endpoint", .check = check_wg_endpoint,
	.expected = "an address and a port such as \"192.0.2.1:51820\"",
};
static const struct type allowed_ip = {
	SCALAR(read_text), .name = "network", .check = check_network,
	.expected = "a network such as \"10.0.0.0/8\"",
};
static const struct type allowed_ips = {
	.kind = TYPE_LIST, .name = "list of networks", .item = &allowed_ip, .count_max = 64,
	.expected = "a list of networks",
};
static const struct key peer_key_keys[] = {
	{ .name = "public", .type = &public_key, .required = true,
	  .example = "M9nt4YujIOmNrRmpIRTmYSfMdrpvE7u6WkG8FY8WjG4=", .help = "The peer's public key." },
	{ .name = "shared", .type = &shared_key, .normal = "none", .example = "/etc/wg.psk",
	  .help = "A key that both know, or the file that holds it." },
};
static const struct type peer_keys_type = {
	OBJECT(peer_key_keys), .name = "keys", .expected = "a mapping with \"public\"",
};
static const struct key peer_keys[] = {
	{ .name = "keys", .type = &peer_keys_type, .required = true,
	  .example = "{public: M9nt4YujIOmNrRmpIRTmYSfMdrpvE7u6WkG8FY8WjG4=}",
	  .help = "The peer's keys." },
	{ .name = "endpoint", .type = &endpoint, .normal = "where the peer calls from",
	  .example = "192.0.2.1:51820", .help = "Where the peer is." },
	{ .name = "allowed-ips", .type = &allowed_ips, .normal = "none", .example = "[10.0.0.0/8]",
	  .help = "The addresses behind the peer." },
	{ .name = "keepalive", .type = &port, .normal = "0", .example = "25",
	  .help = "Seconds between packets that keep a firewall's door open." },
};
static const struct type peer = {
	OBJECT(peer_keys), .name = "peer", .atomic = true, .expected = "a mapping with \"keys\"",
};
static const struct type peers = {
	.kind = TYPE_LIST, .name = "list of peers", .item = &peer, .count_max = 64,
	.expected = "a list of peers",
};
#define TUNNEL "not supported: it belongs to tunnels other than WireGuard"
static const struct key tunnel_keys[] = {
	{ .name = "mode", .type = &tunnel_mode, .required = true, .example = "wireguard",
	  .help = "The kind of tunnel." },
	{ .name = "key", .type = &private_key, .required = true, .example = "/etc/wg.key",
	  .help = "The private key, or the file that holds it." },
	{ .name = "port", .type = &port, .normal = "any", .example = "51820",
	  .help = "The UDP port that the host listens on; the firewall lets it in." },
	{ .name = "mark", .type = &mark, .normal = "none", .example = "1",
	  .help = "The firewall mark of the tunnel's own packets." },
	{ .name = "peers", .type = &peers, .normal = "none",
	  .example = "[{keys: {public: M9nt4YujIOmNrRmpIRTmYSfMdrpvE7u6WkG8FY8WjG4=}, "
		     "allowed-ips: [10.0.0.0/8]}]",
	  .help = "Who is at the other end." },
	LINK_KEYS,
	LINK_REFUSED,
	{ .name = "keys", .refused = "not supported: give the private key as \"key\"" },
	{ .name = "local", .refused = TUNNEL }, { .name = "remote", .refused = TUNNEL },
	{ .name = "ttl", .refused = TUNNEL },   { .name = "id", .refused = TUNNEL },
	{ .name = "link", .refused = TUNNEL },
};
FINISH(wireguard)
static const struct type tunnel = {
	OBJECT(tunnel_keys), .name = "tunnel", .finish = finish_wireguard, .marked = true,
	.expected = "a mapping with \"mode: wireguard\"",
};
const struct type type_tunnels = { LINKS("tunnels", tunnel, check_link_name) };
