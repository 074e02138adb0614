#include "oci/state.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "oci/cgroup_query.h"
#include "spec/record_table.h"

enum { STATE_MAX_BYTES = 1 << 20 };

static const struct record_field state_fields[] = {
	F_STR_REQ(state, ociVersion), F_STR_REQ(state, id), F_STR_REQ(state, bundle),
	F_STR(state, rootfs),	      F_STR(state, created), F_STR_REQ(state, cgroup),
	F_INT(state, pid),	      F_U64(state, startTime), F_MAP(state, annotations),
	F_BOOL(state, hooks),	      F_STR(state, mountNamespace), F_STR(state, mountedOn),
	F_END,
};
RECORD_TYPE(state_type, state, state_fields);

int state_check_id(const char *id, struct err *e)
{
	size_t len = strlen(id);

	for (const char *p = id; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("_+.-", *p))
			len = 0;
	if (len == 0 || len > 255 || id[0] == '.')
		return err_set(e, -EINVAL, "invalid container ID \"%s\"", id);
	return 0;
}

static int lock(int dir, bool exclusive)
{
	struct stat st;

	while (flock(dir, exclusive ? LOCK_EX : LOCK_SH) < 0)
		if (errno != EINTR)
			return -errno;
	/* Whoever held the lock before us may have removed the directory. */
	if (fstat(dir, &st) < 0)
		return -errno;
	return st.st_nlink ? 0 : -ENOENT;
}

static int open_dir(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 ? fd : err_sys(e, "open \"%s\"", path);
}

int state_create(const char *root, const char *id, struct err *e)
{
	autoclose int top = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autoclose int dir = -1;
	int rc;

	if (top < 0) {
		rc = path_mkdirs(root, 0700, e);
		if (rc < 0)
			return rc;
		top = open_dir(root, e);
		if (top < 0)
			return top;
	}
	if (mkdirat(top, id, 0700) < 0) {
		if (errno == EEXIST)
			return err_set(e, -EEXIST, "container with given ID already exists");
		return err_sys(e, "make directory \"%s/%s\"", root, id);
	}
	dir = openat(top, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "open \"%s/%s\"", root, id);
	rc = lock(dir, true);
	return rc < 0 ? err_code(e, rc, "lock \"%s/%s\"", root, id) : take_fd(&dir);
}

static int open_id(const char *root, const char *id, struct err *e)
{
	autoclose int top = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int rc = state_check_id(id, e), dir;

	if (rc < 0)
		return rc;
	dir = top < 0 ? -1 : openat(top, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dir < 0 && errno == ENOENT)
		return err_set(e, -ENOENT, "container does not exist");
	return dir < 0 ? err_sys(e, "open \"%s/%s\"", root, id) : dir;
}

int state_open(const char *root, const char *id, bool exclusive, struct err *e)
{
	autoclose int dir = open_id(root, id, e);
	int rc = dir < 0 ? dir : lock(dir, exclusive);

	if (dir >= 0 && rc == -ENOENT)
		return err_set(e, rc, "container does not exist");
	if (dir >= 0 && rc < 0)
		return err_code(e, rc, "lock \"%s/%s\"", root, id);
	return rc < 0 ? rc : take_fd(&dir);
}

int state_peek(const char *root, const char *id, struct state *out, struct err *e)
{
	autoclose int dir = open_id(root, id, e);
	int rc = dir < 0 ? dir : state_read(dir, out, e);

	return rc < 0 ? rc : take_fd(&dir);
}

int state_load(const char *root, const char *id, bool exclusive, struct state *out, struct err *e)
{
	autoclose int dir = state_open(root, id, exclusive, e);
	int rc = dir < 0 ? dir : state_read(dir, out, e);

	return rc < 0 ? rc : take_fd(&dir);
}

int state_write(int dir, const struct state *state, struct err *e)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = doc ? record_write(&state_type, state, doc) : NULL;
	autofree char *text = NULL;
	size_t len = 0;

	if (root) {
		yyjson_mut_doc_set_root(doc, root);
		text = yyjson_mut_write(doc, 0, &len);
	}
	yyjson_mut_doc_free(doc);
	if (!text)
		return err_set(e, -ENOMEM, "out of memory");
	return file_replace_at(dir, "state.json", text, len, 0600, e);
}

int state_read(int dir, struct state *out, struct err *e)
{
	autobuf struct buf text = { 0 };
	int rc = file_read_at(dir, "state.json", STATE_MAX_BYTES, &text, e);
	yyjson_doc *doc;

	if (rc < 0)
		return rc;
	doc = yyjson_read(buf_text(&text), text.len, 0);
	if (!doc)
		return err_set(e, -EINVAL, "state.json is damaged");
	rc = record_read(&state_type, yyjson_doc_get_root(doc), "", out, e);
	yyjson_doc_free(doc);
	if (rc < 0)
		err_prefix(e, "state.json");
	return rc;
}

void state_free(struct state *state)
{
	record_free(&state_type, state);
}

uint64_t state_process_start(pid_t pid)
{
	autobuf struct buf text = { 0 };
	unsigned long long start = 0;
	char path[32], status = 0;
	const char *name_end;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (pid <= 0 || file_read_at(AT_FDCWD, path, 4096, &text, NULL) < 0)
		return 0;
	/* The name, field 2, may hold spaces and parentheses; the last ")" ends it. */
	name_end = strrchr(buf_text(&text), ')');
	if (!name_end || sscanf(name_end + 1,
				" %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
				"%*d %*d %*d %llu",
				&status, &start) != 2)
		return 0;
	return status == 'Z' || status == 'X' ? 0 : start;
}

enum status state_status(int dir, const struct state *state)
{
	uint64_t start;

	if (!state->pid)
		return STATUS_CREATING;
	start = state_process_start((pid_t)state->pid);
	if (!start || start != state->startTime)
		return STATUS_STOPPED;
	if (cgroup_is_frozen(state->cgroup))
		return STATUS_PAUSED;
	return faccessat(dir, STATE_START_SOCKET, F_OK, 0) ? STATUS_RUNNING : STATUS_CREATED;
}

int state_need_cgroup(const struct state *state, struct err *e)
{
	return state->cgroup[0] ? 0 :
				  err_set(e, -EOPNOTSUPP,
					  "container %s has no cgroup of its own, which this takes",
					  state->id);
}

const char *status_name(enum status status)
{
	static const char *const names[] = {
		[STATUS_CREATING] = "creating", [STATUS_CREATED] = "created",
		[STATUS_RUNNING] = "running",	[STATUS_PAUSED] = "paused",
		[STATUS_STOPPED] = "stopped",
	};

	return names[status];
}

int state_remove(const char *root, const char *id, struct err *e)
{
	autoclose int top = open_dir(root, e);

	return top < 0 ? top : path_remove_tree(top, id, e);
}
