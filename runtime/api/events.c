/* GET /events: what is remembered since `since`, and then what happens until `until`. */
#include <stdlib.h>
#include <string.h>

#include "api/filters.h"
#include "api/handlers.h"
#include "api/json.h"
#include "api/request.h"
#include "api/timestamp.h"
#include "base/clock.h"

enum { BEHIND_MAX = 1 << 20 }; /* a listener that does not read is let go */

struct watch {
	struct buf ready;
	int64_t until_ns;        /* 0: no end */
	struct loop_source *timer;
	bool over;
};

static void add_event(struct buf *b, const struct event *ev)
{
	json_open(b, NULL, '{');
	json_string(b, "status", ev->action);
	json_string(b, "id", ev->id);
	json_string(b, "from", ev->image);
	json_string(b, "Type", "container");
	json_string(b, "Action", ev->action);
	json_open(b, "Actor", '{');
	json_string(b, "ID", ev->id);
	json_open(b, "Attributes", '{');
	if (!strcmp(ev->action, "die")) {
		char number[24];

		snprintf(number, sizeof(number), "%lld", (long long)ev->ran_seconds);
		json_string(b, "execDuration", number);
		snprintf(number, sizeof(number), "%lld", (long long)ev->exit_code);
		json_string(b, "exitCode", number);
	}
	json_string(b, "image", ev->image);
	json_string(b, "name", ev->name);
	if (ev->signal) {
		char number[24];

		snprintf(number, sizeof(number), "%d", ev->signal);
		json_string(b, "signal", number);
	}
	json_close(b, '}');
	json_close(b, '}');
	json_string(b, "scope", "local");
	json_int(b, "time", ev->time_ns / 1000000000);
	json_int(b, "timeNano", ev->time_ns);
	json_close(b, '}');
	buf_addc(b, '\n');
}

static void on_event(void *arg, const struct event *ev)
{
	struct request *r = arg;
	struct watch *w = r->stream.state;

	if (w->ready.len > BEHIND_MAX)
		w->over = true;
	else
		add_event(&w->ready, ev);
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

	events_unlisten(r->engine->events, r);
	loop_remove(r->engine->loop, w->timer);
	buf_free(&w->ready);
	free(w);
}

static void on_until(struct loop *l, void *arg)
{
	struct request *r = arg;
	struct watch *w = r->stream.state;

	(void)l;
	w->timer = NULL;
	w->over = true;
	stream_wake(r);
}

static void add_past(struct request *r, struct watch *w, int64_t since_ns)
{
	for (size_t i = 0; i < events_count(r->engine->events); i++) {
		const struct event *ev = events_get(r->engine->events, i);

		if (ev->time_ns >= since_ns && (!w->until_ns || ev->time_ns <= w->until_ns))
			add_event(&w->ready, ev);
	}
}

void handle_events(struct request *r)
{
	const char *filters = request_query(r, "filters");
	int64_t since = timestamp_parse(request_query(r, "since")), now = clock_wall_ns();
	struct watch *w;

	if (filters && *filters && strcmp(filters, "{}")) {
		reply_error(r, MHD_HTTP_NOT_IMPLEMENTED, "filters of events are not supported yet");
		return;
	}
	w = calloc(1, sizeof(*w));
	if (!w || events_listen(r->engine->events, on_event, r) < 0) {
		free(w);
		reply_error(r, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory");
		return;
	}
	w->until_ns = timestamp_parse(request_query(r, "until"));
	reply_stream(r, "application/json",
		     (struct stream){ .more = watch_more, .end = watch_end, .state = w });
	if (since)
		add_past(r, w, since);
	if (w->until_ns && w->until_ns <= now)
		w->over = true;
	else if (w->until_ns)
		w->timer = loop_timer(r->engine->loop, (w->until_ns - now) / 1000000, on_until, r);
}
