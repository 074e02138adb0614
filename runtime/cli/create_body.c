#include "cli/create_body.h"
#include "cli/create_objects.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "base/cleanup.h"

struct body {
	yyjson_mut_doc *doc;
	yyjson_mut_val *config, *host;
	struct err *e;
};

static int bad(struct body *b, const char *option, const char *value)
{
	return err_set(b->e, -EINVAL, "invalid argument \"%s\" for \"--%s\"", value, option);
}

static void add_strings(struct body *b, yyjson_mut_val *where, const char *key,
			const struct cli_list *list)
{
	yyjson_mut_val *items = yyjson_mut_arr(b->doc);

	for (size_t i = 0; i < list->count; i++)
		yyjson_mut_arr_add_str(b->doc, items, list->items[i]);
	if (list->count)
		yyjson_mut_obj_add_val(b->doc, where, key, items);
}

/* "a=b" or "a" (empty), "/path:options" with ':'. */
static void add_map(struct body *b, yyjson_mut_val *where, const char *key,
		    const struct cli_list *list, char separator)
{
	yyjson_mut_val *map = yyjson_mut_obj(b->doc);

	for (size_t i = 0; i < list->count; i++) {
		const char *text = list->items[i], *cut = strchr(text, separator);
		size_t len = cut ? (size_t)(cut - text) : strlen(text);

		yyjson_mut_obj_put(map, yyjson_mut_strncpy(b->doc, text, len),
				   yyjson_mut_str(b->doc, cut ? cut + 1 : ""));
	}
	if (list->count)
		yyjson_mut_obj_add_val(b->doc, where, key, map);
}

/* NAME alone has the value that it has here; without one it is left out, as docker does it. */
static void add_env(struct body *b, const struct cli_list *list)
{
	yyjson_mut_val *items = yyjson_mut_arr(b->doc);

	for (size_t i = 0; i < list->count; i++) {
		const char *text = list->items[i], *value = strchr(text, '=') ? NULL : getenv(text);
		autofree char *pair = NULL;

		if (strchr(text, '='))
			yyjson_mut_arr_add_str(b->doc, items, text);
		else if (value && asprintf(&pair, "%s=%s", text, value) > 0)
			yyjson_mut_arr_add_strcpy(b->doc, items, pair);
	}
	yyjson_mut_obj_add_val(b->doc, b->config, "Env", items);
}

/* "[[IP:]HOST:]PORT[/PROTOCOL]"; an IPv6 address stands in brackets. */
static int add_port(struct body *b, yyjson_mut_val *map, const char *text)
{
	const char *last = strrchr(text, ':'), *target = last ? last + 1 : text, *host, *ip_end;
	yyjson_mut_val *binding = yyjson_mut_obj(b->doc), *list, *name;
	autofree char *full = NULL;

	if (!*target || *target == '/')
		return bad(b, "publish", text);
	if (asprintf(&full, "%s%s", target, strchr(target, '/') ? "" : "/tcp") < 0)
		return err_set(b->e, -ENOMEM, "out of memory");
	for (host = last; host && host > text && host[-1] != ':';)
		host--;
	ip_end = host && host > text ? host - 1 : NULL;
	if (ip_end && *text == '[' && ip_end[-1] == ']')
		text++, ip_end--;
	yyjson_mut_obj_add_strncpy(b->doc, binding, "HostIp", text,
				   ip_end ? (size_t)(ip_end - text) : 0);
	yyjson_mut_obj_add_strncpy(b->doc, binding, "HostPort", host ? host : "",
				   host ? (size_t)(last - host) : 0);
	list = yyjson_mut_obj_get(map, full);
	if (!list) {
		list = yyjson_mut_arr(b->doc);
		name = yyjson_mut_strcpy(b->doc, full);
		yyjson_mut_obj_add(map, name, list);
	}
	yyjson_mut_arr_append(list, binding);
	return 0;
}

