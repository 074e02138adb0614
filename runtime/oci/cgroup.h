/* The container's cgroup (v2 only): made before the first process, which is cloned right into
 * it, and removed with everything that still lives in it. Source: cgroup-v2.rst. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "spec/oci.h"

/* Path below the cgroup root, without a leading slash, that config.json (or its absence) means.
 * Malloc'ed; NULL with a sentence if the path leaves the root or is systemd's form. */
char *cgroup_path(const char *cgroups_path, const char *id, struct err *e);

/* Makes the cgroup and returns its fd. A cgroup that holds processes is refused. */
int cgroup_create(const char *path, struct err *e);

/* Opens it. -ENOENT without a sentence: there is none of that name. */
int cgroup_open(const char *path, struct err *e);

/* Gives the directory and the files that may be delegated to `owner` (cgroups(7), "delegation"). */
int cgroup_give(int cgroup, uid_t owner, struct err *e);

/* What cgroup v2 has no such limit for, or not with this value. */
int cgroup_check(const struct oci_resources *r, struct err *e);

/* Whether anything besides devices is limited. */
bool cgroup_wants_limits(const struct oci_resources *r);

/* Writes the limits. */
int cgroup_limit(int cgroup, const char *path, const struct oci_resources *r, struct err *e);

/* Attaches the program that decides which devices may be used (cgroup_devices.c), in place of one
 * that is there. */
int cgroup_devices(int cgroup, const struct oci_device_rule_list *rules, struct err *e);

/* Below: a path "" is no cgroup, and nothing is to be done. */

/* Sends SIGKILL to everything in it. Not there: 0. */
int cgroup_kill(const char *path, struct err *e);

/* Sends `sig` to every process in it. */
int cgroup_signal(const char *path, int sig, struct err *e);

/* Kills and removes, sub-cgroups included; waits for dying processes, 10 s at most. */
int cgroup_remove(const char *path, struct err *e);
