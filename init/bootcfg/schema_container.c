/* One container: the attributes of a Compose service (compose-spec, 05-services.md). The JSON is
 * that of struct container_spec (runtime/spec/container.h). A key that is not done costs the
 * container: to run it without what was asked for would be worse than not to run it. */
#include <string.h>

#include "base/cleanup.h"
#include "bootcfg/read.h"
#include "bootcfg/types.h"

/* ---- texts with a check ---- */
static const struct type image = {
	SCALAR(read_text), .name = "image", .check = check_image, .dollars = true,
	.expected = "an image such as \"docker.io/library/nginx:1.27\"",
};
static const struct type user = {
	SCALAR(read_text), .name = "user", .check = check_user, .dollars = true,
	.expected = "a user such as \"1000:1000\" or \"nginx\"",
};
static const struct type signal_name = {
	SCALAR(read_text), .name = "signal", .check = check_signal,
	.expected = "a signal such as \"SIGTERM\"",
};
static const struct type cpuset = {
	SCALAR(read_text), .name = "processors", .check = check_cpuset,
	.expected = "processors such as \"0-2,4\"",
};
static const char *const network_modes[] = { "bridge", "host", "none", NULL };
static const struct type network_mode = {
	SCALAR(read_text), .name = "network", .words = network_modes,
	.expected = "\"bridge\", \"host\" or \"none\"",
};
static const struct type schedule = {
	SCALAR(read_text), .name = "schedule", .check = check_schedule,
	.expected = "a schedule such as \"every 6h\", \"@daily\" or \"30 3 * * mon-fri\"",
};
static const char *const userns_modes[] = { "", "host", NULL };
static const struct type userns_mode = {
	SCALAR(read_text), .name = "user namespace", .words = userns_modes,
	.expected = "\"host\", or nothing for a user namespace of its own",
};
static const struct type restart = {
	SCALAR(read_restart), .name = "restart policy",
	.expected = "\"no\", \"always\", \"on-failure[:TRIES]\" or \"unless-stopped\"",
};
/* ---- integers ---- */
static const struct type cpu_period = {
	SCALAR(read_int), .name = "integer", .min = 1000, .max = 1000000,
	.expected = "microseconds from 1000 to 1000000",
};
static const struct type cpu_quota = {
	SCALAR(read_int), .name = "integer", .min = -1, .max = INT64_MAX,
	.expected = "microseconds, or -1 for no limit",
};
static const struct type cpu_shares = {
	SCALAR(read_int), .name = "integer", .min = 2, .max = 262144,
	.expected = "a weight from 2 to 262144 (1024 is usual)",
};
static const struct type oom_score = {
	SCALAR(read_int), .name = "integer", .min = -1000, .max = 1000,
	.expected = "a number from -1000 to 1000",
};
static const struct type file_count = {
	SCALAR(read_int), .name = "integer", .min = 1, .max = 100,
	.expected = "a number of files from 1 to 100",
};
/* ---- command, environment, labels, sysctls ---- */
static const struct type command = {
	.kind = TYPE_LIST, .name = "command", .item = &type_text, .read = read_command,
	.expected = "a command, as one text or as a list of words",
};
static const struct type env_value = {
	SCALAR(read_text), .name = "text", .dollars = true, .secret = true,
	.expected = "a text (there is no environment to take it from)",
};
static const struct type environment = {
	.kind = TYPE_MAP, .name = "variables", .item = &env_value, .check = check_env_name,
	.read_list = read_pairs, .expected = "a mapping, or a list of \"NAME=VALUE\"",
};
static const struct type labels = {
	.kind = TYPE_MAP, .name = "labels", .item = &type_text, .check = check_label_name,
	.read_list = read_pairs, .expected = "a mapping, or a list of \"NAME=VALUE\"",
};
static const struct type sysctls = {
	.kind = TYPE_MAP, .name = "sysctls", .item = &type_text, .check = check_sysctl,
	.read_list = read_pairs,
	.expected = "a mapping such as \"net.core.somaxconn: 1024\", or a list",
};
/* ---- logging ---- */
static const char *const log_drivers[] = { "json-file", "local", "none", NULL };
static const struct type log_driver = {
	SCALAR(read_text), .name = "log driver", .words = log_drivers,
	.expected = "\"json-file\", \"local\" or \"none\"",
};
static const struct key log_option_keys[] = {
	{ .name = "max-size", .json = "max_size", .type = &type_bytes, .normal = "10m",
	  .example = "1m", .help = "Size at which a new file is begun." },
	{ .name = "max-file", .json = "max_file", .type = &file_count, .normal = "3",
	  .example = "\"5\"", .help = "How many files are kept." },
};
static const struct type log_options = {
	OBJECT(log_option_keys), .name = "log options", .expected = "a mapping",
};
static const struct key log_keys[] = {
	{ .name = "driver", .type = &log_driver, .normal = "json-file", .example = "none",
	  .help = "Whether output is kept." },
	{ .name = "options", .type = &log_options, .flatten = true, .normal = "none",
	  .example = "{max-size: 1m}", .help = "How much is kept." },
};
static const struct type logging = { OBJECT(log_keys), .name = "logging", .expected = "a mapping" };

