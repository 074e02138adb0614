#include "base/jail.h"

#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define OUR_ARCH AUDIT_ARCH_RISCV64
#else
#error "jail.c: this architecture's AUDIT_ARCH is missing"
#endif

/* Under AddressSanitizer shadow memory alone is terabytes: no limit on address space there. */
#if defined(__SANITIZE_ADDRESS__)
#define LIMIT_MEMORY 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LIMIT_MEMORY 0
#endif
#endif
#ifndef LIMIT_MEMORY
#define LIMIT_MEMORY 1
#endif

enum {
	FOR_PARSE = 1 << 0,
	FOR_PROBE = 1 << 1,
	FOR_TALK = 1 << 2,
	FOR_SEND = 1 << 3,
	FOR_RESOLVE = 1 << 4,
	FOR_READERS = FOR_PROBE | FOR_RESOLVE,
	FOR_ALL = FOR_PARSE | FOR_READERS | FOR_TALK | FOR_SEND,
	NOBODY = 65534,
	MIB = 1024 * 1024,
};

/* The allow-list. `not_bits`: the call is refused if its third argument has one of them. */
static const struct allowed {
	int number;
	int jails;
	uint32_t not_bits;
} calls[] = {
	{ SYS_write, FOR_ALL, 0 },
	{ SYS_writev, FOR_ALL, 0 },
	{ SYS_close, FOR_ALL, 0 },
	{ SYS_brk, FOR_ALL, 0 },
	{ SYS_mmap, FOR_ALL, PROT_EXEC },
	{ SYS_mprotect, FOR_ALL, PROT_EXEC },
	{ SYS_munmap, FOR_ALL, 0 },
	{ SYS_mremap, FOR_ALL, 0 },
	{ SYS_madvise, FOR_ALL, 0 },
	{ SYS_getrandom, FOR_ALL, 0 },
	{ SYS_clock_gettime, FOR_ALL, 0 },
	{ SYS_futex, FOR_ALL, 0 },
	{ SYS_rt_sigprocmask, FOR_ALL, 0 },
	{ SYS_rt_sigreturn, FOR_ALL, 0 },
	{ SYS_restart_syscall, FOR_ALL, 0 },
#if !LIMIT_MEMORY
	{ SYS_sigaltstack, FOR_ALL, 0 }, /* AddressSanitizer asks before _exit */
#endif
	{ SYS_exit, FOR_ALL, 0 },
	{ SYS_exit_group, FOR_ALL, 0 },
	{ SYS_read, FOR_READERS | FOR_TALK | FOR_SEND, 0 },
	{ SYS_pread64, FOR_READERS, 0 },
	{ SYS_lseek, FOR_READERS, 0 },
	{ SYS_fstat, FOR_READERS, 0 },
	{ SYS_recvmsg, FOR_TALK | FOR_RESOLVE, 0 },
	{ SYS_shutdown, FOR_TALK, 0 },
	{ SYS_getpid, FOR_TALK, 0 }, /* whose are the random numbers: asked by mbedTLS */
	{ SYS_ppoll, FOR_TALK, 0 },
#ifdef SYS_poll
	{ SYS_poll, FOR_TALK, 0 },
#endif
	{ SYS_socket, FOR_SEND | FOR_RESOLVE, 0 },
	{ SYS_setsockopt, FOR_SEND, 0 },
	{ SYS_connect, FOR_SEND | FOR_RESOLVE, 0 },
	{ SYS_sendto, FOR_SEND | FOR_RESOLVE, 0 },
	{ SYS_recvfrom, FOR_SEND | FOR_RESOLVE, 0 },
	{ SYS_nanosleep, FOR_SEND, 0 },
	{ SYS_clock_nanosleep, FOR_SEND, 0 },
	{ SYS_accept4, FOR_RESOLVE, 0 },
	{ SYS_epoll_ctl, FOR_RESOLVE, 0 },
	{ SYS_epoll_pwait, FOR_RESOLVE, 0 },
#ifdef SYS_epoll_wait
	{ SYS_epoll_wait, FOR_RESOLVE, 0 },
#endif
};

