#include "oci/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

struct name_value {
	const char *name;
	int number;
};

static const struct name_value types[] = {
	{ "RLIMIT_AS", RLIMIT_AS },	      { "RLIMIT_CORE", RLIMIT_CORE },
	{ "RLIMIT_CPU", RLIMIT_CPU },	      { "RLIMIT_DATA", RLIMIT_DATA },
	{ "RLIMIT_FSIZE", RLIMIT_FSIZE },     { "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK }, { "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE", RLIMIT_NICE },	      { "RLIMIT_NOFILE", RLIMIT_NOFILE },
	{ "RLIMIT_NPROC", RLIMIT_NPROC },     { "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },   { "RLIMIT_RTTIME", RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING }, { "RLIMIT_STACK", RLIMIT_STACK },
};

static const struct name_value policies[] = {
	{ "SCHED_OTHER", SCHED_NORMAL }, { "SCHED_FIFO", SCHED_FIFO },
	{ "SCHED_RR", SCHED_RR },	 { "SCHED_BATCH", SCHED_BATCH },
	{ "SCHED_IDLE", SCHED_IDLE },	 { "SCHED_DEADLINE", SCHED_DEADLINE },
};

static const struct name_value scheduler_flags[] = {
	{ "SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK },
	{ "SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM },
	{ "SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN },
	{ "SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY },
	{ "SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS },
	{ "SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN },
	{ "SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX },
};

static const struct name_value io_classes[] = {
	{ "IOPRIO_CLASS_RT", IOPRIO_CLASS_RT },
	{ "IOPRIO_CLASS_BE", IOPRIO_CLASS_BE },
	{ "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE },
};

/* -1: no such name. */
static int look_up(const struct name_value *rows, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(rows[i].name, name))
			return rows[i].number;
	return -1;
}

#define LOOK_UP(rows, name) look_up(rows, ARRAY_LEN(rows), name)

static int check_rlimits(const struct oci_process *p, struct err *e)
{
	for (size_t i = 0; i < p->rlimits.count; i++) {
		const struct oci_rlimit *r = &p->rlimits.items[i];

		if (LOOK_UP(types, r->type) < 0)
			return err_set(e, -EINVAL, "process.rlimits: unknown type \"%s\"", r->type);
		if (r->soft > r->hard)
			return err_set(e, -EINVAL, "process.rlimits: %s: soft is above hard", r->type);
		for (size_t k = 0; k < i; k++)
			if (!strcmp(p->rlimits.items[k].type, r->type))
				return err_set(e, -EINVAL, "process.rlimits: \"%s\" is given twice",
					       r->type);
	}
	return 0;
}

static int check_scheduler(const struct oci_scheduler *s, struct err *e)
{
	if (!s)
		return 0;
	if (LOOK_UP(policies, s->policy) < 0)
		return err_set(e, -EINVAL, "process.scheduler.policy: unknown policy \"%s\"",
			       s->policy);
	if (s->nice < -20 || s->nice > 19)
		return err_set(e, -EINVAL, "process.scheduler.nice: %lld is not -20 to 19",
			       (long long)s->nice);
	if (s->priority < 0 || s->priority > 99)
		return err_set(e, -EINVAL, "process.scheduler.priority: %lld is not 0 to 99",
			       (long long)s->priority);
	for (size_t i = 0; i < s->flags.count; i++)
		if (LOOK_UP(scheduler_flags, s->flags.items[i]) < 0)
			return err_set(e, -EINVAL, "process.scheduler.flags: unknown flag \"%s\"",
				       s->flags.items[i]);
	return 0;
}

static int check_io_priority(const struct oci_io_priority *p, struct err *e)
{
	if (!p)
		return 0;
	if (LOOK_UP(io_classes, p->class) < 0)
		return err_set(e, -EINVAL, "process.ioPriority.class: unknown class \"%s\"",
			       p->class);
	if (p->priority < 0 || p->priority >= IOPRIO_BE_NR)
		return err_set(e, -EINVAL, "process.ioPriority.priority: %lld is not 0 to 7",
			       (long long)p->priority);
	return 0;
}

int limits_check(const struct oci_process *p, struct err *e)
{
	int rc = check_rlimits(p, e);

	if (!rc)
		rc = check_scheduler(p->scheduler, e);
	if (!rc)
		rc = check_io_priority(p->ioPriority, e);
	if (!rc && p->oomScoreAdj.set &&
	    (p->oomScoreAdj.value < -1000 || p->oomScoreAdj.value > 1000))
		rc = err_set(e, -EINVAL, "process.oomScoreAdj: is -1000 to 1000");
	return rc;
}

static int apply_rlimits(const struct oci_process *p, pid_t pid, struct err *e)
{
	for (size_t i = 0; i < p->rlimits.count; i++) {
		const struct oci_rlimit *r = &p->rlimits.items[i];
		/* UINT64_MAX is the specification's and the kernel's "unlimited" alike. */
		const struct rlimit limit = { .rlim_cur = r->soft, .rlim_max = r->hard };

		if (prlimit(pid, LOOK_UP(types, r->type), &limit, NULL) < 0)
			return err_sys(e, "set %s", r->type);
	}
	return 0;
}

static int apply_scheduler(const struct oci_scheduler *s, pid_t pid, struct err *e)
{
	struct sched_attr attr = { .size = sizeof(attr) };

	if (!s)
		return 0;
	attr.sched_policy = (uint32_t)LOOK_UP(policies, s->policy);
	attr.sched_nice = (int32_t)s->nice;
	attr.sched_priority = (uint32_t)s->priority;
	attr.sched_runtime = s->runtime;
	attr.sched_deadline = s->deadline;
	attr.sched_period = s->period;
	for (size_t i = 0; i < s->flags.count; i++)
		attr.sched_flags |= (uint64_t)LOOK_UP(scheduler_flags, s->flags.items[i]);
	return syscall(SYS_sched_setattr, pid, &attr, 0) < 0 ?
		       err_sys(e, "process.scheduler: set policy \"%s\"", s->policy) :
		       0;
}

static int apply_io_priority(const struct oci_io_priority *p, pid_t pid, struct err *e)
{
	if (!p)
		return 0;
	return syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, pid,
		       LOOK_UP(io_classes, p->class) << IOPRIO_CLASS_SHIFT | (int)p->priority) < 0 ?
		       err_sys(e, "process.ioPriority: set class \"%s\"", p->class) :
		       0;
}

static int apply_oom_score(const struct opt_int *score, pid_t pid, struct err *e)
{
	char path[64], text[16];

	if (!score->set)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
	snprintf(text, sizeof(text), "%d", (int)score->value);
	return file_put_at(AT_FDCWD, path, text, e);
}

int limits_apply(const struct oci_process *p, pid_t pid, struct err *e)
{
	int rc = apply_rlimits(p, pid, e);

	if (!rc)
		rc = apply_io_priority(p->ioPriority, pid, e);
	if (!rc)
		rc = apply_oom_score(&p->oomScoreAdj, pid, e);
	return rc < 0 ? rc : apply_scheduler(p->scheduler, pid, e);
}
