/* cp, diff, export: a container's files. Archives are made and read by `store` (runtime/unpack),
 * whose reader is jailed: what comes out of a container is a stranger's. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <yyjson.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/spawn.h"
#include "cli/call.h"
#include "cli/cli.h"
#include "cli/json.h"

struct end {
	const char *container; /* NULL: the host's */
	const char *path;
	char base[NAME_MAX + 1];
	bool contents;         /* "DIR/." */
	bool slash;            /* "NAME/" */
	bool there, dir;
	char target[PATH_MAX]; /* of a symlink, from the container's root; "": it is none */
	char through[PATH_MAX]; /* `path` when a link was looked through */
};

struct wish {
	bool archive, follow, quiet;
	struct end from, to;
};

/* ---- names ---- */

static bool is_stream(const struct end *end)
{
	return !end->container && !strcmp(end->path, "-");
}

/* "CONTAINER:PATH"; what begins with "/" or "." is the host's, whatever colons it has. */
static void read_end(struct end *end, char *text)
{
	char *colon = *text == '/' || *text == '.' ? NULL : strchr(text, ':');

	end->path = text;
	if (!colon)
		return;
	*colon = '\0';
	end->container = text;
	end->path = colon[1] ? colon + 1 : "/";
}

static void split_path(struct end *end)
{
	size_t len = strlen(end->path), from;

	end->contents = (len > 1 && !strcmp(end->path + len - 2, "/.")) || !strcmp(end->path, ".");
	end->slash = len > 1 && end->path[len - 1] == '/';
	if (end->contents && len > 1)
		len -= 2;
	while (len > 1 && end->path[len - 1] == '/')
		len--;
	for (from = len; from && end->path[from - 1] != '/'; from--)
		;
	snprintf(end->base, sizeof(end->base), "%.*s", (int)(len - from), end->path + from);
	if (!strcmp(end->base, ".") || !strcmp(end->base, ".."))
		*end->base = '\0';
}

/* What the path lies in; its last name is what comes or goes. */
static char *parent_of(const struct end *end)
{
	size_t len = strlen(end->path);

	while (len > 1 && end->path[len - 1] == '/')
		len--;
	while (len && end->path[len - 1] != '/')
		len--;
	return len ? strndup(end->path, len) : strdup(end->container ? "/" : ".");
}

/* ---- what lies there ---- */

static void archive_target(struct buf *out, const struct end *end, const char *path)
{
	buf_adds(out, "/containers/");
	http_escape(out, end->container);
	buf_adds(out, "/archive?path=");
	http_escape(out, path);
}

/* docker's PathStat of the answer's head. */
static int read_stat(const struct http_response *r, struct end *end, struct err *e)
{
	autofree unsigned char *text = malloc(r->path_stat.len + 1);
	autodoc yyjson_doc *doc = NULL;
	size_t len = 0;

	if (!text || base64_decode(buf_text(&r->path_stat), r->path_stat.len, text, r->path_stat.len,
				   &len) < 0)
		return err_set(e, -EPROTO, "the engine did not say what \"%s\" is", end->path);
	doc = yyjson_read((const char *)text, len, 0);
	end->there = true;
	end->dir = yyjson_get_uint(yyjson_obj_get(yyjson_doc_get_root(doc), "mode")) >> 31;
	snprintf(end->target, sizeof(end->target), "%s",
		 text_of(yyjson_doc_get_root(doc), "linkTarget"));
	return doc ? 0 : err_set(e, -EPROTO, "the engine did not say what \"%s\" is", end->path);
}

/* Not there is no error. */
static int look_inside(struct end *end, struct err *e)
{
	autobuf struct buf target = { 0 }, ignored = { 0 };
	struct http_response r;
	int rc;

	archive_target(&target, end, end->path);
	rc = http_request(cli_host(), "HEAD", buf_text(&target), NULL, &r, e);
	if (rc < 0)
		return rc;
	end->there = end->dir = false;
	rc = r.status == 200 ? read_stat(&r, end, e) :
	     r.status == 404 ? 0 : http_finish(&r, &ignored, e);
	http_close(&r);
	return rc;
}

/* A link is looked through: what is written goes to where it leads. */
static int look_through(struct end *end, struct err *e)
{
	int rc = look_inside(end, e);

	if (rc < 0 || !*end->target)
		return rc;
	strcpy(end->through, end->target);
	end->path = end->through;
	split_path(end);
	return look_inside(end, e);
}