static const struct jail {
	const char *name;
	int bit;
	uint64_t memory_bytes;
	unsigned cpu_seconds;  /* 0: it serves for as long as it is needed */
	unsigned files;        /* fds are below it; those that are open stay */
	uint64_t net;          /* what Landlock takes away of TCP: 1 bind, 2 connect */
} jails[] = {
	/* A megabyte of YAML is some hundred thousand small nodes. */
	{ JAIL_PARSE, FOR_PARSE, 96 * MIB, 20, 0, 3 },
	{ JAIL_PROBE, FOR_PROBE, 32 * MIB, 20, 0, 3 },
	/* A container.json, 256 KiB, as a tree. */
	{ JAIL_SEND, FOR_SEND, 32 * MIB, 0, 8, 0 },
	/* Four million names of a layer, and a zstd window; 64 GiB to decompress. */
	{ JAIL_UNPACK, FOR_PROBE, 768ULL * MIB, 4 * 3600, 0, 3 },
	/* A session of days, a terabyte encrypted. */
	{ JAIL_TALK, FOR_TALK, 32 * MIB, 8 * 3600, 8, 3 },
	/* Two sockets a container, and one for each question that is asked outside. */
	{ JAIL_RESOLVE, FOR_RESOLVE, 96 * MIB, 0, 16384, 1 },
};

static const struct jail *jail_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(jails); i++)
		if (strcmp(jails[i].name, name) == 0)
			return &jails[i];
	return NULL;
}

/* Never more than there is already. */
static int set_limit(int what, uint64_t value, struct err *e)
{
	/* The cast: glibc's calls take an enumeration, musl's an int. */
	const __typeof__(RLIMIT_CPU) which = (__typeof__(RLIMIT_CPU))what;
	struct rlimit limit, now;

	if (getrlimit(which, &now) == 0 && value > now.rlim_max)
		value = now.rlim_max;
	limit.rlim_cur = limit.rlim_max = value;
	if (setrlimit(which, &limit) < 0)
		return err_sys(e, "cannot limit the resources of a jail");
	return 0;
}

static int set_limits(const struct jail *j, struct err *e)
{
	const struct {
		int what;
		uint64_t value;
	} limits[] = {
		{ RLIMIT_CPU, j->cpu_seconds ? j->cpu_seconds : RLIM_INFINITY },
		{ RLIMIT_NOFILE, j->files },
		{ RLIMIT_FSIZE, 0 },
		{ RLIMIT_NPROC, 0 },
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_AS, LIMIT_MEMORY ? j->memory_bytes : RLIM_INFINITY },
	};
	int code = 0;

	for (size_t i = 0; i < ARRAY_LEN(limits) && code == 0; i++)
		if (limits[i].value != RLIM_INFINITY)
			code = set_limit(limits[i].what, limits[i].value, e);
	return code;
}

/* Raw system calls: the libraries' wrappers talk to threads that we do not have. */
static int drop_identity(struct err *e)
{
	if (geteuid() != 0)
		return 0;
	if (syscall(SYS_setgroups, 0, NULL) < 0 ||
	    syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY) < 0 ||
	    syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY) < 0) {
		/* In a user namespace of one id there is nobody else to be. */
		if (errno != EINVAL && errno != EPERM)
			return err_sys(e, "cannot give up root's identity in a jail");
	}
	return 0;
}

static int drop_capabilities(struct err *e)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { 0 };

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &header, none) < 0)
		return err_sys(e, "cannot drop the capabilities in a jail");
	return 0;
}

/* Landlock's attributes as of ABI 6 (linux 6.12); an older kernel takes the front part. */
struct landlock_rules {
	uint64_t files, net, scoped;
};

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_restrict_self 446
#endif

enum { LANDLOCK_VERSION_QUERY = 1 << 0 };

/* Handles every right that the kernel's ABI knows and grants none, but for what the row leaves.
 * No Landlock in the kernel is no error: the system call list alone already keeps files out. */