static int add_ports(struct body *b, const struct create_options *o)
{
	yyjson_mut_val *map = yyjson_mut_obj(b->doc);
	int rc = 0;

	for (size_t i = 0; !rc && i < o->ports.count; i++)
		rc = add_port(b, map, o->ports.items[i]);
	yyjson_mut_obj_add_val(b->doc, b->host, "PortBindings", map);
	return rc;
}

/* "no", "always", "on-failure:3". */
static int add_restart(struct body *b, const char *text)
{
	const char *colon = strchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : strlen(text);
	yyjson_mut_val *policy = yyjson_mut_obj(b->doc);
	char *end = NULL;
	long times = colon ? strtol(colon + 1, &end, 10) : 0;

	if (colon && (end == colon + 1 || *end || times < 0))
		return bad(b, "restart", text);
	yyjson_mut_obj_add_strncpy(b->doc, policy, "Name", text, len);
	yyjson_mut_obj_add_int(b->doc, policy, "MaximumRetryCount", times);
	yyjson_mut_obj_add_val(b->doc, b->host, "RestartPolicy", policy);
	return 0;
}

static void add_log(struct body *b, const struct create_options *o)
{
	yyjson_mut_val *log = yyjson_mut_obj(b->doc);

	yyjson_mut_obj_add_str(b->doc, log, "Type", o->log_driver ? o->log_driver : "");
	add_map(b, log, "Config", &o->log_options, '=');
	yyjson_mut_obj_add_val(b->doc, b->host, "LogConfig", log);
}

static int add_health(struct body *b, const struct create_options *o)
{
	const struct {
		const char *option, *value, *key;
	} times[] = {
		{ "health-interval", o->health_interval, "Interval" },
		{ "health-timeout", o->health_timeout, "Timeout" },
		{ "health-start-period", o->health_start_period, "StartPeriod" },
		{ "health-start-interval", o->health_start_interval, "StartInterval" },
	};
	yyjson_mut_val *health = yyjson_mut_obj(b->doc), *test = yyjson_mut_arr(b->doc);
	long long retries = 0;

	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		int64_t ns;

		if (!times[i].value)
			continue;
		if (create_duration(times[i].value, &ns) < 0)
			return bad(b, times[i].option, times[i].value);
		yyjson_mut_obj_add_sint(b->doc, health, times[i].key, ns);
	}
	if (o->health_retries && (create_size(o->health_retries, &retries) < 0 || retries < 0))
		return bad(b, "health-retries", o->health_retries);
	if (retries)
		yyjson_mut_obj_add_sint(b->doc, health, "Retries", retries);
	if (o->no_health && (o->health_cmd || yyjson_mut_obj_size(health)))
		return err_set(b->e, -EINVAL, "--no-healthcheck conflicts with --health-* options");
	if (o->no_health)
		yyjson_mut_arr_add_str(b->doc, test, "NONE");
	if (o->health_cmd) {
		yyjson_mut_arr_add_str(b->doc, test, "CMD-SHELL");
		yyjson_mut_arr_add_str(b->doc, test, o->health_cmd);
	}
	if (yyjson_mut_arr_size(test))
		yyjson_mut_obj_add_val(b->doc, health, "Test", test);
	if (yyjson_mut_obj_size(health))
		yyjson_mut_obj_add_val(b->doc, b->config, "Healthcheck", health);
	return 0;
}

/* The one number that may be below -1. */
static int add_oom_score(struct body *b, const char *text)
{
	char *end;
	long score = text ? strtol(text, &end, 10) : 0;

	if (text && (end == text || *end || score < -1000 || score > 1000))
		return bad(b, "oom-score-adj", text);
	yyjson_mut_obj_add_sint(b->doc, b->host, "OomScoreAdj", score);
	return 0;
}

