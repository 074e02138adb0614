#include "spec/container.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "spec/record_table.h"

static const struct record_field restart_fields[] = {
	F_STR(spec_restart, policy),
	F_INT(spec_restart, max_retries),
	F_END,
};
RECORD_TYPE(restart_type, spec_restart, restart_fields);

static const struct record_field port_fields[] = {
	F_STR(spec_port, host_ip),
	F_INT(spec_port, published),
	F_INT(spec_port, published_end),
	F_INT_REQ(spec_port, target),
	F_STR(spec_port, protocol),
	F_END,
};
RECORD_TYPE(port_type, spec_port, port_fields);

static const struct record_field volume_fields[] = {
	F_STR_REQ(spec_volume, type),
	F_STR(spec_volume, source),
	F_STR_REQ(spec_volume, target),
	F_BOOL(spec_volume, read_only),
	F_INT(spec_volume, tmpfs_size),
	F_INT(spec_volume, tmpfs_mode),
	F_STR(spec_volume, bind_propagation),
	F_BOOL(spec_volume, nocopy),
	F_END,
};
RECORD_TYPE(volume_type, spec_volume, volume_fields);

static const struct record_field rate_fields[] = {
	F_STR_REQ(spec_rate, path),
	F_INT_REQ(spec_rate, rate),
	F_END,
};
RECORD_TYPE(rate_type, spec_rate, rate_fields);

static const struct record_field blkio_fields[] = {
	F_INT(spec_blkio, weight),
	F_LIST(spec_blkio, read_bps, &rate_type),
	F_LIST(spec_blkio, write_bps, &rate_type),
	F_LIST(spec_blkio, read_iops, &rate_type),
	F_LIST(spec_blkio, write_iops, &rate_type),
	F_END,
};
RECORD_TYPE(blkio_type, spec_blkio, blkio_fields);

static const struct record_field ulimit_fields[] = {
	F_STR_REQ(spec_ulimit, name),
	F_INT_REQ(spec_ulimit, soft),
	F_INT_REQ(spec_ulimit, hard),
	F_END,
};
RECORD_TYPE(ulimit_type, spec_ulimit, ulimit_fields);

static const struct record_field device_fields[] = {
	F_STR_REQ(spec_device, source),
	F_STR(spec_device, target),
	F_STR(spec_device, permissions),
	F_END,
};
RECORD_TYPE(device_type, spec_device, device_fields);

static const struct record_field log_fields[] = {
	F_STR(spec_log, driver),
	F_INT(spec_log, max_size),
	F_INT(spec_log, max_file),
	F_STR(spec_log, syslog_address),
	F_STR(spec_log, syslog_format),
	F_INT(spec_log, syslog_facility),
	F_STR(spec_log, tag),
	F_END,
};
RECORD_TYPE(log_type, spec_log, log_fields);

static const struct record_field health_fields[] = {
	F_STRS(spec_health, test),
	F_INT(spec_health, interval_ms),
	F_INT(spec_health, timeout_ms),
	F_INT(spec_health, start_period_ms),
	F_INT(spec_health, start_interval_ms),
	F_INT(spec_health, retries),
	F_END,
};
RECORD_TYPE(health_type, spec_health, health_fields);

static const struct record_field dependency_fields[] = {
	F_STR_REQ(spec_dependency, name),
	F_STR(spec_dependency, condition),
	F_BOOL(spec_dependency, optional),
	F_END,
};
/* Records on disk of Berth before conditions have names alone. */
RECORD_TYPE_OR_STRING(dependency_type, spec_dependency, dependency_fields);

static const struct record_field network_fields[] = {
	F_STR_REQ(spec_network, name),
	F_STRS(spec_network, aliases),
	F_STRS(spec_network, links),
	F_STR(spec_network, ipv4_address),
	F_STR(spec_network, mac_address),
	F_INT(spec_network, gw_priority),
	F_END,
};
const struct record_type spec_network_type = { sizeof(struct spec_network), network_fields, false };

