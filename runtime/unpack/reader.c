#include "unpack/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/jail.h"
#include "unpack/tarin.h"

enum { IN_FD = 0, OUT_FD = 1 };

static _Noreturn void reader_main(int in, int out)
{
	struct layer_result none = { 0 };
	struct err e = { 0 };
	struct sink sink;
	struct wire *w;
	int rc;

	/* It holds the archive and the pipe, and nothing else of ours. */
	if (dup2(in, IN_FD) < 0 || dup2(out, OUT_FD) < 0)
		_exit(1);
	syscall(SYS_close_range, OUT_FD + 1, ~0U, 0);
	w = wire_new(OUT_FD);
	if (!w)
		_exit(1);
	sink = wire_sink(w);
	rc = jail_enter(JAIL_UNPACK, &e);
	if (!rc)
		rc = tarin_all(IN_FD, LAYER_BYTES_MAX, &sink, &e);
	if (!rc)
		rc = wire_put_end(w, &none, &e);
	if (rc && !*e.text)
		err_set(&e, rc, "out of memory");
	if (rc)
		wire_put_fault(w, &e);
	_exit(rc < 0);
}

int reader_start(struct reader *r, int in, struct err *e)
{
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(e, "read the archive");
	*r = (struct reader){ .fd = pair[0], .from = wire_new(pair[0]) };
	r->pid = r->from ? fork() : -1;
	if (!r->pid)
		reader_main(in, pair[1]);
	close(pair[1]);
	if (r->pid < 0) {
		reader_end(r);
		return err_set(e, -ENOMEM, "read the archive: no process, or out of memory");
	}
	return 0;
}

void reader_end(struct reader *r)
{
	wire_free(r->from);
	cleanup_fd(&r->fd);
	if (r->pid > 0) {
		kill(r->pid, SIGKILL);
		waitpid(r->pid, NULL, 0);
	}
}