static void look_here(struct end *end, bool follow)
{
	struct stat st;

	end->there = fstatat(AT_FDCWD, end->path, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW) == 0;
	end->dir = end->there && S_ISDIR(st.st_mode);
}

/* docker's rules: into a directory that is there, or by a new name. `*dir` is to be freed. */
static int choose_place(const struct wish *w, char **dir, const char **name, struct err *e)
{
	const struct end *to = &w->to, *from = &w->from;

	*name = from->contents ? "" : from->base;
	if (to->there && to->dir) {
		*dir = strdup(to->path);
	} else if (to->there && from->dir) {
		return err_set(e, -EISDIR, "cannot copy directory \"%s\" to the file \"%s\"", from->path,
			       to->path);
	} else if (to->there && (to->slash || to->contents)) {
		return err_set(e, -ENOTDIR, "\"%s\": not a directory", to->path);
	} else if (!to->there && to->slash && !from->dir) {
		return err_set(e, -ENOENT, "the destination directory \"%s\" does not exist", to->path);
	} else {
		*dir = parent_of(to);
		*name = to->base;
	}
	return *dir ? 0 : err_set(e, -ENOMEM, "out of memory");
}

/* ---- the helper ---- */

/* Beside us where we are not in the machine's own place: in a build, in tests. */
static void find_helper(char out[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 8);

	out[n > 0 ? n : 0] = '\0';
	if (n > 0 && strcmp(out, "/usr/bin/berth") && strrchr(out, '/'))
		strcpy(strrchr(out, '/') + 1, "store");
	else
		strcpy(out, "/usr/lib/berth/store");
}

/* Its standard input or output is `ours`, the other end of it. */
static int start_helper(const char *const *words, int which, int *ours, struct child *child,
			struct err *e)
{
	const char *argv[12];
	char path[PATH_MAX];
	int pair[2], rc;
	size_t n = 1;

	find_helper(path);
	argv[0] = path;
	for (; words[n - 1]; n++)
		argv[n] = words[n - 1];
	argv[n] = NULL;
	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	rc = spawn(&(struct spawn){
		.argv = argv,
		.fds = (struct spawn_fd[]){ { pair[which], which }, { STDERR_FILENO, STDERR_FILENO } },
		.fd_count = 2,
	}, child, e);
	close(pair[which]);
	*ours = pair[!which];
	return rc;
}

/* It has said itself what was wrong. */
static int end_helper(struct child *child, struct err *e)
{
	return spawn_wait(child) ? err_set(e, -EIO, "the files were not copied") : 0;
}

/* ---- out of a container ---- */

/* `asked`: by whose name the archive begins. */
static int place_answer(const struct wish *w, const struct end *asked, struct http_response *r,
			struct err *e)
{
	autofree char *dir = NULL;
	const char *was = asked->contents ? "" : asked->base, *name;
	struct child child;
	int in = -1, rc = choose_place(w, &dir, &name, e), ended;

	if (rc < 0)
		return rc;
	rc = start_helper(w->archive ? (const char *[]){ "place", "--owned", "yes", dir, was, name,
							 NULL } :
				       (const char *[]){ "place", dir, was, name, NULL },
			  STDIN_FILENO, &in, &child, e);
	if (rc < 0)
		return rc;
	rc = call_pour(r, in, e);
	close(in);
	ended = end_helper(&child, e);
	return rc < 0 && rc != -EPIPE ? rc : ended;
}

static int copy_out(struct wish *w, struct err *e)
{
	autobuf struct buf target = { 0 }, ignored = { 0 };
	struct http_response r;
	struct end asked;
	int rc = w->follow ? look_inside(&w->from, e) : 0;

	/* What the link leads to, by the link's name. */
	asked = w->from;
	if (*w->from.target) {
		asked.path = w->from.target;
		split_path(&asked);
	}
	archive_target(&target, &asked, asked.path);
	if (!rc)
		rc = http_request(cli_host(), "GET", buf_text(&target), NULL, &r, e);
	if (rc < 0)
		return rc;
	if (r.status >= 400)
		return http_finish(&r, &ignored, e);
	rc = read_stat(&r, &w->from, e);
	look_here(&w->to, true);
	if (!rc)
		rc = is_stream(&w->to) ? call_pour(&r, STDOUT_FILENO, e) :
					  place_answer(w, &asked, &r, e);
	http_close(&r);
	return rc;
}

/* ---- into a container ---- */