static const struct record_field spec_fields[] = {
	F_STR_REQ(container_spec, name),
	F_STR_REQ(container_spec, image),
	F_STRS(container_spec, entrypoint),
	F_STRS(container_spec, command),
	F_MAP(container_spec, environment),
	F_STR(container_spec, user),
	F_STR(container_spec, working_dir),
	F_STR(container_spec, hostname),
	F_STR(container_spec, domainname),
	F_OBJ(container_spec, restart, &restart_type),
	F_STR(container_spec, schedule),
	F_STR(container_spec, network_mode),
	F_LIST(container_spec, networks, &spec_network_type),
	F_STRS(container_spec, links),
	F_LIST(container_spec, ports, &port_type),
	F_LIST(container_spec, volumes, &volume_type),
	F_INT(container_spec, mem_limit),
	F_INT(container_spec, memswap_limit),
	F_INT(container_spec, mem_reservation),
	F_INT(container_spec, nano_cpus),
	F_STR(container_spec, cpuset),
	F_INT(container_spec, cpu_shares),
	F_INT(container_spec, cpu_period),
	F_INT(container_spec, cpu_quota),
	F_INT(container_spec, pids_limit),
	F_OBJ(container_spec, blkio, &blkio_type),
	F_LIST(container_spec, ulimits, &ulimit_type),
	F_STRS(container_spec, cap_add),
	F_STRS(container_spec, cap_drop),
	F_BOOL(container_spec, privileged),
	F_BOOL(container_spec, read_only),
	F_STRS(container_spec, security_opt),
	F_LIST(container_spec, devices, &device_type),
	F_MAP(container_spec, sysctls),
	F_STR(container_spec, stop_signal),
	F_INT(container_spec, stop_grace_ms),
	F_BOOL(container_spec, init),
	F_BOOL(container_spec, tty),
	F_BOOL(container_spec, stdin_open),
	F_BOOL(container_spec, stdin_once),
	F_BOOL(container_spec, auto_remove),
	F_STRS(container_spec, expose),
	F_MAP(container_spec, labels),
	F_OBJ(container_spec, log, &log_type),
	F_INT(container_spec, shm_size),
	F_INT(container_spec, oom_score_adj),
	F_STR(container_spec, userns_mode),
	F_STR(container_spec, pid),
	F_STR(container_spec, ipc),
	F_STR(container_spec, uts),
	F_STR(container_spec, cgroup),
	F_STRS(container_spec, volumes_from),
	F_STRS(container_spec, extra_hosts),
	F_STRS(container_spec, dns),
	F_STRS(container_spec, dns_search),
	F_STRS(container_spec, dns_opt),
	F_MAP(container_spec, annotations),
	F_STRS(container_spec, group_add),
	F_LIST(container_spec, depends_on, &dependency_type),
	F_OBJ(container_spec, healthcheck, &health_type),
	F_STR(container_spec, pull_policy),
	F_END,
};
RECORD_TYPE(spec_type, container_spec, spec_fields);

void container_spec_free(struct container_spec *spec)
{
	record_free(&spec_type, spec);
}

yyjson_mut_val *container_spec_to_json(const struct container_spec *spec, yyjson_mut_doc *doc)
{
	return record_write(&spec_type, spec, doc);
}

static bool one_of(const char *text, const char *const *names)
{
	if (!text)
		return true;
	for (; *names; names++)
		if (!strcmp(text, *names))
			return true;
	return false;
}

/* Docker's rule: [a-zA-Z0-9][a-zA-Z0-9_.-]+ */
static bool name_ok(const char *name)
{
	size_t len = strlen(name);

	if (len < 2 || len > 255 || !isalnum((unsigned char)name[0]))
		return false;
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("_.-", *p))
			return false;
	return true;
}

static int check_ports(const struct container_spec *s, struct err *e)
{
	static const char *const protocols[] = { "tcp", "udp", "sctp", NULL };

	for (size_t i = 0; i < s->ports.count; i++) {
		const struct spec_port *p = &s->ports.items[i];

		if (p->target < 1 || p->target > 65535 || p->published < 0 || p->published > 65535)
			return err_set(e, -EINVAL, "ports[%zu]: a port is 1 to 65535", i);
		if (p->published_end && (p->published_end < p->published || p->published_end > 65535))
			return err_set(e, -EINVAL, "ports[%zu]: a range of ports ends after its beginning",
				       i);
		if (!one_of(p->protocol, protocols))
			return err_set(e, -EINVAL, "ports[%zu]: unknown protocol \"%s\"", i,
				       p->protocol);
	}
	return 0;
}

static int check_networks(const struct container_spec *s, struct err *e)
{
	for (size_t i = 0; i < s->networks.count; i++)
		if (!s->networks.items[i].name || !s->networks.items[i].name[0])
			return err_set(e, -EINVAL, "networks[%zu].name: is missing", i);
	return 0;
}

