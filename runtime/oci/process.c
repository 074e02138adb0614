#include "oci/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "base/spawn.h"
#include "oci/console.h"
#include "oci/labels.h"
#include "oci/limits.h"
#include "oci/namespaces.h"
#include "oci/program.h"
#include "oci/sys.h"

/* ---- outside ---- */

static const struct {
	const char *name;
	unsigned long number;
} domains[] = {
	{ "LINUX", PER_LINUX },
	{ "LINUX32", PER_LINUX32 },
};

static int find_domain(const struct oci_personality *p, unsigned long *out)
{
	for (size_t i = 0; i < ARRAY_LEN(domains); i++) {
		if (strcmp(domains[i].name, p->domain) != 0)
			continue;
		*out = domains[i].number;
		return 0;
	}
	return -EINVAL;
}

static int check_personality(const struct oci_personality *p, struct err *e)
{
	unsigned long domain;

	if (!p)
		return 0;
	if (find_domain(p, &domain) < 0)
		return err_set(e, -EINVAL,
			       "linux.personality.domain: \"%s\" is neither LINUX nor LINUX32",
			       p->domain);
	if (p->flags.count)
		return err_set(e, -EINVAL, "linux.personality.flags: unknown flag \"%s\"",
			       p->flags.items[0]);
	return 0;
}

/* config.md: letters, digits and underscores; but clients pass on whatever an image holds, and
 * runc and crun take it, so only what no program could find is refused. */
static int check_env(const struct string_list *env, struct err *e)
{
	for (size_t i = 0; i < env->count; i++)
		if (!strchr(env->items[i], '=') || env->items[i][0] == '=')
			return err_set(e, -EINVAL, "process.env[%zu]: \"%s\" is not NAME=VALUE", i,
				       env->items[i]);
	return 0;
}

int process_check(const struct oci_process *p, const struct oci_personality *personality,
		  struct err *e)
{
	int rc;

	if (!p->args.count || !p->args.items[0][0])
		return err_set(e, -EINVAL, "process.args: must not be empty");
	if (p->cwd[0] != '/')
		return err_set(e, -EINVAL, "process.cwd: \"%s\" is not an absolute path", p->cwd);
	if (p->user.umask.set && (p->user.umask.value < 0 || p->user.umask.value > 0777))
		return err_set(e, -EINVAL, "process.user.umask: %lld is not 0 to 511 (0777)",
			       (long long)p->user.umask.value);
	rc = check_env(&p->env, e);
	if (!rc)
		rc = check_personality(personality, e);
	if (!rc)
		rc = limits_check(p, e);
	return rc < 0 ? rc : labels_check(p, e);
}

/* Where a user namespace may have no groups set (rootless), those that the caller has stay; they
 * are his. Whoever could be refused nothing is not refused this. */
static int set_groups(size_t count, const gid_t *groups)
{
	int rc = setgroups(count, groups);

	return rc < 0 && errno == EPERM && !count ? 0 : rc;
}

