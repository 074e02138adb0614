/* What others read of the network: /run/berth/net/LINK.json, /run/berth/network.json,
 * /run/berth/resolv.conf; and /etc/ntp.conf, if the leases say where time is. A file is replaced as
 * a whole, and only when it changes. README.md has their fields. */
#pragma once

#include "base/err.h"

/* `run` is a parameter for the tests: NETUP_RUN. */
void state_remove(const char *run, const char *link);