static int add_numbers(struct body *b, const struct create_options *o)
{
	const struct {
		const char *option, *value, *key;
		bool host;
	} rows[] = {
		{ "memory", o->memory, "Memory", true },
		{ "memory-swap", o->memory_swap, "MemorySwap", true },
		{ "pids-limit", o->pids, "PidsLimit", true },
		{ "shm-size", o->shm_size, "ShmSize", true },
		{ "memory-reservation", o->memory_reservation, "MemoryReservation", true },
		{ "cpu-period", o->cpu_period, "CpuPeriod", true },
		{ "cpu-quota", o->cpu_quota, "CpuQuota", true },
		{ "cpu-shares", o->cpu_shares, "CpuShares", true },
		{ "blkio-weight", o->blkio_weight, "BlkioWeight", true },
		{ "stop-timeout", o->stop_timeout, "StopTimeout", false },
	};
	char *end;
	double cpus = o->cpus ? strtod(o->cpus, &end) : 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		long long number;

		if (!rows[i].value)
			continue;
		if (create_size(rows[i].value, &number) < 0)
			return bad(b, rows[i].option, rows[i].value);
		yyjson_mut_obj_add_sint(b->doc, rows[i].host ? b->host : b->config, rows[i].key,
					number);
	}
	if (o->cpus && (end == o->cpus || *end || !(cpus > 0) || cpus > 1e6))
		return bad(b, "cpus", o->cpus);
	yyjson_mut_obj_add_sint(b->doc, b->host, "NanoCpus", (int64_t)(cpus * 1e9 + 0.5));
	return add_oom_score(b, o->oom_score_adj);
}

static void add_texts(struct body *b, const struct create_options *o)
{
	const struct {
		yyjson_mut_val *where;
		const char *key, *value;
	} texts[] = {
		{ b->config, "User", o->user }, { b->config, "WorkingDir", o->workdir },
		{ b->config, "Hostname", o->hostname }, { b->config, "StopSignal", o->stop_signal },
		{ b->host, "NetworkMode", o->network }, { b->host, "UsernsMode", o->userns },
		{ b->host, "CpusetCpus", o->cpuset }, { b->config, "Domainname", o->domainname },
		{ b->host, "PidMode", o->pid }, { b->host, "IpcMode", o->ipc },
		{ b->host, "UTSMode", o->uts }, { b->host, "CgroupnsMode", o->cgroupns },
		{ b->host, "Runtime", o->runtime }, { b->host, "Isolation", o->isolation },
		{ b->host, "VolumeDriver", o->volume_driver },
	};
	const struct {
		yyjson_mut_val *where;
		const char *key;
		bool value;
	} flags[] = {
		{ b->config, "OpenStdin", o->interactive }, { b->config, "Tty", o->tty },
		{ b->host, "AutoRemove", o->remove }, { b->host, "Privileged", o->privileged },
		{ b->host, "PublishAllPorts", o->publish_all },
		{ b->host, "ReadonlyRootfs", o->read_only }, { b->host, "Init", o->init },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i].value)
			yyjson_mut_obj_add_str(b->doc, texts[i].where, texts[i].key, texts[i].value);
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		yyjson_mut_obj_add_bool(b->doc, flags[i].where, flags[i].key, flags[i].value);
}

/* The source of a bind that is told from here: "./data:/data". NULL when it is not there. */
static char *absolute(const char *text, const char *colon)
{
	autofree char *source = strndup(text, (size_t)(colon - text)), *path = NULL;
	char *whole;

	path = source ? realpath(source, NULL) : NULL;
	return path && asprintf(&whole, "%s%s", path, colon) > 0 ? whole : NULL;
}

/* -v: a path alone is a volume without a name. */
static int add_volumes(struct body *b, const struct cli_list *list)
{
	yyjson_mut_val *volumes = yyjson_mut_obj(b->doc), *binds = yyjson_mut_arr(b->doc);

	for (size_t i = 0; i < list->count; i++) {
		const char *text = list->items[i], *colon = strchr(text, ':');
		autofree char *whole = colon && *text == '.' ? absolute(text, colon) : NULL;

		if (colon && *text == '.' && !whole)
			return err_sys(b->e, "--volume %s", text);
		if (colon)
			yyjson_mut_arr_add_strcpy(b->doc, binds, whole ? whole : text);
		else
			yyjson_mut_obj_add_val(b->doc, volumes, text, yyjson_mut_obj(b->doc));
	}
	if (yyjson_mut_arr_size(binds))
		yyjson_mut_obj_add_val(b->doc, b->host, "Binds", binds);
	if (yyjson_mut_obj_size(volumes))
		yyjson_mut_obj_add_val(b->doc, b->config, "Volumes", volumes);
	return 0;
}

