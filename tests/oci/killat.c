/* Test tool: SIGKILL at a step, then "delete --force" must leave the host as it was.
 *   killat RUNTIME BUNDLE ID STEP POINTS SEED
 * STEP is a command (create, start, exec, delete, run), whose own process is killed as it enters a
 * system call, or COMMAND-child: a process that it has made. The command's system calls are counted
 * first; where there are more than POINTS of them a sample is taken, drawn with SEED.
 * Compared are mount table, cgroups, processes, and the names of files under /run/berth and in the
 * bundle. Prints "STEP: N of M system calls, seed S: nothing left", or what was left and where. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINES_MAX = 8192, TRACE_SECONDS = 20, SETTLE_MS = 5000 };

static const char *runtime, *bundle, *id;

/* ---- what a host looks like: sorted lines ---- */

struct view {
	char *lines[LINES_MAX];
	int count;
};

static void view_add(struct view *v, const char *kind, const char *text)
{
	if (v->count < LINES_MAX && asprintf(&v->lines[v->count], "%s %s", kind, text) >= 0)
		v->count++;
}

static void view_free(struct view *v)
{
	while (v->count > 0)
		free(v->lines[--v->count]);
}

static void add_tree(struct view *v, const char *path, bool folders_only)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char below[4096];

	while (dir && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
		if (entry->d_type == DT_DIR || !folders_only)
			view_add(v, "file", below);
		if (entry->d_type == DT_DIR)
			add_tree(v, below, folders_only);
	}
	if (dir)
		closedir(dir);
}

static void add_mounts(struct view *v)
{
	FILE *f = fopen("/proc/self/mountinfo", "r");
	char line[4096];

	while (f && fgets(line, sizeof(line), f))
		view_add(v, "mount", line);
	if (f)
		fclose(f);
}

/* Kernel threads come and go; their parent is 2. Zombies of ours have been reaped, and others' are
 * none of the runtime's; BusyBox's "timeout" leaves a watcher that lives on for a second. */
static void add_process(struct view *v, int pid)
{
	char path[64], line[512] = "", name[64] = "";
	char status = 'Z';
	int parent = 2;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (f && fgets(line, sizeof(line), f) &&
	    sscanf(line, "%*d (%63[^)]) %c %d", name, &status, &parent) == 3 && parent != 2 &&
	    pid != 2 && status != 'Z' && strcmp(name, "timeout") != 0) {
		snprintf(line, sizeof(line), "%d %s", pid, name);
		view_add(v, "process", line);
	}
	if (f)
		fclose(f);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void view_take(struct view *v)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	view_free(v);
	add_mounts(v);
	add_tree(v, "/sys/fs/cgroup", true);
	add_tree(v, "/run/berth", false);
	add_tree(v, bundle, false);
	while (dir && (entry = readdir(dir)))
		if (atoi(entry->d_name) > 0)
			add_process(v, atoi(entry->d_name));
	if (dir)
		closedir(dir);
	qsort(v->lines, (size_t)v->count, sizeof(v->lines[0]), by_text);
}

/* The first line that one has and the other lacks; NULL: the same. */
static const char *view_difference(const struct view *a, const struct view *b)
{
	for (int i = 0; i < a->count || i < b->count; i++) {
		int order = i >= a->count ? 1 : i >= b->count ? -1 : strcmp(a->lines[i], b->lines[i]);

		if (order)
			return order < 0 ? a->lines[i] : b->lines[i];
	}
	return NULL;
}

/* ---- commands ---- */

static pid_t start(const char *const argv[], bool quiet)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (quiet && (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr)))
			_exit(126);
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	return pid;
}

static int call(const char *const argv[])
{
	pid_t pid = start(argv, false);
	int status = -1;

	waitpid(pid, &status, 0);
	return status;
}

static void reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
}

static int simple(const char *command, const char *more)
{
	const char *argv[] = { runtime, command, id, more, NULL };

	return call(argv);
}

static int delete_by_force(void)
{
	const char *argv[] = { runtime, "delete", "--force", id, NULL };

	return call(argv);
}

static void command_line(const char *command, const char *argv[8])
{
	int n = 0;

	argv[n++] = runtime;
	argv[n++] = command;
	if (!strcmp(command, "create") || !strcmp(command, "run")) {
		argv[n++] = "-b";
		argv[n++] = bundle;
	}
	argv[n++] = id;
	if (!strcmp(command, "exec"))
		argv[n++] = "true";
	argv[n] = NULL;
}

/* What must be there before the command can be given. */
static void set_up(const char *command)
{
	const char *create[8];

	if (!strcmp(command, "create") || !strcmp(command, "run"))
		return;
	command_line("create", create);
	call(create);
	if (strcmp(command, "start") != 0)
		simple("start", NULL);
	if (!strcmp(command, "delete")) {
		simple("kill", "KILL");
		waitpid(-1, NULL, 0);
	}
}

