/* The firewall: everything that Berth's containers need, in the table "inet berth", which is
 * replaced as a whole in one transaction. Other tables are never touched. README.md has the
 * reasons rule by rule. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/pool.h"

enum protocol { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP, PROTOCOL_COUNT };

const char *protocol_name(enum protocol p);
int protocol_parse(const char *name, enum protocol *out); /* "" and NULL: tcp. 0 or -EINVAL */

/* Host ports `first` to `last` lead to as many ports of a container from `to_first` on. */
struct publish {
	enum protocol protocol;
	uint32_t host_ip;          /* host order; 0: every address of the host */
	uint16_t first, last;
	uint32_t to_ip;
	uint16_t to_first;
};

struct rule_network {
	const char *bridge;
	struct subnet subnet;
	bool internal;             /* its containers reach each other and the host's ping, no more */
	bool metadata;             /* they may ask 169.254.169.254 */
};

struct ruleset {
	const struct rule_network *networks;
	size_t network_count;
	bool closed_forward;       /* forwarding is on for us alone: nothing else may pass */
	const struct publish *published;
	size_t count;
};

/* What may come in by a container's wire: its own MAC and address, and no tags of VLANs. In the
 * table "netdev berth", a chain for each wire. 0 or -errno. */
int ruleset_guard_wire(const char *link, const uint8_t mac[6], uint32_t ip, struct err *e);
int ruleset_unguard_wire(const char *link, struct err *e); /* not there is no error */

/* Makes the kernel's rules these and no others. 0 or -errno. */
int ruleset_apply(const struct ruleset *r, struct err *e);