static int deny_files(const struct jail *j, struct err *e)
{
	static const struct {
		uint64_t files, net, scoped;
		size_t size;
	} abi[] = {
		{ 0x1fff, 0, 0, 8 }, { 0x3fff, 0, 0, 8 },  { 0x7fff, 0, 0, 8 },
		{ 0x7fff, 3, 0, 16 }, { 0xffff, 3, 0, 16 }, { 0xffff, 3, 3, 24 },
	};
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION_QUERY);
	struct landlock_rules rules;
	autoclose int fd = -1;
	size_t row;

	if (version < 1)
		return 0;
	row = (size_t)version > ARRAY_LEN(abi) ? ARRAY_LEN(abi) - 1 : (size_t)version - 1;
	rules = (struct landlock_rules){ abi[row].files, abi[row].net & j->net,
					abi[row].scoped };
	fd = (int)syscall(SYS_landlock_create_ruleset, &rules, abi[row].size, 0);
	if (fd < 0 || syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return err_sys(e, "cannot take the file system away in a jail");
	return 0;
}

#define LOAD(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, field))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)
#define IF(op, value, yes, no) BPF_JUMP(BPF_JMP | (op) | BPF_K, value, yes, no)

enum { RULE_LEN_MAX = 6, FILTER_MAX = 6 + (int)ARRAY_LEN(calls) * RULE_LEN_MAX };

struct program {
	struct sock_filter code[FILTER_MAX];
	unsigned short len;
};

static void emit(struct program *p, struct sock_filter f)
{
	p->code[p->len++] = f;
}

static void emit_call(struct program *p, const struct allowed *c)
{
	if (!c->not_bits) {
		emit(p, (struct sock_filter)IF(BPF_JEQ, (uint32_t)c->number, 0, 1));
		emit(p, (struct sock_filter)RETURN(SECCOMP_RET_ALLOW));
		return;
	}
	/* The low half holds all PROT_ bits (both architectures are little endian). */
	emit(p, (struct sock_filter)IF(BPF_JEQ, (uint32_t)c->number, 0, 4));
	emit(p, (struct sock_filter)LOAD(args[2]));
	emit(p, (struct sock_filter)IF(BPF_JSET, c->not_bits, 0, 1));
	emit(p, (struct sock_filter)RETURN(SECCOMP_RET_KILL_PROCESS));
	emit(p, (struct sock_filter)RETURN(SECCOMP_RET_ALLOW));
}

/* The filter: another architecture's numbering (x32 included) kills, a call of the list goes
 * through, everything else kills. */
static int filter_calls(const struct jail *j, struct err *e)
{
	struct program p = { .len = 0 };
	struct sock_fprog prog = { .filter = p.code };

	emit(&p, (struct sock_filter)LOAD(arch));
	emit(&p, (struct sock_filter)IF(BPF_JEQ, OUR_ARCH, 1, 0));
	emit(&p, (struct sock_filter)RETURN(SECCOMP_RET_KILL_PROCESS));
	emit(&p, (struct sock_filter)LOAD(nr));
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		if (calls[i].jails & j->bit)
			emit_call(&p, &calls[i]);
	emit(&p, (struct sock_filter)RETURN(SECCOMP_RET_KILL_PROCESS));
	prog.len = p.len;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) < 0)
		return err_sys(e, "cannot filter the system calls of a jail");
	return 0;
}

int jail_enter(const char *name, struct err *e)
{
	const struct jail *j = jail_by_name(name);
	int code;

	if (!j)
		return err_set(e, -EINVAL, "there is no jail \"%s\"", name);
	/* Landlock needs an fd and no_new_privs, so it goes before the limits. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "cannot forbid new privileges in a jail");
	code = deny_files(j, e);
	if (code == 0)
		code = drop_identity(e);
	if (code == 0)
		code = set_limits(j, e);
	if (code == 0)
		code = drop_capabilities(e);
	return code == 0 ? filter_calls(j, e) : code;
}