/* ---- tracing ---- */

struct trace {
	pid_t main;
	bool children; /* count theirs, not the command's own */
	long kill_at;  /* 0: never */
	long count;    /* system calls entered */
	long call;     /* number of the one at which it was killed */
};

static bool counts(const struct trace *t, pid_t pid)
{
	return t->children ? pid != t->main : pid == t->main;
}

static void on_stop(struct trace *t, pid_t pid, int status)
{
	struct __ptrace_syscall_info info = { 0 };
	int event = status >> 16, sig = WSTOPSIG(status);
	bool is_call = sig == (SIGTRAP | 0x80);

	if (is_call && counts(t, pid) &&
	    ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0 &&
	    info.op == PTRACE_SYSCALL_INFO_ENTRY && ++t->count == t->kill_at) {
		t->call = (long)info.entry.nr;
		kill(pid, SIGKILL);
		return;
	}
	ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)(is_call || event ? 0 : sig));
}

/* Runs the command to its end. What is traced besides it then lives on untraced, or is killed with
 * the container. */
static struct trace *current;

static void on_alarm(int sig)
{
	(void)sig;
	printf("hangs: killed at %ld, system call %ld\n", current->kill_at, current->call);
	exit(1);
}

static void run_traced(const char *command, struct trace *t)
{
	const char *argv[8];
	int status;
	pid_t pid;

	command_line(command, argv);
	t->main = fork();
	if (t->main == 0) {
		raise(SIGSTOP);
		if (t->kill_at && (!freopen("/dev/null", "w", stdout) ||
				   !freopen("/dev/null", "w", stderr)))
			_exit(126);
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	waitpid(t->main, &status, WUNTRACED);
	ptrace(PTRACE_SEIZE, t->main, NULL,
	       (void *)(long)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC |
			      (t->children ? PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
						     PTRACE_O_TRACEVFORK :
					     0)));
	kill(t->main, SIGCONT);
	current = t;
	signal(SIGALRM, on_alarm);
	alarm(TRACE_SECONDS);
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFSTOPPED(status))
			on_stop(t, pid, status);
		else if (pid == t->main)
			break;
	}
	alarm(0);
}

/* ---- the sweep ---- */

static bool settles(const struct view *before, struct view *after)
{
	for (int ms = 0; ms < SETTLE_MS; ms += 20) {
		reap();
		view_take(after);
		if (!view_difference(before, after))
			return true;
		usleep(20000);
	}
	return false;
}

/* Whether nothing was left. */
static bool kill_once(const char *step, const char *command, struct trace *t,
		      const struct view *before)
{
	static struct view after;
	int status;

	set_up(command);
	run_traced(command, t);
	status = delete_by_force();
	if (status)
		printf("%s: killed at %ld, system call %ld: delete --force ends with %d\n", step,
		       t->kill_at, t->call, WEXITSTATUS(status));
	if (settles(before, &after))
		return !status;
	printf("%s: killed at %ld, system call %ld: left: %s\n", step, t->kill_at, t->call,
	       view_difference(before, &after));
	return false;
}

static bool sweep(const char *step, const char *command, long points, unsigned int seed)
{
	struct trace count = { .children = strstr(step, "-child") != NULL };
	static struct view before;
	bool good = true;

	/* Once for the caches and mount points, whose files stay, once to count. */
	set_up(command);
	run_traced(command, &count);
	delete_by_force();
	usleep(100000);
	reap();
	view_take(&before);
	count.count = 0;
	good = kill_once(step, command, &count, &before);
	srand(seed);
	if (points > count.count)
		points = count.count;
	for (long i = 0; i < points; i++) {
		long first = i * count.count / points, next = (i + 1) * count.count / points;
		struct trace t = { .children = count.children,
				   .kill_at = 1 + first + rand() % (next - first) };

		good &= kill_once(step, command, &t, &before);
	}
	if (good)
		printf("%s: %ld of %ld system calls, seed %u: nothing left\n", step, points,
		       count.count, seed);
	return good;
}

int main(int argc, char **argv)
{
	char command[32];

	if (argc != 7) {
		fprintf(stderr, "usage: killat RUNTIME BUNDLE ID STEP POINTS SEED\n");
		return 2;
	}
	runtime = argv[1];
	bundle = argv[2];
	id = argv[3];
	snprintf(command, sizeof(command), "%.*s", (int)strcspn(argv[4], "-"), argv[4]);
	/* Who loses its parent is ours: to be reaped, as an engine's shim does. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	return !sweep(argv[4], command, atol(argv[5]), (unsigned int)atol(argv[6]));
}
