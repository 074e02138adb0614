#include "engine/job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "engine/internal.h"

enum { ARGS_MAX = 40, RESULT_MAX = 1 << 20, PIPE_BYTES = 256 * 1024 };
enum { RESULT_FD = 3, TOLD_FD = 4, PROCESS_FD = 5 }; /* its own, of ours */

struct job {
	struct engine *engine;
	struct child child;
	struct job_fns fns;
	int in, out, result; /* -1: closed */
	bool bystander;
	char writes[CONTAINER_ID_LEN + 1]; /* a container's id, or "" */
	struct loop_source *in_source, *out_source, *end_source;
	struct buf said;     /* the result */
};

static void drop_source(struct job *j, struct loop_source **source)
{
	loop_remove(j->engine->loop, take_ptr(*source));
}

void job_close_input(struct job *j)
{
	drop_source(j, &j->in_source);
	cleanup_fd(&j->in);
	j->in = -1;
}

void job_free(struct job *j)
{
	struct engine *en = j ? j->engine : NULL;

	if (!j)
		return;
	job_close_input(j);
	drop_source(j, &j->out_source);
	drop_source(j, &j->end_source);
	cleanup_fd(&j->out);
	cleanup_fd(&j->result);
	if (j->child.pidfd >= 0) {
		/* Its own session: with the processes that it started. */
		kill(-j->child.pid, SIGKILL);
		spawn_wait(&j->child);
	}
	en->jobs -= !j->bystander;
	if (*j->writes)
		files_written(en, j->writes);
	buf_free(&j->said);
	free(j);
	if (en->uncollected && !en->jobs)
		engine_clean_store(en);
}

static void read_result(struct job *j)
{
	char chunk[1024];
	ssize_t n;

	while ((n = read(j->result, chunk, sizeof(chunk))) > 0)
		if (j->said.len < RESULT_MAX)
			buf_add(&j->said, chunk, (size_t)n);
}

/* "error CODE SENTENCE" is the last line of one that failed. */
static int failure(struct job *j, int code, struct err *e)
{
	const char *text = buf_text(&j->said), *at = strstr(text, "error ");
	char *sentence;
	int rc;

	if (!code)
		return 0;
	if (!at || (at != text && at[-1] != '\n'))
		return err_set(e, -EIO, "the program that changes the image store ended with %d and "
			       "without a word", code);
	rc = -(int)strtol(at + 6, &sentence, 10);
	sentence += strspn(sentence, " ");
	return err_set(e, rc < 0 ? rc : -EIO, "%.*s", (int)strcspn(sentence, "\n"), sentence);
}

static void on_end(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct job *j = arg;
	struct err e = { 0 };
	int code;

	(void)l;
	(void)fd;
	(void)events;
	drop_source(j, &j->end_source);
	code = spawn_wait(&j->child);
	j->child.pidfd = -1;
	read_result(j);
	j->fns.ended(j->fns.arg, failure(j, code, &e), &e);
}

static void on_output(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct job *j = arg;

	(void)l;
	(void)fd;
	(void)events;
	drop_source(j, &j->out_source);
	if (j->fns.output)
		j->fns.output(j->fns.arg);
}

static void on_input(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct job *j = arg;

	(void)l;
	(void)fd;
	(void)events;
	drop_source(j, &j->in_source);
	j->fns.input(j->fns.arg);
}

/* The output is watched only while somebody waits for it. */
static void watch_output(struct job *j)
{
	if (!j->out_source && j->out >= 0)
		j->out_source = loop_fd(j->engine->loop, j->out, EPOLLIN, on_output, j);
}

int job_read(struct job *j, struct buf *out, size_t max)
{
	char chunk[16 * 1024];
	ssize_t n = j->out < 0 ? 0 : read(j->out, chunk, max < sizeof(chunk) ? max : sizeof(chunk));

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		watch_output(j);
		return -EAGAIN;
	}
	if (n > 0) {
		buf_add(out, chunk, (size_t)n);
		return 1;
	}
	cleanup_fd(&j->out);
	j->out = -1;
	return 0;
}

ssize_t job_write(struct job *j, const void *data, size_t len)
{
	ssize_t n = j->in < 0 ? -1 : write(j->in, data, len);

	if (n >= 0)
		return n;
	if (j->in < 0 || (errno != EAGAIN && errno != EINTR))
		return -EPIPE;
	if (!j->in_source)
		j->in_source = loop_fd(j->engine->loop, j->in, EPOLLOUT, on_input, j);
	return 0;
}

const char *job_result(const struct job *j)
{
	return buf_text(&j->said);
}

/* ---- the start ---- */