/* ---- lists of names ---- */
static const struct type capability = {
	SCALAR(read_text), .name = "capability", .check = check_capability,
	.expected = "a capability such as \"NET_ADMIN\"",
};
static const struct type capabilities = {
	.kind = TYPE_LIST, .name = "list of capabilities", .item = &capability,
	.expected = "a list of capabilities such as \"NET_ADMIN\"",
};
static const struct type extra_host = {
	SCALAR(read_extra_host), .name = "host", .expected = "\"NAME:ADDRESS\"",
};
static yyjson_mut_val *read_host_address(struct walk *w, const struct type *t,
					 const struct node *n, struct err *why);
static const struct type extra_host_address = {
	SCALAR(read_host_address), .name = "IP address", .expected = "an IP address",
};

static yyjson_mut_val *read_host_address(struct walk *w, const struct type *t,
					 const struct node *n, struct err *why)
{
	(void)t, (void)why;
	if (strcmp(n->text, "host-gateway") != 0 && check_address(n->text))
		return NULL;
	return walk_text(w, n->text, n->len);
}

/* Items as they are: read_list of a map keeps a list of "NAME:ADDRESS". */
static yyjson_mut_val *read_extra_hosts(struct walk *w, const struct type *t,
					const struct node *n, struct err *why)
{
	static const struct type list = {
		.kind = TYPE_LIST, .name = "list of hosts", .item = &extra_host,
		.expected = "a list of \"NAME:ADDRESS\"",
	};

	(void)t, (void)why;
	return walk_value(w, &list, n);
}

static const struct type extra_hosts = {
	.kind = TYPE_MAP, .name = "hosts", .item = &extra_host_address, .check = check_hostname,
	.read_list = read_extra_hosts, .expected = "a list of \"NAME:ADDRESS\", or a mapping",
};

static const char *const conditions[] = { "service_started", "service_healthy",
					  "service_completed_successfully", NULL };
static const struct type condition = {
	SCALAR(read_text), .name = "condition", .words = conditions,
	.expected = "\"service_started\", \"service_healthy\" or "
		    "\"service_completed_successfully\"",
};
static const struct key dependency_keys[] = {
	{ .name = "condition", .type = &condition, .normal = "service_started",
	  .example = "service_healthy",
	  .help = "What is waited for: its start, its health check, or its end with exit code 0." },
	{ .name = "required", .type = &type_bool, .normal = "true", .example = "false",
	  .help = "Whether this container stays away when the other one is missing or fails." },
	{ .name = "restart", .refused = "not supported: a container is restarted by its own "
					"\"restart\" alone; leave this key out" },
};

