/* GET /containers/{}/stats: what a container uses, once or each second. */
#include "api/stats.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/handlers.h"
#include "api/json.h"
#include "api/request.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"

enum { FILE_MAX_BYTES = 64 * 1024, PERIOD_MS = 1000 };

struct watch {
	char id[CONTAINER_ID_LEN + 1];
	bool stream, one_shot, over;
	struct stats before;
	struct buf ready;
	struct loop_source *timer;
};

static const char *read_cgroup(const struct container *c, const char *file, struct buf *out)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/containers/%s/%s", c->engine->paths.cgroups, c->id, file);
	file_read_at(AT_FDCWD, path, FILE_MAX_BYTES, out, NULL);
	return buf_text(out);
}

static void sample(const struct container *c, struct stats *out)
{
	autobuf struct buf cpu = { 0 }, io = { 0 }, system = { 0 };

	*out = (struct stats){ .read_ns = clock_wall_ns() };
	stats_parse_cpu(read_cgroup(c, "cpu.stat", &cpu), &out->cpu);
	stats_parse_io(read_cgroup(c, "io.stat", &io), out);
	file_read_at(AT_FDCWD, "/proc/stat", 4 << 20, &system, NULL);
	stats_parse_system(buf_text(&system), sysconf(_SC_CLK_TCK), &out->cpu);
}

/* "max" is no limit: of memory, then, all that the machine has. */
static int64_t limit_of(const char *text, int64_t without)
{
	char *end;
	long long n = strtoll(text, &end, 10);

	return end == text ? without : n;
}

static void add_memory(struct buf *b, const struct container *c)
{
	autobuf struct buf usage = { 0 }, most = { 0 }, details = { 0 };
	int64_t total = memory_bytes("MemTotal");
	int64_t limit = limit_of(read_cgroup(c, "memory.max", &most), total);

	json_open(b, "memory_stats", '{');
	json_int(b, "usage", limit_of(read_cgroup(c, "memory.current", &usage), 0));
	stats_add_memory(b, read_cgroup(c, "memory.stat", &details));
	json_int(b, "limit", limit < total ? limit : total);
	json_close(b, '}');
}

static void add_pids(struct buf *b, const struct container *c)
{
	autobuf struct buf current = { 0 }, most = { 0 };
	int64_t limit = limit_of(read_cgroup(c, "pids.max", &most), -1);

	json_open(b, "pids_stats", '{');
	json_int(b, "current", limit_of(read_cgroup(c, "pids.current", &current), 0));
	if (limit >= 0)
		json_int(b, "limit", limit);
	else
		json_raw(b, "limit", "18446744073709551615");
	json_close(b, '}');
}

static void add_networks(struct buf *b, const struct container *c)
{
	autobuf struct buf text = { 0 };
	char path[64];

	if (container_uses_host_network(c))
		return; /* the host's traffic is not the container's */
	snprintf(path, sizeof(path), "/proc/%d/net/dev", c->pid);
	file_read_at(AT_FDCWD, path, FILE_MAX_BYTES, &text, NULL);
	stats_add_networks(b, buf_text(&text));
}

static void add_live(struct buf *b, const struct container *c, const struct stats *now,
		     const struct stats *before)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	stats_add_cpu(b, "cpu_stats", &now->cpu, processors);
	stats_add_cpu(b, "precpu_stats", &before->cpu, processors);
	stats_add_io(b, now);
	add_pids(b, c);
	add_memory(b, c);
	add_networks(b, c);
}

/* docker's zeros, for what does not run. */
static void add_nothing(struct buf *b)
{
	const struct stats none = { 0 };

	stats_add_cpu(b, "cpu_stats", &none.cpu, 0);
	stats_add_cpu(b, "precpu_stats", &none.cpu, 0);
	stats_add_io(b, &none);
	json_raw(b, "pids_stats", "{}");
	json_raw(b, "memory_stats", "{}");
}

static void add_stats(struct buf *b, const struct container *c, const struct stats *now,
		      const struct stats *before)
{
	char name[260];

	snprintf(name, sizeof(name), "/%.256s", c->name);
	json_open(b, NULL, '{');
	json_string(b, "name", name);
	json_string(b, "id", c->id);
	json_time(b, "read", now->read_ns);
	json_time(b, "preread", before->read_ns);
	json_int(b, "num_procs", 0);
	json_raw(b, "storage_stats", "{}");
	if (now->read_ns)
		add_live(b, c, now, before);
	else
		add_nothing(b);
	json_close(b, '}');
	buf_addc(b, '\n');
}

static bool runs(const struct container *c)
{
	return container_is_live(c) && c->state != STATE_STARTING;
}

static void next_sample(struct request *r)
{
	struct watch *w = r->stream.state;
	struct container *c;
	struct stats now = { 0 };

	/* Once the container is gone the stream is over. */
	if (engine_find(r->engine, w->id, &c, NULL) < 0) {
		w->over = true;
		return;
	}
	if (runs(c))
		sample(c, &now);
	add_stats(&w->ready, c, &now, &w->before);
	w->before = now;
	w->over = !w->stream;
}

static void on_period(struct loop *l, void *arg)
{
	struct request *r = arg;
	struct watch *w = r->stream.state;

	next_sample(r);
	w->timer = w->over ? NULL : loop_timer(l, PERIOD_MS, on_period, r);
	stream_wake(r);
}

static bool watch_more(struct request *r, struct buf *out)
{
	struct watch *w = r->stream.state;

	buf_add(out, buf_text(&w->ready), w->ready.len);
	buf_free(&w->ready);
	return !w->over;
}

static void watch_end(struct request *r)
{
	struct watch *w = r->stream.state;

	loop_remove(r->engine->loop, w->timer);
	buf_free(&w->ready);
	free(w);
}

void handle_stats(struct request *r)
{
	const char *stream = request_query(r, "stream");
	struct container *c = request_container(r);
	struct watch *w;

	if (!c)
		return;
	w = calloc(1, sizeof(*w));
	if (!w) {
		reply_error(r, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory");
		return;
	}
	memcpy(w->id, c->id, sizeof(w->id));
	w->stream = !stream || request_flag(r, "stream");
	w->one_shot = request_flag(r, "one-shot");
	reply_stream(r, "application/json",
		     (struct stream){ .more = watch_more, .end = watch_end, .state = w });
	/* A share of the processor needs two samples: the answer comes a second later. */
	if (!w->stream && (w->one_shot || !runs(c))) {
		next_sample(r);
		return;
	}
	if (runs(c))
		sample(c, &w->before);
	w->timer = loop_timer(r->engine->loop, PERIOD_MS, on_period, r);
}
