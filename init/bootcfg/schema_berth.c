/* berth: what no other system's configuration has a name for. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "bootcfg/read.h"
#include "bootcfg/types.h"

/* ---- registries ---- */
static const struct type mirror = {
	SCALAR(read_text), .name = "address", .check = check_web_address,
	.expected = "an address such as \"https://mirror.example.org\"",
};
static const struct type mirrors = {
	.kind = TYPE_LIST, .name = "list of addresses", .item = &mirror, .single = true,
	.count_max = 16, .expected = "a list of addresses such as \"https://mirror.example.org\"",
};
static const struct type text = { SCALAR(read_text), .name = "text", .expected = "a text" };
static const struct type secret = {
	SCALAR(read_text), .name = "text", .secret = true, .expected = "a text",
};
static const struct key registry_keys[] = {
	{ .name = "mirrors", .type = &mirrors, .normal = "none",
	  .example = "[\"https://mirror.example.org\"]",
	  .help = "Registries that are asked before this one, in this order." },
	{ .name = "username", .type = &text, .normal = "nobody: images for everybody",
	  .example = "robot", .help = "Who logs in there." },
	{ .name = "password", .type = &secret, .normal = "none", .example = "\"s3cret\"",
	  .help = "The password, or an access token in its place." },
	{ .name = "ca_certs", .type = &type_certificates, .normal = "what the host trusts",
	  .example = "\"-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----\\n\"",
	  .help = "The authorities that its certificate may come from, and no others." },
	{ .name = "insecure", .type = &type_bool, .normal = "false", .example = "true",
	  .help = "Whether plain HTTP and any certificate will do." },
};

static void finish_registry(struct walk *w, const struct node *n, yyjson_mut_val *registry)
{
	if (!yyjson_mut_obj_get(registry, "username") != !yyjson_mut_obj_get(registry, "password"))
		walk_fault(w, FAULT_ERROR, n, "username and password need each other");
}

static const struct type registry = {
	OBJECT(registry_keys), .name = "registry", .finish = finish_registry,
	.expected = "a mapping with \"mirrors\" or \"username\"",
};
static const struct type registries = {
	.kind = TYPE_MAP, .name = "registries by host", .item = &registry, .list_key = "host",
	.check = check_registry, .count_max = 64,
	.expected = "a mapping such as \"docker.io: {mirrors: [...]}\"",
};

/* ---- proxy ---- */
static const struct type proxy_address = {
	SCALAR(read_text), .name = "address", .check = check_web_address,
	.expected = "an address such as \"http://192.0.2.1:3128\"",
};
static const struct type direct_host = {
	SCALAR(read_text), .name = "host", .check = check_no_proxy,
	.expected = "a host, a domain (\".example.org\") or a network",
};
static const struct type direct_hosts = {
	.kind = TYPE_LIST, .name = "list of hosts", .item = &direct_host, .single = true,
	.count_max = 100, .expected = "a list of hosts, domains or networks",
};
static const struct key proxy_keys[] = {
	{ .name = "http", .type = &proxy_address, .normal = "none",
	  .example = "\"http://192.0.2.1:3128\"", .help = "The proxy for http:// addresses." },
	{ .name = "https", .type = &proxy_address, .normal = "none",
	  .example = "\"http://192.0.2.1:3128\"", .help = "The proxy for https:// addresses." },
	{ .name = "no_proxy", .type = &direct_hosts, .normal = "none",
	  .example = "[localhost, .example.org, 10.0.0.0/8]",
	  .help = "What is asked without a proxy." },
};
static const struct type proxy = {
	OBJECT(proxy_keys), .name = "proxies", .expected = "a mapping with \"http\" or \"https\"",
};

/* ---- kernel ---- */
static const struct type sysctls = {
	.kind = TYPE_MAP, .name = "kernel settings", .item = &text, .check = check_sysctl,
	.expected = "a mapping such as \"vm.swappiness: 10\"", .count_max = 200,
};
static const struct type zram = {
	SCALAR(read_zram), .name = "byte size or percentage",
	.expected = "a byte size such as \"256m\", or a percentage of the memory such as \"50%\"",
};

/* Seconds; 0: off. PID 1 has the same bounds (pid1/watchdog.c). */
static yyjson_mut_val *read_watchdog(struct walk *w, const struct type *t, const struct node *n,
				     struct err *why)
{
	yyjson_mut_val *ms = strcmp(n->text, "off") ? read_duration(w, t, n, why) : NULL;
	int64_t seconds = yyjson_mut_get_sint(ms) / 1000;

