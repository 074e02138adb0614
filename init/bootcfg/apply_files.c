/* write_files. Paths are resolved by the kernel inside the root; a file is replaced as a whole, so
 * a power cut leaves the old one or the new one. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bootcfg/apply.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "base/base64.h"
#include "download/fetch.h"

enum { APPENDED_MAX = 16 * 1024 * 1024, FETCHED_MAX = 8 * 1024 * 1024 };

struct target {
	const char *path;
	const char *name; /* its last part */
	int dir;
	mode_t mode;
	uid_t user;
	gid_t group;
};

static bool is_number(const char *text, unsigned *out)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || value >= UINT32_MAX)
		return false;
	*out = (unsigned)value;
	return true;
}

static int find_owner(const char *text, struct target *t, struct err *e)
{
	autofree char *user = strdup(text ? text : "root:root");
	char *group = user ? strchr(user, ':') : NULL;
	const struct passwd *pw;
	const struct group *gr;

	if (!user)
		return err_set(e, -ENOMEM, "there is not enough memory");
	if (group)
		*group++ = '\0';
	pw = getpwnam(user);
	if (!pw && !is_number(user, &t->user))
		return err_set(e, -ENOENT, "there is no user \"%s\" for %s", user, t->path);
	if (pw)
		t->user = pw->pw_uid;
	t->group = pw ? pw->pw_gid : t->user;
	gr = group ? getgrnam(group) : NULL;
	if (group && !gr && !is_number(group, &t->group))
		return err_set(e, -ENOENT, "there is no group \"%s\" for %s", group, t->path);
	if (gr)
		t->group = gr->gr_gid;
	return 0;
}

/* What is there, and the new part unless it is already the end of it: the second boot must not
 * add it once more. What cannot be read is left as it is: the new part alone would take its
 * place. */
static int append_to_old(const struct target *t, struct buf *content, struct err *e)
{
	autobuf struct buf all = { 0 };
	autoclose int fd = openat(t->dir, t->name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	int code;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_sys(e, "cannot read %s to add to it", t->path);
	code = file_read_fd(fd, APPENDED_MAX, &all, e);
	if (code < 0) {
		err_prefix(e, "%s", t->path);
		return code;
	}
	if (all.len < content->len || !content->len ||
	    memcmp(all.data + all.len - content->len, content->data, content->len) != 0)
		buf_add(&all, content->data, content->len);
	if (!buf_ok(&all))
		return err_set(e, -ENOMEM, "there is not enough memory");
	buf_free(content);
	content->len = all.len;
	content->data = buf_take(&all);
	return 0;
}

static int decode(const char *base64, struct buf *out)
{
	size_t len = strlen(base64);

	buf_add(out, base64, len);
	if (!buf_ok(out))
		return -ENOMEM;
	if (!len)
		return 0;
	return base64_decode(out->data, len, (unsigned char *)out->data, len, &out->len);
}

/* Opens the folder that the file is in, with every folder on the way. */
static int open_folder(int root, struct target *t, struct err *e)
{
	const char *slash = strrchr(t->path, '/');
	autofree char *folder = strndup(t->path, (size_t)(slash - t->path) + 1);

	t->name = slash + 1;
	if (!folder || !*t->name || strcmp(t->name, ".") == 0 || strcmp(t->name, "..") == 0)
		return err_set(e, -EINVAL, "\"%s\" does not name a file", t->path);
	t->dir = path_mkdirs_in(root, folder, 0755, e);
	return t->dir < 0 ? t->dir : 0;
}

/* By its fd: in a folder of somebody else's, the name may be a link by now, to any file. */
static int give_to_owner(const struct target *t, struct err *e)
{
	autoclose int fd = openat(t->dir, t->name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "cannot give %s to its owner", t->path);
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1 || st.st_uid != geteuid())
		return err_set(e, -EINVAL, "%s was changed while it was written", t->path);
	if ((t->user || t->group) && fchown(fd, t->user, t->group) < 0)
		return err_sys(e, "cannot give %s to its owner", t->path);
	/* chown takes set-id bits away. */
	return fchmod(fd, t->mode) < 0 ? err_sys(e, "cannot set the permissions of %s", t->path) : 0;
}