static int check_volumes(const struct container_spec *s, struct err *e)
{
	static const char *const types[] = { "volume", "bind", "tmpfs", NULL };

	for (size_t i = 0; i < s->volumes.count; i++) {
		const struct spec_volume *v = &s->volumes.items[i];

		if (!v->type || !one_of(v->type, types))
			return err_set(e, -EINVAL, "volumes[%zu]: type is volume, bind or tmpfs", i);
		if (!v->target || v->target[0] != '/' || !strcmp(v->target, "/"))
			return err_set(e, -EINVAL,
				       "volumes[%zu]: target is an absolute path other than \"/\"", i);
		if (!strcmp(v->type, "bind") && (!v->source || v->source[0] != '/'))
			return err_set(e, -EINVAL, "volumes[%zu]: a bind's source is an absolute path",
				       i);
	}
	return 0;
}

/* Those of ours tell the runtime who the program runs as. */
static int check_annotations(const struct container_spec *s, struct err *e)
{
	static const char ours[] = "org.berth.";

	for (size_t i = 0; i < s->annotations.count; i++)
		if (!strncmp(s->annotations.items[i].name, ours, sizeof(ours) - 1))
			return err_set(e, -EINVAL, "annotations: \"%s\": names that begin with \"%s\" "
				       "are Berth's own", s->annotations.items[i].name, ours);
	return 0;
}

static int check_depends_on(const struct container_spec *s, struct err *e)
{
	static const char *const conditions[] = { "service_started", "service_healthy",
						  "service_completed_successfully", NULL };

	for (size_t i = 0; i < s->depends_on.count; i++)
		if (!one_of(s->depends_on.items[i].condition, conditions))
			return err_set(e, -EINVAL, "depends_on[%zu]: unknown condition \"%s\"", i,
				       s->depends_on.items[i].condition);
	return 0;
}

static int check_health(const struct container_spec *s, struct err *e)
{
	static const char *const kinds[] = { "NONE", "CMD", "CMD-SHELL", NULL };
	const struct string_list *test = &s->healthcheck.test;

	if (!test->count)
		return 0;
	if (!one_of(test->items[0], kinds))
		return err_set(e, -EINVAL, "healthcheck.test: \"%s\" is none of CMD, CMD-SHELL and NONE",
			       test->items[0]);
	if (strcmp(test->items[0], "NONE") && test->count < 2)
		return err_set(e, -EINVAL, "healthcheck.test: \"%s\" needs a command", test->items[0]);
	return 0;
}

static int check_rates(const char *list, const struct spec_rate_list *rates, struct err *e)
{
	for (size_t i = 0; i < rates->count; i++)
		if (!rates->items[i].path)
			return err_set(e, -EINVAL, "blkio.%s[%zu].path: is missing", list, i);
	return 0;
}

/* The tables see to it for what is read from JSON; what was put together by hand went past them,
 * and could not be read back from its container.json. */
static int check_required(const struct container_spec *s, struct err *e)
{
	const struct spec_blkio *io = &s->blkio;
	int rc;

	for (size_t i = 0; i < s->ulimits.count; i++)
		if (!s->ulimits.items[i].name)
			return err_set(e, -EINVAL, "ulimits[%zu].name: is missing", i);
	for (size_t i = 0; i < s->devices.count; i++)
		if (!s->devices.items[i].source)
			return err_set(e, -EINVAL, "devices[%zu].source: is missing", i);
	rc = check_rates("read_bps", &io->read_bps, e);
	if (!rc)
		rc = check_rates("write_bps", &io->write_bps, e);
	if (!rc)
		rc = check_rates("read_iops", &io->read_iops, e);
	return rc ? rc : check_rates("write_iops", &io->write_iops, e);
}

/* Members whose value is a number with a lower bound. */
static int check_numbers(const struct container_spec *s, struct err *e)
{
	const int64_t longest_ms = 1000LL * 86400 * 36500;
	const struct {
		const char *name;
		int64_t value, min, max;
	} rows[] = {
		{ "mem_limit", s->mem_limit, 0, INT64_MAX },
		{ "memswap_limit", s->memswap_limit, -1, INT64_MAX },
		{ "mem_reservation", s->mem_reservation, 0, INT64_MAX },
		{ "nano_cpus", s->nano_cpus, 0, INT64_MAX },
		{ "cpu_shares", s->cpu_shares, 0, 262144 },
		{ "cpu_period", s->cpu_period, 0, 1000000 },
		{ "cpu_quota", s->cpu_quota, -1, INT64_MAX },
		{ "pids_limit", s->pids_limit, -1, INT64_MAX },
		{ "blkio.weight", s->blkio.weight, 0, 1000 },
		{ "stop_grace_ms", s->stop_grace_ms, 0, INT64_MAX },
		{ "shm_size", s->shm_size, 0, INT64_MAX },
		{ "oom_score_adj", s->oom_score_adj, -1000, 1000 },
		{ "healthcheck.interval_ms", s->healthcheck.interval_ms, 0, longest_ms },
		{ "healthcheck.timeout_ms", s->healthcheck.timeout_ms, 0, longest_ms },
		{ "healthcheck.start_period_ms", s->healthcheck.start_period_ms, 0, longest_ms },
		{ "healthcheck.start_interval_ms", s->healthcheck.start_interval_ms, 0, longest_ms },
		{ "healthcheck.retries", s->healthcheck.retries, 0, 1000000 },
		{ "restart.max_retries", s->restart.max_retries, 0, INT64_MAX },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].value < rows[i].min || rows[i].value > rows[i].max)
			return err_set(e, -EINVAL, "%s: %lld is out of range", rows[i].name,
				       (long long)rows[i].value);
	return 0;
}

