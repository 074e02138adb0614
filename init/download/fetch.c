#include "download/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

enum { ARGUMENTS_MAX = 16, NO_PARTS = 3, NUMBER_MAX = 24 };

const char *fetch_program = "/usr/lib/berth/download";

struct arguments {
	const char *argv[ARGUMENTS_MAX];
	int count;
};

static void add(struct arguments *a, const char *name, const char *value)
{
	a->argv[a->count++] = name;
	if (value)
		a->argv[a->count++] = value;
}

static int run(const struct fetch_request *r, int out, struct child *child, struct err *e)
{
	struct arguments a = { .argv = { fetch_program }, .count = 1 };
	char offset[NUMBER_MAX], max[NUMBER_MAX];
	char http[URL_BYTES_MAX + 16], https[URL_BYTES_MAX + 16];
	const char *const environment[] = { http, https, NULL };
	const struct spawn_fd fds[] = {
		{ out, STDOUT_FILENO }, { STDERR_FILENO, STDERR_FILENO }, { r->parts, STDIN_FILENO },
	};
	struct spawn s = { .argv = a.argv, .fds = fds, .fd_count = r->parts < 0 ? 2 : 3 };

	snprintf(offset, sizeof(offset), "%llu", (unsigned long long)r->offset);
	snprintf(max, sizeof(max), "%llu", (unsigned long long)r->max);
	snprintf(http, sizeof(http), "http_proxy=%s", r->way->proxy);
	snprintf(https, sizeof(https), "https_proxy=%s", r->way->proxy);
	if (r->parts >= 0) {
		add(&a, "--ranges", NULL);
	} else {
		add(&a, "--offset", offset);
		add(&a, "--max", max);
	}
	if (*r->way->ca)
		add(&a, "--ca", r->way->ca);
	add(&a, r->url, NULL);
	/* Without one of the configuration's the variables of the person who asks count. */
	s.envp = *r->way->proxy ? environment : NULL;
	return spawn(&s, child, e);
}

int fetch_start(const struct fetch_request *r, struct fetch *out, struct err *e)
{
	int ends[2], rc;

	out->out = -1;
	if (r->into >= 0)
		return run(r, r->into, &out->child, e);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	rc = run(r, ends[1], &out->child, e);
	close(ends[1]);
	if (rc < 0)
		close(ends[0]);
	else
		out->out = ends[0];
	return rc;
}

int fetch_end(struct fetch *f, struct err *e)
{
	int code;

	if (f->out >= 0)
		close(f->out);
	f->out = -1;
	code = spawn_wait(&f->child);
	if (code == 0)
		return 0;
	return code == NO_PARTS ? err_set(e, -ENOTSUP, "the server sends no parts of files") :
				  err_set(e, -EIO, "the download failed");
}

int fetch_parts(const char *url, const struct fetch_way *way, const struct buf *list,
		struct fetch *out, struct err *e)
{
	struct fetch_request r = { .url = url, .way = way, .into = -1 };
	autoclose int file = memfd_create("parts", MFD_CLOEXEC);
	int rc = file < 0 ? -errno : file_write_all(file, buf_text(list), list->len);

	if (rc < 0 || lseek(file, 0, SEEK_SET) < 0)
		return err_set(e, rc < 0 ? rc : -EIO, "write the list of parts to fetch");
	r.parts = file;
	return fetch_start(&r, out, e);
}