/* The spec says it the other way round, because what is absent must mean false there. */
static void finish_dependency(struct walk *w, const struct node *n, yyjson_mut_val *dependency)
{
	yyjson_mut_val *required = yyjson_mut_obj_get(dependency, "required");

	(void)n;
	if (required && !yyjson_mut_get_bool(required))
		yyjson_mut_obj_add_bool(w->doc, dependency, "optional", true);
	yyjson_mut_obj_remove_key(dependency, "required");
}

static const struct type dependency = {
	OBJECT(dependency_keys), .name = "dependency", .expected = "a mapping",
	.finish = finish_dependency,
};

static yyjson_mut_val *read_names(struct walk *w, const struct type *t, const struct node *n,
				  struct err *why)
{
	static const struct type name = {
		SCALAR(read_text), .name = "container", .check = check_container_name,
		.expected = "a container's name",
	};
	static const struct type list = {
		.kind = TYPE_LIST, .name = "list of containers", .item = &name,
		.expected = "a list of containers",
	};

	(void)t, (void)why;
	return walk_value(w, &list, n);
}

static const struct type depends_on = {
	.kind = TYPE_MAP, .name = "containers", .item = &dependency, .check = check_container_name,
	.read_list = read_names, .list_key = "name",
	.expected = "a list of containers, or a mapping",
};

/* "if_not_present" is Compose's older word. */
static yyjson_mut_val *read_pull_policy(struct walk *w, const struct type *t, const struct node *n,
					struct err *why)
{
	static const char *const words[] = { "missing", "always", "never" };
	const char *text = strcmp(n->text, "if_not_present") == 0 ? "missing" : n->text;

	(void)t;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(text, words[i]) == 0)
			return yyjson_mut_str(w->doc, words[i]);
	if (strcmp(text, "build") == 0)
		err_set(why, -EINVAL, "nothing is built here");
	return NULL;
}

static const struct type pull_policy = {
	SCALAR(read_pull_policy), .name = "pull policy",
	.expected = "\"missing\", \"always\" or \"never\"",
};

/* ---- small ones ---- */
static const struct type profile = {
	SCALAR(read_text), .name = "profile", .check = check_user_name,
	.expected = "a name such as \"debug\"",
};
static const struct type profiles = {
	.kind = TYPE_LIST, .name = "list of profiles", .item = &profile, .count_max = 32,
	.expected = "a list of profiles",
};
static const struct type search = {
	.kind = TYPE_LIST, .name = "list of domains", .item = &type_hostname, .single = true,
	.count_max = 32, .expected = "a list of domains",
};
static const struct type dns_option = {
	SCALAR(read_text), .name = "option", .check = check_no_blank,
	.expected = "an option such as \"ndots:2\"",
};
static const struct type dns_options = {
	.kind = TYPE_LIST, .name = "list of options", .item = &dns_option, .count_max = 32,
	.expected = "a list of options such as \"ndots:2\"",
};
static const struct type exposed_port = {
	SCALAR(read_exposed), .name = "port", .splice = true,
	.expected = "a port such as \"3000\" or \"53/udp\"",
};
static const struct type exposed = {
	.kind = TYPE_LIST, .name = "list of ports", .item = &exposed_port,
	.expected = "a list of ports such as \"3000\"",
};
static const char *const platforms[] = { "linux/amd64", "linux/x86_64", "linux", NULL };
static const struct type platform = {
	SCALAR(read_text), .name = "platform", .words = platforms,
	.expected = "\"linux/amd64\" (there is no emulation of other machines)",
};

#define NOT_YET "not supported yet"
#define ONE_HOST "not supported: it means nothing on this host; leave this key out"

