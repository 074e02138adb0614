/* What the kernel command line says to PID 1. Pure: text in, options out.
 * Words are split as the kernel splits them (space, double quotes); the last one of a name wins;
 * "--" ends the kernel's own words and what follows is not ours either. */
#pragma once

#include <stdbool.h>

enum { CMDLINE_VALUE_MAX = 64 };

/* The slot of a system that the network brought, whatever the command line says. */
#define CMDLINE_SLOT_MEMORY "memory"

struct boot_options {
	bool console_shell; /* berth.console=shell: root shell on the console, no password */
	bool rescue;        /* berth.rescue, or berth.rescue=1 */
	bool state_lost;    /* berth.why=state-lost: the loader found no boot state */
	char slot[CMDLINE_VALUE_MAX]; /* berth.slot: "a", "b", "direct" or "" */
};

void cmdline_parse(const char *text, struct boot_options *out);
