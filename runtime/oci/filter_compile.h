/* The part of seccomp that needs libseccomp. Private to filter*.c. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "oci/filter.h"

/* Version of the library, as one number. */
uint32_t filter_compiler(void);

int filter_compile(yyjson_val *profile, struct filter *out, struct err *e);
