#include "pid1/tuning.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "pid1/machine.h"

static const struct {
	const char *path, *value;
} sysctls[] = {
	/* An attacker with a foothold learns no addresses and loads no programs into the kernel. */
	{ "kernel/kptr_restrict", "2" },
	{ "kernel/dmesg_restrict", "1" },
	{ "kernel/unprivileged_bpf_disabled", "1" },
	{ "net/core/bpf_jit_harden", "2" },
	{ "kernel/perf_event_paranoid", "3" },
	{ "kernel/kexec_load_disabled", "1" },
	{ "kernel/yama/ptrace_scope", "1" },
	{ "kernel/randomize_va_space", "2" },
	{ "dev/tty/ldisc_autoload", "0" },
	{ "fs/protected_hardlinks", "1" },
	{ "fs/protected_symlinks", "1" },
	{ "fs/protected_fifos", "2" },
	{ "fs/protected_regular", "2" },
	{ "fs/suid_dumpable", "0" },
	/* A panic, and what comes before one, ends in a reboot, which counts as a failed try. */
	{ "kernel/panic", "10" },
	{ "kernel/panic_on_oops", "1" },
	{ "kernel/sysrq", "0" },
	/* Only what is serious reaches the console: it is a person's. */
	{ "kernel/printk", "4 4 1 7" },
	/* Many containers in one kernel. */
	{ "kernel/pid_max", "4194304" },
	{ "kernel/keys/maxkeys", "2000" },
	{ "kernel/keys/maxbytes", "2000000" },
	{ "fs/inotify/max_user_instances", "8192" },
	{ "fs/inotify/max_user_watches", "524288" },
	{ "vm/max_map_count", "262144" },
	{ "vm/panic_on_oom", "0" },
	{ "user/max_user_namespaces", "15000" },
	/* Bridges and published ports. A container that shares the host's network, but not its user
	 * namespace, may serve 25, 53, 80 and 443, and never takes SSH's port. */
	{ "net/ipv4/ip_forward", "1" },
	{ "net/ipv6/conf/all/forwarding", "1" },
	{ "net/ipv4/ip_unprivileged_port_start", "23" },
	{ "net/ipv4/conf/all/rp_filter", "2" },
	{ "net/ipv4/conf/default/rp_filter", "2" },
	{ "net/ipv4/conf/all/accept_redirects", "0" },
	{ "net/ipv4/conf/default/accept_redirects", "0" },
	{ "net/ipv4/conf/all/send_redirects", "0" },
	{ "net/ipv4/conf/default/send_redirects", "0" },
	{ "net/ipv4/conf/all/accept_source_route", "0" },
	{ "net/ipv6/conf/all/accept_redirects", "0" },
	{ "net/ipv6/conf/default/accept_redirects", "0" },
	/* Forwarding turns router advertisements off; as a host we still want them. */
	{ "net/ipv6/conf/default/accept_ra", "2" },
	{ "net/ipv4/tcp_syncookies", "1" },
	{ "net/core/somaxconn", "4096" },
};

int tuning_step_sysctls(struct machine *m, struct err *say)
{
	autoclose int dir = open("/proc/sys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t absent = 0;
	int failed = 0;

	(void)m;
	if (dir < 0)
		return err_sys(say, "open \"/proc/sys\"");
	for (size_t i = 0; i < ARRAY_LEN(sysctls); i++) {
		struct err e = { 0 };
		int rc = file_put_at(dir, sysctls[i].path, sysctls[i].value, &e);

		if (rc == -ENOENT) /* this kernel is built without what it is about */
			absent++;
		else if (rc < 0 && !failed)
			failed = err_set(say, rc, "%s", e.text);
	}
	if (!failed)
		err_set(say, 0, absent ? "%zu set, %zu not in this kernel" : "%zu set",
			ARRAY_LEN(sysctls) - absent, absent);
	return failed;
}

static const struct {
	int resource;
	rlim_t soft, hard;
} limits[] = {
	/* Soft 1024: programs that use select(2) break above it; who needs more asks for it. */
	{ RLIMIT_NOFILE, 1024, 1048576 },
	{ RLIMIT_NPROC, RLIM_INFINITY, RLIM_INFINITY }, /* pids.max limits, not this */
	{ RLIMIT_CORE, 0, RLIM_INFINITY },
	{ RLIMIT_MEMLOCK, 8 << 20, RLIM_INFINITY },
};

int tuning_step_limits(struct machine *m, struct err *say)
{
	(void)m;
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct rlimit limit = { limits[i].soft, limits[i].hard };

		if (setrlimit(limits[i].resource, &limit) < 0)
			return err_sys(say, "set resource limit %d", limits[i].resource);
	}
	return 0;
}
