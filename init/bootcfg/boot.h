/* The whole of a boot: sources, parse, last good one, apply, /run/berth/config.json. */
#pragma once

/* The program's exit code: 0 as long as a configuration could be written for the others. */
int boot_configure(void);
