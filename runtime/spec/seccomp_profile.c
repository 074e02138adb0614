#include "spec/seccomp_profile.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "spec/capability.h"

/* Names that the kernel of another architecture has (socketcall, chown32 ...) are listed too:
 * the runtime skips what libseccomp does not know for an architecture. Rows are by subject. */
static const char *const allowed[] = {
	/* files: open, read, write */
	"open openat openat2 creat close close_range read readv pread64 preadv preadv2 write writev",
	"pwrite64 pwritev pwritev2 lseek _llseek readahead copy_file_range sendfile sendfile64",
	"splice tee vmsplice fallocate truncate truncate64 ftruncate ftruncate64 sync syncfs fsync",
	"fdatasync sync_file_range fadvise64 fadvise64_64 cachestat dup dup2 dup3 fcntl fcntl64",
	"flock ioctl pipe pipe2 memfd_create memfd_secret name_to_handle_at remap_file_pages",
	/* files: names and attributes */
	"access faccessat faccessat2 stat stat64 lstat lstat64 fstat fstat64 fstatat64 newfstatat",
	"statx statfs statfs64 fstatfs fstatfs64 statmount listmount chmod fchmod fchmodat fchmodat2",
	"chown chown32 lchown lchown32 fchown fchown32 fchownat utime utimes futimesat utimensat",
	"utimensat_time64 umask link linkat symlink symlinkat readlink readlinkat rename renameat",
	"renameat2 unlink unlinkat mkdir mkdirat rmdir mknod mknodat chdir fchdir getcwd getdents",
	"getdents64 getxattr lgetxattr fgetxattr getxattrat setxattr lsetxattr fsetxattr setxattrat",
	"listxattr llistxattr flistxattr listxattrat removexattr lremovexattr fremovexattr",
	"removexattrat inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark",
	/* waiting for files; asynchronous files */
	"poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 epoll_create",
	"epoll_create1 epoll_ctl epoll_ctl_old epoll_wait epoll_wait_old epoll_pwait epoll_pwait2",
	"eventfd eventfd2 signalfd signalfd4 io_setup io_destroy io_submit io_cancel io_getevents",
	"io_pgetevents io_pgetevents_time64",
	/* memory */
	"brk mmap mmap2 munmap mremap mprotect madvise mincore msync mlock mlock2 mlockall munlock",
	"munlockall membarrier mseal map_shadow_stack pkey_alloc pkey_free pkey_mprotect",
	/* processes and threads */
	"fork vfork execve execveat exit exit_group wait4 waitid waitpid getpid getppid gettid",
	"getpgid getpgrp setpgid getsid setsid kill tkill tgkill pidfd_open pidfd_send_signal",
	"process_mrelease prctl rseq set_robust_list get_robust_list set_tid_address",
	"set_thread_area get_thread_area futex futex_time64 futex_wait futex_waitv futex_wake",
	"futex_requeue getpriority setpriority ioprio_get ioprio_set getrlimit setrlimit ugetrlimit",
	"prlimit64 getrusage times sched_yield sched_getaffinity sched_setaffinity sched_getattr",
	"sched_setattr sched_getparam sched_setparam sched_getscheduler sched_setscheduler",
	"sched_get_priority_max sched_get_priority_min sched_rr_get_interval",
	"sched_rr_get_interval_time64 getcpu uname sysinfo getrandom uretprobe riscv_hwprobe",
	/* identity and confinement */
	"getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresuid32",
	"getresgid getresgid32 getgroups getgroups32 setuid setuid32 setgid setgid32 setreuid",
	"setreuid32 setregid setregid32 setresuid setresuid32 setresgid setresgid32 setfsuid",
	"setfsuid32 setfsgid setfsgid32 setgroups setgroups32 capget capset seccomp",
	"landlock_create_ruleset landlock_add_rule landlock_restrict_self",
	/* signals */
	"rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_tgsigqueueinfo rt_sigreturn",
	"rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 sigaltstack sigprocmask sigreturn",
	"pause restart_syscall",
	/* time */
	"time gettimeofday adjtimex clock_adjtime clock_adjtime64 clock_getres clock_getres_time64",
	"clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 nanosleep alarm",
	"getitimer setitimer timer_create timer_delete timer_getoverrun timer_gettime",
	"timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime",
	"timerfd_gettime64 timerfd_settime timerfd_settime64",
	/* sockets and System V and POSIX IPC */
	"socketcall socketpair bind listen accept accept4 connect shutdown getsockname getpeername",
	"getsockopt setsockopt send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg",
	"recvmmsg_time64 ipc msgctl msgget msgrcv msgsnd semctl semget semop semtimedop",
	"semtimedop_time64 shmat shmctl shmdt shmget mq_open mq_unlink mq_notify mq_getsetattr",
	"mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64",
	/* the profile's rule for kernels from 4.8 on, which every kernel here is */
	"ptrace process_vm_readv process_vm_writev",
#if defined(__x86_64__) || defined(__i386__)
	"arch_prctl modify_ldt",
#elif defined(__aarch64__) || defined(__arm__)
	"arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls",
#elif defined(__riscv)
	"riscv_flush_icache",
#endif
};

