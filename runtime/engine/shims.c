/* Starting shims, whatever they are for: containers and the programs of exec. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "engine/internal.h"

enum { SHIM_LINE_MAX = 4096 };

/* Programs begin their lines with their name; the sentence is what people are to read. */
const char *shim_sentence(const char *line)
{
	static const char *const heads[] = { "berth-oci: ", "shim: ", "error: " };

	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		if (!strncmp(line, heads[i], strlen(heads[i])))
			line += strlen(heads[i]);
	return line;
}

/* docker's exit codes: 127 no such program, 126 cannot be run, 125 anything of ours. */
int64_t shim_exit_code(const char *sentence)
{
	if (strstr(sentence, "executable file not found") || strstr(sentence, "No such file") ||
	    strstr(sentence, "no such file") || strstr(sentence, "not found in $PATH"))
		return 127;
	if (strstr(sentence, "ermission denied") || strstr(sentence, "Exec format") ||
	    strstr(sentence, "s a directory"))
		return 126;
	return 125;
}

struct shim_child {
	struct child child;
	struct loop_source *source;
};

static void on_shim_reaped(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct shim_child *sc = arg;

	(void)fd;
	(void)events;
	loop_remove(l, sc->source);
	spawn_wait(&sc->child);
	free(sc);
}

/* The shim is our child as long as this engine lives; it ends whenever its program does. */
static void reap_later(struct loop *l, const struct child *child)
{
	struct shim_child *sc = malloc(sizeof(*sc));

	if (!sc)
		return;
	sc->child = *child;
	sc->source = loop_fd(l, child->pidfd, EPOLLIN, on_shim_reaped, sc);
	if (!sc->source)
		free(sc);
}

/* A shim that cannot be protected is better than none, so this is no reason to fail. */
static int protect_from_oom(void *arg)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	(void)arg;
	if (fd >= 0 && write(fd, "-900", 4) == 4)
		close(fd);
	return 0;
}

int shim_spawn(struct engine *en, const char *const *argv, struct err *e)
{
	struct spawn_fd fd = { -1, SHIM_STATUS_FD };
	struct spawn sp = {
		.argv = argv, .fds = &fd, .fd_count = 1, .new_session = true,
		.cgroup = en->cgroup_shims, .prepare = protect_from_oom,
	};
	struct child child;
	int status[2], rc;

	if (pipe2(status, O_CLOEXEC) < 0)
		return err_sys(e, "start the shim");
	fd.from = status[1];
	rc = spawn(&sp, &child, e);
	close(status[1]);
	if (rc < 0) {
		close(status[0]);
		return rc;
	}
	reap_later(en->loop, &child);
	fcntl(status[0], F_SETFL, O_NONBLOCK);
	return status[0];
}

bool shim_line_read(int fd, struct buf *line)
{
	char chunk[512];
	ssize_t n = read(fd, chunk, sizeof(chunk));
	char *end;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	if (n > 0)
		buf_add(line, chunk, (size_t)n);
	end = line->len ? memchr(line->data, '\n', line->len) : NULL;
	if (!end && n > 0 && line->len < SHIM_LINE_MAX)
		return false;
	if (end)
		*end = '\0';
	return true;
}
