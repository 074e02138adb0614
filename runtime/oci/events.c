/* "events": what a container uses, at an interval, and when it runs out of memory. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "oci/args.h"
#include "oci/cgroup.h"
#include "oci/cgroup_query.h"
#include "oci/commands.h"
#include "oci/duration.h"
#include "oci/state.h"
#include "oci/stats.h"

/* `data` is in `doc`, which goes. */
static int print(yyjson_mut_doc *doc, const char *type, const char *id, yyjson_mut_val *data,
		 struct err *e)
{
	autofree char *text = NULL;
	yyjson_mut_val *root = yyjson_mut_obj(doc);

	yyjson_mut_doc_set_root(doc, root);
	yyjson_mut_obj_add_str(doc, root, "type", type);
	yyjson_mut_obj_add_str(doc, root, "id", id);
	if (data)
		yyjson_mut_obj_add_val(doc, root, "data", data);
	text = yyjson_mut_write(doc, 0, NULL);
	yyjson_mut_doc_free(doc);
	if (!text)
		return err_set(e, -ENOMEM, "out of memory");
	return puts(text) < 0 || fflush(stdout) ? err_sys(e, "write the event") : 0;
}

static int print_stats(int cgroup, const char *id, struct err *e)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);

	return doc ? print(doc, "stats", id, stats_read(cgroup, doc), e) :
		     err_set(e, -ENOMEM, "out of memory");
}

static int print_oom(const char *id, struct err *e)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);

	return doc ? print(doc, "oom", id, NULL, e) : err_set(e, -ENOMEM, "out of memory");
}

static bool is_empty(int cgroup)
{
	return cgroup_value(cgroup, "cgroup.events", "populated") == 0;
}

/* The kernel says POLLPRI on both files when they change. A file has to be read for the next one to
 * be said, which cgroup_value does through an fd of its own; so the pread here. */
static void wait_change(struct pollfd files[2], int64_t until_ms)
{
	int64_t left = until_ms - clock_boot_ms();
	char unused[512];

	if (left > 0)
		poll(files, 2, left < INT32_MAX ? (int)left : INT32_MAX);
	for (int i = 0; i < 2; i++)
		if (files[i].fd >= 0 && pread(files[i].fd, unused, sizeof(unused), 0) < 0)
			files[i].fd = -1; /* the cgroup has gone */
}

static int follow(int cgroup, const char *id, int64_t interval_ms, struct err *e)
{
	autoclose int memory = openat(cgroup, "memory.events", O_RDONLY | O_CLOEXEC);
	autoclose int life = openat(cgroup, "cgroup.events", O_RDONLY | O_CLOEXEC);
	struct pollfd files[] = { { .fd = memory, .events = POLLPRI },
				  { .fd = life, .events = POLLPRI } };
	uint64_t kills = cgroup_value(cgroup, "memory.events", "oom_kill");
	int64_t next_ms = clock_boot_ms() + interval_ms;
	int rc = 0;

	while (!rc) {
		uint64_t now_kills;

		wait_change(files, next_ms);
		now_kills = cgroup_value(cgroup, "memory.events", "oom_kill");
		for (; !rc && kills < now_kills; kills++)
			rc = print_oom(id, e);
		if (rc || is_empty(cgroup))
			break;
		if (clock_boot_ms() < next_ms)
			continue;
		rc = print_stats(cgroup, id, e);
		next_ms += interval_ms;
	}
	return rc;
}

static int open_running(const char *root, const char *id, struct err *e)
{
	autostate struct state s = { 0 };
	autoclose int dir = state_load(root, id, false, &s, e);
	enum status status;
	int cgroup;

	if (dir < 0)
		return dir;
	status = state_status(dir, &s);
	if (status == STATUS_STOPPED || status == STATUS_CREATING)
		return err_set(e, -ESRCH, "container with id %s is not running", id);
	if (state_need_cgroup(&s, e) < 0)
		return -EOPNOTSUPP;
	cgroup = cgroup_open(s.cgroup, e);
	return cgroup == -ENOENT ? err_set(e, cgroup, "container with id %s is not running", id) :
				   cgroup;
}

int cmd_events(const struct options *o, int argc, char **argv, struct err *e)
{
	const char *interval = "5s", *id;
	bool once = false;
	const struct arg args[] = {
		ARG_TEXT("interval", 0, &interval, "between two of them (5s)"),
		ARG_FLAG("stats", 0, &once, "print one and end"),
		ARG_END,
	};
	autoclose int cgroup = -1;
	int64_t interval_ms;
	int next = args_parse(args, argc, argv, e);
	int rc = next < 0 ? next : command_id(argc, argv, next, &id, e);

	if (rc < 0)
		return rc;
	if (duration_parse(interval, &interval_ms) < 0 || interval_ms <= 0)
		return err_set(e, -EINVAL, "--interval: \"%s\" is no time as in \"5s\" or \"500ms\"",
			       interval);
	cgroup = open_running(o->root, id, e);
	if (cgroup < 0)
		return cgroup;
	return once ? print_stats(cgroup, id, e) : follow(cgroup, id, interval_ms, e);
}
