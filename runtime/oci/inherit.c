#include "oci/inherit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "oci/args.h"
#include "oci/namespaces.h"
#include "oci/sys.h"

enum { PRESERVE_MAX = 1024 };

int inherit_fill_stdio(struct err *e)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return err_sys(e, "open \"/dev/null\" in place of a closed standard stream");
	return 0;
}

static int check_open(int first, int count, const char *what, struct err *e)
{
	for (int fd = first; fd < first + count; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			return err_set(e, -EBADF, "%s: fd %d is not open", what, fd);
	return 0;
}

/* LISTEN_FDS, if it is there and not for another process; 0: none. */
static int listen_count(void)
{
	const char *fds = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	long long count, wanted;

	if (!fds || !pid || args_number(pid, 1, INT32_MAX, &wanted) < 0 || wanted != getpid())
		return 0;
	return args_number(fds, 1, PRESERVE_MAX, &count) < 0 ? 0 : (int)count;
}

int inherit_preserve(const char *text, int *count, struct err *e)
{
	long long number;
	int rc;

	if (!text)
		return 0;
	if (args_number(text, 0, PRESERVE_MAX, &number) < 0)
		return err_set(e, -EINVAL, "--preserve-fds: \"%s\" is not 0 to %d", text,
			       PRESERVE_MAX);
	/* After those of socket activation, as with runc. */
	rc = check_open(3 + listen_count(), (int)number, "--preserve-fds", e);
	if (!rc)
		*count += (int)number;
	return rc;
}

int inherit_close_rest(int count, struct err *e)
{
	return sys_close_range(3 + (unsigned int)count, ~0u, 0) < 0 ? err_sys(e, "close files") : 0;
}

int inherit_listen(int *count, struct err *e)
{
	int fds = listen_count(), rc = check_open(3, fds, "LISTEN_FDS", e);

	*count += rc < 0 ? 0 : fds;
	return rc;
}

int inherit_listen_env(struct oci_process *p, struct err *e)
{
	char text[32];
	int fds = listen_count();

	snprintf(text, sizeof(text), "LISTEN_FDS=%d", fds);
	if (fds && (string_list_add(&p->env, text) < 0 ||
		    string_list_add(&p->env, "LISTEN_PID=1") < 0))
		return err_set(e, -ENOMEM, "out of memory");
	return 0;
}

/* A program may open /dev/stdout anew, and its pipe belongs to whoever made it. Only the parent
 * can give it away: in the user namespace its owner has no number. */
void inherit_give_stdio(const struct oci_mapping_list *map, uint32_t uid)
{
	int64_t owner = namespaces_host_id(map, uid);
	struct stat st;

	for (int fd = 0; owner >= 0 && fd < 3; fd++)
		if (!fstat(fd, &st) && S_ISFIFO(st.st_mode) && st.st_uid != (uid_t)owner &&
		    fchown(fd, (uid_t)owner, (gid_t)-1) < 0)
			continue; /* a pipe of another's: the container runs, as under runc */
}
