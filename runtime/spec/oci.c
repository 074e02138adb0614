#include "spec/oci.h"

#include "spec/record_table.h"

static const struct record_field box_fields[] = {
	F_INT(oci_box, height),
	F_INT(oci_box, width),
	F_END,
};
RECORD_TYPE(box_type, oci_box, box_fields);

static const struct record_field user_fields[] = {
	F_INT(oci_user, uid),
	F_INT(oci_user, gid),
	F_OPT(oci_user, umask),
	{ "additionalGids", RECORD_INTS, offsetof(struct oci_user, additionalGids), NULL, false },
	F_END,
};
RECORD_TYPE(user_type, oci_user, user_fields);

static const struct record_field capabilities_fields[] = {
	F_STRS(oci_capabilities, bounding),    F_STRS(oci_capabilities, effective),
	F_STRS(oci_capabilities, inheritable), F_STRS(oci_capabilities, permitted),
	F_STRS(oci_capabilities, ambient),     F_END,
};
RECORD_TYPE(capabilities_type, oci_capabilities, capabilities_fields);

static const struct record_field rlimit_fields[] = {
	F_STR_REQ(oci_rlimit, type),
	F_U64_REQ(oci_rlimit, soft),
	F_U64_REQ(oci_rlimit, hard),
	F_END,
};
RECORD_TYPE(rlimit_type, oci_rlimit, rlimit_fields);

static const struct record_field scheduler_fields[] = {
	F_STR_REQ(oci_scheduler, policy),
	F_INT(oci_scheduler, nice),
	F_INT(oci_scheduler, priority),
	F_STRS(oci_scheduler, flags),
	F_U64(oci_scheduler, runtime),
	F_U64(oci_scheduler, deadline),
	F_U64(oci_scheduler, period),
	F_END,
};
RECORD_TYPE(scheduler_type, oci_scheduler, scheduler_fields);

static const struct record_field io_priority_fields[] = {
	F_STR_REQ(oci_io_priority, class),
	F_INT_REQ(oci_io_priority, priority),
	F_END,
};
RECORD_TYPE(io_priority_type, oci_io_priority, io_priority_fields);

static const struct record_field affinity_fields[] = {
	F_STR(oci_affinity, initial),
	F_STR(oci_affinity, final),
	F_END,
};
RECORD_TYPE(affinity_type, oci_affinity, affinity_fields);

static const struct record_field process_fields[] = {
	F_BOOL(oci_process, terminal),
	F_OBJ(oci_process, consoleSize, &box_type),
	F_STR_REQ(oci_process, cwd),
	F_STRS(oci_process, env),
	F_STRS(oci_process, args),
	F_LIST(oci_process, rlimits, &rlimit_type),
	F_PTR(oci_process, capabilities, &capabilities_type),
	F_BOOL(oci_process, noNewPrivileges),
	F_OPT(oci_process, oomScoreAdj),
	F_OBJ(oci_process, user, &user_type),
	F_STR(oci_process, apparmorProfile),
	F_STR(oci_process, selinuxLabel),
	F_PTR(oci_process, scheduler, &scheduler_type),
	F_PTR(oci_process, ioPriority, &io_priority_type),
	F_OBJ(oci_process, execCPUAffinity, &affinity_type),
	F_END,
};
RECORD_TYPE(process_type, oci_process, process_fields);

static const struct record_field root_fields[] = {
	F_STR_REQ(oci_root, path),
	F_BOOL(oci_root, readonly),
	F_END,
};
RECORD_TYPE(root_type, oci_root, root_fields);

static const struct record_field mapping_fields[] = {
	F_INT_REQ(oci_mapping, containerID),
	F_INT_REQ(oci_mapping, hostID),
	F_INT_REQ(oci_mapping, size),
	F_END,
};
RECORD_TYPE(mapping_type, oci_mapping, mapping_fields);

