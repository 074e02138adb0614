/* The image's /etc/passwd and /etc/group. The first line of the input is the wish, the second the
 * groups to add; the rest is both files. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "oci/user.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static char folder[] = "/dev/shm/fuzz-user.XXXXXX";

static void remove_folder(void)
{
	path_remove_tree(AT_FDCWD, folder, NULL);
}

static int open_folder(void)
{
	int dir;

	if (!mkdtemp(folder))
		abort();
	atexit(remove_folder);
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mkdirat(dir, "etc", 0755) < 0)
		abort();
	return dir;
}

static void put(int dir, const char *name, const char *data, size_t len)
{
	autoclose int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		abort();
}

/* The text up to a newline, which goes with it. */
static char *take_line(const char **rest, size_t *left)
{
	const char *end = *left ? memchr(*rest, '\n', *left) : NULL;
	size_t len = end ? (size_t)(end - *rest) : *left;
	char *line = strndup(*rest, len);

	*rest += len + (end != NULL);
	*left -= len + (end != NULL);
	return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static int root = -1;
	static struct user user;
	const char *rest = (const char *)data;
	autofree char *wish = take_line(&rest, &len);
	autofree char *groups = take_line(&rest, &len);
	struct err e = { 0 };

	if (root < 0)
		root = open_folder();
	put(root, "etc/passwd", rest, len);
	put(root, "etc/group", rest, len);
	if (user_resolve(root, wish, &user, &e) < 0) {
		if (!e.text[0])
			abort();
		return 0;
	}
	user_add_groups(root, groups, &user, &e);
	user_find_home(root, &user);
	if (user.uid == UINT32_MAX || user.gid == UINT32_MAX || user.group_count > USER_GROUPS_MAX ||
	    !memchr(user.home, '\0', sizeof(user.home)))
		abort();
	return 0;
}
