/* linux.namespaces: which are new and which are joined. Source: namespaces(7), clone(2).
 * All new ones come from the one clone3; only the cgroup namespace is unshared by the child,
 * since its root is the cgroup that the process is in at that moment. Those given by path are
 * joined by the runtime itself before the clone, which hands them down. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "spec/oci.h"

struct namespaces {
	uint64_t new_flags; /* CLONE_NEW* */
	struct {
		const char *path; /* borrowed from the spec */
		int flag;
	} joined[8];
	int joined_count;
};

/* Reads and checks the list. */
int namespaces_plan(const struct oci_linux *l, struct namespaces *out, struct err *e);

/* The names of types, one after the other; NULL ends them. */
const char *namespaces_type(size_t index);

/* CLONE_NEW* of all that the container has for itself, new or joined. */
uint64_t namespaces_all(const struct namespaces *n);

/* Joins those that are given by path. */
int namespaces_join(const struct namespaces *n, struct err *e);

/* Writes /proc/PID/uid_map and gid_map; the caller is root outside. */
int namespaces_map(const struct oci_linux *l, pid_t pid, struct err *e);
