/* docker's options of run and create: what each fills, or why it is not done. */
#include <stddef.h>

#include "base/cleanup.h"
#include "cli/create_body.h"

enum kind { FLAG, TEXT, LIST };

#define F(letter, name, member, help) \
	{ letter, name, NULL, help, FLAG, offsetof(struct create_options, member) }
#define T(letter, name, member, value, help) \
	{ letter, name, value, help, TEXT, offsetof(struct create_options, member) }
#define L(letter, name, member, value, help) \
	{ letter, name, value, help, LIST, offsetof(struct create_options, member) }

static const struct row {
	char letter;
	const char *name, *value, *help;
	enum kind kind;
	size_t offset;
} rows[] = {
	L(0, "add-host", hosts, "HOST:IP", "One more line of /etc/hosts"),
	L(0, "annotation", annotations, "NAME=VALUE", "For the runtime"),
	L('a', "attach", attach, "STREAM", "Only stdin, stdout or stderr"),
	T(0, "blkio-weight", blkio_weight, "NUMBER", "Share of the disks' time, 10 to 1000"),
	L(0, "cap-add", cap_add, "CAP", "Give a capability"),
	L(0, "cap-drop", cap_drop, "CAP", "Take a capability"),
	T(0, "cgroupns", cgroupns, "MODE", "private or host"),
	T(0, "cidfile", cidfile, "FILE", "Write the ID there"),
	T(0, "cpu-period", cpu_period, "US", "Time that --cpu-quota is for"),
	T(0, "cpu-quota", cpu_quota, "US", "Processor time in each period"),
	T('c', "cpu-shares", cpu_shares, "NUMBER", "Weight when processors are scarce"),
	T(0, "cpus", cpus, "NUMBER", "Processors at most, 0.5 is half of one"),
	T(0, "cpuset-cpus", cpuset, "LIST", "Processors to run on"),
	F('d', "detach", detach, "Print the ID and leave it running"),
	T(0, "detach-keys", keys, "KEYS", "Keys that detach"),
	L(0, "device", devices, "DEVICE[:PATH[:rwm]]", "A device of the host"),
	L(0, "device-read-bps", read_bps, "DEVICE:BYTES", "Bytes read a second at most"),
	L(0, "device-read-iops", read_iops, "DEVICE:NUMBER", "Reads a second at most"),
	L(0, "device-write-bps", write_bps, "DEVICE:BYTES", "Bytes written a second at most"),
	L(0, "device-write-iops", write_iops, "DEVICE:NUMBER", "Writes a second at most"),
	F(0, "disable-content-trust", untrusted, "Always so: digests are checked, signatures not"),
	L(0, "dns", dns, "IP", "A resolver"),
	L(0, "dns-option", dns_options, "OPTION", "An option of the resolver"),
	L(0, "dns-search", dns_search, "DOMAIN", "A domain to search"),
	T(0, "domainname", domainname, "NAME", "Domain"),
	T(0, "entrypoint", entrypoint, "PROGRAM", "Instead of the image's"),
	L('e', "env", env, "NAME=VALUE", "Set a variable"),
	L(0, "env-file", env_files, "FILE", "Set the variables that it lists"),
	L(0, "expose", expose, "PORT", "A port that is told, not published"),
	L(0, "group-add", groups, "GROUP", "One more group"),
	T(0, "health-cmd", health_cmd, "COMMAND", "Tells whether it is healthy"),
	T(0, "health-interval", health_interval, "TIME", "Between two checks (30s)"),
	T(0, "health-retries", health_retries, "NUMBER", "Failures that make it unhealthy (3)"),
	T(0, "health-start-interval", health_start_interval, "TIME", "Then between two checks (5s)"),
	T(0, "health-start-period", health_start_period, "TIME", "Failures do not count so long"),
	T(0, "health-timeout", health_timeout, "TIME", "A check may take so long (30s)"),
	T('h', "hostname", hostname, "NAME", "Host name"),
	F(0, "init", init, "An init before the program"),
	F('i', "interactive", interactive, "Keep stdin open"),
	T(0, "ipc", ipc, "MODE", "private, none or host"),
	T(0, "isolation", isolation, "NAME", "default"),
	L('l', "label", labels, "NAME=VALUE", "Set a label"),
	L(0, "label-file", label_files, "FILE", "Set the labels that it lists"),
	T(0, "log-driver", log_driver, "NAME", "Where output is kept"),
	L(0, "log-opt", log_options, "NAME=VALUE", "max-size, max-file"),
	T('m', "memory", memory, "BYTES", "Memory at most"),
	T(0, "memory-reservation", memory_reservation, "BYTES", "Memory that is taken from it last"),
	T(0, "memory-swap", memory_swap, "BYTES", "Memory and swap at most"),
	L(0, "mount", mounts, "type=TYPE,...", "A volume, bind or tmpfs in words"),
	T(0, "name", name, "NAME", "The container's name"),
	T(0, "mac-address", mac, "ADDRESS", "Of its link"),
	T(0, "network", network, "NETWORK", "bridge, host, none or one of your own"),
	T(0, "net", network, "NETWORK", "The same"),
	L(0, "network-alias", network_aliases, "NAME", "Another name for it on its network"),
	L(0, "net-alias", network_aliases, "NAME", "The same"),
	T(0, "ip", ip, "ADDRESS", "Its address, on a network of your own"),
	L(0, "link", links, "CONTAINER[:NAME]", "A name for another, for it alone"),
	F(0, "no-healthcheck", no_health, "None, not even the image's"),
	T(0, "oom-score-adj", oom_score_adj, "NUMBER", "Who is killed first when memory is out"),
	T(0, "pid", pid, "MODE", "host, or container:NAME"),
	T(0, "pids-limit", pids, "NUMBER", "Processes at most"),
	T(0, "platform", platform, "OS/CPU", "Of the image"),
	F(0, "privileged", privileged, "All rights on the host"),
	L('p', "publish", ports, "[IP:]HOST:PORT", "Publish a port"),
	F('P', "publish-all", publish_all, "Publish what is exposed"),
	F('q', "quiet", quiet, "Do not show the pull"),
	F(0, "read-only", read_only, "Nothing of the root can be written"),
	T(0, "restart", restart, "POLICY", "no, always, unless-stopped, on-failure[:N]"),
	F(0, "rm", remove, "Remove it when it has ended"),
	T(0, "runtime", runtime, "NAME", "berth-oci"),
	L(0, "security-opt", security, "OPTION", "seccomp, no-new-privileges ..."),
	T(0, "shm-size", shm_size, "BYTES", "Size of /dev/shm"),
	T(0, "sig-proxy", sig_proxy, "true|false", "Pass signals on (true)"),
	T(0, "stop-signal", stop_signal, "SIGNAL", "Signal that stops it"),
	T(0, "stop-timeout", stop_timeout, "SECONDS", "Until it is killed"),
	L(0, "storage-opt", storage, "NAME=VALUE", "size"),
	L(0, "sysctl", sysctls, "NAME=VALUE", "Set a kernel parameter"),
	L(0, "tmpfs", tmpfs, "DIR[:OPTIONS]", "A directory in memory"),
	F('t', "tty", tty, "With a terminal"),
	L(0, "ulimit", ulimits, "NAME=SOFT[:HARD]", "A limit of its processes"),
	T('u', "user", user, "USER[:GROUP]", "Run as this user"),
	T(0, "userns", userns, "MODE", "host: no user namespace"),
	T(0, "uts", uts, "MODE", "host: the host's name"),
	L('v', "volume", volumes, "SOURCE:DIR[:OPTIONS]", "A volume or a host's path"),
	T(0, "volume-driver", volume_driver, "NAME", "local"),
	L(0, "volumes-from", volumes_from, "CONTAINER[:ro]", "The volumes of another"),
	T('w', "workdir", workdir, "DIR", "Run in this directory"),
};

