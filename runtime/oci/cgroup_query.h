/* What a cgroup says of itself, and its freezer. Source: cgroup-v2.rst. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* A cgroup that has gone is not frozen. */
bool cgroup_is_frozen(const char *path);

/* Returns when every process in it has stopped, or runs again. */
int cgroup_freeze(const char *path, bool frozen, struct err *e);

/* Its processes, those of sub-cgroups included. The caller frees *out. */
int cgroup_pids(const char *path, pid_t **out, size_t *count, struct err *e);

/* Below the cgroup root, the cgroup of a process; malloc'ed. NULL with a sentence. */
char *cgroup_of(pid_t pid, struct err *e);

/* A file of one number. "max" and what is not there: `otherwise`. */
uint64_t cgroup_number(int cgroup, const char *file, uint64_t otherwise);

/* The value after `key` in a file of "key value" lines, or in its text; 0 if there is none. */
uint64_t cgroup_value(int cgroup, const char *file, const char *key);
uint64_t cgroup_text_value(const char *text, const char *key);