	if (ms && (seconds < 60 || seconds > 600)) {
		err_set(why, -ERANGE, "60s to 10m are possible");
		return NULL;
	}
	return ms || !strcmp(n->text, "off") ? yyjson_mut_sint(w->doc, seconds) : NULL;
}
static const struct type watchdog = {
	SCALAR(read_watchdog), .name = "duration or \"off\"",
	.expected = "a time from 60s to 10m, or \"off\"",
};

/* ---- log ---- */
static const char *const log_words[] = { "kernel", "services", "containers", NULL };

static const struct type log_server = {
	SCALAR(read_log_server), .name = "address of a log server",
	.expected = "an address such as \"udp://192.0.2.1:514\" or \"tcp://192.0.2.1:601\"",
};
static const struct type log_kind = {
	SCALAR(read_text), .name = "kind of log", .words = log_words,
	.expected = "\"kernel\", \"services\" or \"containers\"",
};
static const struct type log_kinds = {
	.kind = TYPE_LIST, .name = "list of kinds of logs", .item = &log_kind, .single = true,
	.count_max = 3, .expected = "a list of \"kernel\", \"services\" and \"containers\"",
};
static const struct key log_keys[] = {
	{ .name = "server", .type = &log_server, .required = true,
	  .example = "\"udp://192.0.2.1:514\"",
	  .help = "Where the logs go, as RFC 5424: udp:// or tcp://, an IP address, and a port if it is "
		  "not 514." },
	{ .name = "what", .type = &log_kinds, .normal = "all three", .example = "[services, containers]",
	  .help = "What goes there." },
};
static const struct type log_to = {
	OBJECT(log_keys), .name = "log server", .expected = "a mapping with \"server\"",
};

/* ---- containers ---- */
static const struct type profile = {
	SCALAR(read_text), .name = "profile", .check = check_user_name,
	.expected = "a name such as \"debug\"",
};
static const struct type profiles = {
	.kind = TYPE_LIST, .name = "list of profiles", .item = &profile, .single = true,
	.count_max = 32, .expected = "a list of profiles",
};

static const struct key berth_keys[] = {
	{ .name = "firewall", .type = &type_firewall,
	  .normal = "SSH, ICMP and published ports are let in", .example = "{allow: [\"443/tcp\"]}",
	  .help = "Who may connect to the host itself. Containers' published ports are open anyway." },
	{ .name = "api", .type = &type_api, .normal = "none: the machine's own socket, and SSH",
	  .example = "{client_ca_certs: \"-----BEGIN CERTIFICATE-----\\nMIIB\\n"
		     "-----END CERTIFICATE-----\\n\", "
		     "certificate: \"-----BEGIN CERTIFICATE-----\\nMIIB\\n"
		     "-----END CERTIFICATE-----\\n\", "
		     "key: \"-----BEGIN PRIVATE KEY-----\\nMIIB\\n"
		     "-----END PRIVATE KEY-----\\n\"}",
	  .help = "Docker's API over TCP, for clients that have a certificate (docker --tlsverify)." },
	{ .name = "update", .type = &type_update, .normal = "what its keys say", .example = "{hold: 1m}",
	  .help = "Where new versions come from, what is done about them by itself, when one is kept." },
	{ .name = "registries", .type = &registries, .normal = "every registry as it is",
	  .example = "{docker.io: {mirrors: [\"https://mirror.example.org\"]}}",
	  .help = "How registries are reached. Their names are as in images: docker.io, "
		  "registry.example.org:5000." },
	{ .name = "proxy", .type = &proxy, .normal = "none",
	  .example = "{https: \"http://192.0.2.1:3128\", no_proxy: [.example.org]}",
	  .help = "Proxies for everything that the host fetches. Containers have their environment." },
	{ .name = "profiles", .type = &profiles, .normal = "none", .example = "[debug]",
	  .help = "Containers with one of these profiles run too." },
	{ .name = "sysctl", .type = &sysctls, .normal = "the image's",
	  .example = "{vm.swappiness: \"10\"}", .help = "Settings of the kernel, at every boot." },
	{ .name = "zram", .type = &zram, .normal = "none", .example = "50%",
	  .help = "Swap in compressed memory, of this size before compression." },
	{ .name = "log", .type = &log_to, .normal = "logs stay on the machine",
	  .example = "{server: \"udp://192.0.2.1:514\"}",
	  .help = "A syslog server that gets the logs as well. Nothing waits for it." },
	{ .name = "watchdog", .json = "watchdog_s",
	  .type = &watchdog, .normal = "60s", .example = "2m",
	  .help = "After what time a machine that hangs is reset by its watchdogs, all of them; \"off\": "
		  "never, once the configuration is applied." },
	{ .name = "kernel_args", .refused = "not supported: the loader takes the command line from "
					    "the signed image; use sysctl where a setting has one" },
};
const struct type type_berth = {
	OBJECT(berth_keys), .name = "Berth's own settings", .expected = "a mapping",
};
