/* The services of the machine. A row comes after rows above it only. */
#include "base/cleanup.h"
#include "pid1/service.h"

#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* The stages of bootcfg: what the configuration has for a later moment (bootcfg/stage.h). Without
 * anything for it a stage is off. */
#define STAGE(name) "/run/berth/stage/" name

/* Made once, kept, and made anew when a power cut left it damaged: a host whose key cannot be
 * read locks everybody out. -R is no alternative: it makes the key in the middle of a login. One
 * that the second stage of the configuration brings while this one is made stays (mv -n). */
static const char make_host_key[] =
	"set -e; umask 077; cd /var/lib/berth/ssh; key=dropbear_ed25519_host_key\n"
	"mkdir -p /run/berth/ssh; public=/run/berth/ssh/host_key.pub\n"
	"if dropbearkey -y -f $key >$public 2>/dev/null; then exit 0; fi\n"
	"[ ! -e $key ] || echo 'ssh-key: warning: the host key was damaged, a new one is made'\n"
	"rm -f $key $key.new; dropbearkey -t ed25519 -f $key.new >/dev/null\n"
	"sync $key.new; mv -n $key.new $key; rm -f $key.new; sync .; dropbearkey -y -f $key >$public\n";

static const struct service_def services[] = {
	{
		.name = "data",
		.argv = ARGV("/usr/lib/berth/datavol"),
		.kind = SVC_ONESHOT,
		.in_rescue = true,
		/* A check of a large file system takes its time; its journal alone takes seconds. */
		.start_ms = 180000,
		.stop_ms = 10000,
		.max_tries = 2,
	},
	{
		.name = "config",
		.argv = ARGV("/usr/lib/berth/bootcfg"),
		.after = { "data" },
		.kind = SVC_ONESHOT,
		.start_ms = 30000,
		.stop_ms = 5000,
		.max_tries = 3,
	},
	{
		.name = "net",
		.argv = ARGV("/usr/lib/berth/netup"),
		.after = { "config" },
		.kind = SVC_DAEMON,
		.notify = true,
		.in_rescue = true,
		.start_ms = 10000,
		.stop_ms = 5000,
		.oom_score_adj = -800,
		.cpu_weight = 200,
	},
	{
		/* The boot configuration's second stage: only where its source is on the network. */
		.name = "metadata",
		.argv = ARGV("/usr/lib/berth/bootcfg", "online"),
		.after = { "config" },
		.kind = SVC_ONESHOT,
		.condition = "/run/berth/config-waits",
		.start_ms = 240000,
		.stop_ms = 5000,
		.max_tries = 1,
	},
	{
		.name = "bootcmd",
		.argv = ARGV("/usr/lib/berth/bootcfg", "stage", "bootcmd"),
		.after = { "data", "config", "metadata" },
		.kind = SVC_ONESHOT,
		.condition = STAGE("bootcmd"),
		.start_ms = 120000,
		.stop_ms = 5000,
		.max_tries = 1,
	},
	{
		/* A check of a large file system takes its time. */
		.name = "disks",
		.argv = ARGV("/usr/lib/berth/disks"),
		.after = { "data", "config", "metadata", "bootcmd" },
		.kind = SVC_ONESHOT,
		.condition = STAGE("disks"),
		.start_ms = 180000,
		.stop_ms = 10000,
		.max_tries = 1,
	},
	{
		.name = "engine",
		.argv = ARGV("/usr/lib/berth/engine"),
		.after = { "data", "config", "metadata", "bootcmd", "disks" },
		.kind = SVC_DAEMON,
		.notify = true,
		.stop_first = true,
		.start_ms = 30000,
		.stop_ms = 90000,
		.oom_score_adj = -900,
		.cpu_weight = 200,
	},
	{
		/* Docker's API over TCP, where one is configured (runtime/tls). */
		.name = "api-tls",
		.argv = ARGV("/usr/lib/berth/api-tls"),
		.after = { "net", "engine" },
		.kind = SVC_DAEMON,
		.condition = STAGE("api-tls"),
		.start_ms = 5000,
		.stop_ms = 2000,
	},
	{
		/* Forwards what the others say (init/logsend), containers' logs among it. */
		.name = "log",
		.argv = ARGV("/usr/lib/berth/logsend"),
		.after = { "config", "net", "metadata", "engine" },
		.kind = SVC_DAEMON,
		.condition = "/run/berth/log-server",
		.start_ms = 5000,
		.stop_ms = 2000,
	},
	{
		.name = "ssh-key",
		.argv = ARGV("/usr/bin/sh", "-c", make_host_key),
		/* The configuration may bring the key. */
		.after = { "data", "config" },
		.kind = SVC_ONESHOT,
		.in_rescue = true,
		.start_ms = 30000,
		.stop_ms = 5000,
		.max_tries = 3,
	},
	{
		.name = "ssh",
		.argv = ARGV("/usr/bin/dropbear", "-F", "-E", "-s", "-p", "22",
			     "-r", "/var/lib/berth/ssh/dropbear_ed25519_host_key"),
		.after = { "config", "ssh-key" },
		.kind = SVC_DAEMON,
		.in_rescue = true,
		.keep_children = true,
		.start_ms = 5000,
		.stop_ms = 2000,
		.oom_score_adj = -900,
		.cpu_weight = 400,
	},
	{
		/* Decides about a version on trial (init/update). At a shutdown it gives the try back, so
		 * it is told at once, before what it watches goes away. */
		.name = "gate",
		.argv = ARGV("/usr/lib/berth/update", "gate"),
		.after = { "data", "config", "metadata" },
		.kind = SVC_TASK,
		.stop_first = true,
		.start_ms = 5000,
		.stop_ms = 10000,
	},
	{
		.name = "time",
		.argv = ARGV("/usr/bin/ntpd", "-n", "-N"),
		.after = { "config", "net", "metadata" },
		.kind = SVC_DAEMON,
		.condition = "/etc/ntp.conf",
		.start_ms = 5000,
		.stop_ms = 2000,
	},
	{
		/* Automatic updates (init/update); ends at once where none are configured. */
		.name = "update",
		.argv = ARGV("/usr/lib/berth/update", "auto"),
		.after = { "data", "config", "net", "metadata" },
		.kind = SVC_TASK,
		.start_ms = 5000,
		.stop_ms = 2000,
	},
	{
		.name = "final",
		.argv = ARGV("/usr/lib/berth/bootcfg", "stage", "final"),
		.after = { "disks", "net", "engine", "ssh" },
		.kind = SVC_TASK,
		.condition = STAGE("final"),
		.start_ms = 5000,
		.stop_ms = 5000,
		.max_tries = 1,
	},
};

const struct service_def *service_table(size_t *count)
{
	*count = ARRAY_LEN(services);
	return services;
}
