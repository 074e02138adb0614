/* "exec": from the command line to what is to be done. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "oci/affinity.h"
#include "oci/args.h"
#include "oci/console.h"
#include "oci/exec.h"
#include "oci/inherit.h"
#include "oci/namespaces.h"
#include "oci/process.h"
#include "spec/oci_make.h"

enum { PROCESS_MAX_BYTES = 4 << 20 };

/* ---- the process ---- */

static int read_process_file(struct exec *x, struct err *e)
{
	autobuf struct buf text = { 0 };
	yyjson_read_err fault;
	yyjson_doc *doc;
	int rc = file_read_at(AT_FDCWD, x->process_file, PROCESS_MAX_BYTES, &text, e);

	if (rc < 0)
		return rc;
	doc = yyjson_read_opts(text.data, text.len, 0, NULL, &fault);
	if (!doc)
		return err_set(e, -EINVAL, "process file \"%s\": byte %zu: %s", x->process_file,
			       fault.pos, fault.msg);
	rc = oci_process_read(yyjson_doc_get_root(doc), &x->own, e);
	yyjson_doc_free(doc);
	x->process = &x->own;
	return rc;
}

static int replace(char **member, const char *value)
{
	char *copy;

	if (!value)
		return 0;
	copy = strdup(value);
	if (!copy)
		return -ENOMEM;
	free(*member);
	*member = copy;
	return 0;
}

static int append(struct string_list *to, const struct string_list *more)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < more->count; i++)
		rc = string_list_add(to, more->items[i]);
	return rc;
}

/* Not to the inheritable ones, where they would reach a user who was given none (CVE-2022-29162),
 * and so not to the ambient ones either. */
static int add_caps(struct oci_process *p, const struct string_list *names)
{
	int rc;

	if (!names->count)
		return 0;
	if (!p->capabilities)
		p->capabilities = calloc(1, sizeof(*p->capabilities));
	if (!p->capabilities)
		return -ENOMEM;
	rc = append(&p->capabilities->bounding, names);
	if (!rc)
		rc = append(&p->capabilities->effective, names);
	return rc < 0 ? rc : append(&p->capabilities->permitted, names);
}

static int set_user(struct exec *x, struct err *e)
{
	struct oci_user *u = &x->process->user;
	const char *colon = strchr(x->user, ':');
	autofree char *uid = strndup(x->user, colon ? (size_t)(colon - x->user) : strlen(x->user));
	long long number;

	if (!uid)
		return err_set(e, -ENOMEM, "out of memory");
	/* By number as runc takes it; a name is looked up in the container. CVE-2026-30892: nothing
	 * but digits is a number. */
	if (strspn(uid, "0123456789") != strlen(uid) || !uid[0] ||
	    (colon && strspn(colon + 1, "0123456789") != strlen(colon + 1))) {
		x->user_name = x->user;
		return 0;
	}
	if (args_number(uid, 0, UINT32_MAX - 1, &number) < 0)
		return err_set(e, -EINVAL, "--user: uid %s is out of range", uid);
	u->uid = number;
	if (!colon)
		return 0;
	if (args_number(colon + 1, 0, UINT32_MAX - 1, &number) < 0)
		return err_set(e, -EINVAL, "--user: gid \"%s\" is not a number", colon + 1);
	u->gid = number;
	return 0;
}

static int set_groups(struct exec *x, struct err *e)
{
	struct oci_gid_list *list = &x->process->user.additionalGids;

	for (size_t i = 0; i < x->groups.count; i++) {
		int64_t *slot = record_list_add(list, sizeof(*slot));
		long long number;

		if (!slot)
			return err_set(e, -ENOMEM, "out of memory");
		if (args_number(x->groups.items[i], 0, UINT32_MAX - 1, &number) < 0)
			return err_set(e, -EINVAL, "--additional-gids: \"%s\" is not a group's number",
				       x->groups.items[i]);
		*slot = number;
	}
	return 0;
}

/* A user by name brings his groups by name, and --additional-gids adds to those. */
static int join_groups(struct exec *x, struct err *e)
{
	if (!x->user_name || !x->groups.count)
		return 0;
	if (x->group_names)
		buf_addf(&x->joined_groups, "%s,", x->group_names);
	for (size_t i = 0; i < x->groups.count; i++)
		buf_addf(&x->joined_groups, "%s,", x->groups.items[i]);
	x->group_names = buf_text(&x->joined_groups);
	return buf_ok(&x->joined_groups) ? 0 : err_set(e, -ENOMEM, "out of memory");
}

/* The container's own process, changed by the options. */
static int change_process(struct exec *x, char **words, int count, struct err *e)
{
	struct oci_process *p = x->config.spec.process;
	int rc = 0;

	if (!p)
		return err_set(e, -EINVAL, "the container was created without a process, so exec needs "
					   "--process");
	x->process = p;
	x->user_name = string_map_get(&x->config.spec.annotations, ANNOTATION_USER);
	x->group_names = string_map_get(&x->config.spec.annotations, ANNOTATION_GROUP_ADD);
	string_list_free(&p->args);
	for (int i = 0; !rc && i < count; i++)
		rc = string_list_add(&p->args, words[i]);
	if (!rc)
		rc = replace(&p->cwd, x->cwd);
	if (!rc)
		rc = replace(&p->selinuxLabel, x->label);
	if (!rc)
		rc = replace(&p->apparmorProfile, x->apparmor);
	if (!rc)
		rc = append(&p->env, &x->env);
	if (!rc)
		rc = add_caps(p, &x->caps_added);
	if (rc < 0)
		return err_code(e, rc, "exec");
	p->terminal = x->terminal;
	p->noNewPrivileges |= x->no_new_privs;
	if (x->user) {
		x->user_name = x->group_names = NULL;
		rc = set_user(x, e);
	}
	if (!rc)
		rc = set_groups(x, e);
	return rc < 0 ? rc : join_groups(x, e);
}

