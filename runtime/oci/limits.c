#include "oci/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "base/file.h"

static const struct {
	const char *name;
	int number;
} types[] = {
	{ "RLIMIT_AS", RLIMIT_AS },	      { "RLIMIT_CORE", RLIMIT_CORE },
	{ "RLIMIT_CPU", RLIMIT_CPU },	      { "RLIMIT_DATA", RLIMIT_DATA },
	{ "RLIMIT_FSIZE", RLIMIT_FSIZE },     { "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK }, { "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE", RLIMIT_NICE },	      { "RLIMIT_NOFILE", RLIMIT_NOFILE },
	{ "RLIMIT_NPROC", RLIMIT_NPROC },     { "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },   { "RLIMIT_RTTIME", RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING }, { "RLIMIT_STACK", RLIMIT_STACK },
};

static int find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (!strcmp(types[i].name, name))
			return types[i].number;
	return -1;
}

int limits_check(const struct oci_process *p, struct err *e)
{
	for (size_t i = 0; i < p->rlimits.count; i++) {
		const struct oci_rlimit *r = &p->rlimits.items[i];

		if (find(r->type) < 0)
			return err_set(e, -EINVAL, "process.rlimits: unknown type \"%s\"", r->type);
		if (r->soft > r->hard)
			return err_set(e, -EINVAL, "process.rlimits: %s: soft is above hard", r->type);
		for (size_t k = 0; k < i; k++)
			if (!strcmp(p->rlimits.items[k].type, r->type))
				return err_set(e, -EINVAL, "process.rlimits: \"%s\" is given twice",
					       r->type);
	}
	if (p->oomScoreAdj.set && (p->oomScoreAdj.value < -1000 || p->oomScoreAdj.value > 1000))
		return err_set(e, -EINVAL, "process.oomScoreAdj: is -1000 to 1000");
	return 0;
}

int limits_apply(const struct oci_process *p, pid_t pid, struct err *e)
{
	for (size_t i = 0; i < p->rlimits.count; i++) {
		const struct oci_rlimit *r = &p->rlimits.items[i];
		/* UINT64_MAX is the specification's and the kernel's "unlimited" alike. */
		const struct rlimit limit = { .rlim_cur = r->soft, .rlim_max = r->hard };

		if (prlimit(pid, find(r->type), &limit, NULL) < 0)
			return err_sys(e, "set %s", r->type);
	}
	if (p->oomScoreAdj.set) {
		char path[64], text[16];

		snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
		snprintf(text, sizeof(text), "%d", (int)p->oomScoreAdj.value);
		return file_put_at(AT_FDCWD, path, text, e);
	}
	return 0;
}