static const struct key keys[] = {
	{ .name = "image", .type = &image, .required = true, .example = "nginx:1.27",
	  .help = "The image, in the store or in a registry." },
	{ .name = "entrypoint", .type = &command, .normal = "the image's", .example = "[/bin/app]",
	  .help = "The program." },
	{ .name = "command", .type = &command, .normal = "the image's", .example = "app --verbose",
	  .help = "The program's arguments, or the program if there is no entrypoint." },
	{ .name = "environment", .type = &environment, .normal = "the image's",
	  .example = "{TZ: UTC}", .help = "Environment variables." },
	{ .name = "user", .type = &user, .normal = "the image's", .example = "1000:1000",
	  .help = "Who the program runs as." },
	{ .name = "working_dir", .type = &type_path, .normal = "the image's", .example = "/srv",
	  .help = "The folder that it starts in." },
	{ .name = "hostname", .type = &type_hostname, .normal = "the container's short id",
	  .example = "web", .help = "The name that the container sees as its own." },
	{ .name = "domainname", .type = &type_hostname, .normal = "none", .example = "example.org",
	  .help = "Its domain." },
	{ .name = "restart", .type = &restart, .normal = "no", .example = "unless-stopped",
	  .help = "What happens when it has ended." },
	{ .name = "schedule", .type = &schedule, .normal = "none: it runs from the boot on",
	  .example = "\"30 3 * * *\"",
	  .help = "When it is started, as a job that ends: \"every 6h\", \"@daily\", or cron's five "
		  "fields on the machine's clock. One run at a time." },
	{ .name = "network_mode", .type = &network_mode, .normal = "bridge", .example = "host",
	  .help = "A bridge of the host, the host's own network, or none." },
	{ .name = "ports", .type = &type_ports, .normal = "none", .example = "[\"8080:80\"]",
	  .help = "Ports of the host that lead into the container." },
	{ .name = "volumes", .type = &type_volumes, .normal = "none", .example = "[\"data:/data\"]",
	  .help = "Volumes and folders of the host.", .append = true },
	{ .name = "tmpfs", .json = "volumes", .type = &type_tmpfs_list, .normal = "none",
	  .example = "/run:size=16m", .help = "Folders in memory.", .append = true },
	{ .name = "mem_limit", .type = &type_bytes, .normal = "no limit", .example = "64m",
	  .help = "Memory it may use; more gets it killed." },
	{ .name = "memswap_limit", .type = &type_bytes_unlimited, .normal = "twice mem_limit",
	  .example = "128m", .help = "Memory and swap together." },
	{ .name = "mem_reservation", .type = &type_bytes, .normal = "none", .example = "32m",
	  .help = "Memory that is taken from it last." },
	{ .name = "cpus", .json = "nano_cpus", .type = &type_cpus, .normal = "no limit",
	  .example = "\"0.5\"", .help = "Processors it may use." },
	{ .name = "cpuset", .type = &cpuset, .normal = "all", .example = "0-1",
	  .help = "Which processors." },
	{ .name = "cpu_period", .type = &cpu_period, .normal = "100000", .example = "50000",
	  .help = "Microseconds that cpu_quota is for; rather use cpus." },
	{ .name = "cpu_quota", .type = &cpu_quota, .normal = "no limit", .example = "25000",
	  .help = "Microseconds of processor time in each cpu_period; rather use cpus." },
	{ .name = "cpu_shares", .type = &cpu_shares, .normal = "1024", .example = "512",
	  .help = "Its weight when processors are scarce." },
	{ .name = "pids_limit", .type = &type_pids, .normal = "no limit", .example = "100",
	  .help = "Processes and threads it may have." },
	{ .name = "blkio_config", .json = "blkio", .type = &type_blkio, .normal = "none",
	  .example = "{weight: 300}", .help = "How it shares the disks." },
	{ .name = "ulimits", .type = &type_ulimits, .normal = "the host's", .example = "{nofile: 65536}",
	  .help = "Limits of its processes." },
	{ .name = "deploy", .type = &type_deploy, .flatten = true, .normal = "none",
	  .example = "{resources: {limits: {memory: 64m}}}",
	  .help = "Limits in Compose's newer form; nothing else of it." },
	{ .name = "cap_add", .type = &capabilities, .normal = "none", .example = "[NET_ADMIN]",
	  .help = "Capabilities more than Docker's default set." },
	{ .name = "cap_drop", .type = &capabilities, .normal = "none", .example = "[ALL]",
	  .help = "Capabilities less than that." },
	{ .name = "privileged", .type = &type_bool, .normal = "false", .example = "true",
	  .help = "Every capability and device, no filter: the container is the host." },
	{ .name = "read_only", .type = &type_bool, .normal = "false", .example = "true",
	  .help = "Whether its root file system is read-only." },
	{ .name = "security_opt", .type = &type_texts, .normal = "none",
	  .example = "[\"seccomp=unconfined\"]", .help = "As docker's --security-opt." },
	{ .name = "devices", .type = &type_devices, .normal = "none", .example = "[/dev/ttyUSB0]",
	  .help = "Devices of the host." },
	{ .name = "sysctls", .type = &sysctls, .normal = "none",
	  .example = "{net.core.somaxconn: 1024}", .help = "Kernel settings of its namespaces." },
	{ .name = "stop_signal", .type = &signal_name, .normal = "the image's, else SIGTERM",
	  .example = "SIGQUIT", .help = "The signal that asks it to end." },
	{ .name = "stop_grace_period", .json = "stop_grace_ms", .type = &type_duration,
	  .normal = "10s", .example = "30s", .help = "Time between that signal and SIGKILL." },
	{ .name = "init", .type = &type_bool, .normal = "false", .example = "true",
	  .help = "A small init that reaps the container's orphans." },
	{ .name = "tty", .type = &type_bool, .normal = "false", .example = "true",
	  .help = "A terminal." },
	{ .name = "stdin_open", .type = &type_bool, .normal = "false", .example = "true",
	  .help = "Standard input stays open." },
	{ .name = "labels", .type = &labels, .normal = "none", .example = "{team: web}",
	  .help = "Labels for people and tools." },
	{ .name = "logging", .json = "log", .type = &logging, .normal = "json-file, 10m, 3 files",
	  .example = "{options: {max-size: 1m}}", .help = "How output is kept." },
	{ .name = "shm_size", .type = &type_bytes, .normal = "64m", .example = "256m",
	  .help = "Size of /dev/shm." },
	{ .name = "oom_score_adj", .type = &oom_score, .normal = "0", .example = "500",
	  .help = "Who is killed first when memory is out." },
	{ .name = "userns_mode", .type = &userns_mode, .normal = "a user namespace of its own",
	  .example = "host", .help = "\"host\": root inside is root outside." },
	{ .name = "pid", .type = &type_pid, .normal = "its own", .example = "host",
	  .help = "Whose processes it sees: the host's, or another container's (depend on that)." },
	{ .name = "ipc", .type = &type_ipc, .normal = "private", .example = "host",
	  .help = "Whose shared memory and queues; \"none\": its own, and no /dev/shm." },
	{ .name = "uts", .type = &type_uts, .normal = "its own", .example = "host",
	  .help = "\"host\": it has the host's name." },
	{ .name = "cgroup", .type = &type_cgroup, .normal = "private", .example = "host",
	  .help = "Whether it sees its own cgroup as the root." },
	{ .name = "extra_hosts", .type = &extra_hosts, .normal = "none",
	  .example = "[\"db:192.0.2.7\"]", .help = "Lines for its /etc/hosts." },
	{ .name = "dns", .type = &type_address_list, .normal = "the host's",
	  .example = "192.0.2.53", .help = "Its name servers." },
	{ .name = "group_add", .type = &type_texts, .normal = "none", .example = "[dialout]",
	  .help = "Groups besides the user's own." },
	{ .name = "depends_on", .type = &depends_on, .normal = "none", .example = "[db]",
	  .help = "Containers that are started before it." },
	{ .name = "healthcheck", .type = &type_healthcheck, .normal = "the image's",
	  .example = "{test: [CMD, wget, -q, -O-, \"http://localhost/\"], interval: 10s}",
	  .help = "How the host tells whether it does its work." },
	{ .name = "pull_policy", .type = &pull_policy, .normal = "missing", .example = "always",
	  .help = "When the image is fetched: at every start, when it is not there, or never." },
	{ .name = "configs", .type = &type_config_uses, .normal = "none",
	  .example = "[{source: site, target: /etc/site.conf}]",
	  .help = "Files of the top level's configs, read-only: in \"/\" unless target says where." },
	{ .name = "secrets", .type = &type_config_uses, .normal = "none", .example = "[token]",
	  .help = "The same of its secrets: in /run/secrets." },
	{ .name = "profiles", .type = &profiles, .normal = "none: it always runs",
	  .example = "[debug]", .help = "It runs only if berth.profiles has one of these." },
	{ .name = "annotations", .type = &labels, .normal = "none",
	  .example = "{org.example.team: web}", .help = "Annotations for the OCI runtime." },
	{ .name = "dns_search", .type = &search, .normal = "the host's", .example = "example.org",
	  .help = "Domains in which it looks up short names." },
	{ .name = "dns_opt", .type = &dns_options, .normal = "none", .example = "[\"ndots:2\"]",
	  .help = "Options of its resolver, as in resolv.conf(5)." },
	{ .name = "expose", .type = &exposed, .normal = "the image's", .example = "[\"3000\"]",
	  .help = "Ports that it listens on, for people: on the bridge all are reached." },
	{ .name = "platform", .type = &platform, .normal = "the machine's", .example = "linux/amd64",
	  .help = "The kind of image: this machine's, there is no emulation." },

	{ .name = "attach", .refused = ONE_HOST },
	{ .name = "build",
	  .refused = "not supported: build the image elsewhere and name it in \"image\"" },
	{ .name = "cgroup_parent",
	  .refused = "not supported: the host places its containers itself" },
	{ .name = "container_name", .refused = "not supported: the container's name is its key" },
	{ .name = "cpu_count", .refused = "not supported: use cpus" },
	{ .name = "cpu_percent", .refused = "not supported: use cpus" },
	{ .name = "cpu_rt_period", .refused = NOT_YET },
	{ .name = "cpu_rt_runtime", .refused = NOT_YET },
	{ .name = "credential_spec", .refused = ONE_HOST },
	{ .name = "develop", .refused = ONE_HOST },
	{ .name = "device_cgroup_rules", .refused = NOT_YET ": use devices" },
	{ .name = "env_file",
	  .refused = "not supported: there is no file beside this one; use environment" },
	{ .name = "extends", .refused = "not supported: use a YAML anchor and \"<<\"" },
	{ .name = "external_links", .refused = NOT_YET },
	{ .name = "gpus", .refused = NOT_YET },
	{ .name = "isolation", .refused = ONE_HOST },
	{ .name = "label_file",
	  .refused = "not supported: there is no file beside this one; use labels" },
	{ .name = "links", .refused = NOT_YET },
	{ .name = "mac_address", .refused = NOT_YET },
	{ .name = "mem_swappiness", .refused = "not supported: cgroup v2 has no such setting" },
	{ .name = "networks", .refused = NOT_YET ": use network_mode" },
	{ .name = "oom_kill_disable", .refused = "not supported: cgroup v2 has no such setting" },
	{ .name = "post_start", .refused = NOT_YET },
	{ .name = "pre_stop", .refused = NOT_YET },
	{ .name = "runtime", .refused = "not supported: there is one runtime; leave this key out" },
	{ .name = "scale", .refused = "not supported: declare each container by its own name" },
	{ .name = "storage_opt", .refused = NOT_YET },
	{ .name = "volumes_from", .refused = NOT_YET ": name the volume in both" },
};

