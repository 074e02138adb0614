#include "oci/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/spawn.h"
#include "oci/report.h"

enum { TIMEOUT_MAX_S = 1 << 20 };

static const char *const names[] = {
	[HOOK_PRESTART] = "prestart",
	[HOOK_CREATE_RUNTIME] = "createRuntime",
	[HOOK_CREATE_CONTAINER] = "createContainer",
	[HOOK_START_CONTAINER] = "startContainer",
	[HOOK_POSTSTART] = "poststart",
	[HOOK_POSTSTOP] = "poststop",
};

const char *hooks_name(size_t index)
{
	return index < ARRAY_LEN(names) ? names[index] : NULL;
}

static const struct oci_hook_list *list_of(const struct oci_hooks *h, enum hook_kind kind)
{
	const struct oci_hook_list *const lists[] = {
		[HOOK_PRESTART] = &h->prestart,
		[HOOK_CREATE_RUNTIME] = &h->createRuntime,
		[HOOK_CREATE_CONTAINER] = &h->createContainer,
		[HOOK_START_CONTAINER] = &h->startContainer,
		[HOOK_POSTSTART] = &h->poststart,
		[HOOK_POSTSTOP] = &h->poststop,
	};

	return lists[kind];
}

bool hooks_have(const struct oci_hooks *hooks, enum hook_kind kind)
{
	return hooks && list_of(hooks, kind)->count;
}

int hooks_check(const struct oci_hooks *hooks, struct err *e)
{
	for (size_t kind = 0; hooks && kind < ARRAY_LEN(names); kind++) {
		const struct oci_hook_list *list = list_of(hooks, (enum hook_kind)kind);

		for (size_t i = 0; i < list->count; i++) {
			const struct oci_hook *h = &list->items[i];

			if (h->path[0] != '/')
				return err_set(e, -EINVAL,
					       "hooks.%s[%zu].path: \"%s\" is not an absolute path",
					       names[kind], i, h->path);
			if (h->timeout.set &&
			    (h->timeout.value <= 0 || h->timeout.value > TIMEOUT_MAX_S))
				return err_set(e, -EINVAL,
					       "hooks.%s[%zu].timeout: %lld is not 1 to %d seconds",
					       names[kind], i, (long long)h->timeout.value,
					       TIMEOUT_MAX_S);
		}
	}
	return 0;
}

char *hook_state_text(const struct hook_state *s)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = doc ? yyjson_mut_obj(doc) : NULL;
	yyjson_mut_val *notes = root ? yyjson_mut_obj(doc) : NULL;
	char *text = NULL;

	if (notes) {
		yyjson_mut_doc_set_root(doc, root);
		yyjson_mut_obj_add_str(doc, root, "ociVersion", s->version);
		yyjson_mut_obj_add_str(doc, root, "id", s->id);
		yyjson_mut_obj_add_str(doc, root, "status", s->status);
		if (s->pid)
			yyjson_mut_obj_add_int(doc, root, "pid", s->pid);
		yyjson_mut_obj_add_str(doc, root, "bundle", s->bundle);
		for (size_t i = 0; s->annotations && i < s->annotations->count; i++)
			yyjson_mut_obj_add_str(doc, notes, s->annotations->items[i].name,
					       s->annotations->items[i].value);
		yyjson_mut_obj_add_val(doc, root, "annotations", notes);
		text = yyjson_mut_write(doc, 0, NULL);
	}
	yyjson_mut_doc_free(doc);
	return text;
}

/* ---- one hook ---- */

/* argv or envp of a list; argv without a list is the path (config.md). */
static const char **words(const struct string_list *list, const char *first)
{
	const char **out = calloc(list->count + 2, sizeof(*out));
	size_t n = 0;

	for (; out && n < list->count; n++)
		out[n] = list->items[n];
	if (out && !n)
		out[0] = first;
	return out;
}

static int die_with_runtime(void *unused)
{
	(void)unused;
	return prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? -errno : 0;
}

