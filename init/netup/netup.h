/* What the parts of netup share: fixed paths and numbers. */
#pragma once

#define NETUP_RUN "/run/berth"
#define NETUP_CONFIG "/run/berth/config.json"
#define NETUP_LEASES "/run/berth/net/lease" /* LINK.4 and LINK.6, written by dhcp-event */
#define NETUP_SOCKET "/run/berth/netup.sock"
#define NETUP_DHCP_CLIENT "/usr/bin/udhcpc"
#define NETUP_DHCP6_CLIENT "/usr/bin/udhcpc6"
#define NETUP_DHCP_EVENT "/usr/lib/berth/dhcp-event" /* this program under another name */
#define NETUP_ALIAS "berth"                          /* of the links that netup made */

enum {
	NETUP_METRIC_STATIC = 100, /* of a default route that says none, and the link's index */
	NETUP_METRIC_DHCP = 1000,  /* of a lease's routes, and the link's index */
	NETUP_LINKS_MAX = 128,
};

/* Who made an address or a route: IFA_PROTO and RTPROT_* have the same numbers. What carries
 * neither is not ours and is left alone. */
enum { NETUP_STATIC = 4 /* RTPROT_STATIC */, NETUP_DHCP = 16 /* RTPROT_DHCP */ };
