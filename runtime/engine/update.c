/* docker update: other limits and another restart policy for a container that is there, at once if
 * it runs. The runtime writes the cgroup's files; what it refuses changes nothing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "engine/internal.h"

enum { COMPLAINT_MAX = 4096, CPU_PERIOD_US = 100000, NUMBER_MAX = 24, OPTIONS_MOST = 9 };

/* A number that was said replaces what was; a text as well. */
static int merge(struct container_spec *spec, const struct container_spec *wish)
{
	struct {
		int64_t *to;
		int64_t value;
	} rows[] = {
		{ &spec->mem_limit, wish->mem_limit }, { &spec->memswap_limit, wish->memswap_limit },
		{ &spec->mem_reservation, wish->mem_reservation },
		{ &spec->nano_cpus, wish->nano_cpus }, { &spec->cpu_shares, wish->cpu_shares },
		{ &spec->cpu_period, wish->cpu_period }, { &spec->cpu_quota, wish->cpu_quota },
		{ &spec->pids_limit, wish->pids_limit }, { &spec->blkio.weight, wish->blkio.weight },
	};
	struct {
		char **to;
		const char *value;
	} texts[] = {
		{ &spec->cpuset, wish->cpuset }, { &spec->restart.policy, wish->restart.policy },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].value)
			*rows[i].to = rows[i].value;
	if (wish->restart.policy && *wish->restart.policy)
		spec->restart.max_retries = wish->restart.max_retries;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		char *copy;

		if (!texts[i].value || !*texts[i].value)
			continue;
		copy = strdup(texts[i].value);
		if (!copy)
			return -ENOMEM;
		free(*texts[i].to);
		*texts[i].to = copy;
	}
	return 0;
}

/* As oci_make_resources.c: as much swap as memory, if nothing is said. */
static int64_t swap_of(const struct container_spec *s)
{
	int64_t swap = s->memswap_limit;

	if (s->mem_limit && !swap && __builtin_mul_overflow(s->mem_limit, 2, &swap))
		swap = -1;
	return swap;
}

static int check(const struct container *c, const struct container_spec *s, struct err *e)
{
	const char *policy = s->restart.policy;

	if (s->memswap_limit && !s->mem_limit)
		return err_set(e, -EINVAL, "You should always set the Memory limit when using Memoryswap "
			       "limit, see usage");
	if (s->memswap_limit > 0 && s->memswap_limit < s->mem_limit)
		return err_set(e, -EINVAL, "Memory limit should be smaller than already set memoryswap "
			       "limit, update the memoryswap at the same time");
	if (c->spec.auto_remove && policy && *policy && strcmp(policy, "no"))
		return err_set(e, -EINVAL, "Restart policy cannot be updated because AutoRemove is enabled "
			       "for the container");
	return container_spec_check(s, e);
}

static int run_runtime(struct container *c, const char *const *argv, struct err *e)
{
	autobuf struct buf said = { 0 };
	autoclose int complaint = memfd_create("update", MFD_CLOEXEC);
	const struct spawn_fd fd = { complaint, STDERR_FILENO };
	const struct spawn s = { .argv = argv, .fds = &fd, .fd_count = 1 };
	struct err failed = { 0 };

	if (complaint < 0)
		return err_sys(e, "update container %s", c->id);
	if (spawn_run(&s, &failed) == 0)
		return 0;
	lseek(complaint, 0, SEEK_SET);
	file_read_fd(complaint, COMPLAINT_MAX, &said, NULL);
	while (said.len && said.data[said.len - 1] == '\n')
		said.data[--said.len] = '\0';
	return err_set(e, -EIO, "Cannot update container %s: %s", c->id,
		       said.len ? shim_sentence(said.data) : failed.text);
}

static int apply(struct container *c, const struct container_spec *s, struct err *e)
{
	const struct {
		const char *option;
		int64_t value;
	} rows[] = {
		{ "--memory", s->mem_limit }, { "--memory-swap", swap_of(s) },
		{ "--memory-reservation", s->mem_reservation },
		{ "--cpu-period", s->nano_cpus ? CPU_PERIOD_US : s->cpu_period },
		{ "--cpu-quota", s->nano_cpus ? s->nano_cpus / (1000000000 / CPU_PERIOD_US) : s->cpu_quota },
		{ "--cpu-share", s->cpu_shares }, { "--pids-limit", s->pids_limit },
		{ "--blkio-weight", s->blkio.weight },
	};
	char numbers[ARRAY_LEN(rows)][NUMBER_MAX];
	const char *argv[2 + 2 * OPTIONS_MOST + 2] = { c->engine->paths.runtime, "update" };
	size_t n = 2;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!rows[i].value)
			continue;
		snprintf(numbers[i], NUMBER_MAX, "%lld", (long long)rows[i].value);
		argv[n++] = rows[i].option;
		argv[n++] = numbers[i];
	}
	if (s->cpuset && *s->cpuset) {
		argv[n++] = "--cpuset-cpus";
		argv[n++] = s->cpuset;
	}
	argv[n++] = c->id;
	return n > 3 ? run_runtime(c, argv, e) : 0;
}

int engine_update(struct container *c, const struct container_spec *wish, struct err *e)
{
	autospec struct container_spec made = { 0 };
	struct container_spec before;
	int rc = container_spec_copy(&c->spec, &made);

	if (!rc)
		rc = merge(&made, wish);
	if (rc < 0)
		return err_set(e, rc, "out of memory");
	rc = check(c, &made, e);
	if (!rc && c->state != STATE_STARTING && container_is_live(c))
		rc = apply(c, &made, e);
	if (rc < 0)
		return rc;
	before = c->spec;
	c->spec = made;
	made = before;
	keep_now(c);
	events_add(c->engine->events, "update", c, NULL);
	return ENGINE_DONE;
}
