#include "net/firewall.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/spawn.h"

enum { COMPLAINT_MAX = 64 * 1024 };

struct firewall {
	struct loop *loop;
	const char *nft;
	firewall_fn *done;
	void *arg;
	char *applied;              /* NULL: not known */
	char *applying;             /* what the nft that runs was given */
	char *wanted;               /* what waits for it to end */
	struct child child;
	int complaint;              /* memfd: nft's stderr */
	struct loop_source *source;
};

static void begin(struct firewall *f);

int firewall_new(struct firewall **out, struct loop *l, const char *nft, firewall_fn *done,
		 void *arg, struct err *e)
{
	struct firewall *f = calloc(1, sizeof(*f));

	if (!f)
		return err_set(e, -ENOMEM, "firewall: out of memory");
	f->loop = l;
	f->nft = nft;
	f->done = done;
	f->arg = arg;
	f->complaint = -1;
	*out = f;
	return 0;
}

void firewall_free(struct firewall *f)
{
	if (!f)
		return;
	if (f->applying) {
		loop_remove(f->loop, f->source);
		spawn_wait(&f->child);
	}
	if (f->complaint >= 0)
		close(f->complaint);
	free(f->applied);
	free(f->applying);
	free(f->wanted);
	free(f);
}

bool firewall_busy(const struct firewall *f)
{
	return f->applying != NULL;
}

/* nft's first line says it: "/dev/stdin:12:3-9: Error: sentence". */
static void read_complaint(struct firewall *f, struct err *e)
{
	autobuf struct buf text = { 0 };
	const char *said;

	lseek(f->complaint, 0, SEEK_SET);
	file_read_fd(f->complaint, COMPLAINT_MAX, &text, NULL);
	said = strstr(buf_text(&text), "Error: ");
	said = said ? said + 7 : buf_text(&text);
	err_set(e, -EIO, "set the firewall's rules: nft: %.*s", (int)strcspn(said, "\n"), said);
}

static void finish(struct firewall *f, int rc, const struct err *e)
{
	if (rc < 0) {
		free(take_ptr(f->applying));
	} else {
		free(f->applied);
		f->applied = take_ptr(f->applying);
	}
	if (f->wanted)
		begin(f);
	f->done(f->arg, rc, e);
}

static void on_exit_of_nft(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct firewall *f = arg;
	struct err e = { 0 };
	int rc;

	(void)fd;
	(void)events;
	loop_remove(l, f->source);
	rc = spawn_wait(&f->child);
	if (rc != 0) {
		/* Half-known is not known: the next text is applied whatever it is. */
		free(take_ptr(f->applied));
		read_complaint(f, &e);
		rc = -EIO;
	}
	close(f->complaint);
	f->complaint = -1;
	finish(f, rc, &e);
}

static int memory_file(const char *name, const char *text)
{
	autoclose int fd = memfd_create(name, MFD_CLOEXEC);
	int rc;

	if (fd < 0)
		return -errno;
	rc = file_write_all(fd, text, strlen(text));
	if (rc < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return rc < 0 ? rc : -errno;
	return take_fd(&fd);
}

static int start_nft(struct firewall *f, struct err *e)
{
	const char *argv[] = { f->nft, "-f", "-", NULL };
	autoclose int input = memory_file("ruleset", f->applying);
	autoclose int output = memory_file("complaint", "");
	struct spawn_fd fds[] = { { input, 0 }, { output, 2 } };
	struct spawn s = { .argv = argv, .fds = fds, .fd_count = ARRAY_LEN(fds) };
	int rc;

	if (input < 0 || output < 0)
		return err_set(e, -ENOMEM, "set the firewall's rules: out of memory");
	rc = spawn(&s, &f->child, e);
	if (rc < 0)
		return rc;
	f->source = loop_fd(f->loop, f->child.pidfd, EPOLLIN, on_exit_of_nft, f);
	if (!f->source) {
		spawn_wait(&f->child);
		return err_set(e, -ENOMEM, "set the firewall's rules: out of memory");
	}
	f->complaint = take_fd(&output);
	return 0;
}

static void report_failed_start(struct loop *l, void *arg)
{
	struct firewall *f = arg;
	struct err e = { 0 };

	(void)l;
	err_set(&e, -EIO, "set the firewall's rules: cannot start \"%s\"", f->nft);
	finish(f, -EIO, &e);
}

static void begin(struct firewall *f)
{
	f->applying = take_ptr(f->wanted);
	/* The caller of firewall_set is told by `done` in any case, and never from inside the call. */
	if (start_nft(f, NULL) < 0)
		loop_timer(f->loop, 0, report_failed_start, f);
}

bool firewall_set(struct firewall *f, char *text)
{
	if (!f->applying && f->applied && !strcmp(f->applied, text)) {
		free(text);
		return true;
	}
	if (f->applying && !f->wanted && !strcmp(f->applying, text)) {
		free(text);
		return false;
	}
	free(f->wanted);
	f->wanted = text;
	if (!f->applying)
		begin(f);
	return false;
}
