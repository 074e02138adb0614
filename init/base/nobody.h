/* Root's rights given up, by a program that is about to speak with strangers. */
#pragma once

#include "base/err.h"

/* From here on the process is nobody, for good: no exec gives it rights either. One that is not
 * root stays who it is. A signal that was asked for the parent's death is forgotten (prctl(2)).
 * 0 or -errno. */
int nobody_become(struct err *e);
