/* Whose namespaces a container has (compose-spec: pid, ipc, uts, cgroup). */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "bootcfg/read.h"
#include "bootcfg/types.h"

#define WORDS(list) .kind = TYPE_SCALAR, .read = read_text, .words = list

static const char *const ipc_modes[] = { "private", "none", "host", NULL };
static const char *const host_modes[] = { "host", NULL };
static const char *const cgroup_modes[] = { "private", "host", NULL };

const struct type type_ipc = {
	WORDS(ipc_modes), .name = "IPC mode", .expected = "\"private\", \"none\" or \"host\"",
};
const struct type type_uts = {
	WORDS(host_modes), .name = "UTS mode", .expected = "\"host\"",
};
const struct type type_cgroup = {
	WORDS(cgroup_modes), .name = "cgroup mode", .expected = "\"private\" or \"host\"",
};

/* A service is a container here: both words mean the same. */
static yyjson_mut_val *read_pid(struct walk *w, const struct type *t, const struct node *n,
				struct err *why)
{
	static const char *const heads[] = { "container:", "service:" };

	(void)t;
	if (!strcmp(n->text, "host"))
		return walk_text(w, n->text, n->len);
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		autobuf struct buf text = { 0 };
		const char *name = n->text + strlen(heads[i]), *reason;

		if (strncmp(n->text, heads[i], strlen(heads[i])) != 0)
			continue;
		reason = check_container_name(name);
		if (reason) {
			err_set(why, -EINVAL, "%s", reason);
			return NULL;
		}
		buf_addf(&text, "container:%s", name);
		return walk_text(w, buf_text(&text), text.len);
	}
	return NULL;
}

const struct type type_pid = {
	.kind = TYPE_SCALAR, .read = read_pid, .name = "PID mode",
	.expected = "\"host\" or \"container:NAME\"",
};
