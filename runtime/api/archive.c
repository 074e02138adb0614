/* containers/{}/archive (docker cp), containers/{}/export, containers/{}/changes (docker diff). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/progress.h"
#include "base/base64.h"
#include "engine/files.h"

/* What stat and copy-out say first: docker's PathStat. */
static void add_stat(struct request *r, const char *line, size_t len)
{
	struct buf text = { 0 };

	base64_encode(line, len, &text);
	reply_header(r, "X-Docker-Container-Path-Stat", buf_text(&text));
	buf_free(&text);
}

static void stat_said(struct request *r, struct buf *said, void *state)
{
	(void)state;
	reply_empty(r, MHD_HTTP_OK);
	add_stat(r, buf_text(said), strcspn(buf_text(said), "\n"));
}

static void copied(struct request *r, struct buf *said, void *state)
{
	(void)said;
	(void)state;
	reply_empty(r, MHD_HTTP_OK);
}

/* Runs the job on the files of the container that the request names; `wish` lacks only those. */
static void reply_files(struct request *r, struct progress_wish *wish, enum files_extent extent)
{
	struct container *c = request_container(r);
	struct files files;
	struct err e = { 0 };
	int rc;

	if (!c)
		return;
	rc = files_tell(c, extent, &files, &e);
	wish->job.told = buf_text(&files.told);
	wish->job.told_len = files.told.len;
	wish->job.process = files.process;
	wish->job.bystander = true;
	if (wish->job.streamed && files.process < 0)
		wish->job.writes = c;
	if (rc < 0)
		reply_errno(r, rc, &e);
	else
		reply_job(r, wish);
	buf_free(&files.told);
}

/* NULL, and the answer given: none. */
static const char *path_of(struct request *r)
{
	const char *path = request_query(r, "path");

	if (!path || !*path)
		reply_error(r, MHD_HTTP_BAD_REQUEST, "bad parameter: 'path' cannot be empty");
	return path && *path ? path : NULL;
}

void handle_archive_stat(struct request *r)
{
	const char *arguments[] = { "--scratch", r->engine->paths.engine_run, r->param, path_of(r),
				    NULL };

	if (arguments[3])
		reply_files(r, &(struct progress_wish){
			.job = { .command = "stat", .arguments = arguments }, .said = stat_said,
		}, FILES_ALL);
}

void handle_archive_get(struct request *r)
{
	const char *arguments[] = { "--scratch", r->engine->paths.engine_run, r->param, path_of(r),
				    NULL };

	if (arguments[3])
		reply_files(r, &(struct progress_wish){
			.job = { .command = "copy-out", .arguments = arguments },
			.type = "application/x-tar", .head = add_stat,
		}, FILES_ALL);
}

void handle_archive_put(struct request *r)
{
	const char *arguments[12] = { "--scratch", r->engine->paths.engine_run };
	const char *path = path_of(r);
	size_t n = 2;

	if (!path)
		return;
	if (request_flag(r, "noOverwriteDirNonDir")) {
		arguments[n++] = "--keep-kinds";
		arguments[n++] = "yes";
	}
	if (request_flag(r, "copyUIDGID")) {
		arguments[n++] = "--owned";
		arguments[n++] = "yes";
	}
	arguments[n++] = r->param;
	arguments[n++] = path;
	reply_files(r, &(struct progress_wish){
		.job = { .command = "copy-in", .arguments = arguments, .streamed = true },
		.said = copied,
	}, FILES_ALL);
}

void handle_export(struct request *r)
{
	const char *arguments[] = { "--scratch", r->engine->paths.engine_run, r->param, NULL };

	reply_files(r, &(struct progress_wish){
		.job = { .command = "export", .arguments = arguments },
		.type = "application/octet-stream",
	}, FILES_ROOT);
}

void handle_changes(struct request *r)
{
	const char *arguments[] = { "--scratch", r->engine->paths.engine_run, r->param, NULL };

	reply_files(r, &(struct progress_wish){
		.job = { .command = "changes", .arguments = arguments }, .type = "application/json",
	}, FILES_CHANGES);
}
