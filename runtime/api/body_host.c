/* HostConfig. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/body.h"
#include "base/cleanup.h"

/* ---- lists of objects, each with its own small table ---- */

struct list_of {
	const struct body_key *keys;
	size_t item_size;
};

static int take_list(struct body *b, void *list, yyjson_val *v, const struct list_of *of,
		     struct err *e)
{
	size_t i, max;
	yyjson_val *item;

	if (!yyjson_is_arr(v) || yyjson_arr_size(v) > RECORD_ITEMS_MAX)
		return err_set(e, -EINVAL, "expected a list");
	yyjson_arr_foreach(v, i, max, item) {
		void *made = record_list_add(list, of->item_size);
		int rc = made ? body_walk(b, "", item, of->keys, made, e) : body_no_memory(e);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static const struct body_key rate_keys[] = {
	{ "Path", take_string, offsetof(struct spec_rate, path) },
	{ "Rate", take_int, offsetof(struct spec_rate, rate) },
	{ NULL, NULL, 0 },
};

static int take_rates(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	return take_list(b, member, v, &(struct list_of){ rate_keys, sizeof(struct spec_rate) }, e);
}

static const struct body_key ulimit_keys[] = {
	{ "Hard", take_int, offsetof(struct spec_ulimit, hard) },
	{ "Name", take_string, offsetof(struct spec_ulimit, name) },
	{ "Soft", take_int, offsetof(struct spec_ulimit, soft) },
	{ NULL, NULL, 0 },
};

static int take_ulimits(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	return take_list(b, member, v, &(struct list_of){ ulimit_keys, sizeof(struct spec_ulimit) },
			 e);
}

static const struct body_key device_keys[] = {
	{ "CgroupPermissions", take_string, offsetof(struct spec_device, permissions) },
	{ "PathInContainer", take_string, offsetof(struct spec_device, target) },
	{ "PathOnHost", take_string, offsetof(struct spec_device, source) },
	{ NULL, NULL, 0 },
};

static int take_devices(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	return take_list(b, member, v, &(struct list_of){ device_keys, sizeof(struct spec_device) },
			 e);
}

/* ---- objects ---- */

static const struct body_key restart_keys[] = {
	{ "MaximumRetryCount", take_int, offsetof(struct spec_restart, max_retries) },
	{ "Name", take_string, offsetof(struct spec_restart, policy) },
	{ NULL, NULL, 0 },
};

int take_restart(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	return body_walk(b, "RestartPolicy.", v, restart_keys, member, e);
}

/* ---- single words ---- */

/* Words for what every container of ours is; any other is refused. */
static int only(yyjson_val *v, const char *word, struct err *e)
{
	const char *text = yyjson_get_str(v);

	if (text && (!*text || !strcmp(text, word)))
		return 0;
	return err_set(e, -ENOTSUP, "\"%.64s\" is not supported (\"%s\" is)", text ? text : "", word);
}

/* Modes of namespaces are the spec's to check; what it cannot do is told apart from nonsense. */
static int take_mode(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	const char *text = yyjson_get_str(v);

	if (text && (!strcmp(text, "shareable") || !strncmp(text, "container:", 10)))
		return err_set(e, -ENOTSUP, "\"%.64s\" is not supported (private, none and host are)", text);
	return take_string(b, member, v, e);
}

static int take_isolation(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	(void)b;
	(void)member;
	return only(v, "default", e);
}

static int take_driver(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	(void)b;
	(void)member;
	return only(v, "local", e);
}

static int take_runtime(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	(void)b;
	(void)member;
	return only(v, "berth-oci", e);
}

static int take_swappiness(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	(void)b;
	(void)member;
	/* -1 is the clients' word for "not said". */
	return yyjson_get_sint(v) == -1 ? 0 :
	       err_set(e, -ENOTSUP, "is not supported: cgroup v2 has no such thing");
}

/* Even an empty list says something: that no path is masked. */
static int take_paths(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	(void)b;
	(void)member;
	(void)v;
	return err_set(e, -ENOTSUP, "is not supported: the masked paths are docker's own");
}

static int take_console(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	(void)member;
	return body_size(v, &b->console_rows, &b->console_columns, e);
}

#define BODY(member) offsetof(struct body, member)
#define SPEC(member) offsetof(struct body, spec.member)

static const struct body_key host_keys[] = {
	{ "AutoRemove", take_bool, SPEC(auto_remove) },
	{ "Binds", take_binds, 0 },
	{ "BlkioDeviceReadBps", take_rates, SPEC(blkio.read_bps) },
	{ "BlkioDeviceReadIOps", take_rates, SPEC(blkio.read_iops) },
	{ "BlkioDeviceWriteBps", take_rates, SPEC(blkio.write_bps) },
	{ "BlkioDeviceWriteIOps", take_rates, SPEC(blkio.write_iops) },
	{ "BlkioWeight", take_int, SPEC(blkio.weight) },
	{ "CapAdd", take_strings, SPEC(cap_add) },
	{ "CapDrop", take_strings, SPEC(cap_drop) },
	{ "CgroupnsMode", take_mode, SPEC(cgroup) },
	{ "ConsoleSize", take_console, 0 },
	{ "ContainerIDFile", take_nothing, 0 }, /* the client writes it */
	{ "CpuPeriod", take_int, SPEC(cpu_period) },
	{ "CpuQuota", take_int, SPEC(cpu_quota) },
	{ "CpuShares", take_int, SPEC(cpu_shares) },
	{ "CpusetCpus", take_string, SPEC(cpuset) },
	{ "Devices", take_devices, SPEC(devices) },
	{ "Dns", take_strings, SPEC(dns) },
	{ "DnsOptions", take_strings, SPEC(dns_opt) },
	{ "DnsSearch", take_strings, SPEC(dns_search) },
	{ "ExtraHosts", take_strings, SPEC(extra_hosts) },
	{ "GroupAdd", take_strings, SPEC(group_add) },
	{ "Init", take_bool, SPEC(init) },
	{ "IpcMode", take_mode, SPEC(ipc) },
	{ "Isolation", take_isolation, 0 },
	{ "Links", take_strings, SPEC(links) },
	{ "LogConfig", take_log, SPEC(log) },
	{ "MaskedPaths", take_paths, 0 },
	{ "Memory", take_int, SPEC(mem_limit) },
	{ "MemoryReservation", take_int, SPEC(mem_reservation) },
	{ "MemorySwap", take_int, SPEC(memswap_limit) },
	{ "MemorySwappiness", take_swappiness, 0 },
	{ "Mounts", take_mounts, 0 },
	{ "NanoCpus", take_int, SPEC(nano_cpus) },
	{ "NetworkMode", take_string, SPEC(network_mode) },
	{ "OomScoreAdj", take_int, SPEC(oom_score_adj) },
	{ "PidMode", take_string, SPEC(pid) },
	{ "PidsLimit", take_int, SPEC(pids_limit) },
	{ "PortBindings", take_ports, 0 },
	{ "Privileged", take_bool, SPEC(privileged) },
	{ "PublishAllPorts", take_bool, BODY(publish_all) },
	{ "ReadonlyPaths", take_paths, 0 },
	{ "ReadonlyRootfs", take_bool, SPEC(read_only) },
	{ "RestartPolicy", take_restart, SPEC(restart) },
	{ "Runtime", take_runtime, 0 },
	{ "SecurityOpt", take_strings, SPEC(security_opt) },
	{ "ShmSize", take_int, SPEC(shm_size) },
	{ "Sysctls", take_map, SPEC(sysctls) },
	{ "Tmpfs", take_tmpfs, 0 },
	{ "UTSMode", take_mode, SPEC(uts) },
	{ "Ulimits", take_ulimits, SPEC(ulimits) },
	{ "UsernsMode", take_string, SPEC(userns_mode) },
	{ "VolumeDriver", take_driver, 0 },
	{ "VolumesFrom", take_strings, SPEC(volumes_from) },
	{ NULL, NULL, 0 },
};

int take_host_config(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	(void)member;
	return body_walk(b, "HostConfig.", v, host_keys, b, e);
}
