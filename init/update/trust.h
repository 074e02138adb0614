/* May this bundle be installed on this machine? Its signature was checked before; now the rest. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "update/manifest.h"
#include "update/store.h"

#define TRUST_FLOOR_PATH "/usr/share/berth/update-floor"
#define TRUST_KEYS_PATH "/usr/share/berth/keys"

struct trust {
	char arch[MANIFEST_TEXT_MAX];
	char running[MANIFEST_TEXT_MAX]; /* version */
	char floor[MANIFEST_TEXT_MAX];   /* nothing older is installed: it has known holes */
	const struct refusals *refused;
	bool force;      /* older than `from` asks for, and below the floor ... */
	bool at_console; /* ... where somebody stands in front of the machine */
};

/* This machine's arch, version and floor. */
int trust_of_this_machine(struct trust *out, struct err *e);

/* 0, or -EPERM with the reason. */
int trust_check(const struct trust *t, const struct manifest *m, struct err *e);

/* Standard input is a terminal of the machine itself, not one that came over the network. */
bool trust_at_console(void);