/* "name: address" of a mapping becomes "name:address". */
static void list_hosts(struct walk *w, yyjson_mut_val *container)
{
	yyjson_mut_val *map = yyjson_mut_obj_get(container, "extra_hosts"), *list, *key, *value;
	size_t i, max;

	if (!yyjson_mut_is_obj(map))
		return;
	list = yyjson_mut_arr(w->doc);
	yyjson_mut_obj_foreach(map, i, max, key, value) {
		autobuf struct buf line = { 0 };

		buf_addf(&line, "%s:%s", yyjson_mut_get_str(key), yyjson_mut_get_str(value));
		yyjson_mut_arr_append(list, walk_text(w, buf_text(&line), line.len));
	}
	yyjson_mut_obj_remove_key(container, "extra_hosts");
	yyjson_mut_obj_add_val(w->doc, container, "extra_hosts", list);
}

/* A list of names becomes a list of dependencies without a condition. */
static void list_dependencies(struct walk *w, yyjson_mut_val *container)
{
	yyjson_mut_val *was = yyjson_mut_obj_get(container, "depends_on"), *list, *item;

	if (!yyjson_mut_is_str(yyjson_mut_arr_get_first(was)))
		return;
	list = yyjson_mut_arr(w->doc);
	while ((item = yyjson_mut_arr_remove_first(was)))
		yyjson_mut_obj_add_val(w->doc, yyjson_mut_arr_add_obj(w->doc, list), "name", item);
	yyjson_mut_obj_remove_key(container, "depends_on");
	yyjson_mut_obj_add_val(w->doc, container, "depends_on", list);
}