static const struct record_field mount_fields[] = {
	F_STR_REQ(oci_mount, destination),
	F_STR(oci_mount, source),
	F_STR(oci_mount, type),
	F_STRS(oci_mount, options),
	F_LIST(oci_mount, uidMappings, &mapping_type),
	F_LIST(oci_mount, gidMappings, &mapping_type),
	F_END,
};
RECORD_TYPE(mount_type, oci_mount, mount_fields);

static const struct record_field namespace_fields[] = {
	F_STR_REQ(oci_namespace, type),
	F_STR(oci_namespace, path),
	F_END,
};
RECORD_TYPE(namespace_type, oci_namespace, namespace_fields);

static const struct record_field device_fields[] = {
	F_STR_REQ(oci_device, type),
	F_STR_REQ(oci_device, path),
	F_INT(oci_device, major),
	F_INT(oci_device, minor),
	F_OPT(oci_device, fileMode),
	F_OPT(oci_device, uid),
	F_OPT(oci_device, gid),
	F_END,
};
RECORD_TYPE(device_type, oci_device, device_fields);

static const struct record_field device_rule_fields[] = {
	F_BOOL(oci_device_rule, allow),
	F_STR(oci_device_rule, type),
	F_STR(oci_device_rule, access),
	F_OPT(oci_device_rule, major),
	F_OPT(oci_device_rule, minor),
	F_END,
};
RECORD_TYPE(device_rule_type, oci_device_rule, device_rule_fields);

static const struct record_field memory_fields[] = {
	F_OPT(oci_memory, limit),
	F_OPT(oci_memory, reservation),
	F_OPT(oci_memory, swap),
	F_OPT(oci_memory, kernel),
	F_OPT(oci_memory, kernelTCP),
	F_OPT(oci_memory, swappiness),
	F_BOOL(oci_memory, disableOOMKiller),
	F_BOOL(oci_memory, checkBeforeUpdate),
	F_END,
};
RECORD_TYPE(memory_type, oci_memory, memory_fields);

static const struct record_field cpu_fields[] = {
	F_OPT(oci_cpu, shares),
	F_OPT(oci_cpu, quota),
	F_OPT(oci_cpu, period),
	F_OPT(oci_cpu, burst),
	F_OPT(oci_cpu, idle),
	F_STR(oci_cpu, cpus),
	F_STR(oci_cpu, mems),
	F_OPT(oci_cpu, realtimeRuntime),
	F_OPT(oci_cpu, realtimePeriod),
	F_END,
};
RECORD_TYPE(cpu_type, oci_cpu, cpu_fields);

static const struct record_field pids_fields[] = {
	F_OPT(oci_pids, limit),
	F_END,
};
RECORD_TYPE(pids_type, oci_pids, pids_fields);

static const struct record_field throttle_fields[] = {
	F_INT_REQ(oci_throttle, major),
	F_INT_REQ(oci_throttle, minor),
	F_INT_REQ(oci_throttle, rate),
	F_END,
};
RECORD_TYPE(throttle_type, oci_throttle, throttle_fields);

static const struct record_field weight_fields[] = {
	F_INT_REQ(oci_weight, major),
	F_INT_REQ(oci_weight, minor),
	F_OPT(oci_weight, weight),
	F_OPT(oci_weight, leafWeight),
	F_END,
};
RECORD_TYPE(weight_type, oci_weight, weight_fields);

static const struct record_field block_io_fields[] = {
	F_OPT(oci_block_io, weight),
	F_OPT(oci_block_io, leafWeight),
	F_LIST(oci_block_io, weightDevice, &weight_type),
	F_LIST(oci_block_io, throttleReadBpsDevice, &throttle_type),
	F_LIST(oci_block_io, throttleWriteBpsDevice, &throttle_type),
	F_LIST(oci_block_io, throttleReadIOPSDevice, &throttle_type),
	F_LIST(oci_block_io, throttleWriteIOPSDevice, &throttle_type),
	F_END,
};
RECORD_TYPE(block_io_type, oci_block_io, block_io_fields);

