/* OCI config.json as structs: what berth-oci reads and what oci_make.c writes, described once.
 * Members have the specification's names. Source: OCI runtime-spec 1.2, config.md and
 * config-linux.md. What is missing here is ignored on reading, as the specification asks; what is
 * known but not implemented is refused by name (RECORD_REFUSED in oci.c), never ignored. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "spec/record.h"

#define OCI_VERSION "1.2.0"

struct oci_box {
	int64_t height, width;
};

struct oci_user {
	int64_t uid, gid;
	struct opt_int umask;
	struct oci_gid_list {
		int64_t *items;
		size_t count;
	} additionalGids;
};

struct oci_capabilities {
	struct string_list bounding, effective, inheritable, permitted, ambient;
};

struct oci_rlimit {
	char *type;
	uint64_t soft, hard; /* UINT64_MAX: unlimited */
};

struct oci_rlimit_list {
	struct oci_rlimit *items;
	size_t count;
};

struct oci_scheduler {
	char *policy;
	int64_t nice, priority;
	struct string_list flags;
	uint64_t runtime, deadline, period; /* nanoseconds */
};

struct oci_io_priority {
	char *class;
	int64_t priority;
};

struct oci_affinity {
	char *initial, *final; /* "0-3,7" */
};

struct oci_process {
	bool terminal;
	struct oci_box consoleSize;
	char *cwd;
	struct string_list env, args;
	struct oci_rlimit_list rlimits;
	struct oci_capabilities *capabilities;
	bool noNewPrivileges;
	struct opt_int oomScoreAdj;
	struct oci_user user;
	char *apparmorProfile, *selinuxLabel;
	struct oci_scheduler *scheduler;
	struct oci_io_priority *ioPriority;
	struct oci_affinity execCPUAffinity; /* of exec's processes alone */
};

struct oci_root {
	char *path;
	bool readonly;
};

struct oci_mapping {
	int64_t containerID, hostID, size;
};

struct oci_mapping_list {
	struct oci_mapping *items;
	size_t count;
};

struct oci_mount {
	char *destination, *source, *type;
	struct string_list options;
	struct oci_mapping_list uidMappings, gidMappings;
};

struct oci_mount_list {
	struct oci_mount *items;
	size_t count;
};

struct oci_namespace {
	char *type, *path;
};

struct oci_namespace_list {
	struct oci_namespace *items;
	size_t count;
};

struct oci_device {
	char *type, *path;
	int64_t major, minor;
	struct opt_int fileMode, uid, gid;
};

struct oci_device_list {
	struct oci_device *items;
	size_t count;
};

struct oci_device_rule {
	bool allow;
	char *type, *access;
	struct opt_int major, minor;
};

struct oci_device_rule_list {
	struct oci_device_rule *items;
	size_t count;
};

struct oci_memory {
	struct opt_int limit, reservation, swap, kernel, kernelTCP, swappiness;
	bool disableOOMKiller, checkBeforeUpdate;
};

struct oci_cpu {
	struct opt_int shares, quota, period, burst, idle, realtimeRuntime, realtimePeriod;
	char *cpus, *mems;
};

struct oci_pids {
	struct opt_int limit;
};

struct oci_throttle {
	int64_t major, minor, rate;
};

struct oci_throttle_list {
	struct oci_throttle *items;
	size_t count;
};

struct oci_weight {
	int64_t major, minor;
	struct opt_int weight, leafWeight;
};

struct oci_weight_list {
	struct oci_weight *items;
	size_t count;
};

struct oci_block_io {
	struct opt_int weight, leafWeight;
	struct oci_weight_list weightDevice;
	struct oci_throttle_list throttleReadBpsDevice, throttleWriteBpsDevice,
		throttleReadIOPSDevice, throttleWriteIOPSDevice;
};

struct oci_hugepage {
	char *pageSize;
	int64_t limit;
};

struct oci_hugepage_list {
	struct oci_hugepage *items;
	size_t count;
};

struct oci_rdma {
	char *name; /* the device: the key in JSON */
	struct opt_int hcaHandles, hcaObjects;
};

struct oci_rdma_list {
	struct oci_rdma *items;
	size_t count;
};

struct oci_priority {
	char *name;
	int64_t priority;
};

