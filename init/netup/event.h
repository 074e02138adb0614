/* One event of a DHCP client: this program under the name dhcp-event, started by udhcpc or udhcpc6.
 * It checks what the server said and puts it into the lease's file; the daemon does the rest. */
#pragma once

/* `event` is the client's: deconfig, bound, renew, nak, leasefail. `dir`: NETUP_LEASES. Returns the
 * exit code. */
int event_handle(const char *dir, const char *event, char *const *environment);
