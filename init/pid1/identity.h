/* Who the machine is: host name until the configuration sets one, machine id, version. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct machine;

int identity_step_hostname(struct machine *m, struct err *say);
int identity_step_version(struct machine *m, struct err *say);

/* After `data`: kept in /var/lib/berth/machine-id, made if there is none or it is damaged, and put
 * into /etc/machine-id, where the world looks for it (machine-id(5): 32 hex digits, newline). */
int identity_step_machine_id(struct machine *m, struct err *say);

/* 32 lower-case hex digits, not all zero, and perhaps a newline. Pure. */
bool identity_is_machine_id(const char *text, size_t len);
