/* The boot configuration, as PID 1 asks for it: the program's exit code. */
#pragma once

#include <stdbool.h>

/* `online`: the second stage, which asks what is on the network. */
int boot_configure(bool online);
