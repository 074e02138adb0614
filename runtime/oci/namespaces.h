/* linux.namespaces: which are new and which are joined. Source: namespaces(7), clone(2),
 * time_namespaces(7).
 *
 *   new               from the one clone3; but the cgroup namespace is unshared by the child, since
 *                     its root is the cgroup that the process is in at that moment, and the time
 *                     namespace too, since its clocks are set before anybody is in it
 *   by path           joined by the runtime before the clone, which hands them down
 *   a user namespace  joined by a process in between: the runtime itself would lose its rights on
 *   by path           the host and could not come back
 *   a mount namespace joined by the child: it has other paths
 *   by path */
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
		const char *type;
		uint64_t flag;
		bool host; /* it is the one that the runtime is in (namespaces_look) */
		int back;  /* the runtime's own, to return to; -1: not kept */
	} joined[8];
	int joined_count;
};

/* Reads and checks the list and the mappings. */
int namespaces_plan(const struct oci_linux *l, struct namespaces *out, struct err *e);

/* The names of types, one after the other; NULL ends them. */
const char *namespaces_type(size_t index);

/* Looks which of those by path are the host's: such a one is no namespace of the container's own,
 * and as a mount namespace refused. */
int namespaces_look(struct namespaces *n, struct err *e);

/* CLONE_NEW* of all that the container has for itself, new or joined. */
uint64_t namespaces_all(const struct namespaces *n);

/* The container is given this namespace by path. */
bool namespaces_joins(const struct namespaces *n, uint64_t flag);

/* The container has one that is not the host's. */
bool namespaces_own(const struct namespaces *n, uint64_t flag);

/* Joins those that are given by path, but no mount namespace. `keep`: namespaces_return() will be
 * called. */
int namespaces_join(struct namespaces *n, bool keep, struct err *e);
int namespaces_return(struct namespaces *n, struct err *e);

/* The mount namespace that is given by path. */
int namespaces_join_mount(struct namespaces *n, struct err *e);
const char *namespaces_mount_path(const struct namespaces *n); /* NULL: none */

/* Takes what was mounted on `place` out of the mount namespace at `path`, if it is still there. */
void namespaces_unmount(const char *path, const char *place);

/* Writes /proc/PID/uid_map and gid_map: by itself, or if the caller may not, through newuidmap and
 * newgidmap. */
int namespaces_map(const struct oci_mapping_list *uid_map, const struct oci_mapping_list *gid_map,
		   pid_t pid, struct err *e);

/* Sets the clocks of PID's children; nobody may be in their time namespace yet. */
int namespaces_set_clocks(const struct oci_linux *l, pid_t pid, struct err *e);

/* Enters the time namespace that was unshared. */
int namespaces_enter_time(struct err *e);

/* The ids that set-up runs as, as the container has them: root's, or where the mappings have no
 * root the first ones. */
void namespaces_root(const struct oci_linux *l, uint32_t *uid, uint32_t *gid);

/* A container's id on the host; -1: not mapped. No mapping at all: the same. */
int64_t namespaces_host_id(const struct oci_mapping_list *map, int64_t id);
