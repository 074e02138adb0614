#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "shim/shim.h"

enum { EVENTS_MAX_BYTES = 4096 };

/* The kernel's killer, not a signal of somebody else: it counts its victims in the cgroup. */
static bool was_oom(const struct shim *s)
{
	autobuf struct buf text = { 0 };
	const char *count;

	if (s->cgroup < 0 || file_read_at(s->cgroup, "memory.events", EVENTS_MAX_BYTES, &text, NULL) < 0)
		return false;
	count = strstr(buf_text(&text), "\noom_kill ");
	return count && count[strlen("\noom_kill ")] != '0';
}

int shim_record(struct shim *s, struct err *e)
{
	int sig = WIFSIGNALED(s->status) ? WTERMSIG(s->status) : 0;
	char text[160];
	int len = snprintf(text, sizeof(text),
			   "{\"status\":%d,\"signal\":%d,\"oom\":%s,\"late\":%s,\"finished_ns\":%" PRId64
			   "}\n", sig ? 128 + sig : WEXITSTATUS(s->status), sig,
			   was_oom(s) ? "true" : "false", s->late ? "true" : "false",
			   clock_wall_ns());

	return file_replace_at(s->dir, "exit", text, (size_t)len, 0600, e);
}