static const struct record_field hugepage_fields[] = {
	F_STR_REQ(oci_hugepage, pageSize),
	F_INT_REQ(oci_hugepage, limit),
	F_END,
};
RECORD_TYPE(hugepage_type, oci_hugepage, hugepage_fields);

static const struct record_field rdma_fields[] = {
	F_NAME(oci_rdma, name),
	F_OPT(oci_rdma, hcaHandles),
	F_OPT(oci_rdma, hcaObjects),
	F_END,
};
RECORD_TYPE(rdma_type, oci_rdma, rdma_fields);

static const struct record_field priority_fields[] = {
	F_STR_REQ(oci_priority, name),
	F_INT_REQ(oci_priority, priority),
	F_END,
};
RECORD_TYPE(priority_type, oci_priority, priority_fields);

static const struct record_field network_fields[] = {
	F_OPT(oci_network, classID),
	F_LIST(oci_network, priorities, &priority_type),
	F_END,
};
RECORD_TYPE(network_type, oci_network, network_fields);

static const struct record_field resources_fields[] = {
	F_LIST(oci_resources, devices, &device_rule_type),
	F_OBJ(oci_resources, memory, &memory_type),
	F_OBJ(oci_resources, cpu, &cpu_type),
	F_OBJ(oci_resources, pids, &pids_type),
	F_OBJ(oci_resources, blockIO, &block_io_type),
	F_LIST(oci_resources, hugepageLimits, &hugepage_type),
	F_MAP(oci_resources, unified),
	F_NAMED(oci_resources, rdma, &rdma_type),
	F_OBJ(oci_resources, network, &network_type),
	F_END,
};
RECORD_TYPE(resources_type, oci_resources, resources_fields);

static const struct record_field personality_fields[] = {
	F_STR_REQ(oci_personality, domain),
	F_STRS(oci_personality, flags),
	F_END,
};
RECORD_TYPE(personality_type, oci_personality, personality_fields);

static const struct record_field time_offset_fields[] = {
	F_NAME(oci_time_offset, clock),
	F_INT(oci_time_offset, secs),
	F_INT(oci_time_offset, nanosecs),
	F_END,
};
RECORD_TYPE(time_offset_type, oci_time_offset, time_offset_fields);

static const struct record_field linux_fields[] = {
	F_LIST(oci_linux, uidMappings, &mapping_type),
	F_LIST(oci_linux, gidMappings, &mapping_type),
	F_MAP(oci_linux, sysctl),
	F_OBJ(oci_linux, resources, &resources_type),
	F_STR(oci_linux, cgroupsPath),
	F_LIST(oci_linux, namespaces, &namespace_type),
	F_LIST(oci_linux, devices, &device_type),
	F_RAW(oci_linux, seccomp),
	F_STR(oci_linux, rootfsPropagation),
	F_STRS(oci_linux, maskedPaths),
	F_STRS(oci_linux, readonlyPaths),
	F_STR(oci_linux, mountLabel),
	F_REFUSED("intelRdt"),
	F_PTR(oci_linux, personality, &personality_type),
	F_NAMED(oci_linux, timeOffsets, &time_offset_type),
	F_REFUSED("netDevices"),
	F_REFUSED("memoryPolicy"),
	F_END,
};
RECORD_TYPE(linux_type, oci_linux, linux_fields);

static const struct record_field hook_fields[] = {
	F_STR_REQ(oci_hook, path),
	F_STRS(oci_hook, args),
	F_STRS(oci_hook, env),
	F_OPT(oci_hook, timeout),
	F_END,
};
RECORD_TYPE(hook_type, oci_hook, hook_fields);

static const struct record_field hooks_fields[] = {
	F_LIST(oci_hooks, prestart, &hook_type),
	F_LIST(oci_hooks, createRuntime, &hook_type),
	F_LIST(oci_hooks, createContainer, &hook_type),
	F_LIST(oci_hooks, startContainer, &hook_type),
	F_LIST(oci_hooks, poststart, &hook_type),
	F_LIST(oci_hooks, poststop, &hook_type),
	F_END,
};
RECORD_TYPE(hooks_type, oci_hooks, hooks_fields);