static int fetch(yyjson_mut_val *source, struct buf *out, struct err *e)
{
	static const struct fetch_way as_configured;
	autobuf struct buf headers = { 0 };
	autoanswer struct fetch_answer answer = { 0 };
	struct fetch_ask ask = { .url = yyjson_mut_get_str(yyjson_mut_obj_get(source, "uri")),
				 .way = &as_configured, .max = FETCHED_MAX, .tries = 3, .redirects = 5 };
	yyjson_mut_val *name, *value;
	size_t i, max;
	int code;

	yyjson_mut_obj_foreach(yyjson_mut_obj_get(source, "headers"), i, max, name, value)
		buf_addf(&headers, "%s: %s\n", yyjson_mut_get_str(name), yyjson_mut_get_str(value));
	ask.headers = buf_text(&headers);
	code = fetch_ask(&ask, &answer, e);
	if (code < 0)
		return code;
	if (answer.status != 200)
		return err_set(e, -EIO, "\"%s\" answers with status %d", ask.url, answer.status);
	buf_add(out, buf_text(&answer.body), answer.body.len);
	return 0;
}

/* What cannot be fetched is the content that is here, as cloud-init does it. */
static int get_content(yyjson_mut_val *file, const char *path, struct buf *out, struct err *e)
{
	yyjson_mut_val *source = yyjson_mut_obj_get(file, "source");
	const char *base64 = yyjson_mut_get_str(yyjson_mut_obj_get(file, "content_base64"));
	int code = source ? fetch(source, out, e) : 0;

	if (source && code == 0)
		return 0;
	if (source && !base64) {
		err_prefix(e, "%s", path);
		return code;
	}
	if (source)
		log_warn("%s: %s; \"content\" is written instead", path, e->text);
	code = decode(base64 ? base64 : "", out);
	return code < 0 ? err_code(e, code, "cannot decode the content of %s", path) : 0;
}

static int write_target(struct target *t, yyjson_mut_val *file, struct err *e)
{
	bool append = yyjson_mut_get_bool(yyjson_mut_obj_get(file, "append"));
	autobuf struct buf content = { 0 };
	int code = get_content(file, t->path, &content, e);

	if (code < 0)
		return code;
	code = append ? append_to_old(t, &content, e) : 0;
	if (code == 0)
		code = file_replace_at(t->dir, t->name, buf_text(&content), content.len, t->mode, e);
	return code < 0 ? code : give_to_owner(t, e);
}

static int write_file(int root, yyjson_mut_val *file, struct err *e)
{
	yyjson_mut_val *mode = yyjson_mut_obj_get(file, "permissions");
	struct target t = {
		.path = yyjson_mut_get_str(yyjson_mut_obj_get(file, "path")),
		.dir = -1,
		.mode = mode ? (mode_t)yyjson_mut_get_sint(mode) : 0644,
	};
	int code = open_folder(root, &t, e);

	if (code == 0)
		code = find_owner(yyjson_mut_get_str(yyjson_mut_obj_get(file, "owner")), &t, e);
	if (code == 0)
		code = write_target(&t, file, e);
	cleanup_fd(&t.dir);
	return code;
}

static void write_list(struct apply *a, const char *list, bool deferred)
{
	yyjson_mut_val *file;
	size_t i, max;

	yyjson_mut_arr_foreach(yyjson_mut_obj_get(a->config, list), i, max, file) {
		autobuf struct buf path = { 0 };
		struct err e = { "" };

		if (yyjson_mut_get_bool(yyjson_mut_obj_get(file, "defer")) != deferred)
			continue;
		if (write_file(a->root, file, &e) == 0)
			continue;
		buf_addf(&path, "%s[%zu]", list, i);
		fault_add(a->faults, FAULT_ERROR, "", 0, 0, buf_text(&path), "%s", e.text);
	}
}

void apply_files(struct apply *a)
{
	write_list(a, "write_files", false);
}

void apply_deferred(struct apply *a)
{
	write_list(a, "write_files", true);
}

/* Below folders that only root enters: a container sees the file alone, as a mount. */
void apply_container_files(struct apply *a)
{
	static const char *const folders[] = { "/run/berth/configs", "/run/berth/secrets" };

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		autoclose int fd = path_mkdirs_in(a->root, folders[i], 0755, NULL);
		autoclose int again = -1;

		if (fd >= 0)
			again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (again >= 0)
			fchmod(again, 0700);
	}
	write_list(a, "container_files", false);
}
