/* The one waist: what a container is asked to be. The boot configuration, the API and the command
 * line all make a struct container_spec, and container_spec_to_oci() (oci_make.h) turns it into
 * an OCI config.json. Names are the Compose specification's, in long form.
 * Zero, NULL and empty mean "not said"; a default is applied where the value is used, so that a
 * later change of the image or of a default still reaches the container. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "spec/record.h"

struct spec_restart {
	char *policy; /* "no" (or NULL), "always", "on-failure", "unless-stopped" */
	int64_t max_retries; /* of on-failure; 0: no limit */
};

struct spec_port {
	char *host_ip;	   /* NULL: every address */
	int64_t published; /* on the host; 0: chosen by the engine */
	int64_t published_end; /* the engine chooses from `published` to this; 0: it is the one */
	int64_t target;	   /* in the container, 1..65535 */
	char *protocol;	   /* "tcp" (or NULL), "udp", "sctp" */
};

struct spec_port_list {
	struct spec_port *items;
	size_t count;
};

struct spec_volume {
	char *type;   /* "volume", "bind", "tmpfs" */
	char *source; /* volume's name (NULL: anonymous) or host path */
	char *target; /* absolute path in the container */
	bool read_only;
	int64_t tmpfs_size; /* bytes; 0: half the memory, the kernel's default */
	int64_t tmpfs_mode; /* 0: 01777 */
	char *bind_propagation; /* "rprivate" (or NULL), "private", "rslave", ... */
	bool nocopy; /* a new volume is not filled from the image */
};

struct spec_volume_list {
	struct spec_volume *items;
	size_t count;
};

struct spec_rate {
	char *path;   /* host's block device */
	int64_t rate; /* bytes or operations per second */
};

struct spec_rate_list {
	struct spec_rate *items;
	size_t count;
};

struct spec_blkio {
	int64_t weight; /* 10..1000; 0: not said */
	struct spec_rate_list read_bps, write_bps, read_iops, write_iops;
};

struct spec_ulimit {
	char *name; /* "nofile" */
	int64_t soft, hard; /* -1: unlimited */
};

struct spec_ulimit_list {
	struct spec_ulimit *items;
	size_t count;
};

struct spec_device {
	char *source;	   /* host's path */
	char *target;	   /* NULL: same */
	char *permissions; /* NULL: "rwm" */
};

struct spec_device_list {
	struct spec_device *items;
	size_t count;
};

struct spec_log {
	char *driver;	  /* "json-file" (or NULL), "local", "syslog", "none" */
	int64_t max_size; /* bytes; 0: 10 MiB */
	int64_t max_file; /* 0: 3 */
	char *syslog_address; /* "udp://192.0.2.1:514", "unix:///dev/log" */
	char *syslog_format;  /* NULL: RFC 3164's */
	int64_t syslog_facility; /* 1 more than its number; 0: daemon */
	char *tag; /* of syslog: NULL: the short id */
};

/* Compose's healthcheck. Present and `test` empty: the image's test, with these times. */
struct spec_health {
	struct string_list test; /* {"NONE"}, {"CMD", ARG...} or {"CMD-SHELL", LINE} */
	int64_t interval_ms;	    /* 0: the image's, else 30 s; and so on */
	int64_t timeout_ms;	    /* 30 s */
	int64_t start_period_ms;    /* none */
	int64_t start_interval_ms; /* 5 s */
	int64_t retries;	    /* 3 */
};

struct spec_dependency {
	char *name;
	char *condition; /* "service_started" (or NULL), "service_healthy",
			  * "service_completed_successfully" */
	bool optional; /* it may be missing, or end otherwise: then only the order counts */
};

struct spec_dependency_list {
	struct spec_dependency *items;
	size_t count;
};

