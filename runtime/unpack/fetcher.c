#include "unpack/fetcher.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"

int fetcher_start(struct fetcher *f, const char *const *argv, struct err *e)
{
	struct spawn_fd fds[] = { { STDIN_FILENO, STDIN_FILENO }, { STDERR_FILENO, STDERR_FILENO },
				  { -1, TALK_FD } };
	struct spawn s = { .argv = argv, .fds = fds, .fd_count = ARRAY_LEN(fds) };
	int pair[2], rc;

	*f = (struct fetcher){ .sock = -1, .fd = -1, .child = { .pid = -1, .pidfd = -1 } };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "start \"%s\"", argv[0]);
	fds[2].from = pair[1];
	rc = spawn(&s, &f->child, e);
	close(pair[1]);
	f->sock = pair[0];
	return rc;
}

void fetcher_end(struct fetcher *f)
{
	cleanup_fd(&f->fd);
	cleanup_fd(&f->sock);
	if (f->child.pid > 0) {
		kill(f->child.pid, SIGKILL);
		spawn_wait(&f->child);
	}
	f->child.pid = -1;
}

const char *fetcher_said(const struct fetcher *f, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(f->text, word, n) || (f->text[n] && f->text[n] != ' '))
		return NULL;
	return f->text[n] ? f->text + n + 1 : f->text + n;
}

static const struct {
	int status, rc;
} codes[] = {
	{ 404, -ENOENT }, { 401, -EACCES }, { 403, -EACCES }, { 400, -EINVAL },
};

static int error_said(struct fetcher *f, const char *rest, struct err *e)
{
	char *sentence;

	f->status = (int)strtol(rest, &sentence, 10);
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (codes[i].status == f->status)
			return err_set(e, codes[i].rc, "%s", sentence + strspn(sentence, " "));
	return err_set(e, -EIO, "%s", sentence + strspn(sentence, " "));
}

int fetcher_hear(struct fetcher *f, struct err *e)
{
	const char *rest;
	ssize_t n;

	cleanup_fd(&f->fd);
	n = talk_receive(f->sock, f->text, &f->fd);
	if (n < 0)
		return err_code(e, (int)n, "fetch");
	if (n) {
		rest = fetcher_said(f, "error");
		return rest ? error_said(f, rest, e) : 1;
	}
	if (spawn_wait(&f->child) == 0) {
		f->child.pid = -1;
		return 0;
	}
	f->child.pid = -1;
	return err_set(e, -EIO, "the program that speaks with the registry ended without a word");
}

int fetcher_document(struct fetcher *f, size_t max, char **text, size_t *len, struct err *e)
{
	autobuf struct buf b = { 0 };
	int rc;

	if (f->fd < 0)
		return err_set(e, -EBADMSG, "fetch said \"%.40s\" and sent nothing", f->text);
	lseek(f->fd, 0, SEEK_SET);
	rc = file_read_fd(f->fd, max, &b, e);
	if (rc < 0)
		return rc;
	free(*text);
	*len = b.len;
	*text = buf_take(&b);
	return *text ? 0 : err_set(e, -ENOMEM, "out of memory");
}