#define CGROUP_V2 "cgroup v2 has no such thing"
#define WINDOWS "it is for Windows only"

static const struct {
	const char *name, *why;
} refused[] = {
	{ "blkio-weight-device", "only --blkio-weight is supported" },
	{ "cgroup-parent", "the host places its containers itself" },
	{ "cpu-count", WINDOWS },
	{ "cpu-percent", WINDOWS },
	{ "cpu-rt-period", CGROUP_V2 },
	{ "cpu-rt-runtime", CGROUP_V2 },
	{ "cpuset-mems", "memory nodes are not supported" },
	{ "device-cgroup-rule", "use --device" },
	{ "gpus", "there are no drivers for GPUs" },
	{ "io-maxbandwidth", WINDOWS },
	{ "io-maxiops", WINDOWS },
	{ "ip6", "addresses of IPv6 cannot be chosen" },
	{ "kernel-memory", CGROUP_V2 },
	{ "link-local-ip", "the kernel chooses it" },
	{ "memory-swappiness", CGROUP_V2 },
	{ "oom-kill-disable", CGROUP_V2 },
	{ "pull", "an image that is missing is pulled, and no other" },
	{ "use-api-socket", "bind the socket with -v /run/docker.sock:/run/docker.sock" },
};

_Static_assert(ARRAY_LEN(rows) + ARRAY_LEN(refused) <= CREATE_FLAGS_MOST, "all have room");

size_t create_flags(struct create_options *o, struct cli_option out[CREATE_FLAGS_MOST])
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		void *member = (char *)o + rows[i].offset;

		out[i] = (struct cli_option){ .letter = rows[i].letter, .name = rows[i].name,
					      .value = rows[i].value, .help = rows[i].help };
		if (rows[i].kind == FLAG)
			out[i].flag = member;
		else if (rows[i].kind == TEXT)
			out[i].text = member;
		else
			out[i].list = member;
	}
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		out[ARRAY_LEN(rows) + i] = (struct cli_option){ .name = refused[i].name,
								.help = refused[i].why };
	return ARRAY_LEN(rows) + ARRAY_LEN(refused);
}
