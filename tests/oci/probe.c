/* Runs in a container: tries what a container must not, and says what the kernel answered.
 *   probe WHAT...   one line each: "WHAT: ok" or "WHAT: reason" */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long try_mount(void) { return mount("none", "/tmp", "tmpfs", 0, NULL); }
static long try_keyctl(void) { return syscall(SYS_keyctl, 0, -3, 1); }
static long try_add_key(void) { return syscall(SYS_add_key, "user", "x", "y", 1, -3); }
static long try_unshare(void) { return unshare(CLONE_NEWUSER); }
static long try_clone_user(void)
{
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

	return pid == 0 ? (_exit(0), 0) : pid;
}
static long try_setns(void) { return setns(open("/proc/self/ns/uts", O_RDONLY), 0); }
static long try_fsopen(void) { return syscall(SYS_fsopen, "tmpfs", 0); }
static long try_fsopen_user(void)
{
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 ? -1 : try_fsopen();
}
static long try_open_tree(void) { return syscall(SYS_open_tree, AT_FDCWD, "/", 1); }
static long try_move_mount(void) { return syscall(SYS_move_mount, 0, "", 0, "", 0); }
static long try_clone3(void) { return syscall(SYS_clone3, NULL, 0); }
static long try_bpf(void) { return syscall(SYS_bpf, 0, NULL, 0); }
static long try_io_uring(void) { return syscall(SYS_io_uring_setup, 1, NULL); }
static long try_userfaultfd(void) { return syscall(SYS_userfaultfd, 0); }
static long try_handle(void) { return syscall(SYS_open_by_handle_at, AT_FDCWD, NULL, 0); }
static long try_perf(void) { return syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0); }
static long try_module(void) { return syscall(SYS_init_module, NULL, 0, ""); }
static long try_kexec(void) { return syscall(SYS_kexec_load, 0, 0, NULL, 0); }
static long try_reboot(void) { return reboot(RB_DISABLE_CAD); }
static long try_swapon(void) { return syscall(SYS_swapon, "/x", 0); }
static long try_settime(void) { return settimeofday(NULL, &(struct timezone){ 0, 0 }); }
static long try_vsock(void) { return socket(AF_VSOCK, SOCK_STREAM, 0); }
static long try_alg(void) { return socket(38, SOCK_SEQPACKET, 0); }
static long try_inet(void) { return socket(AF_INET, SOCK_STREAM, 0); }
static long try_fork(void) { return fork() == 0 ? (_exit(0), 0) : 0; }
static long try_mknod_disk(void) { return mknod("/tmp/disk", S_IFBLK | 0600, makedev(254, 0)); }
static long try_open_disk(void) { return open("/planted", O_RDONLY); }
static long try_ptrace(void) { return ptrace(PTRACE_TRACEME, 0, NULL, NULL); }
static long try_nice(void) { return setpriority(PRIO_PROCESS, 0, -5); }
static long try_personality(void) { return syscall(SYS_personality, 0x0040000); }
static long try_core_pattern(void) { return open("/proc/sys/kernel/core_pattern", O_WRONLY); }
static long try_sysrq(void) { return open("/proc/sysrq-trigger", O_WRONLY); }
static long try_kcore(void) { return open("/proc/kcore", O_RDONLY); }
static long try_setid_caps(void) { return syscall(SYS_capset, NULL, NULL); }

static const struct {
	const char *name;
	long (*run)(void);
} probes[] = {
	{ "mount", try_mount },	      { "keyctl", try_keyctl },	      { "add_key", try_add_key },
	{ "unshare", try_unshare },   { "clone3", try_clone3 },	      { "bpf", try_bpf },
	{ "io_uring", try_io_uring }, { "userfaultfd", try_userfaultfd }, { "handle", try_handle },
	{ "perf", try_perf },	      { "module", try_module },	      { "kexec", try_kexec },
	{ "reboot", try_reboot },     { "swapon", try_swapon },	      { "settime", try_settime },
	{ "vsock", try_vsock },	      { "alg", try_alg },	      { "inet", try_inet },
	{ "fork", try_fork },	      { "mknod", try_mknod_disk },    { "disk", try_open_disk },
	{ "ptrace", try_ptrace },     { "nice", try_nice },	      { "personality", try_personality },
	{ "core_pattern", try_core_pattern }, { "sysrq", try_sysrq }, { "kcore", try_kcore },
	{ "capset", try_setid_caps }, { "clone_user", try_clone_user }, { "setns", try_setns },
	{ "fsopen", try_fsopen },     { "fsopen_user", try_fsopen_user },
	{ "open_tree", try_open_tree }, { "move_mount", try_move_mount },
};

