/* struct container_spec + image's config + what the engine allotted -> OCI config.json.
 *
 * User and group names cannot be resolved here: the root file system is mounted only in the
 * shim's private mount namespace. So config.json carries the wish as annotations and berth-oci
 * resolves it inside the container's root (ANNOTATION_*; see README.md, "Users"). Another
 * runtime would run the container as process.user, which holds the numbers where the wish is
 * numeric and root where it is a name. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "spec/container.h"
#include "spec/image.h"

#define ANNOTATION_USER "org.berth.user"	   /* "name", "name:group", "1000:users" */
#define ANNOTATION_GROUP_ADD "org.berth.group-add" /* "audio,44" */
#define ANNOTATION_ROOT_IDMAP "org.berth.root-idmap" /* "idmap", "ridmap": as of a mount */

/* A file or directory of the host at a path in the container. */
struct oci_bind {
	const char *source;
	const char *target;
	bool read_only;
};

struct oci_context {
	const char *id;
	const char *rootfs; /* absolute path, mounted by the time that the runtime runs */
	const char *cgroup; /* "/containers/ID" */
	uint32_t idmap_base; /* first host id of the container's user namespace */
	uint32_t idmap_size; /* 0: the host's user namespace */
	const char *hostname; /* NULL: the spec's, else the first 12 characters of the id */
	const char *hosts_path, *hostname_path, *resolv_path; /* files of the host; NULL: none */
	/* Host path of each of spec->volumes, in order; NULL for tmpfs. May be NULL if all are. */
	const char *const *volume_paths;
	/* To be joined: "/proc/PID/ns/pid"; NULL: as the spec says. */
	const char *pid_ns, *net_ns, *user_ns;
	const char *init_path; /* host path of the --init program; NULL: there is none */
	const struct oci_bind *binds; /* further ones, after the volumes */
	size_t bind_count;
};

/* Appends the text of config.json to `out`. 0 or -errno with a sentence, such as
 * "no command specified" or "unknown capability \"NET_FOO\"". */
int container_spec_to_oci(const struct container_spec *spec, const struct image_config *image,
			  const struct oci_context *context, struct buf *out, struct err *e);

/* The program and arguments that the container runs: docker's rule of how entrypoint and command
 * of spec and image combine. For `berth ps` and inspect. */
int container_spec_argv(const struct container_spec *spec, const struct image_config *image,
			struct string_list *out, struct err *e);

/* "NAME=value" of image and spec; the spec wins. PATH is there always, HOSTNAME unless host's. */
int container_spec_env(const struct container_spec *spec, const struct image_config *image,
		       const char *hostname, struct string_list *out, struct err *e);
