/* What PID 1 keeps on /var from one boot to the next besides the machine id: a floor for the clock,
 * a seed for the kernel's random numbers, the last keys that let people in. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct machine;

/* The clock never runs behind the build of the image (os-release's time stamp)... */
int keep_step_clock_build(struct machine *m, struct err *say);
/* ... nor behind the last time that this machine was seen up (/var/lib/berth/clock). */
int keep_step_clock_var(struct machine *m, struct err *say);
void keep_clock_touch(void);

/* A machine without a hardware source gathers its first entropy in whoever asks for it first, and
 * makes that one wait (up to a second). So a child of ours asks at once, beside the boot. */
int keep_step_entropy(struct machine *m, struct err *say);

/* Replaces /var/lib/berth/seed first, then gives the old one to the kernel, so that no seed is
 * credited twice whatever happens in between. */
int keep_step_seed(struct machine *m, struct err *say);
/* At shutdown: a new one, from a pool that is surely full by now. */
void keep_seed_save(void);

/* After `config`: a copy of the SSH keys, for rescue mode, which reads no configuration. */
int keep_step_ssh_keys(struct machine *m, struct err *say);
/* In rescue mode: the other way round. */
int keep_step_ssh_keys_back(struct machine *m, struct err *say);

/* Somebody wanted this boot, and only this one, to be a rescue (/var/lib/berth/rescue-once). The
 * wish is forgotten before it is granted: a rescue that hangs is followed by an ordinary boot. */
bool keep_rescue_asked(void);
int keep_ask_rescue(const struct machine *m, struct err *e);