/* Touches memory until it is killed. */
static int eat(long megabytes)
{
	for (long i = 0; i < megabytes; i++) {
		char *p = malloc(1 << 20);

		if (!p)
			return 1;
		memset(p, 1, 1 << 20);
	}
	puts("eaten");
	return 0;
}

/* Forks until it is refused. */
static int bomb(void)
{
	int count = 0;

	for (;;) {
		pid_t pid = fork();

		if (pid < 0)
			break;
		if (pid == 0) {
			pause();
			_exit(0);
		}
		count++;
		if (count > 5000)
			break;
	}
	printf("forked %s, then: %s\n", count > 5000 ? "without end" : "some", strerror(errno));
	return 0;
}

/* Share of one processor over two seconds, in percent. */
static int burn(void)
{
	struct timespec start, now, cpu;
	double wall;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		clock_gettime(CLOCK_MONOTONIC, &now);
		wall = (double)(now.tv_sec - start.tv_sec) +
		       (double)(now.tv_nsec - start.tv_nsec) / 1e9;
	} while (wall < 2);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	double share = ((double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9) / wall;
	printf("burn: %s\n", share < 0.5 ? "held" : "free");
	return 0;
}

/* What process.scheduler and process.ioPriority come to. */
static int show_priorities(void)
{
	struct sched_param param = { 0 };
	int policy = sched_getscheduler(0);
	long io = syscall(SYS_ioprio_get, 1, 0);

	sched_getparam(0, &param);
	errno = 0;
	printf("policy %d priority %d nice %d io class %ld level %ld\n",
	       policy & ~SCHED_RESET_ON_FORK, param.sched_priority, getpriority(PRIO_PROCESS, 0),
	       io >> 13, io & 7);
	return 0;
}

static int send_to(const char *path, const char *text)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	if (!path || strlen(path) >= sizeof(address.sun_path))
		return 2;
	strcpy(address.sun_path, path);
	if (sendto(fd, text, strlen(text), 0, (struct sockaddr *)&address, sizeof(address)) < 0) {
		printf("send: %s\n", strerror(errno));
		return 1;
	}
	return 0;
}

/* Prints the datagrams that come, one a line. */
static int receive_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char text[512];
	ssize_t n;

	if (strlen(path) >= sizeof(address.sun_path))
		return 2;
	strcpy(address.sun_path, path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return 1;
	while ((n = recv(fd, text, sizeof(text) - 1, 0)) > 0) {
		text[n] = '\0';
		for (char *p = text; *p; p++)
			*p = *p == '\n' ? '|' : *p;
		printf("received %s\n", text);
		fflush(stdout);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "priorities"))
		return show_priorities();
	if (argc == 3 && !strcmp(argv[1], "notify"))
		return send_to(getenv("NOTIFY_SOCKET"), argv[2]);
	if (argc == 3 && !strcmp(argv[1], "receive"))
		return receive_at(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "eat"))
		return eat(atol(argv[2]));
	if (argc == 2 && !strcmp(argv[1], "bomb"))
		return bomb();
	if (argc == 2 && !strcmp(argv[1], "burn"))
		return burn();
	if (argc == 3 && !strcmp(argv[1], "exit"))
		return atoi(argv[2]);
	for (int i = 1; i < argc; i++) {
		for (size_t k = 0; k < sizeof(probes) / sizeof(probes[0]); k++) {
			if (strcmp(probes[k].name, argv[i]) != 0)
				continue;
			long rc = probes[k].run();

			printf("%s: %s\n", argv[i], rc < 0 ? strerror(errno) : "ok");
		}
	}
	return 0;
}