/* What is given as an option comes after the files, and so wins. */
static int add_env_and_labels(struct body *b, const struct create_options *o)
{
	struct cli_list env = { .count = 0 }, labels = { .count = 0 };
	const struct {
		struct cli_list *all;
		const struct cli_list *files, *given;
	} rows[] = {
		{ &env, &o->env_files, &o->env }, { &labels, &o->label_files, &o->labels },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int rc = create_read_lines(rows[i].files, rows[i].all, b->e);

		if (!rc && rows[i].all->count + rows[i].given->count > CLI_LIST_MOST)
			rc = err_set(b->e, -E2BIG, "more than %d variables or labels", CLI_LIST_MOST);
		if (rc < 0)
			return rc;
		memcpy(rows[i].all->items + rows[i].all->count, rows[i].given->items,
		       rows[i].given->count * sizeof(*rows[i].given->items));
		rows[i].all->count += rows[i].given->count;
	}
	add_map(b, b->config, "Labels", &labels, '=');
	add_env(b, &env);
	return 0;
}

static void add_lists(struct body *b, const struct create_options *o)
{
	const struct {
		const char *key;
		const struct cli_list *list;
	} lists[] = {
		{ "CapAdd", &o->cap_add }, { "CapDrop", &o->cap_drop },
		{ "Dns", &o->dns }, { "ExtraHosts", &o->hosts }, { "GroupAdd", &o->groups },
		{ "SecurityOpt", &o->security }, { "VolumesFrom", &o->volumes_from },
		{ "DnsOptions", &o->dns_options }, { "DnsSearch", &o->dns_search },
	};
	yyjson_mut_val *ports = yyjson_mut_obj(b->doc);

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		add_strings(b, b->host, lists[i].key, lists[i].list);
	for (size_t i = 0; i < o->expose.count; i++)
		yyjson_mut_obj_add_val(b->doc, ports, o->expose.items[i], yyjson_mut_obj(b->doc));
	yyjson_mut_obj_add_val(b->doc, b->config, "ExposedPorts", ports);
	add_map(b, b->host, "Tmpfs", &o->tmpfs, ':');
	add_map(b, b->host, "Sysctls", &o->sysctls, '=');
	add_map(b, b->host, "StorageOpt", &o->storage, '=');
	add_map(b, b->host, "Annotations", &o->annotations, '=');
}

static int add_endpoint(struct body *b, yyjson_mut_val *endpoint, const struct create_options *o)
{
	char *end = NULL;
	long priority = o->gw_priority ? strtol(o->gw_priority, &end, 10) : 0;

	if (end && (*end || end == o->gw_priority))
		return bad(b, "gw-priority", o->gw_priority);
	add_strings(b, endpoint, "Aliases", &o->network_aliases);
	if (o->ip)
		yyjson_mut_obj_add_str(b->doc, yyjson_mut_obj_add_obj(b->doc, endpoint, "IPAMConfig"),
				       "IPv4Address", o->ip);
	if (o->mac)
		yyjson_mut_obj_add_str(b->doc, endpoint, "MacAddress", o->mac);
	if (priority)
		yyjson_mut_obj_add_int(b->doc, endpoint, "GwPriority", priority);
	return 0;
}

/* What is said of the one network that the options name. */
static int add_networking(struct body *b, const struct create_options *o)
{
	const char *name = o->network ? o->network : "default";
	yyjson_mut_val *networking, *endpoints;

	add_strings(b, b->host, "Links", &o->links);
	if (!o->network_aliases.count && !o->ip && !o->mac)
		return 0;
	networking = yyjson_mut_obj_add_obj(b->doc, b->config, "NetworkingConfig");
	endpoints = yyjson_mut_obj_add_obj(b->doc, networking, "EndpointsConfig");
	return add_endpoint(b, yyjson_mut_obj_add_obj(b->doc, endpoints, name), o);
}

