/* GET /containers/{}/json: `docker inspect`. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/json.h"
#include "api/request.h"
#include "api/shape.h"
#include "api/sizes.h"
#include "engine/health.h"
#include "engine/networks.h"

static void add_health(struct buf *b, const struct health *h)
{
	json_open(b, "Health", '{');
	json_string(b, "Status", health_name(h->status));
	json_int(b, "FailingStreak", h->streak);
	json_open(b, "Log", '[');
	for (size_t i = 0; i < h->log_count; i++) {
		json_open(b, NULL, '{');
		json_time(b, "Start", h->log[i].start_ns);
		json_time(b, "End", h->log[i].end_ns);
		json_int(b, "ExitCode", h->log[i].exit_code);
		json_string(b, "Output", h->log[i].output);
		json_close(b, '}');
	}
	json_close(b, ']');
	json_close(b, '}');
}

static void add_state(struct buf *b, const struct container *c)
{
	const char *name = state_docker_name(c->state);
	bool running = c->state == STATE_RUNNING || c->state == STATE_STOPPING ||
		       c->state == STATE_PAUSED || c->state == STATE_RESTARTING;

	json_open(b, "State", '{');
	json_string(b, "Status", name);
	json_bool(b, "Running", running);
	json_bool(b, "Paused", c->state == STATE_PAUSED);
	json_bool(b, "Restarting", c->state == STATE_RESTARTING);
	json_bool(b, "OOMKilled", c->oom_killed);
	json_bool(b, "Dead", c->state == STATE_DEAD);
	json_int(b, "Pid", c->state == STATE_STARTING ? 0 : c->pid);
	json_int(b, "ExitCode", c->exit_code);
	json_string(b, "Error", c->error);
	json_time(b, "StartedAt", c->started_ns);
	json_time(b, "FinishedAt", c->finished_ns);
	if (c->health)
		add_health(b, c->health);
	json_close(b, '}');
}

static void add_binds(struct buf *b, const struct container *c)
{
	bool any = false;

	for (size_t i = 0; i < c->spec.volumes.count; i++) {
		const struct spec_volume *v = &c->spec.volumes.items[i];
		char text[PATH_MAX];

		if (!strcmp(v->type, "tmpfs"))
			continue;
		if (!any)
			json_open(b, "Binds", '[');
		any = true;
		snprintf(text, sizeof(text), "%s:%s%s", v->source, v->target, v->read_only ? ":ro" : "");
		json_string(b, NULL, text);
	}
	if (any)
		json_close(b, ']');
	else
		json_raw(b, "Binds", "null");
}

static bool same_target(const struct spec_port *a, const struct spec_port *b)
{
	return a->target == b->target &&
	       !strcmp(a->protocol ? a->protocol : "tcp", b->protocol ? b->protocol : "tcp");
}

static void add_host_port(struct buf *b, const struct container *c, size_t i)
{
	const struct spec_port *port = &c->spec.ports.items[i];
	char number[8];

	json_open(b, NULL, '{');
	json_string(b, "HostIp", port->host_ip && *port->host_ip ? port->host_ip : "0.0.0.0");
	snprintf(number, sizeof(number), "%u", shape_host_port(c, i) & 0xffff);
	json_string(b, "HostPort", number);
	json_close(b, '}');
}

/* A map from the container's port to all the host's ports that lead there. */
static void add_ports(struct buf *b, const char *key, const struct container *c)
{
	const struct spec_port *ports = c->spec.ports.items;

	json_open(b, key, '{');
	for (size_t i = 0; i < c->spec.ports.count; i++) {
		char name[32];
		size_t first = 0;

		while (!same_target(&ports[first], &ports[i]))
			first++;
		if (first != i)
			continue;
		snprintf(name, sizeof(name), "%lld/%s", (long long)ports[i].target,
			 ports[i].protocol ? ports[i].protocol : "tcp");
		json_open(b, name, '[');
		for (size_t k = i; k < c->spec.ports.count; k++)
			if (same_target(&ports[k], &ports[i]))
				add_host_port(b, c, k);
		json_close(b, ']');
	}
	json_close(b, '}');
}

static void add_log_config(struct buf *b, const struct spec_log *log)
{
	char number[24];

	json_open(b, "LogConfig", '{');
	json_string(b, "Type", log->driver ? log->driver : "json-file");
	json_open(b, "Config", '{');
	if (log->max_size) {
		snprintf(number, sizeof(number), "%lld", (long long)log->max_size);
		json_string(b, "max-size", number);
	}
	if (log->max_file) {
		snprintf(number, sizeof(number), "%lld", (long long)log->max_file);
		json_string(b, "max-file", number);
	}
	if (log->syslog_address)
		json_string(b, "syslog-address", log->syslog_address);
	if (log->syslog_facility) {
		snprintf(number, sizeof(number), "%lld", (long long)(log->syslog_facility - 1));
		json_string(b, "syslog-facility", number);
	}
	if (log->syslog_format)
		json_string(b, "syslog-format", log->syslog_format);
	if (log->tag)
		json_string(b, "tag", log->tag);
	json_close(b, '}');
	json_close(b, '}');
}