/* Allowed besides when the container has the capability. */
static const struct {
	const char *capability;
	const char *names;
} with_capability[] = {
	{ "CAP_DAC_READ_SEARCH", "open_by_handle_at" },
	{ "CAP_SYS_ADMIN",
	  "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie "
	  "lsm_get_self_attr lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount "
	  "open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog "
	  "umount umount2 unshare" },
	{ "CAP_SYS_BOOT", "reboot" },
	{ "CAP_SYS_CHROOT", "chroot" },
	{ "CAP_SYS_MODULE", "delete_module init_module finit_module" },
	{ "CAP_SYS_PACCT", "acct" },
	{ "CAP_SYS_PTRACE",
	  "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace" },
	{ "CAP_SYS_RAWIO", "iopl ioperm" },
	{ "CAP_SYS_TIME", "settimeofday stime clock_settime clock_settime64" },
	{ "CAP_SYS_TTY_CONFIG", "vhangup" },
	{ "CAP_SYS_NICE", "get_mempolicy mbind set_mempolicy set_mempolicy_home_node" },
	{ "CAP_SYSLOG", "syslog" },
	{ "CAP_BPF", "bpf" },
	{ "CAP_PERFMON", "perf_event_open" },
};

/* Address families other than AF_ALG (38), AF_VSOCK (40) and long dead ones; below 12 all. */
static const unsigned char families[] = { 13, 14, 15, 16, 17, 18, 21, 22, 24, 26, 27, 28, 29, 30,
					  31, 32, 33, 35, 36, 39, 41, 42, 43, 44, 45 };

/* Linux, UNAME26, Linux with short inodes (PER_LINUX32) and "tell me". */
static const uint32_t personalities[] = { 0x0, 0x8, 0x20000, 0x20008, 0xffffffff };

/* CLONE_NEW*: CGROUP, UTS, IPC, USER, PID, NET and NS. */
#define CLONE_NAMESPACES 0x7e020000u

static struct oci_syscall *rule(struct oci_seccomp *p, const char *action)
{
	struct oci_syscall *r = record_list_add(&p->syscalls, sizeof(*r));

	if (r)
		r->action = strdup(action);
	return r && r->action ? r : NULL;
}

static int add_names(struct oci_syscall *r, const char *names)
{
	autofree char *copy = strdup(names);
	char *rest = NULL;

	if (!r || !copy)
		return -ENOMEM;
	for (char *name = strtok_r(copy, " ", &rest); name; name = strtok_r(NULL, " ", &rest))
		if (string_list_add(&r->names, name) < 0)
			return -ENOMEM;
	return 0;
}

static int add_condition(struct oci_seccomp *p, const char *name, const char *op, uint64_t value)
{
	struct oci_syscall *r = rule(p, "SCMP_ACT_ALLOW");
	struct oci_seccomp_arg *arg = r ? record_list_add(&r->args, sizeof(*arg)) : NULL;

	if (!arg)
		return -ENOMEM;
	arg->value = value;
	arg->op = strdup(op);
	return arg->op ? add_names(r, name) : -ENOMEM;
}

static int add_architectures(struct oci_seccomp *p)
{
#if defined(__x86_64__)
	static const char *const names[] = { "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32" };
#elif defined(__aarch64__)
	static const char *const names[] = { "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM" };
#else
	static const char *const names[] = { "SCMP_ARCH_NATIVE" };
#endif
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (string_list_add(&p->architectures, names[i]) < 0)
			return -ENOMEM;
	return 0;
}

static int add_unconditional(struct oci_seccomp *p, uint64_t capabilities)
{
	struct oci_syscall *r = rule(p, "SCMP_ACT_ALLOW");
	int rc = 0;

	for (size_t i = 0; !rc && i < ARRAY_LEN(allowed); i++)
		rc = add_names(r, allowed[i]);
	for (size_t i = 0; !rc && i < ARRAY_LEN(with_capability); i++)
		if (capabilities >> capability_number(with_capability[i].capability) & 1)
			rc = add_names(r, with_capability[i].names);
	return rc;
}

static int add_conditional(struct oci_seccomp *p, uint64_t capabilities)
{
	bool admin = capabilities >> capability_number("CAP_SYS_ADMIN") & 1;
	int rc = add_condition(p, "socket", "SCMP_CMP_LT", 12);

	for (size_t i = 0; !rc && i < ARRAY_LEN(families); i++)
		rc = add_condition(p, "socket", "SCMP_CMP_EQ", families[i]);
	for (size_t i = 0; !rc && i < ARRAY_LEN(personalities); i++)
		rc = add_condition(p, "personality", "SCMP_CMP_EQ", personalities[i]);
	if (!rc && !admin) {
		struct oci_syscall *r;

		/* MASKED_EQ: (flags & value) == valueTwo, which is 0: no new namespace. */
		rc = add_condition(p, "clone", "SCMP_CMP_MASKED_EQ", CLONE_NAMESPACES);
		/* Its flags lie in memory, out of the filter's sight: programs fall back to clone. */
		r = rc ? NULL : rule(p, "SCMP_ACT_ERRNO");
		if (r)
			r->errnoRet = (struct opt_int){ true, ENOSYS };
		rc = rc ? rc : add_names(r, "clone3");
	}
	return rc;
}

int seccomp_profile_default(uint64_t capabilities, struct oci_seccomp *out)
{
	struct oci_seccomp made = { .defaultErrnoRet = { true, EPERM } };
	int rc = add_architectures(&made);

	made.defaultAction = strdup("SCMP_ACT_ERRNO");
	if (!made.defaultAction)
		rc = -ENOMEM;
	if (!rc)
		rc = add_unconditional(&made, capabilities);
	if (!rc)
		rc = add_conditional(&made, capabilities);
	if (rc < 0) {
		oci_seccomp_free(&made);
		return rc;
	}
	*out = made;
	return 0;
}