/* ---- the container ---- */

static int check_status(const struct exec *x, enum status status, struct err *e)
{
	if (status == STATUS_STOPPED || status == STATUS_CREATING)
		return err_set(e, -ESRCH, "cannot exec in a stopped container");
	if (status == STATUS_PAUSED && !x->ignore_paused)
		return err_set(e, -EBUSY, "cannot exec in a paused container (use --ignore-paused to "
					  "override)");
	return 0;
}

static int read_container(struct exec *x, struct err *e)
{
	autoclose int dir = state_load(x->root, x->id, false, &x->state, e);
	struct namespaces n = { 0 };
	int rc = dir < 0 ? dir : check_status(x, state_status(dir, &x->state), e);

	if (!rc)
		rc = config_read(dir, &x->config, e);
	if (!rc)
		rc = namespaces_plan(x->config.spec.linux_, &n, e);
	x->namespaces = namespaces_all(&n);
	x->user_namespace = x->namespaces & CLONE_NEWUSER;
	return rc;
}

/* ---- the options ---- */

static int check_options(struct exec *x, int words, struct err *e)
{
	const struct {
		const char *name;
		bool given;
	} rows[] = {
		{ "user", x->user },
		{ "cwd", x->cwd },
		{ "env", x->env.count },
		{ "cap", x->caps_added.count },
		{ "additional-gids", x->groups.count },
		{ "process-label", x->label },
		{ "apparmor", x->apparmor },
		{ "no-new-privs", x->no_new_privs },
	};

	if (!x->process_file)
		return words ? 0 : err_set(e, -EINVAL, "exec needs a command, or --process");
	if (words)
		return err_set(e, -EINVAL, "exec takes a command or --process, not both");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].given)
			return err_set(e, -EINVAL, "--%s does not go with --process, which says it all",
				       rows[i].name);
	return 0;
}

static int parse(struct exec *x, int argc, char **argv, struct err *e)
{
	bool no_subreaper;
	const struct arg rows[] = {
		ARG_TEXT("process", 'p', &x->process_file, "process.json with everything about it"),
		ARG_FLAG("tty", 't', &x->terminal, "with a terminal"),
		ARG_FLAG("detach", 'd', &x->detach, "return when it runs"),
		ARG_TEXT("user", 'u', &x->user, "UID[:GID], or a name that the container knows"),
		ARG_LIST("additional-gids", 'g', &x->groups, "one more group"),
		ARG_TEXT("cwd", 0, &x->cwd, "working directory"),
		ARG_LIST("env", 'e', &x->env, "NAME=VALUE"),
		ARG_LIST("cap", 'c', &x->caps_added, "one more capability"),
		ARG_FLAG("no-new-privs", 0, &x->no_new_privs, "no rights by set-user-id programs"),
		ARG_TEXT("process-label", 0, &x->label, "SELinux label"),
		ARG_TEXT("apparmor", 0, &x->apparmor, "AppArmor profile"),
		ARG_TEXT("console-socket", 0, &x->console_socket,
			 "unix socket that gets the terminal's other end"),
		ARG_TEXT("pid-file", 0, &x->pid_file, "write the process's number there"),
		ARG_TEXT("pidfd-socket", 0, &x->pidfd_socket, "unix socket that gets its pidfd"),
		ARG_TEXT("preserve-fds", 0, &x->preserve, "hand on so many fds, from 3"),
		ARG_TEXT("cgroup", 0, &x->sub_cgroup, "a cgroup below the container's"),
		ARG_FLAG("ignore-paused", 0, &x->ignore_paused, "also if the container is paused"),
		ARG_FLAG("no-subreaper", 0, &no_subreaper,
			 "as it always is: what the process leaves is not waited for"),
		ARG_END,
	};
	int next = args_parse(rows, argc, argv, e), rc;

	if (next < 0)
		return next;
	if (next >= argc)
		return err_set(e, -EINVAL, "exec needs a container ID");
	x->id = argv[next++];
	rc = inherit_preserve(x->preserve, &x->preserve_fds, e);
	if (!rc)
		rc = inherit_close_rest(x->preserve_fds, e);
	if (!rc)
		rc = check_options(x, argc - next, e);
	return rc < 0 ? rc : next;
}

int exec_plan(struct exec *x, int argc, char **argv, struct err *e)
{
	const struct oci_linux *l;
	int next = parse(x, argc, argv, e), rc;

	if (next < 0)
		return next;
	rc = read_container(x, e);
	if (!rc)
		rc = x->process_file ? read_process_file(x, e) :
				       change_process(x, argv + next, argc - next, e);
	if (rc < 0)
		return rc;
	if (x->process_file && x->terminal)
		x->process->terminal = true;
	l = x->config.spec.linux_;
	rc = process_check(x->process, l->personality, e);
	if (!rc)
		rc = affinity_check(&x->process->execCPUAffinity, e);
	if (!rc)
		rc = console_check(x->process->terminal, x->detach, x->console_socket, e);
	if (!rc)
		rc = caps_read(x->process->capabilities, x->user_namespace, &x->caps, e);
	return rc < 0 ? rc : filter_prepare(x->root, l->seccomp, &x->filter, e);
}
