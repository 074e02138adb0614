#include "update/reset.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"

enum { KEPT_PATH_MAX = 256 };

#define MARK "lib/berth/reset"

/* What a reset with the data kept leaves: who the machine is, and what its people put there. The
 * README's table says the same. */
static const char *const kept[] = {
	MARK, /* until the end */
	"lost+found",
	"lib/berth/volumes",
	"lib/berth/store",
	"lib/berth/machine-id",
	"lib/berth/ssh/dropbear_ed25519_host_key",
	"lib/berth/config/user-data",
};

enum reset_kind reset_asked(const char *cmdline)
{
	static const struct {
		const char *word;
		enum reset_kind kind;
	} rows[] = {
		{ "berth.reset=all", RESET_ALL }, { "berth.reset=keep-data", RESET_KEEP_DATA },
	};

	for (const char *p = cmdline; *p; p += strcspn(p, " \n"), p += strspn(p, " \n"))
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			if (strlen(rows[i].word) == strcspn(p, " \n") &&
			    !strncmp(p, rows[i].word, strlen(rows[i].word)))
				return rows[i].kind;
	return RESET_NONE;
}

int reset_mark(int var, struct err *e)
{
	autoclose int dir = path_mkdirs_in(var, "lib/berth", 0755, e);

	return dir < 0 ? dir : file_replace_at(dir, strrchr(MARK, '/') + 1, "", 0, 0600, e);
}

/* True for a row of the table; `*above` for a directory on the way to one. */
static bool is_kept(const char *path, bool *above)
{
	size_t len = strlen(path);

	*above = false;
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		if (!strcmp(kept[i], path))
			return true;
		*above |= !strncmp(kept[i], path, len) && kept[i][len] == '/';
	}
	return false;
}

static int remove_rest(int dir, const char *prefix, struct err *e);

static int look_at(int dir, const char *prefix, const char *name, struct err *e)
{
	char path[KEPT_PATH_MAX + 256];
	bool above;
	autoclose int below = -1;

	snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "/" : "", name);
	if (is_kept(path, &above))
		return 0;
	if (!above)
		return path_remove_tree(dir, name, e);
	below = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return below < 0 ? err_sys(e, "open \"%s\"", path) : remove_rest(below, path, e);
}

static int remove_rest(int dir, const char *prefix, struct err *e)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autodir DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int rc = 0;

	if (!d)
		return err_sys(e, "read \"/%s\"", prefix);
	while (!rc && (entry = readdir(d)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			rc = look_at(dir, prefix, entry->d_name, e);
	return rc;
}

int reset_go_on(int var, struct err *e)
{
	int rc;

	if (faccessat(var, MARK, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "look for \"" MARK "\"");
	rc = remove_rest(var, "", e);
	/* What was removed is gone for good before the file that says so is. */
	if (!rc && (syncfs(var) < 0 || unlinkat(var, MARK, 0) < 0 || syncfs(var) < 0))
		rc = err_sys(e, "finish the reset");
	return rc < 0 ? rc : 1;
}
