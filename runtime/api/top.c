/* GET /containers/{}/top: the processes in the container's cgroup, as `ps -ef` shows them. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "api/handlers.h"
#include "api/json.h"
#include "api/request.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"

enum { PROCS_MAX = 1 << 20, LINE_MAX_BYTES = 16 * 1024 };

struct process {
	int ppid;
	unsigned uid;
	long long user_ticks, system_ticks, start_ticks;
	char tty[16];
	struct buf command;
};

static int read_process(int pid, struct process *p)
{
	autobuf struct buf stat_text = { 0 };
	char path[64];
	struct stat st;
	const char *rest;
	int tty;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (stat(path, &st) < 0 || file_read_at(AT_FDCWD, path, LINE_MAX_BYTES, &stat_text, NULL) < 0)
		return -1;
	/* The name in parentheses may hold anything, parentheses too. */
	rest = strrchr(buf_text(&stat_text), ')');
	if (!rest || sscanf(rest + 1, " %*c %d %*d %*d %d %*d %*u %*u %*u %*u %*u %lld %lld %*d %*d "
			    "%*d %*d %*d %*d %lld", &p->ppid, &tty, &p->user_ticks,
			    &p->system_ticks, &p->start_ticks) != 5)
		return -1;
	p->uid = st.st_uid;
	snprintf(p->tty, sizeof(p->tty), tty ? "pts/%d" : "?", tty & 0xff);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	file_read_at(AT_FDCWD, path, LINE_MAX_BYTES, &p->command, NULL);
	for (size_t i = 0; i + 1 < p->command.len; i++)
		if (!p->command.data[i])
			p->command.data[i] = ' ';
	return 0;
}

static void add_number(struct buf *b, long long value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", value);
	json_string(b, NULL, text);
}

static void add_process(struct buf *b, int pid, const struct process *p)
{
	long ticks = sysconf(_SC_CLK_TCK);
	long long used = (p->user_ticks + p->system_ticks) / ticks;
	long long age = clock_boot_ms() / 1000 - p->start_ticks / ticks;
	time_t start = (time_t)(clock_wall_ns() / 1000000000 - age);
	char text[32];
	struct tm tm;

	json_open(b, NULL, '[');
	add_number(b, p->uid);
	add_number(b, pid);
	add_number(b, p->ppid);
	add_number(b, age > 0 ? used * 100 / age : 0);
	gmtime_r(&start, &tm);
	strftime(text, sizeof(text), "%H:%M", &tm);
	json_string(b, NULL, text);
	json_string(b, NULL, p->tty);
	snprintf(text, sizeof(text), "%02lld:%02lld:%02lld", used / 3600, used / 60 % 60, used % 60);
	json_string(b, NULL, text);
	json_string(b, NULL, buf_text(&p->command));
	json_close(b, ']');
}

void handle_top(struct request *r)
{
	const char *ps_args = request_query(r, "ps_args");
	struct container *c = request_container(r);
	autobuf struct buf procs = { 0 };
	struct buf json = { 0 };
	char path[PATH_MAX];
	char *save = NULL;

	if (!c)
		return;
	if (ps_args && *ps_args && strcmp(ps_args, "-ef")) {
		reply_error(r, MHD_HTTP_NOT_IMPLEMENTED, "ps arguments are not supported, only -ef");
		return;
	}
	if (c->state != STATE_RUNNING && c->state != STATE_PAUSED && c->state != STATE_STOPPING) {
		reply_error(r, MHD_HTTP_CONFLICT, "container %s is not running", c->id);
		return;
	}
	snprintf(path, sizeof(path), "%s/containers/%s/cgroup.procs", r->engine->paths.cgroups, c->id);
	if (file_read_at(AT_FDCWD, path, PROCS_MAX, &procs, NULL) < 0)
		buf_addf(&procs, "%d\n", c->pid);
	json_open(&json, NULL, '{');
	json_raw(&json, "Titles",
		 "[\"UID\",\"PID\",\"PPID\",\"C\",\"STIME\",\"TTY\",\"TIME\",\"CMD\"]");
	json_open(&json, "Processes", '[');
	for (char *pid = procs.len ? strtok_r(procs.data, "\n", &save) : NULL; pid;
	     pid = strtok_r(NULL, "\n", &save)) {
		struct process p = { 0 };

		if (!read_process(atoi(pid), &p))
			add_process(&json, atoi(pid), &p);
		buf_free(&p.command);
	}
	json_close(&json, ']');
	json_close(&json, '}');
	buf_addc(&json, '\n');
	reply_json(r, MHD_HTTP_OK, &json);
}
