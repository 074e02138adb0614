/* A container's use of resources in the shape of runc's "events": types/events.go of runc, filled
 * from cgroup v2's files as its libcontainer does. Source: cgroup-v2.rst. */
#pragma once

#include "yyjson.h"

/* The "data" of a stats event, in `doc`; NULL: out of memory. What the cgroup has no file for is
 * left out, or zero where runc's readers expect a number. */
yyjson_mut_val *stats_read(int cgroup, yyjson_mut_doc *doc);