int process_become_root(const struct oci_linux *l, struct err *e)
{
	uint32_t uid, gid;

	namespaces_root(l, &uid, &gid);
	if (set_groups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return err_sys(e, "become root of the user namespace");
	return 0;
}

/* ---- what the image's files say ---- */

static int take_numbers(const struct oci_user *u, struct user *out, struct err *e)
{
	if (u->uid < 0 || u->uid >= UINT32_MAX || u->gid < 0 || u->gid >= UINT32_MAX)
		return err_set(e, -EINVAL, "process.user: uid or gid is out of range");
	if (u->additionalGids.count > USER_GROUPS_MAX)
		return err_set(e, -EINVAL, "process.user: more than %d additionalGids",
			       USER_GROUPS_MAX);
	out->uid = (uint32_t)u->uid;
	out->gid = (uint32_t)u->gid;
	for (size_t k = 0; k < u->additionalGids.count; k++) {
		int64_t gid = u->additionalGids.items[k];

		if (gid < 0 || gid >= UINT32_MAX)
			return err_set(e, -EINVAL, "process.user.additionalGids: %lld is out of range",
				       (long long)gid);
		out->groups[out->group_count++] = (uint32_t)gid;
	}
	return 0;
}

static int find_user(struct process *p, struct err *e)
{
	int rc;

	if (!p->user_name)
		return take_numbers(&p->spec->user, &p->user, e);
	rc = user_resolve(p->root, p->user_name, &p->user, e);
	return rc < 0 || !p->groups ? rc : user_add_groups(p->root, p->groups, &p->user, e);
}

/* Of two values of one name the later counts, as runc has it; getenv() would find the earlier. */
static void set_env(char **env, char *pair)
{
	size_t len = strcspn(pair, "=") + 1;

	while (*env && strncmp(*env, pair, len) != 0)
		env++;
	*env = pair;
}

static int make_env(struct process *p, struct err *e)
{
	const struct string_list *env = &p->spec->env;
	char *home = NULL;

	p->env = calloc(env->count + 2, sizeof(*p->env));
	if (!p->env)
		return err_set(e, -ENOMEM, "out of memory");
	for (size_t k = 0; k < env->count; k++)
		set_env(p->env, env->items[k]);
	if (program_env(p->env, "HOME"))
		return 0;
	if (!p->user.home[0])
		user_find_home(p->root, &p->user);
	if (asprintf(&home, "HOME=%s", p->user.home) < 0)
		return err_set(e, -ENOMEM, "out of memory");
	set_env(p->env, home);
	return 0;
}

int process_look_up(struct process *p, struct err *e)
{
	int rc = find_user(p, e);

	return rc < 0 ? rc : make_env(p, e);
}

int process_make_cwd(const struct process *p, struct err *e)
{
	const char *cwd = p->spec->cwd;
	int fd;

	fd = path_open_in(p->root, cwd, O_PATH, 0, NULL);
	if (fd == -ENOENT)
		fd = path_mkdirs_in(p->root, cwd, 0755, NULL);
	if (fd < 0)
		return err_code(e, fd, "mkdir %s", cwd);
	close(fd);
	return 0;
}

/* ---- its rights ---- */

static int take_terminal(const struct process *p, struct err *e)
{
	if (p->terminal < 0)
		return 0;
	if (fchown(p->terminal, p->user.uid, (gid_t)-1) < 0)
		return err_sys(e, "give the terminal to user %u", p->user.uid);
	return console_take(p->terminal, e);
}

static int set_user(const struct process *p, struct err *e)
{
	const struct opt_int *mask = &p->spec->user.umask;
	gid_t groups[USER_GROUPS_MAX];

	for (int k = 0; k < p->user.group_count; k++)
		groups[k] = p->user.groups[k];
	/* config.md would keep the caller's; runc and crun both set 022, and images count on it. */
	umask(mask->set ? (mode_t)mask->value : 022);
	if (set_groups((size_t)p->user.group_count, groups) < 0)
		return err_sys(e, "set supplementary groups");
	if (setresgid(p->user.gid, p->user.gid, p->user.gid) < 0)
		return err_sys(e, "become group %u", p->user.gid);
	if (setresuid(p->user.uid, p->user.uid, p->user.uid) < 0)
		return err_sys(e, "become user %u", p->user.uid);
	/* Dumpable is set anew by a change of ids. */
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? err_sys(e, "hide the runtime") : 0;
}

static int set_personality(const struct oci_personality *p, struct err *e)
{
	unsigned long domain;

	if (p && !find_domain(p, &domain) && personality(domain) < 0)
		return err_sys(e, "linux.personality: become \"%s\"", p->domain);
	return 0;
}

/* With a listener it is loaded while the runtime is there to hand it on. */
static int load_filter(const struct process *p, struct err *e)
{
	int fd = filter_load(p->filter, e), rc;

	if (fd <= 0)
		return fd;
	rc = p->give_listener(p->give_to, fd, e);
	close(fd);
	return rc;
}

static int drop_rights(const struct process *p, struct err *e)
{
	bool no_new_privs = p->spec->noNewPrivileges;
	int rc = labels_apply(p->spec, p->proc, e);

	/* Without no_new_privs only a privileged process may load a filter. */
	if (!rc && !no_new_privs)
		rc = load_filter(p, e);
	if (!rc)
		rc = caps_bound(p->caps, e);
	if (!rc)
		rc = set_user(p, e);
	if (!rc)
		rc = caps_apply(p->caps, e);
	if (!rc && no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		rc = err_sys(e, "set no_new_privs");
	if (!rc && no_new_privs && filter_notifies(p->filter))
		rc = load_filter(p, e);
	return rc;
}

/* CVE-2024-21626: neither through /proc/self/fd, where handles of the host's may lie, nor anywhere
 * else that is outside of the root: there getcwd says "(unreachable)/...". */
static int change_dir(const struct process *p, struct err *e)
{
	const char *cwd = p->spec->cwd;
	autoclose int dir = sys_openat2(p->root, cwd, O_PATH | O_DIRECTORY,
					RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	char seen[PATH_MAX];

	if (dir < 0 || fchdir(dir) < 0)
		return err_sys(e, "chdir to cwd (\"%s\") set in config.json failed", cwd);
	if (syscall(SYS_getcwd, seen, sizeof(seen)) < 0 || seen[0] != '/')
		return err_set(e, -EPERM, "process.cwd: \"%s\" is outside of the container", cwd);
	return 0;
}

static int find_program(struct process *p, struct err *e)
{
	const struct string_list *args = &p->spec->args;

	if (!args->count) /* config.json without a process; start says so */
		return 0;
	return program_find(args->items[0], program_env(p->env, "PATH"), &p->program, e);
}

/* The caller's session keyring may hold keys of the host's. A new one has no name, so that none is
 * joined that somebody else prepared. */
static int leave_keyring(const struct process *p, struct err *e)
{
	if (p->keep_keyring || syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0 ||
	    errno == ENOSYS)
		return 0;
	return err_sys(e, "make a session keyring");
}

int process_enter(struct process *p, struct err *e)
{
	int rc = take_terminal(p, e);

	if (!rc)
		rc = leave_keyring(p, e);
	if (!rc)
		rc = set_personality(p->personality, e);
	if (!rc)
		rc = drop_rights(p, e);
	if (!rc)
		rc = change_dir(p, e);
	return rc < 0 ? rc : find_program(p, e);
}

/* ---- its end as the runtime ---- */

_Noreturn void process_exec(struct process *p, int report)
{
	const struct string_list *args = &p->spec->args;
	autofree char **argv = calloc(args->count + 1, sizeof(*argv));
	struct err e = { "out of memory" };
	int rc = argv ? 0 : -ENOMEM;

	for (size_t k = 0; !rc && k < args->count; k++)
		argv[k] = args->items[k];
	if (!rc && p->before_exec)
		rc = p->before_exec(p->before_exec_arg, &e);
	spawn_reset_signals();
	/* CVE-2024-21626: whatever is open besides stdio and what was asked for ends at exec. */
	if (!rc &&
	    sys_close_range(3 + (unsigned int)p->preserve_fds, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		rc = err_sys(&e, "close files");
	/* As late as can be, so that the filter need not allow what set-up takes. */
	if (!rc && p->spec->noNewPrivileges && !filter_notifies(p->filter))
		rc = filter_load(p->filter, &e);
	if (!rc && !p->program)
		rc = err_set(&e, -EINVAL, "process: is not set in config.json");
	if (!rc) {
		execve(p->program, argv, p->env);
		rc = program_exec_error(args->items[0], -errno, &e);
	}
	file_write_all(report, e.text, strlen(e.text));
	_exit(rc == -ENOENT ? 127 : 126);
}