static bool restarts_always(yyjson_mut_val *container)
{
	yyjson_mut_val *how = yyjson_mut_obj_get(container, "restart");
	const char *policy = yyjson_mut_get_str(yyjson_mut_obj_get(how, "policy"));

	return policy && (!strcmp(policy, "always") || !strcmp(policy, "unless-stopped"));
}

static void finish_container(struct walk *w, const struct node *n, yyjson_mut_val *container)
{
	const char *mode = yyjson_mut_get_str(yyjson_mut_obj_get(container, "network_mode"));
	int64_t memory = yyjson_mut_get_sint(yyjson_mut_obj_get(container, "mem_limit"));
	int64_t with_swap = yyjson_mut_get_sint(yyjson_mut_obj_get(container, "memswap_limit"));

	list_hosts(w, container);
	list_dependencies(w, container);
	yyjson_mut_obj_remove_key(container, "platform");
	if (yyjson_mut_obj_get(container, "schedule") && restarts_always(container))
		walk_fault(w, FAULT_ERROR, n,
			   "schedule starts it again, so restart is \"no\" or \"on-failure\"");
	if (mode && strcmp(mode, "bridge") != 0 &&
	    yyjson_mut_arr_size(yyjson_mut_obj_get(container, "ports")))
		walk_fault(w, FAULT_ERROR, n,
			   "ports cannot be published with \"network_mode: %s\"", mode);
	if (with_swap > 0 && with_swap < memory)
		walk_fault(w, FAULT_ERROR, n,
			   "memswap_limit is memory and swap together, so it cannot be less than "
			   "mem_limit");
	if (with_swap && !memory)
		walk_fault(w, FAULT_ERROR, n, "memswap_limit needs a mem_limit");
	if (yyjson_mut_obj_get(container, "nano_cpus") &&
	    (yyjson_mut_obj_get(container, "cpu_quota") || yyjson_mut_obj_get(container, "cpu_period")))
		walk_fault(w, FAULT_ERROR, n, "cpus cannot be there with cpu_quota or cpu_period");
}

const struct type schema_container = {
	OBJECT(keys), .name = "container", .atomic = true, .extensions = true, .dollars = true,
	.finish = finish_container, .expected = "a mapping of keys such as \"image: nginx\"",
};
