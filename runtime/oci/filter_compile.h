/* The part of seccomp that needs libseccomp. Private to filter*.c. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "oci/filter.h"

/* Version of the library, as one number. */
uint32_t filter_compiler(void);

/* The names that a profile may use, of each kind one after the other; NULL ends them. */
enum filter_names { FILTER_ACTIONS, FILTER_OPERATORS, FILTER_ARCHITECTURES, FILTER_FLAGS };
const char *filter_name(enum filter_names kind, size_t index);

int filter_compile(yyjson_val *profile, struct filter *out, struct err *e);
