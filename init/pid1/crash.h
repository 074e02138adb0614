/* When PID 1 itself crashes: say so on the consoles, sync, reboot after some seconds. Without this
 * the kernel would panic and say less; hanging is what neither does. The reboot is not a clean one,
 * so the boot counts as a failed try. */
#pragma once

void crash_install(void);