struct oci_priority_list {
	struct oci_priority *items;
	size_t count;
};

struct oci_network {
	struct opt_int classID;
	struct oci_priority_list priorities;
};

struct oci_resources {
	struct oci_device_rule_list devices;
	struct oci_memory memory;
	struct oci_cpu cpu;
	struct oci_pids pids;
	struct oci_block_io blockIO;
	struct oci_hugepage_list hugepageLimits;
	struct oci_rdma_list rdma;
	struct oci_network network;
	struct string_map unified;
};

struct oci_seccomp_arg {
	int64_t index;
	uint64_t value, valueTwo;
	char *op;
};

struct oci_seccomp_arg_list {
	struct oci_seccomp_arg *items;
	size_t count;
};

struct oci_syscall {
	struct string_list names;
	char *action;
	struct opt_int errnoRet;
	struct oci_seccomp_arg_list args;
};

struct oci_syscall_list {
	struct oci_syscall *items;
	size_t count;
};

struct oci_seccomp {
	char *defaultAction;
	struct opt_int defaultErrnoRet;
	struct string_list architectures, flags;
	char *listenerPath, *listenerMetadata;
	struct oci_syscall_list syscalls;
};

struct oci_personality {
	char *domain;
	struct string_list flags;
};

struct oci_time_offset {
	char *clock; /* the key in JSON */
	int64_t secs, nanosecs;
};

struct oci_time_offset_list {
	struct oci_time_offset *items;
	size_t count;
};

struct oci_linux {
	struct oci_mapping_list uidMappings, gidMappings;
	struct oci_time_offset_list timeOffsets;
	struct string_map sysctl;
	struct oci_resources resources;
	char *cgroupsPath;
	struct oci_namespace_list namespaces;
	struct oci_device_list devices;
	/* Left as JSON: the compiled filter is found by its text, and mostly need not be read. */
	yyjson_val *seccomp;
	char *rootfsPropagation, *mountLabel;
	struct string_list maskedPaths, readonlyPaths;
	struct oci_personality *personality;
};

struct oci_hook {
	char *path;
	struct string_list args, env;
	struct opt_int timeout; /* seconds */
};

struct oci_hook_list {
	struct oci_hook *items;
	size_t count;
};

struct oci_hooks {
	struct oci_hook_list prestart, createRuntime, createContainer, startContainer, poststart,
		poststop;
};

struct oci_spec {
	char *ociVersion;
	struct oci_process *process;
	struct oci_root *root;
	char *hostname, *domainname;
	struct oci_mount_list mounts;
	struct oci_hooks *hooks;
	struct string_map annotations;
	struct oci_linux *linux_;
};

/* Reads config.json. `out` borrows linux.seccomp from `object`'s document. 0 or -errno. */
int oci_spec_read(yyjson_val *object, struct oci_spec *out, struct err *e);
yyjson_mut_val *oci_spec_write(const struct oci_spec *spec, yyjson_mut_doc *doc);
void oci_spec_free(struct oci_spec *spec);

/* A process file of "exec": config.json's "process" alone. */
int oci_process_read(yyjson_val *object, struct oci_process *out, struct err *e);
void oci_process_free(struct oci_process *process);
/* The hooks alone, which outlive "create" in a file of their own. */
int oci_hooks_read(yyjson_val *object, struct oci_hooks *out, struct err *e);
yyjson_mut_val *oci_hooks_write(const struct oci_hooks *hooks, yyjson_mut_doc *doc);
void oci_hooks_free(struct oci_hooks *hooks);

/* linux.resources alone, for "update". */
int oci_resources_read(yyjson_val *object, struct oci_resources *out, struct err *e);
void oci_resources_free(struct oci_resources *resources);

int oci_seccomp_read(yyjson_val *object, struct oci_seccomp *out, struct err *e);
yyjson_mut_val *oci_seccomp_write(const struct oci_seccomp *seccomp, yyjson_mut_doc *doc);
void oci_seccomp_free(struct oci_seccomp *seccomp);

#define autooci __attribute__((cleanup(oci_spec_free)))
#define autohooks __attribute__((cleanup(oci_hooks_free)))
#define autoseccomp __attribute__((cleanup(oci_seccomp_free)))
