/* /run/berth/netup.sock: one line asked, one answered. Root only.
 *   reload  config.json is read anew and the network brought to it: "ok" when that is done
 *   wait    "online" as soon as every link that is required has an address */
#pragma once

#include "netup/manager.h"

int control_listen(struct manager *m, struct err *e);
/* Answers those who wait, if there is something to say. */
void control_tell(struct manager *m);

/* The other end: asks, and prints an error. Returns the exit code: 0, 1, or 2 when the time is
 * over. */
int control_ask(const char *line, int timeout_ms);
