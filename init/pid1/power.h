/* The power button: key events of input devices that have such a key (ACPI's button is one). */
#pragma once

#include "base/err.h"
#include "base/loop.h"

struct machine;

int power_step(struct machine *m, struct err *say); /* opens the devices */

/* From now on `pressed` is called when a power key goes down. */
void power_attach(struct loop *l, void (*pressed)(void *arg), void *arg);
