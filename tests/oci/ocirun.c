/* Test tool: what an engine does around a container, without the engine.
 *   ocirun run RUNTIME BUNDLE ID      create, start, wait; prints "exit N"; delete
 *   ocirun bench N BUNDLE RUNTIME...  create + start + wait + delete, N times, the runtimes in
 *                                     turn; medians in microseconds and peak memory */
#include <errno.h>
#include <signal.h>
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

static long once(char *runtime, char *bundle, double us[4])
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
	if (r[0].status || r[1].status || r[2].status || status) {
		fprintf(stderr, "ocirun: %s failed\n", runtime);
		exit(1);
	}
	us[0] = t1 - t0;
	us[1] = t2 - t1;
	us[2] = t4 - t3;
	us[3] = us[0] + us[1] + us[2];
	return r[0].peak_kb;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int bench(int count, char *bundle, char **runtimes, int runtime_count)
{
	double *samples = calloc((size_t)(count * runtime_count * 4), sizeof(*samples));
	long peak[8] = { 0 };

	for (int i = -1; i < count; i++) {
		for (int r = 0; r < runtime_count; r++) {
			double us[4];
			long kb = once(runtimes[r], bundle, us);

			peak[r] = kb > peak[r] ? kb : peak[r];
			for (int k = 0; i >= 0 && k < 4; k++) /* the first round warms the caches */
				samples[(r * 4 + k) * count + i] = us[k];
		}
	}
	for (int r = 0; r < runtime_count; r++) {
		printf("%-28s", runtimes[r]);
		for (int k = 0; k < 4; k++) {
			static const char *const names[] = { "create", "start", "delete", "all" };

			qsort(&samples[(r * 4 + k) * count], (size_t)count, sizeof(double), by_value);
			printf(" %s %.0f us", names[k], samples[(r * 4 + k) * count + count / 2]);
		}
		printf(", peak of create %ld kB\n", peak[r]);
	}
	free(samples);
	return 0;
}

int main(int argc, char **argv)
{
	/* The container's first process becomes our child when "create" has ended. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (argc == 5 && !strcmp(argv[1], "run"))
		return run(argv[2], argv[3], argv[4]);
	if (argc > 4 && argc < 13 && !strcmp(argv[1], "bench"))
		return bench(atoi(argv[2]), argv[3], argv + 4, argc - 4);
	fprintf(stderr, "usage: ocirun run RUNTIME BUNDLE ID | bench N BUNDLE RUNTIME...\n");
	return 2;
}
