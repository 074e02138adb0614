/* Test tool: what an engine does around a container, without the engine.
 *   ocirun run RUNTIME BUNDLE ID      create, start, wait; prints "exit N"; delete
 *   ocirun bench WHAT N BUNDLE RUNTIME...  N times, the runtimes in turn; medians and peak memory.
 *                                          WHAT: cycle (create, start, delete), run, or exec, into
 *                                          a container of BUNDLE-NAME OF THE RUNTIME'S PROGRAM */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PID_FILE "/run/ocirun.pid"

struct result {
	int status;
	long peak_kb;
};

static struct result call(char *const argv[])
{
	struct result r = { -1, 0 };
	struct rusage usage;
	pid_t pid = vfork();

	if (pid == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	if (pid > 0 && wait4(pid, &r.status, 0, &usage) == pid)
		r.peak_kb = usage.ru_maxrss;
	return r;
}

static pid_t read_pid(void)
{
	FILE *f = fopen(PID_FILE, "r");
	int pid = 0;

	if (f && fscanf(f, "%d", &pid) != 1)
		pid = 0;
	if (f)
		fclose(f);
	return pid;
}

static int run(char *runtime, char *bundle, char *id)
{
	char *create[] = { runtime, "create", "-b", bundle, "--pid-file", PID_FILE, id, NULL };
	char *start[] = { runtime, "start", id, NULL };
	char *del[] = { runtime, "delete", id, NULL };
	char *force[] = { runtime, "delete", "--force", id, NULL };
	int status;
	pid_t pid;

	unlink(PID_FILE);
	if (call(create).status) {
		puts("create failed");
		return 1;
	}
	pid = read_pid();
	if (call(start).status) {
		puts("start failed");
		call(force);
		waitpid(pid, &status, 0);
		return 1;
	}
	alarm(60);
	if (waitpid(pid, &status, 0) != pid)
		perror("ocirun: wait");
	alarm(0);
	fflush(stdout);
	if (WIFSIGNALED(status))
		printf("exit %d\n", 128 + WTERMSIG(status));
	else
		printf("exit %d\n", WEXITSTATUS(status));
	fflush(stdout);
	return call(del).status ? 1 : 0;
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* ---- what is measured: microseconds to `us`; returned: peak memory of the first command ---- */

enum { PARTS_MAX = 4 };

static void expect_zero(const char *runtime, int status)
{
	if (status == 0)
		return;
	fprintf(stderr, "ocirun: %s failed\n", runtime);
	exit(1);
}

static long measure_cycle(char *runtime, char *bundle, double us[PARTS_MAX])
{
	char *create[] = { runtime, "create", "-b", bundle, "--pid-file", PID_FILE, "bench", NULL };
	char *start[] = { runtime, "start", "bench", NULL };
	char *del[] = { runtime, "delete", "bench", NULL };
	double t0 = now_us(), t1, t2, t3, t4;
	struct result r[3];
	int status;

	r[0] = call(create);
	t1 = now_us();
	r[1] = call(start);
	t2 = now_us();
	waitpid(read_pid(), &status, 0);
	t3 = now_us();
	r[2] = call(del);
	t4 = now_us();
	expect_zero(runtime, r[0].status | r[1].status | r[2].status | status);
	us[0] = t1 - t0;
	us[1] = t2 - t1;
	us[2] = t4 - t3;
	us[3] = us[0] + us[1] + us[2];
	return r[0].peak_kb;
}

static long measure_run(char *runtime, char *bundle, double us[PARTS_MAX])
{
	char *argv[] = { runtime, "run", "-b", bundle, "bench", NULL };
	double start = now_us();
	struct result r = call(argv);

	us[0] = now_us() - start;
	expect_zero(runtime, r.status);
	return r.peak_kb;
}

/* One container for each runtime, named as its program. */
static char *sleeper_of(char *runtime)
{
	char *slash = strrchr(runtime, '/');

	return slash ? slash + 1 : runtime;
}

static long measure_exec(char *runtime, char *bundle, double us[PARTS_MAX])
{
	char *argv[] = { runtime, "exec", sleeper_of(runtime), "/bin/true", NULL };
	double start = now_us();
	struct result r = call(argv);

	(void)bundle;
	us[0] = now_us() - start;
	expect_zero(runtime, r.status);
	return r.peak_kb;
}

static const struct measure {
	const char *name;
	long (*run)(char *runtime, char *bundle, double us[PARTS_MAX]);
	const char *parts[PARTS_MAX];
	bool sleepers; /* needs a container that runs */
} measures[] = {
	{ "cycle", measure_cycle, { "create", "start", "delete", "all" }, false },
	{ "run", measure_run, { "run" }, false },
	{ "exec", measure_exec, { "exec" }, true },
};

static void start_sleeper(char *runtime, char *bundle)
{
	char path[4096];
	char *create[] = { runtime, "create", "-b", path, sleeper_of(runtime), NULL };
	char *start[] = { runtime, "start", sleeper_of(runtime), NULL };

	snprintf(path, sizeof(path), "%s-%s", bundle, sleeper_of(runtime));
	expect_zero(runtime, call(create).status | call(start).status);
}

static void end_sleeper(char *runtime)
{
	char *argv[] = { runtime, "delete", "--force", sleeper_of(runtime), NULL };

	call(argv);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Medians, and how many times the first runtime's each is. */
static void report(const struct measure *m, double *samples, int count, char **runtimes,
		   const long *peak, int runtime_count)
{
	double first[PARTS_MAX];

	for (int r = 0; r < runtime_count; r++) {
		printf("  %-16s", sleeper_of(runtimes[r]));
		for (int k = 0; k < PARTS_MAX && m->parts[k]; k++) {
			double *row = &samples[(r * PARTS_MAX + k) * count];

			qsort(row, (size_t)count, sizeof(double), by_value);
			if (r == 0)
				first[k] = row[count / 2];
			printf(" %s %.0f us x%.2f", m->parts[k], row[count / 2],
			       row[count / 2] / first[k]);
		}
		printf(" peak %ld kB\n", peak[r]);
	}
}

static int bench(const struct measure *m, int count, char *bundle, char **runtimes,
		 int runtime_count)
{
	double *samples = calloc((size_t)(count * runtime_count * PARTS_MAX), sizeof(*samples));
	long peak[8] = { 0 };

	for (int r = 0; m->sleepers && r < runtime_count; r++)
		start_sleeper(runtimes[r], bundle);
	for (int i = -1; i < count; i++) {
		for (int r = 0; r < runtime_count; r++) {
			double us[PARTS_MAX] = { 0 };
			long kb = m->run(runtimes[r], bundle, us);

			peak[r] = kb > peak[r] ? kb : peak[r];
			for (int k = 0; i >= 0 && k < PARTS_MAX; k++) /* the first warms caches */
				samples[(r * PARTS_MAX + k) * count + i] = us[k];
		}
	}
	report(m, samples, count, runtimes, peak, runtime_count);
	for (int r = 0; m->sleepers && r < runtime_count; r++)
		end_sleeper(runtimes[r]);
	free(samples);
	return 0;
}

int main(int argc, char **argv)
{
	/* The container's first process becomes our child when "create" has ended. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (argc == 5 && !strcmp(argv[1], "run"))
		return run(argv[2], argv[3], argv[4]);
	for (size_t i = 0; argc > 5 && argc < 14 && i < sizeof(measures) / sizeof(measures[0]); i++)
		if (!strcmp(argv[1], "bench") && !strcmp(argv[2], measures[i].name))
			return bench(&measures[i], atoi(argv[3]), argv[4], argv + 5, argc - 5);
	fprintf(stderr, "usage: ocirun run RUNTIME BUNDLE ID | "
			"bench cycle|run|exec N BUNDLE RUNTIME...\n");
	return 2;
}
