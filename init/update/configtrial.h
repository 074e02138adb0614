/* The boot configuration on trial: bootcfg says in /run/berth/config.json that this boot's has not
 * passed a gate here before, the gate decides, and bootcfg writes down what it decided. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/sha256.h"

enum config_trial {
	CONFIG_SETTLED, /* nothing to decide */
	CONFIG_FIRST,   /* there is none to go back to */
	CONFIG_NEW,     /* if it fails, the last good one is there at the next boot */
};

/* `digest`: of the text in force; empty where there is none. */
enum config_trial configtrial_read(char digest[SHA256_HEX_MAX]);

/* 0 or -errno. */
int configtrial_keep(struct err *e);
/* `beside`: the version that is on trial as well, or NULL. */
int configtrial_refuse(const char *reason, const char *beside, struct err *e);
/* That version failed, too: what was refused beside it is tried again without it. */
int configtrial_reconsider(const char *version, struct err *e);
int configtrial_give_back(struct err *e);

/* A person kept it while the gate was still looking. */
bool configtrial_decided(void);