static int fill(struct body *b, const struct create_options *o, bool attach, const char *image,
		int count, char **words)
{
	yyjson_mut_val *command = yyjson_mut_arr(b->doc), *entry = yyjson_mut_arr(b->doc);
	int rc;

	yyjson_mut_obj_add_str(b->doc, b->config, "Image", image);
	for (int i = 0; i < count; i++)
		yyjson_mut_arr_add_str(b->doc, command, words[i]);
	if (count)
		yyjson_mut_obj_add_val(b->doc, b->config, "Cmd", command);
	if (o->entrypoint) {
		yyjson_mut_arr_add_str(b->doc, entry, o->entrypoint);
		yyjson_mut_obj_add_val(b->doc, b->config, "Entrypoint", entry);
	}
	yyjson_mut_obj_add_bool(b->doc, b->config, "StdinOnce", attach && o->interactive);
	add_texts(b, o);
	add_lists(b, o);
	add_log(b, o);
	rc = add_env_and_labels(b, o);
	if (!rc)
		rc = add_volumes(b, &o->volumes);
	if (!rc && o->restart)
		rc = add_restart(b, o->restart);
	if (!rc)
		rc = add_ports(b, o);
	if (!rc)
		rc = add_networking(b, o);
	if (!rc)
		rc = add_health(b, o);
	if (!rc)
		rc = create_add_objects(b->doc, b->host, o, b->e);
	return rc < 0 ? rc : add_numbers(b, o);
}

char *create_body(const struct create_options *o, bool attach, const char *image, int count,
		  char **words, struct err *e)
{
	struct body b = { .doc = yyjson_mut_doc_new(NULL), .e = e };
	char *text = NULL;

	b.config = yyjson_mut_obj(b.doc);
	b.host = yyjson_mut_obj(b.doc);
	yyjson_mut_doc_set_root(b.doc, b.config);
	if (fill(&b, o, attach, image, count, words) == 0) {
		yyjson_mut_obj_add_val(b.doc, b.config, "HostConfig", b.host);
		text = yyjson_mut_write(b.doc, 0, NULL);
		if (!text)
			err_set(e, -ENOMEM, "out of memory");
	}
	yyjson_mut_doc_free(b.doc);
	return text;
}

char *create_endpoint_body(const struct create_options *o, const char *container, struct err *e)
{
	struct body b = { .doc = yyjson_mut_doc_new(NULL), .e = e };
	yyjson_mut_val *endpoint;
	char *text = NULL;

	b.config = yyjson_mut_obj(b.doc);
	yyjson_mut_doc_set_root(b.doc, b.config);
	yyjson_mut_obj_add_str(b.doc, b.config, "Container", container);
	endpoint = yyjson_mut_obj_add_obj(b.doc, b.config, "EndpointConfig");
	add_strings(&b, endpoint, "Links", &o->links);
	if (add_endpoint(&b, endpoint, o) == 0) {
		text = yyjson_mut_write(b.doc, 0, NULL);
		if (!text)
			err_set(e, -ENOMEM, "out of memory");
	}
	yyjson_mut_doc_free(b.doc);
	return text;
}

char *create_update_body(const struct create_options *o, struct err *e)
{
	struct body b = { .doc = yyjson_mut_doc_new(NULL), .e = e };
	char *text = NULL;

	b.config = b.host = yyjson_mut_obj(b.doc);
	yyjson_mut_doc_set_root(b.doc, b.host);
	if (o->cpuset)
		yyjson_mut_obj_add_str(b.doc, b.host, "CpusetCpus", o->cpuset);
	if ((!o->restart || add_restart(&b, o->restart) == 0) && add_numbers(&b, o) == 0)
		text = yyjson_mut_write(b.doc, 0, NULL);
	yyjson_mut_doc_free(b.doc);
	return text;
}