static void add_resources(struct buf *b, const struct container_spec *s)
{
	json_int(b, "CpuShares", s->cpu_shares);
	json_int(b, "Memory", s->mem_limit);
	json_int(b, "NanoCpus", s->nano_cpus);
	json_string(b, "CgroupParent", "");
	json_int(b, "BlkioWeight", s->blkio.weight);
	json_int(b, "CpuPeriod", s->cpu_period);
	json_int(b, "CpuQuota", s->cpu_quota);
	json_string(b, "CpusetCpus", s->cpuset);
	json_string(b, "CpusetMems", "");
	json_open(b, "Devices", '[');
	for (size_t i = 0; i < s->devices.count; i++) {
		const struct spec_device *d = &s->devices.items[i];

		json_open(b, NULL, '{');
		json_string(b, "PathOnHost", d->source);
		json_string(b, "PathInContainer", d->target ? d->target : d->source);
		json_string(b, "CgroupPermissions", d->permissions ? d->permissions : "rwm");
		json_close(b, '}');
	}
	json_close(b, ']');
	json_int(b, "MemoryReservation", s->mem_reservation);
	json_int(b, "MemorySwap", s->memswap_limit);
	if (s->pids_limit)
		json_int(b, "PidsLimit", s->pids_limit);
	else
		json_raw(b, "PidsLimit", "null");
	json_open(b, "Ulimits", '[');
	for (size_t i = 0; i < s->ulimits.count; i++) {
		json_open(b, NULL, '{');
		json_string(b, "Name", s->ulimits.items[i].name);
		json_int(b, "Hard", s->ulimits.items[i].hard);
		json_int(b, "Soft", s->ulimits.items[i].soft);
		json_close(b, '}');
	}
	json_close(b, ']');
}

static void add_host_config(struct buf *b, const struct container *c)
{
	const struct container_spec *s = &c->spec;

	json_open(b, "HostConfig", '{');
	add_binds(b, c);
	json_string(b, "ContainerIDFile", "");
	add_log_config(b, &s->log);
	json_string(b, "NetworkMode", shape_network_mode(c));
	add_ports(b, "PortBindings", c);
	json_open(b, "RestartPolicy", '{');
	json_string(b, "Name", s->restart.policy ? s->restart.policy : "no");
	json_int(b, "MaximumRetryCount", s->restart.max_retries);
	json_close(b, '}');
	json_bool(b, "AutoRemove", c->spec.auto_remove);
	json_string(b, "VolumeDriver", "");
	json_strings(b, "VolumesFrom", &s->volumes_from);
	json_raw(b, "ConsoleSize", "[0,0]");
	json_strings(b, "CapAdd", &s->cap_add);
	json_strings(b, "CapDrop", &s->cap_drop);
	json_string(b, "CgroupnsMode", s->cgroup && *s->cgroup ? s->cgroup : "private");
	json_strings(b, "Dns", &s->dns);
	json_strings(b, "DnsOptions", &s->dns_opt);
	json_strings(b, "DnsSearch", &s->dns_search);
	json_strings(b, "ExtraHosts", &s->extra_hosts);
	json_strings(b, "GroupAdd", &s->group_add);
	json_string(b, "IpcMode", s->ipc && *s->ipc ? s->ipc : "private");
	json_string(b, "Cgroup", "");
	json_strings(b, "Links", &s->links);
	json_int(b, "OomScoreAdj", s->oom_score_adj);
	json_string(b, "PidMode", s->pid);
	json_bool(b, "Privileged", s->privileged);
	json_bool(b, "PublishAllPorts", false);
	json_bool(b, "ReadonlyRootfs", s->read_only);
	json_strings(b, "SecurityOpt", &s->security_opt);
	json_string(b, "UTSMode", s->uts);
	json_string(b, "UsernsMode", s->userns_mode);
	json_int(b, "ShmSize", s->shm_size ? s->shm_size : 64 << 20);
	json_map(b, "Sysctls", &s->sysctls);
	json_string(b, "Runtime", "berth-oci");
	json_string(b, "Isolation", "");
	add_resources(b, s);
	json_bool(b, "Init", s->init);
	json_close(b, '}');
}

