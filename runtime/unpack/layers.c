#include "unpack/layers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/jail.h"
#include "unpack/extract.h"
#include "unpack/known.h"
#include "unpack/layer.h"
#include "unpack/wire.h"

enum { PROGRESS_BYTES = 4 << 20 };

/* ---- the jailed process ---- */

static int read_layer(const struct layers *job, size_t i, struct wire *in, struct wire *out,
		      struct tree *tree, struct err *e)
{
	const struct layers_one *one = &job->all[i];
	struct sink sink = wire_sink(out);
	struct layer_result result = { 0 };
	struct layer layer = {
		.fd = one->blob,
		.digest = *one->digest ? one->digest : NULL,
		.diff_id = *one->diff_id ? one->diff_id : NULL,
		.tree = tree,
		.number = (int)i,
		.sink = &sink,
	};
	/* For a layer that is not there yet this is the word that its blob is whole. */
	int rc = known_receive(in, tree, (int)i, e);

	if (rc || one->blob < 0)
		return rc;
	rc = layer_unpack(&layer, &result, e);
	return rc ? rc : wire_put_end(out, &result, e);
}

static bool needed(const struct layers *job, int fd, int from, int to)
{
	for (size_t i = 0; i < job->count; i++)
		if (job->all[i].blob == fd)
			return true;
	return fd == from || fd == to;
}

/* It holds the archives and the two pipes, and nothing else of ours. */
static int close_others(const struct layers *job, int from, int to)
{
	autodir DIR *d = opendir("/proc/self/fd");
	struct dirent *entry;

	if (!d)
		return -errno;
	while ((entry = readdir(d))) {
		int fd = atoi(entry->d_name);

		if (*entry->d_name != '.' && fd != dirfd(d) && !needed(job, fd, from, to))
			close(fd);
	}
	return 0;
}

static _Noreturn void reader_main(const struct layers *job, int from, int to)
{
	struct wire *in = wire_new(from), *out = wire_new(to);
	struct tree *tree = NULL;
	struct err e = { 0 };
	int rc = in && out ? tree_new(&tree) : -ENOMEM;

	if (!rc)
		rc = close_others(job, from, to);
	if (!rc)
		rc = jail_enter(JAIL_UNPACK, &e);
	for (size_t i = 0; !rc && i < job->count; i++)
		rc = read_layer(job, i, in, out, tree, &e);
	if (rc && !*e.text)
		err_set(&e, rc, "out of memory");
	if (rc && out)
		wire_put_fault(out, &e);
	_exit(rc < 0);
}

/* ---- this process ---- */

struct reader {
	pid_t pid;
	int to_fd, from_fd;
	struct wire *to, *from;
};

static int start_reader(const struct layers *job, struct reader *r, struct err *e)
{
	int down[2], up[2];

	if (pipe2(down, O_CLOEXEC) < 0)
		return err_sys(e, "unpack");
	if (pipe2(up, O_CLOEXEC) < 0) {
		close(down[0]);
		close(down[1]);
		return err_sys(e, "unpack");
	}
	r->pid = fork();
	if (!r->pid) {
		close(down[1]);
		close(up[0]);
		reader_main(job, down[0], up[1]);
	}
	close(down[0]);
	close(up[1]);
	r->to_fd = down[1];
	r->from_fd = up[0];
	r->to = wire_new(r->to_fd);
	r->from = wire_new(r->from_fd);
	if (r->pid < 0 || !r->to || !r->from)
		return err_set(e, -ENOMEM, "unpack: no process, or out of memory");
	return 0;
}

static void end_reader(struct reader *r)
{
	wire_free(r->to);
	wire_free(r->from);
	cleanup_fd(&r->to_fd);
	cleanup_fd(&r->from_fd);
	if (r->pid > 0)
		waitpid(r->pid, NULL, 0);
}

static int wait_ready(int fd, struct err *e)
{
	char byte;
	ssize_t n;

	if (fd < 0)
		return 0;
	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	return n == 1 ? 0 : err_set(e, -ECANCELED, "the download ended early");
}

/* What the layer is named by must be what the image calls it: the reader may not choose. */
static int take_result(struct layers_one *one, const struct layer_result *result, struct err *e)
{
	if ((*one->digest && strcmp(one->digest, result->sums.blob) != 0) ||
	    (*one->diff_id && strcmp(one->diff_id, result->sums.diff_id) != 0))
		return err_set(e, -EBADMSG, "the process that reads the layer read another one");
	one->files_bytes = result->files_bytes;
	one->sums = result->sums;
	return 0;
}

static int take_records(struct layers *job, size_t i, struct reader *r, struct extract *x,
			struct wire_record *record, struct err *e)
{
	uint64_t bytes = 0, told = 0;
	int rc;

	for (;;) {
		rc = wire_get(r->from, record, e);
		if (rc < 0)
			return rc;
		if (record->kind == WIRE_FAULT)
			return err_set(e, -EBADMSG, "%s", record->fault.text);
		if (record->kind == WIRE_END)
			break;
		rc = extract_record(x, record, e);
		if (rc < 0)
			return rc;
		bytes += record->kind == WIRE_DATA ? record->len : 0;
		if (bytes - told >= PROGRESS_BYTES && job->progress) {
			told = bytes;
			job->progress(job->arg, i, bytes, false);
		}
	}
	rc = take_result(&job->all[i], &record->result, e);
	if (!rc)
		rc = extract_finish(x, e);
	if (!rc && job->progress)
		job->progress(job->arg, i, bytes, true);
	return rc;
}

static int write_layer(struct layers *job, size_t i, struct reader *r, struct err *e)
{
	struct extract *x = extract_new(job->all[i].dir);
	struct wire_record *record = calloc(1, sizeof(*record));
	struct layer_result none = { 0 };
	int rc = x && record ? wait_ready(job->ready, e) : err_set(e, -ENOMEM, "out of memory");

	if (!rc)
		rc = wire_put_end(r->to, &none, e);
	if (!rc)
		rc = take_records(job, i, r, x, record, e);
	extract_free(x);
	free(record);
	return rc;
}

static int tell_layer(struct layers *job, size_t i, struct reader *r, struct err *e)
{
	struct layers_one *one = &job->all[i];
	int rc = known_send(one->dir, r->to, &one->files_bytes, e);

	if (!rc && job->progress)
		job->progress(job->arg, i, one->files_bytes, true);
	return rc;
}

int layers_unpack(struct layers *job, struct err *e)
{
	struct reader r = { .to_fd = -1, .from_fd = -1 };
	int rc = start_reader(job, &r, e);

	for (size_t i = 0; !rc && i < job->count; i++) {
		struct layers_one *one = &job->all[i];

		rc = one->blob < 0 ? tell_layer(job, i, &r, e) : write_layer(job, i, &r, e);
		if (rc < 0)
			err_prefix(e, "layer %zu, %s", i + 1,
				   *one->digest ? one->digest : one->diff_id);
	}
	end_reader(&r);
	return rc;
}