static const struct record_field spec_fields[] = {
	F_STR_REQ(oci_spec, ociVersion),
	F_PTR(oci_spec, process, &process_type),
	F_PTR(oci_spec, root, &root_type),
	F_STR(oci_spec, hostname),
	F_STR(oci_spec, domainname),
	F_LIST(oci_spec, mounts, &mount_type),
	F_PTR(oci_spec, hooks, &hooks_type),
	F_MAP(oci_spec, annotations),
	{ "linux", RECORD_POINTER, offsetof(struct oci_spec, linux_), &linux_type, false },
	F_REFUSED("vm"),
	F_END,
};
RECORD_TYPE(spec_type, oci_spec, spec_fields);

static const struct record_field arg_fields[] = {
	F_INT_REQ(oci_seccomp_arg, index),
	F_U64_REQ(oci_seccomp_arg, value),
	F_U64(oci_seccomp_arg, valueTwo),
	F_STR_REQ(oci_seccomp_arg, op),
	F_END,
};
RECORD_TYPE(arg_type, oci_seccomp_arg, arg_fields);

static const struct record_field syscall_fields[] = {
	F_STRS(oci_syscall, names),
	F_STR_REQ(oci_syscall, action),
	F_OPT(oci_syscall, errnoRet),
	F_LIST(oci_syscall, args, &arg_type),
	F_END,
};
RECORD_TYPE(syscall_type, oci_syscall, syscall_fields);

static const struct record_field seccomp_fields[] = {
	F_STR_REQ(oci_seccomp, defaultAction),
	F_OPT(oci_seccomp, defaultErrnoRet),
	F_STRS(oci_seccomp, architectures),
	F_STRS(oci_seccomp, flags),
	F_LIST(oci_seccomp, syscalls, &syscall_type),
	F_STR(oci_seccomp, listenerPath),
	F_STR(oci_seccomp, listenerMetadata),
	F_END,
};
RECORD_TYPE(seccomp_type, oci_seccomp, seccomp_fields);

int oci_spec_read(yyjson_val *object, struct oci_spec *out, struct err *e)
{
	return record_read(&spec_type, object, "", out, e);
}

yyjson_mut_val *oci_spec_write(const struct oci_spec *spec, yyjson_mut_doc *doc)
{
	return record_write(&spec_type, spec, doc);
}

void oci_spec_free(struct oci_spec *spec)
{
	record_free(&spec_type, spec);
}

int oci_process_read(yyjson_val *object, struct oci_process *out, struct err *e)
{
	return record_read(&process_type, object, "process", out, e);
}

void oci_process_free(struct oci_process *process)
{
	record_free(&process_type, process);
}

int oci_resources_read(yyjson_val *object, struct oci_resources *out, struct err *e)
{
	return record_read(&resources_type, object, "resources", out, e);
}

void oci_resources_free(struct oci_resources *resources)
{
	record_free(&resources_type, resources);
}

int oci_hooks_read(yyjson_val *object, struct oci_hooks *out, struct err *e)
{
	return record_read(&hooks_type, object, "hooks", out, e);
}

yyjson_mut_val *oci_hooks_write(const struct oci_hooks *hooks, yyjson_mut_doc *doc)
{
	return record_write(&hooks_type, hooks, doc);
}

void oci_hooks_free(struct oci_hooks *hooks)
{
	record_free(&hooks_type, hooks);
}

int oci_seccomp_read(yyjson_val *object, struct oci_seccomp *out, struct err *e)
{
	return record_read(&seccomp_type, object, "linux.seccomp", out, e);
}

yyjson_mut_val *oci_seccomp_write(const struct oci_seccomp *seccomp, yyjson_mut_doc *doc)
{
	return record_write(&seccomp_type, seccomp, doc);
}

void oci_seccomp_free(struct oci_seccomp *seccomp)
{
	record_free(&seccomp_type, seccomp);
}