static void add_graph_driver(struct buf *b, const struct container *c)
{
	char path[PATH_MAX];

	json_open(b, "GraphDriver", '{');
	json_open(b, "Data", '{');
	container_run_dir(c, "rootfs", path, sizeof(path));
	json_string(b, "MergedDir", path);
	container_dir(c, "upper", path, sizeof(path));
	json_string(b, "UpperDir", path);
	container_dir(c, "work", path, sizeof(path));
	json_string(b, "WorkDir", path);
	json_close(b, '}');
	json_string(b, "Name", "overlay2");
	json_close(b, '}');
}

static const char *hostname_of(const struct container *c, char id[CONTAINER_SHORT_ID_LEN + 1])
{
	return c->spec.hostname && *c->spec.hostname ? c->spec.hostname : container_short_id(c, id);
}

static void add_exposed(struct buf *b, const struct container *c, const struct image_config *image)
{
	json_open(b, "ExposedPorts", '{');
	for (size_t i = 0; i < image->ExposedPorts.count; i++)
		json_raw(b, image->ExposedPorts.items[i], "{}");
	for (size_t i = 0; i < c->spec.expose.count; i++)
		if (!string_list_has(&image->ExposedPorts, c->spec.expose.items[i]))
			json_raw(b, c->spec.expose.items[i], "{}");
	for (size_t i = 0; i < c->spec.ports.count; i++) {
		const struct spec_port *port = &c->spec.ports.items[i];
		char name[32];

		snprintf(name, sizeof(name), "%lld/%s", (long long)port->target,
			 port->protocol ? port->protocol : "tcp");
		if (!string_list_has(&image->ExposedPorts, name) &&
		    !string_list_has(&c->spec.expose, name))
			json_raw(b, name, "{}");
	}
	json_close(b, '}');
}

/* What was asked for, over what the image has; docker leaves out what neither says. */
static void add_health_config(struct buf *b, const struct spec_health *own,
			      const struct image_health *image)
{
	const struct string_list *test = own->test.count ? &own->test : &image->Test;
	const struct {
		const char *key;
		int64_t value;
	} rows[] = {
		{ "Interval", own->interval_ms ? own->interval_ms * 1000000 : image->Interval },
		{ "Timeout", own->timeout_ms ? own->timeout_ms * 1000000 : image->Timeout },
		{ "StartPeriod",
		  own->start_period_ms ? own->start_period_ms * 1000000 : image->StartPeriod },
		{ "StartInterval",
		  own->start_interval_ms ? own->start_interval_ms * 1000000 : image->StartInterval },
		{ "Retries", own->retries ? own->retries : image->Retries },
	};

	if (!test->count)
		return;
	json_open(b, "Healthcheck", '{');
	json_strings(b, "Test", test);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].value)
			json_int(b, rows[i].key, rows[i].value);
	json_close(b, '}');
}

static void add_config(struct request *r, struct buf *b, const struct container *c)
{
	const struct container_spec *s = &c->spec;
	struct image_config image = { 0 };
	struct string_list env = { 0 };
	char id[CONTAINER_SHORT_ID_LEN + 1];

	if (c->image_id)
		engine_image_config(r->engine, c->image_id, &image, NULL);
	engine_container_env(c, &image, &env);
	json_open(b, "Config", '{');
	json_string(b, "Hostname", hostname_of(c, id));
	json_string(b, "Domainname", s->domainname);
	json_string(b, "User", s->user ? s->user : image.User);
	json_bool(b, "AttachStdin", false);
	json_bool(b, "AttachStdout", false);
	json_bool(b, "AttachStderr", false);
	add_exposed(b, c, &image);
	json_bool(b, "Tty", s->tty);
	json_bool(b, "OpenStdin", s->stdin_open);
	json_bool(b, "StdinOnce", s->stdin_once);
	json_strings(b, "Env", &env);
	json_strings(b, "Cmd", s->command.present || s->entrypoint.present ? &s->command : &image.Cmd);
	add_health_config(b, &s->healthcheck, &image.Healthcheck);
	json_string(b, "Image", s->image);
	json_raw(b, "Volumes", "null");
	json_string(b, "WorkingDir", s->working_dir ? s->working_dir : image.WorkingDir);
	json_strings(b, "Entrypoint", s->entrypoint.present ? &s->entrypoint : &image.Entrypoint);
	json_raw(b, "OnBuild", "null");
	json_map(b, "Labels", &s->labels);
	if (s->stop_signal || image.StopSignal)
		json_string(b, "StopSignal", s->stop_signal ? s->stop_signal : image.StopSignal);
	json_close(b, '}');
	image_config_free(&image);
	strings_clear(&env);
}