/* The state in a file of memory: no size of it can fill a pipe that the hook does not read. */
static int open_state(const char *text)
{
	autoclose int fd = memfd_create("state", MFD_CLOEXEC);
	int rc = fd < 0 ? -errno : file_write_all(fd, text, strlen(text));

	if (rc < 0)
		return rc;
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : take_fd(&fd);
}

static int wait_for(struct child *child, const struct opt_int *timeout, struct err *e)
{
	struct pollfd p = { .fd = child->pidfd, .events = POLLIN };
	int rc;

	if (timeout->set && child->pidfd >= 0 && poll(&p, 1, (int)timeout->value * 1000) == 0) {
		kill(child->pid, SIGKILL);
		spawn_wait(child);
		return err_set(e, -ETIMEDOUT, "did not end within %lld s", (long long)timeout->value);
	}
	rc = spawn_wait(child);
	if (rc > 128)
		return err_set(e, -EIO, "was killed by signal %d", rc - 128);
	return rc ? err_set(e, -EIO, "exit status %d", rc) : 0;
}

/* The first line that it wrote to stderr is mostly the reason. */
static void add_reason(int pipe, struct err *e)
{
	struct err said = { 0 };
	ssize_t n = read(pipe, said.text, 200);

	if (n <= 0)
		return;
	said.text[n] = '\0';
	said.text[strcspn(said.text, "\n")] = '\0';
	if (said.text[0]) {
		struct err status = *e;

		err_set(e, -EIO, "%s: %s", status.text, said.text);
	}
}

static int run(const struct oci_hook *h, int state, struct err *e)
{
	autofree const char **env = words(&h->env, NULL);
	autofree const char **argv = words(&h->args, h->path);
	autoclose int said = -1;
	int pipe_fds[2], rc;
	struct child child;

	if (!env || !argv)
		return err_set(e, -ENOMEM, "out of memory");
	/* Never blocks: what a hook says beyond the pipe's size is lost to it. */
	if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(e, "make a pipe");
	said = pipe_fds[0];
	rc = spawn(&(struct spawn){ .argv = argv,
				    .path = h->path,
				    .envp = env,
				    .fds = (struct spawn_fd[]){ { state, 0 }, { pipe_fds[1], 2 } },
				    .fd_count = 2,
				    .prepare = die_with_runtime },
		   &child, e);
	close(pipe_fds[1]);
	if (!rc)
		rc = wait_for(&child, &h->timeout, e);
	if (rc < 0)
		add_reason(said, e);
	return rc;
}

static int run_one(const struct oci_hooks *hooks, enum hook_kind kind, size_t i, const char *text,
		   struct err *e)
{
	const struct oci_hook *h = &list_of(hooks, kind)->items[i];
	autoclose int state = open_state(text);
	int rc = state < 0 ? err_code(e, state, "hand the state over") : run(h, state, e);

	if (rc < 0)
		err_prefix(e, "hook %s[%zu] \"%s\"", names[kind], i, h->path);
	return rc;
}

int hooks_run(const struct oci_hooks *hooks, enum hook_kind kind, const struct hook_state *state,
	      struct err *e)
{
	autofree char *text = NULL;
	int rc = 0;

	if (!hooks_have(hooks, kind))
		return 0;
	text = hook_state_text(state);
	if (!text)
		return err_set(e, -ENOMEM, "out of memory");
	for (size_t i = 0; !rc && i < list_of(hooks, kind)->count; i++)
		rc = run_one(hooks, kind, i, text, e);
	return rc;
}

void hooks_run_all(const struct oci_hooks *hooks, enum hook_kind kind,
		   const struct hook_state *state)
{
	autofree char *text = NULL;
	struct err e;

	if (!hooks_have(hooks, kind))
		return;
	text = hook_state_text(state);
	for (size_t i = 0; text && i < list_of(hooks, kind)->count; i++)
		if (run_one(hooks, kind, i, text, &e) < 0)
			report_warn("%s", e.text);
}