/* It goes with the engine: nobody would take what it brings. */
static int die_with_parent(void *arg)
{
	(void)arg;
	return prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? -errno : 0;
}

static size_t make_argv(struct engine *en, const struct job_wish *wish,
			const char *argv[ARGS_MAX + 1])
{
	const struct engine_paths *p = &en->paths;
	const char *const head[] = {
		p->store_program, wish->command, "--store", p->store_pulled,
		"--store", p->store_embedded, "--fetch", p->fetch, "--registries", p->config,
	};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(head); i++)
		argv[n++] = head[i];
	for (size_t i = 0; wish->arguments[i] && n < ARGS_MAX; i++)
		argv[n++] = wish->arguments[i];
	argv[n] = NULL;
	return n;
}

/* Credentials and the like go through memory, never through a file or the command line. */
static int open_memory(const struct job_wish *wish, const char *text, size_t len, struct err *e)
{
	autoclose int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "start \"%s\"", wish->command);
	if (text && file_write_all(fd, text, len) < 0)
		return err_set(e, -ENOMEM, "start \"%s\": out of memory", wish->command);
	lseek(fd, 0, SEEK_SET);
	return take_fd(&fd);
}

static int open_input(struct job *j, const struct job_wish *wish, struct err *e)
{
	int pair[2];

	if (!wish->streamed)
		return open_memory(wish, wish->input, wish->input_len, e);
	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(e, "start \"%s\"", wish->command);
	j->in = pair[1];
	fcntl(j->in, F_SETFL, O_NONBLOCK);
	fcntl(j->in, F_SETPIPE_SZ, PIPE_BYTES);
	return pair[0];
}

static int run_program(struct job *j, const struct job_wish *wish, const int stdio[4], int told,
		       struct err *e)
{
	const char *argv[ARGS_MAX + 1];
	struct spawn_fd fds[6] = { { stdio[0], STDIN_FILENO }, { stdio[1], STDOUT_FILENO },
				   { STDERR_FILENO, STDERR_FILENO }, { stdio[3], RESULT_FD } };
	struct spawn sp = {
		.argv = argv, .fds = fds, .fd_count = 4, .new_session = true,
		.prepare = die_with_parent,
	};

	make_argv(j->engine, wish, argv);
	if (told >= 0)
		fds[sp.fd_count++] = (struct spawn_fd){ told, TOLD_FD };
	if (wish->process > 0)
		fds[sp.fd_count++] = (struct spawn_fd){ wish->process, PROCESS_FD };
	return spawn(&sp, &j->child, e);
}

static int spawn_job(struct job *j, const struct job_wish *wish, struct err *e)
{
	int out[2] = { -1, -1 }, result[2] = { -1, -1 };
	autoclose int in = open_input(j, wish, e), told = -1;
	int rc;

	if (in < 0)
		return in;
	if (wish->told) {
		told = open_memory(wish, wish->told, wish->told_len, e);
		if (told < 0)
			return told;
	}
	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(result, O_CLOEXEC) < 0) {
		cleanup_fd(&out[0]);
		cleanup_fd(&out[1]);
		return err_sys(e, "start \"%s\"", wish->command);
	}
	rc = run_program(j, wish, (const int[]){ in, out[1], -1, result[1] }, told, e);
	close(out[1]);
	close(result[1]);
	j->out = out[0];
	j->result = result[0];
	fcntl(j->out, F_SETFL, O_NONBLOCK);
	fcntl(j->result, F_SETFL, O_NONBLOCK);
	/* Read when it has ended: all of it must find room. */
	fcntl(j->result, F_SETPIPE_SZ, RESULT_MAX);
	return rc;
}

int job_start(struct engine *en, const struct job_wish *wish, const struct job_fns *fns,
	      struct job **out, struct err *e)
{
	struct job *j = calloc(1, sizeof(*j));
	int rc;

	if (!j)
		return err_set(e, -ENOMEM, "out of memory");
	*j = (struct job){ .engine = en, .fns = *fns, .in = -1, .out = -1, .result = -1,
			   .child = { .pidfd = -1 }, .bystander = wish->bystander };
	en->jobs += !wish->bystander;
	if (wish->writes) {
		strcpy(j->writes, wish->writes->id);
		wish->writes->writers++;
	}
	rc = spawn_job(j, wish, e);
	if (rc < 0)
		j->child.pidfd = -1;
	if (!rc) {
		j->end_source = loop_fd(en->loop, j->child.pidfd, EPOLLIN, on_end, j);
		rc = j->end_source ? 0 : err_set(e, -ENOMEM, "out of memory");
	}
	if (rc < 0) {
		job_free(j);
		return rc;
	}
	watch_output(j);
	*out = j;
	return 0;
}
