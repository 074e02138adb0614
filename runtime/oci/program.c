#include "oci/program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

const char *program_env(char *const *env, const char *name)
{
	size_t len = strlen(name);

	for (; *env; env++)
		if (!strncmp(*env, name, len) && (*env)[len] == '=')
			return *env + len + 1;
	return NULL;
}

/* Go's words, which callers match. */
static const struct {
	int code;
	const char *text;
} words[] = {
	{ -ENOENT, "no such file or directory" }, { -EACCES, "permission denied" },
	{ -EISDIR, "is a directory" },		  { -ENOEXEC, "exec format error" },
	{ -ENOTDIR, "not a directory" },	  { -EPERM, "operation not permitted" },
};

static const char *word_for(int code)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i].code == code)
			return words[i].text;
	return strerror(-code);
}

static int check(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return access(path, X_OK) < 0 || !(st.st_mode & 0111) ? -EACCES : 0;
}

static int find_direct(const char *name, char **out, struct err *e)
{
	int rc = check(name);

	if (rc == -EACCES || rc == -EISDIR)
		return err_set(e, rc, "exec: \"%s\": %s", name, word_for(rc));
	if (rc < 0)
		return err_set(e, rc, "exec: \"%s\": stat %s: %s", name, name, word_for(rc));
	*out = strdup(name);
	return *out ? 0 : err_set(e, -ENOMEM, "out of memory");
}

int program_find(const char *name, const char *path, char **out, struct err *e)
{
	if (strchr(name, '/'))
		return find_direct(name, out, e);
	while (name[0] && path) {
		size_t len = strcspn(path, ":");
		char *candidate;

		/* An empty entry is the current directory. */
		if (asprintf(&candidate, "%.*s/%s", len ? (int)len : 1, len ? path : ".", name) < 0)
			return err_set(e, -ENOMEM, "out of memory");
		if (!check(candidate)) {
			*out = candidate;
			return 0;
		}
		free(candidate);
		path = path[len] ? path + len + 1 : NULL;
	}
	return err_set(e, -ENOENT, "exec: \"%s\": executable file not found in $PATH", name);
}

int program_exec_error(const char *name, int code, struct err *e)
{
	return err_set(e, code, "exec %s: %s", name, word_for(code));
}