/* What is asked for on one network. */
struct spec_network {
	char *name;
	struct string_list aliases; /* other names for it there */
	struct string_list links;   /* "CONTAINER:ALIAS": a name that only it sees */
	char *ipv4_address;	    /* NULL: any */
	char *mac_address;	    /* NULL: made from the address */
	int64_t gw_priority;	    /* the default route is by the network with the highest */
};

struct spec_network_list {
	struct spec_network *items;
	size_t count;
};

struct container_spec {
	char *name, *image;
	struct string_list entrypoint; /* present and empty: the image's is cleared */
	struct string_list command;
	struct string_map environment;
	char *user; /* "name", "uid", "name:group", "uid:gid" */
	char *working_dir, *hostname, *domainname;
	struct spec_restart restart;
	char *schedule; /* when it is started (base/schedule.h); NULL: at boot */
	char *network_mode; /* "bridge" (or NULL), "host", "none", a network's name */
	struct string_list links; /* docker's --link: "CONTAINER:ALIAS", on network_mode's network */
	struct spec_network_list networks; /* what is said of network_mode's, and more of them */
	struct spec_port_list ports;
	struct spec_volume_list volumes;
	int64_t mem_limit, memswap_limit, mem_reservation; /* bytes; memswap -1: unlimited */
	int64_t nano_cpus; /* 1e9 is one processor */
	char *cpuset;
	int64_t cpu_shares;
	int64_t cpu_period, cpu_quota; /* microseconds; quota -1: none; not with nano_cpus */
	int64_t pids_limit; /* -1: unlimited */
	struct spec_blkio blkio;
	struct spec_ulimit_list ulimits;
	struct string_list cap_add, cap_drop; /* "NET_ADMIN", "CAP_NET_ADMIN", "ALL" */
	bool privileged;
	bool read_only; /* the root file system */
	struct string_list security_opt;
	struct spec_device_list devices;
	struct string_map sysctls;
	char *stop_signal; /* NULL: the image's, else SIGTERM */
	int64_t stop_grace_ms; /* 0: 10 s */
	bool init; /* docker's --init */
	bool tty, stdin_open;
	bool stdin_once; /* stdin ends when the first client's does */
	bool auto_remove; /* goes, with its anonymous volumes, when it has ended */
	struct string_list expose; /* "80/tcp": told, not published */
	struct string_map labels;
	struct spec_log log;
	int64_t shm_size; /* bytes; 0: 64 MiB */
	int64_t oom_score_adj;
	char *userns_mode; /* NULL or "": own user namespace; "host" */
	char *pid;    /* NULL, "": its own; "host"; "container:NAME" */
	char *ipc;    /* NULL, "", "private": its own; "none": and no /dev/shm; "host" */
	char *uts;    /* NULL, "": its own; "host" */
	char *cgroup; /* NULL, "", "private": its own; "host" */
	struct string_list volumes_from; /* "NAME", "NAME:ro": their volumes, added at its making */
	struct string_list extra_hosts; /* "name:address" */
	struct string_list dns, dns_search;
	struct string_list dns_opt; /* "ndots:2" */
	struct string_map annotations; /* OCI's, besides our own */
	struct string_list group_add;
	struct spec_dependency_list depends_on;
	struct spec_health healthcheck;
	char *pull_policy; /* "missing" (or NULL), "always", "never" */
};

/* Reads and checks (names, ranges, absolute paths). Fills `out` only on success. 0 or -errno. */
int container_spec_from_json(yyjson_val *object, struct container_spec *out, struct err *e);

/* NULL: out of memory. Reading it back gives the same spec. */
yyjson_mut_val *container_spec_to_json(const struct container_spec *spec, yyjson_mut_doc *doc);

/* The check alone, for a spec that was put together by hand. */
int container_spec_check(const struct container_spec *spec, struct err *e);

void container_spec_free(struct container_spec *spec); /* what it owns, not itself */
extern const struct record_type spec_network_type;
int container_spec_copy(const struct container_spec *spec, struct container_spec *out);

#define autospec __attribute__((cleanup(container_spec_free)))
