/* Names and numbers of Linux's capabilities. Source: linux/capability.h, 6.12. */
#pragma once

#include <stdint.h>

enum { CAPABILITY_COUNT = 41 };

/* "CAP_CHOWN", "CHOWN" or "cap_chown" -> 0; -1: unknown. */
int capability_number(const char *name);

/* "CAP_CHOWN". */
const char *capability_name(int number);

/* What docker gives a container that asks for nothing. */
uint64_t capability_default_set(void);