/* Whose namespaces; "container:NAME" is there only for processes. */
static int check_namespaces(const struct container_spec *s, struct err *e)
{
	static const char *const ipc[] = { "", "private", "none", "host", NULL };
	static const char *const own_or_host[] = { "", "host", NULL };
	static const char *const cgroup[] = { "", "private", "host", NULL };
	const struct {
		const char *name, *value;
		const char *const *words;
	} rows[] = {
		{ "pid", s->pid, own_or_host },	      { "ipc", s->ipc, ipc },
		{ "uts", s->uts, own_or_host },	      { "cgroup", s->cgroup, cgroup },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (i == 0 && s->pid && !strncmp(s->pid, "container:", 10) && s->pid[10])
			continue;
		if (!one_of(rows[i].value, rows[i].words))
			return err_set(e, -EINVAL, "%s: unknown mode \"%s\"", rows[i].name, rows[i].value);
	}
	return 0;
}

static int check_processors(const struct container_spec *s, struct err *e)
{
	if (s->nano_cpus && (s->cpu_period || s->cpu_quota))
		return err_set(e, -EINVAL, "Conflicting options: Nano CPUs and CPU Period or Quota cannot both "
			       "be set.");
	return 0;
}

int container_spec_check(const struct container_spec *s, struct err *e)
{
	static const char *const policies[] = { "", "no", "always", "on-failure", "unless-stopped",
						NULL };
	static const char *const userns[] = { "", "host", NULL };
	static int (*const checks[])(const struct container_spec *spec, struct err *e) = {
		check_ports, check_networks, check_volumes, check_required, check_depends_on, check_health,
		check_namespaces, check_processors, check_annotations, check_numbers,
	};
	int rc = 0;

	if (!s->name || !name_ok(s->name))
		return err_set(e, -EINVAL,
			       "name: \"%s\" is not two or more of letters, digits, \"_\", \".\", \"-\"",
			       s->name ? s->name : "");
	if (!s->image || !s->image[0])
		return err_set(e, -EINVAL, "image: is missing");
	if (!one_of(s->restart.policy, policies))
		return err_set(e, -EINVAL, "restart: unknown policy \"%s\"", s->restart.policy);
	if (!one_of(s->userns_mode, userns))
		return err_set(e, -EINVAL, "userns_mode: \"%s\" is neither empty nor \"host\"",
			       s->userns_mode);
	if (s->working_dir && s->working_dir[0] && s->working_dir[0] != '/')
		return err_set(e, -EINVAL, "working_dir: \"%s\" is not an absolute path",
			       s->working_dir);
	for (size_t i = 0; !rc && i < ARRAY_LEN(checks); i++)
		rc = checks[i](s, e);
	return rc;
}

int container_spec_from_json(yyjson_val *object, struct container_spec *out, struct err *e)
{
	autospec struct container_spec made;
	int rc = record_read(&spec_type, object, "", &made, e);

	if (!rc)
		rc = container_spec_check(&made, e);
	if (rc < 0)
		return rc;
	*out = made;
	memset(&made, 0, sizeof(made));
	return 0;
}

int container_spec_copy(const struct container_spec *spec, struct container_spec *out)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *value = doc ? container_spec_to_json(spec, doc) : NULL;
	yyjson_doc *frozen = NULL;
	int rc = -ENOMEM;

	/* Through JSON: the table is the one place that knows every member. */
	if (value) {
		yyjson_mut_doc_set_root(doc, value);
		frozen = yyjson_mut_doc_imut_copy(doc, NULL);
	}
	if (frozen)
		rc = record_read(&spec_type, yyjson_doc_get_root(frozen), "", out, NULL);
	yyjson_doc_free(frozen);
	yyjson_mut_doc_free(doc);
	return rc;
}
