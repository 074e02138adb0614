/* What the parts of netup share: fixed paths and numbers. */
#pragma once

#define NETUP_RUN "/run/berth"
#define NETUP_DHCP_CLIENT "/usr/bin/udhcpc"
#define NETUP_DHCP_EVENT "/usr/lib/berth/dhcp-event" /* this program under another name */

enum { NETUP_METRIC = 1000 };
