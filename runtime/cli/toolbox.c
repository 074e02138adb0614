/* toolbox: a place to look at the host from, in which everything may be written and nothing stays.
 * Without an image it is the host's own root under a writable layer in memory, so that it works
 * on a machine that reaches no registry; with one it is a privileged container in the host's
 * namespaces. In both the host's root is /host. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "cli/cli.h"

#define PLACE "/run/berth/toolbox"
#define ROOT PLACE "/root"

/* Made in the writable layer, before the host's trees are joined to it. */
static int make_root(struct err *e)
{
	static const char *const folders[] = { PLACE "/upper", PLACE "/work", ROOT };

	/* In a mount namespace of its own: all of it is gone with its last process. */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_sys(e, "make a mount namespace (are you root?)");
	if (path_mkdirs(PLACE, 0700, e) < 0)
		return -errno;
	if (mount("tmpfs", PLACE, "tmpfs", MS_NODEV, "mode=0700,size=50%") < 0)
		return err_sys(e, "mount tmpfs on \"%s\"", PLACE);
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		if (mkdir(folders[i], 0755) < 0)
			return err_sys(e, "make \"%s\"", folders[i]);
	if (mount("overlay", ROOT, "overlay", 0,
		  "lowerdir=/,upperdir=" PLACE "/upper,workdir=" PLACE "/work") < 0)
		return err_sys(e, "mount the host's root under a writable layer");
	return 0;
}

static int join_host(struct err *e)
{
	static const struct {
		const char *from, *to;
	} rows[] = {
		{ "/dev", ROOT "/dev" }, { "/proc", ROOT "/proc" }, { "/sys", ROOT "/sys" },
		{ "/run", ROOT "/run" }, { "/var", ROOT "/var" },   { "/", ROOT "/host" },
	};

	if (mkdir(ROOT "/host", 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make \"/host\"");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (mount(rows[i].from, rows[i].to, NULL, MS_BIND | MS_REC, NULL) < 0)
			return err_sys(e, "show the host's \"%s\"", rows[i].from);
	return 0;
}

static int enter(struct err *e)
{
	if (chdir(ROOT) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return err_sys(e, "make it the root");
	return 0;
}

static int run_here(char **argv)
{
	static char *shell[] = { (char *)"-sh", NULL };
	struct err e = { 0 };

	if (make_root(&e) < 0 || join_host(&e) < 0 || enter(&e) < 0)
		return cli_fail(&e);
	setenv("PATH", "/usr/bin:/usr/lib/berth", 1);
	if (*argv) {
		execvp(*argv, argv);
		err_sys(&e, "start \"%s\"", *argv);
	} else {
		setenv("PS1", "toolbox:\\w\\$ ", 1);
		execv("/usr/bin/sh", shell);
		err_sys(&e, "start \"/usr/bin/sh\"");
	}
	cli_fail(&e);
	return errno == ENOENT ? 127 : 126;
}

static int run_image(const char *image, int n, char **argv)
{
	static const char *const fixed[] = {
		"berth", "run", "--rm", "-i", "--privileged", "--pid", "host", "--network", "host", "--ipc",
		"host", "--uts", "host", "--userns", "host", "-v", "/:/host:rslave",
	};
	const char **all = calloc(ARRAY_LEN(fixed) + (size_t)n + 4, sizeof(*all));
	size_t count = ARRAY_LEN(fixed);
	struct err e = { 0 };

	if (!all)
		return EXIT_FAILED;
	memcpy(all, fixed, sizeof(fixed));
	if (isatty(STDIN_FILENO))
		all[count++] = "-t";
	all[count++] = image;
	for (int i = 0; i < n; i++)
		all[count++] = argv[i];
	execv("/usr/bin/berth", (char *const *)all);
	err_sys(&e, "start \"/usr/bin/berth\"");
	free(all);
	return cli_fail(&e);
}

int cmd_toolbox(const struct cli_command *self, int argc, char **argv)
{
	const char *image = NULL;
	const struct cli_option options[] = {
		{ 0, "image", "IMAGE", "Tools out of an image, rather than the host's own", NULL, &image, NULL },
	};
	int code, n = cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code);

	if (n < 0)
		return code;
	argv[n] = NULL;
	return image ? run_image(image, n, argv) : run_here(argv);
}