/* The members beside the map of networks are those of the default bridge, as docker's. */
static void add_network(struct buf *b, const struct container *c)
{
	const struct endpoint *ep = network_endpoint(c->engine->networks[0], c);
	char ip[IPV4_TEXT_MAX] = "", gateway[IPV4_TEXT_MAX] = "", netns[32] = "";

	if (ep) {
		ipv4_text(ep->ip, ip);
		ipv4_text(ep->network->bridge.gateway, gateway);
	}
	if (c->pid > 0)
		snprintf(netns, sizeof(netns), "/proc/%d/ns/net", c->pid);
	json_open(b, "NetworkSettings", '{');
	json_string(b, "Bridge", "");
	json_string(b, "SandboxID", container_is_live(c) ? c->id : "");
	json_string(b, "SandboxKey", netns);
	if (network_gateway(c))
		add_ports(b, "Ports", c);
	else
		json_raw(b, "Ports", "{}");
	json_string(b, "Gateway", gateway);
	json_string(b, "IPAddress", ip);
	json_int(b, "IPPrefixLen", ep ? ep->network->bridge.subnet.prefix : 0);
	shape_networks(b, c);
	json_close(b, '}');
}

static void add_files(struct buf *b, const struct container *c)
{
	static const struct { const char *key, *file; } files[] = {
		{ "ResolvConfPath", "resolv.conf" },
		{ "HostnamePath", "hostname" },
		{ "HostsPath", "hosts" },
	};
	char path[PATH_MAX];
	char *log = container_log_path(c);

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		container_run_dir(c, files[i].file, path, sizeof(path));
		json_string(b, files[i].key, path);
	}
	json_string(b, "LogPath", log);
	free(log);
}

static void add_exec_ids(struct buf *b, const struct container *c)
{
	bool any = false;

	for (const struct exec *x = c->engine->execs; x; x = x->next) {
		if (x->container != c || !x->running)
			continue;
		if (!any)
			json_open(b, "ExecIDs", '[');
		any = true;
		json_string(b, NULL, x->id);
	}
	if (any)
		json_close(b, ']');
	else
		json_raw(b, "ExecIDs", "null");
}

/* Berth's own; docker's containers have none. */
static void add_schedule(struct buf *b, const struct container *c)
{
	int64_t next = timetable_next_s(c);

	if (!c->spec.schedule)
		return;
	json_open(b, "Schedule", '{');
	json_string(b, "When", c->spec.schedule);
	json_time(b, "Next", next < 0 ? 0 : next * 1000000000);
	json_open(b, "Runs", '[');
	for (size_t i = 0; i < c->runs.count; i++) {
		json_open(b, NULL, '{');
		json_time(b, "StartedAt", c->runs.items[i].started_ns);
		json_time(b, "FinishedAt", c->runs.items[i].finished_ns);
		json_int(b, "ExitCode", c->runs.items[i].exit_code);
		json_close(b, '}');
	}
	json_close(b, ']');
	json_close(b, '}');
}

static void inspect(struct request *r, const struct sizes *sizes)
{
	struct container *c = request_container(r);
	struct buf json = { 0 };
	char name[260];

	if (!c)
		return;
	snprintf(name, sizeof(name), "/%.256s", c->name);
	json_open(&json, NULL, '{');
	json_string(&json, "Id", c->id);
	json_time(&json, "Created", c->created_ns);
	json_string(&json, "Path", c->argv.count ? c->argv.items[0] : "");
	json_open(&json, "Args", '[');
	for (size_t i = 1; i < c->argv.count; i++)
		json_string(&json, NULL, c->argv.items[i]);
	json_close(&json, ']');
	add_state(&json, c);
	json_string(&json, "Image", c->image_id);
	add_files(&json, c);
	add_schedule(&json, c);
	json_string(&json, "Name", name);
	json_int(&json, "RestartCount", c->restarts);
	json_string(&json, "Driver", "overlay2");
	json_string(&json, "Platform", "linux");
	json_string(&json, "MountLabel", "");
	json_string(&json, "ProcessLabel", "");
	json_string(&json, "AppArmorProfile", "");
	add_exec_ids(&json, c);
	add_host_config(&json, c);
	add_graph_driver(&json, c);
	if (sizes) {
		json_int(&json, "SizeRw", sizes_of(sizes, c->id));
		json_int(&json, "SizeRootFs", sizes_of_root(sizes, c));
	}
	shape_mounts(&json, c);
	add_config(r, &json, c);
	add_network(&json, c);
	json_close(&json, '}');
	buf_addc(&json, '\n');
	reply_json(r, MHD_HTTP_OK, &json);
}

void handle_container(struct request *r)
{
	struct container *c = request_container(r);

	if (c && request_flag(r, "size"))
		sizes_count(r, SIZES_CONTAINERS, c, inspect);
	else if (c)
		inspect(r, NULL);
}
