/* The keys and peers of a WireGuard link. */
#pragma once

#include <yyjson.h>

#include "base/err.h"

int tunnel_set(yyjson_val *link, struct err *e);
