/* Types that several tables use: schema_types.c. */
#pragma once

#include "bootcfg/schema.h"

extern const struct type type_text, type_bool, type_duration, type_bytes, type_bytes_unlimited;
extern const struct type type_texts, type_path, type_hostname, type_address_list;
