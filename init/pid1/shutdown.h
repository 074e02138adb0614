/* The end of the machine: reboot, power off, halt.
 *
 *   begin -> services stop in order (engine first, with its containers' grace) -> all stopped, or
 *   the bound has passed -> final: kill what is left, save seed and clock, unmount, sync, reboot(2)
 *
 * The final part runs outside the loop, needs no helper and no file, and is itself bounded: an
 * alarm ends it with reboot(2) wherever it hangs, and the hardware watchdog stays armed behind. */
#pragma once

#include "base/err.h"

struct machine;

enum shutdown_kind { SHUTDOWN_REBOOT, SHUTDOWN_POWEROFF, SHUTDOWN_HALT };

/* `why`: who wants it, for the console ("Ctrl-Alt-Del"). A second call while it is under way
 * changes nothing, the third cuts the waiting short. */
void shutdown_begin(struct machine *m, enum shutdown_kind kind, const char *why);

/* Every service has stopped: on to the final part. */
void shutdown_services_stopped(struct machine *m);

/* Never returns. */
_Noreturn void shutdown_final(struct machine *m);
