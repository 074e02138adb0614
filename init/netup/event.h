/* One event of a DHCP client: this program under the name dhcp-event, started by udhcpc. */
#pragma once

/* `event` is udhcpc's: deconfig, bound, renew, nak, leasefail. Returns the exit code. */
int event_handle(const char *event, char *const *environment);
