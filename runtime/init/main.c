/* docker's --init: the first process of a container that asked for it. Starts its program, passes
 * signals on to it, reaps whatever becomes an orphan, and ends as the program ends.
 *
 *   docker-init -- PROGRAM [ARGUMENT...] */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_FOUND = 127, NOT_EXECUTABLE = 126, KILLED = 128 };

/* Signals that tell of a fault of our own must do what they always do. */
static const int own[] = { SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS, SIGTTIN,
			   SIGTTOU };

/* Without stdio, which is twice as large as all of this. */
static void say(const char *const *words)
{
	for (; *words; words++)
		if (write(STDERR_FILENO, *words, strlen(*words)) < 0)
			return;
}

static void run(char **argv, const sigset_t *mask)
{
	int why;

	signal(SIGTTOU, SIG_DFL);
	signal(SIGTTIN, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	why = errno;
	say((const char *[]){ "docker-init: cannot run \"", argv[0], "\": ", strerror(why), "\n", NULL });
	_exit(why == ENOENT ? NOT_FOUND : NOT_EXECUTABLE);
}

/* A process group of its own, so that a signal that the terminal sends reaches it once; in the
 * foreground of the terminal, if there is one. */
static pid_t start(char **argv, const sigset_t *mask)
{
	pid_t pid = fork();

	if (pid == 0) {
		setpgid(0, 0);
		tcsetpgrp(STDIN_FILENO, getpid());
		run(argv, mask);
	}
	return pid;
}

/* True when it is `program`: its exit code in `code`. */
static int reap(pid_t program, int *code)
{
	int status, over = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != program)
			continue;
		over = 1;
		*code = WIFSIGNALED(status) ? KILLED + WTERMSIG(status) : WEXITSTATUS(status);
	}
	return over;
}

int main(int argc, char **argv)
{
	sigset_t all, before;
	pid_t program;
	int code = 0;

	if (argc < 3 || strcmp(argv[1], "--") != 0) {
		say((const char *[]){ "usage: docker-init -- PROGRAM [ARGUMENT...]\n", NULL });
		return 1;
	}
	sigfillset(&all);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		sigdelset(&all, own[i]);
	/* A background process that gives the terminal away would be stopped. */
	signal(SIGTTOU, SIG_IGN);
	signal(SIGTTIN, SIG_IGN);
	sigprocmask(SIG_BLOCK, &all, &before);
	program = start(argv + 2, &before);
	if (program < 0) {
		say((const char *[]){ "docker-init: cannot fork: ", strerror(errno), "\n", NULL });
		return NOT_EXECUTABLE;
	}
	for (;;) {
		siginfo_t info;
		int sig = sigwaitinfo(&all, &info);

		if (sig == SIGCHLD && reap(program, &code))
			return code;
		if (sig > 0 && sig != SIGCHLD)
			kill(program, sig);
	}
}
