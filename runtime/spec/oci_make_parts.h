/* The steps of container_spec_to_oci(), private to runtime/spec. Each fills one part of m->oci. */
#pragma once

#include "spec/oci.h"
#include "spec/oci_make.h"

struct oci_make {
	const struct container_spec *spec;
	const struct image_config *image;
	const struct oci_context *context;
	struct {
		uint64_t capabilities;
		bool seccomp_unconfined, paths_unconfined, new_privileges;
	} security; /* filled by make_security, the first step */
	struct oci_spec oci;
};

/* oci_make_security.c */
int make_security(struct oci_make *m, struct err *e); /* capabilities and security_opt */
int make_paths(struct oci_make *m, struct err *e);    /* masked and read-only ones */

/* oci_make_process.c */
int make_process(struct oci_make *m, struct err *e);
int make_user(struct oci_make *m, struct err *e);
int make_root(struct oci_make *m, struct err *e); /* and host name, annotations */
int make_namespaces(struct oci_make *m, struct err *e);
int make_sysctls(struct oci_make *m, struct err *e);

/* oci_make_mounts.c */
int make_mounts(struct oci_make *m, struct err *e);

/* oci_make_resources.c */
int make_devices(struct oci_make *m, struct err *e);
int make_resources(struct oci_make *m, struct err *e);

bool make_host_network(const struct oci_make *m);
bool make_host_cgroup(const struct oci_make *m);
bool make_user_namespace(const struct oci_make *m);
const char *make_hostname(const struct oci_make *m, char out[65]);

/* Adds the user namespace's one mapping. */
int make_mapping(const struct oci_make *m, struct oci_mapping_list *list);

/* strdup into a member. 0 or -ENOMEM. */
int make_text(char **member, const char *text);
