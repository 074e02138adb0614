/* The watchdogs, every one of the machine (Documentation/watchdog/watchdog-api.rst): hardware, and
 * the kernel's softdog, which the command line armed before there was a user space. Fed from the
 * main loop's timer only: a loop that does not turn resets the machine. Left armed across a reboot,
 * so that firmware that hangs on the way is reset too. */
#pragma once

#include "base/err.h"
#include "base/loop.h"

struct machine;

int watchdog_step(struct machine *m, struct err *say);
void watchdog_attach(struct loop *l); /* from now on fed by it */
void watchdog_feed(void);             /* in the places that rightly take long without the loop */

/* "off", or after how many seconds a hung machine is reset, 60 to 600. 0 or -errno. */
int watchdog_change(struct loop *l, const char *what, struct err *e);

/* Before power off and halt, which nothing may undo. */
void watchdog_disarm(void);
