/* What became of the other slot, seen at the beginning of a boot: its version is refused when this
 * boot is the fallback from it, with the reason that it wrote down, on the data partition or, where
 * it had none, as a note (failnote.h). */
#pragma once

#include "update/command.h"

/* Says what it finds; what cannot be written is found again at the next boot. */
void lookback(struct machine *m);

/* The version that left a note, with its reason. -ENOENT: none did. */
int lookback_note(const struct slots *s, enum slot *slot, struct slot_record *out, struct err *e);
