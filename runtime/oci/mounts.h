/* The container's mounts. Every one is first a detached mount, held by an fd, and only then put
 * at its place; no mount is ever made by a path.
 *
 *   parent, before clone    binds (open_tree), and a /dev with its devices
 *   parent, after clone     id mapping of binds, now that the user namespace is there
 *   child                   proc, sysfs, mqueue, devpts, cgroup, tmpfs: owned by its namespaces;
 *                           without rights on the host (rootless) all of the above as well
 *   child, before pivot     each is moved to its target, which is looked up in the new root
 *
 * Source: runtime-spec config.md "Mounts"; mount_setattr(2); kernel's mount_api. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "oci/namespaces.h"
#include "spec/oci.h"

struct mount_flags {
	uint64_t set, clear; /* MOUNT_ATTR_* */
};

enum mount_idmap {
	IDMAP_NONE,
	IDMAP_WISH, /* mappings without the option: where the file system can */
	IDMAP_MUST, /* "idmap" */
	IDMAP_TREE, /* "ridmap" */
};

struct mount_plan {
	const struct oci_mount *from;
	char *where;	   /* absolute */
	char *source;	   /* of a bind */
	const char *type;  /* for fsopen; NULL: a bind */
	bool recursive;	   /* rbind */
	bool remount;	   /* changes what is mounted there */
	bool copy_up;	   /* tmpcopyup */
	bool is_dev;	   /* a tmpfs on /dev */
	bool late_ro;	   /* read-only only when everything is mounted: it takes mount points */
	enum mount_idmap idmap;
	bool idmap_own;		 /* by the mount's mappings, not the container's */
	struct mount_flags here; /* of the mount itself */
	struct mount_flags tree; /* of all below as well */
	uint64_t propagation;	 /* MS_PRIVATE ...; 0: as it comes */
	bool propagation_tree;
	const char *label; /* SELinux's, of a file system that is made; NULL: none */
	const char **data; /* the file system's own options; owned, its strings borrowed */
	size_t data_count;
	int fd; /* -1: not open */
};

struct mounts {
	struct mount_plan *plans;
	size_t count;
};

/* Reads the options. The plans borrow from `spec`. `cgroup`: the container's, below the root. */
int mounts_plan(const struct oci_spec *spec, const struct namespaces *ns, const char *cgroup,
		struct mounts *out, struct err *e);
void mounts_free(struct mounts *m);

/* Whether something is mounted on this directory; NULL: not. */
const struct mount_plan *mounts_find(const struct mounts *m, const char *where);

/* Relative sources are below `bundle`. */
int mounts_open_binds(struct mounts *m, int bundle, struct err *e);
/* Maps those that go by mappings of their own. */
int mounts_idmap_own(const struct mounts *m, struct err *e);
/* Maps those that go by the container's. */
int mounts_idmap(const struct mounts *m, int user_ns, struct err *e);
/* Maps the owners of a detached tree. 0 or -errno. */
int mounts_idmap_tree(int fd, bool recursive, int user_ns);
int mounts_open_filesystems(struct mounts *m, const struct namespaces *ns, struct err *e);
int mounts_attach(const struct mounts *m, int root, struct err *e);

/* A detached mount of a file system made for the plan; fsconfig values in front of its own
 * options, "name=value" or "name". */
int mounts_make(const struct mount_plan *plan, const char *const *more, struct err *e);

/* Opens what a mount goes on, made if it is missing: a directory, or a file. `plain`: no symlink is
 * followed to it. `made` may be NULL. */
int mounts_open_target(int root, const char *path, bool directory, bool plain, bool *made,
		       struct err *e);

/* "private" ... "rslave" -> MS_*; 0: no such word. */
uint64_t mounts_propagation(const char *word, bool *recursive);

/* The options that are understood, one after the other; NULL ends them. */
const char *mounts_option(size_t index);

#define automounts __attribute__((cleanup(mounts_free)))