static int put(const struct wish *w, const char *dir, int from, struct err *e)
{
	autobuf struct buf target = { 0 }, ignored = { 0 };
	struct http_response r;
	int rc;

	archive_target(&target, &w->to, dir);
	buf_addf(&target, "&noOverwriteDirNonDir=true%s", w->archive ? "&copyUIDGID=true" : "");
	rc = http_upload(cli_host(), "PUT", buf_text(&target), from, &r, e);
	return rc < 0 ? rc : http_finish(&r, &ignored, e);
}

static int copy_in(struct wish *w, struct err *e)
{
	autofree char *dir = NULL;
	const char *name;
	struct child child;
	int out = -1, rc = look_through(&w->to, e), ended;

	if (rc < 0)
		return rc;
	if (is_stream(&w->from))
		return put(w, w->to.path, STDIN_FILENO, e);
	look_here(&w->from, w->follow || w->from.slash);
	if (!w->from.there)
		return err_sys(e, "\"%s\"", w->from.path);
	rc = choose_place(w, &dir, &name, e);
	if (rc < 0)
		return rc;
	if (!*name)
		name = ".";
	rc = start_helper(w->follow ? (const char *[]){ "pack", "--follow", "yes", w->from.path, name,
							NULL } :
				      (const char *[]){ "pack", w->from.path, name, NULL },
			  STDOUT_FILENO, &out, &child, e);
	if (rc < 0)
		return rc;
	rc = put(w, dir, out, e);
	close(out);
	ended = end_helper(&child, rc < 0 ? NULL : e);
	return rc < 0 ? rc : ended;
}

/* ---- the commands ---- */

static int check(const struct wish *w, struct err *e)
{
	if (w->from.container && w->to.container)
		return err_set(e, -EINVAL, "copying between containers is not supported");
	if (!w->from.container && !w->to.container)
		return err_set(e, -EINVAL, "must specify at least one container source");
	return 0;
}

int cmd_cp(const struct cli_command *self, int argc, char **argv)
{
	struct wish w = { 0 };
	const struct cli_option options[] = {
		{ 'a', "archive", NULL, "Keep the owners of files", &w.archive, NULL, NULL },
		{ 'L', "follow-link", NULL, "Copy what a link leads to", &w.follow, NULL, NULL },
		{ 'q', "quiet", NULL, "Say nothing when it is done", &w.quiet, NULL, NULL },
	};
	struct err e = { 0 };
	int code, rc, n = cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code);

	if (n < 0)
		return code;
	read_end(&w.from, argv[0]);
	read_end(&w.to, argv[1]);
	split_path(&w.from);
	split_path(&w.to);
	signal(SIGPIPE, SIG_IGN);
	rc = check(&w, &e);
	if (!rc)
		rc = w.from.container ? copy_out(&w, &e) : copy_in(&w, &e);
	if (rc < 0)
		return cli_fail(&e);
	if (!w.quiet && !is_stream(&w.to) && isatty(STDERR_FILENO))
		fprintf(stderr, "Successfully copied to %s%s%s\n",
			w.to.container ? w.to.container : "", w.to.container ? ":" : "", w.to.path);
	return EXIT_OK;
}

int cmd_diff(const struct cli_command *self, int argc, char **argv)
{
	static const char letters[] = { 'C', 'A', 'D' };
	autobuf struct buf target = { 0 };
	autodoc yyjson_doc *doc = NULL;
	yyjson_val *change;
	struct err e = { 0 };
	size_t i, max;
	int code, n = cli_options(self, NULL, 0, argc, argv, argv, &code);

	if (n < 0)
		return code;
	call_target(&target, argv[0], "/changes");
	doc = call_json("GET", buf_text(&target), NULL, &e);
	if (!doc)
		return cli_fail(&e);
	yyjson_arr_foreach(yyjson_doc_get_root(doc), i, max, change) {
		uint64_t kind = yyjson_get_uint(yyjson_obj_get(change, "Kind"));

		printf("%c %s\n", kind < ARRAY_LEN(letters) ? letters[kind] : '?',
		       text_of(change, "Path"));
	}
	return EXIT_OK;
}

int cmd_export(const struct cli_command *self, int argc, char **argv)
{
	const char *output = NULL;
	const struct cli_option options[] = {
		{ 'o', "output", "FILE", "In place of standard output", NULL, &output, NULL },
	};
	autobuf struct buf target = { 0 };
	struct err e = { 0 };
	int code, n = cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code);

	if (n < 0)
		return code;
	call_target(&target, argv[0], "/export");
	return call_download(buf_text(&target), output, &e) < 0 ? cli_fail(&e) : EXIT_OK;
}
