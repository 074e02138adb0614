/* GET /events: what is remembered since `since`, and then what happens until `until`. */
#include <stdlib.h>
#include <string.h>

#include "api/event_filters.h"
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
	yyjson_doc *filters;     /* NULL: none */
};

/* status, id and from are there for clients before API 1.22, and for containers only. */
static void add_event(struct buf *b, const struct event *ev)
{
	bool container = !strcmp(ev->type, "container");

	json_open(b, NULL, '{');
	if (container) {
		json_string(b, "status", ev->action);
		json_string(b, "id", ev->id);
		json_string(b, "from", string_map_get(&ev->attributes, "image"));
	}
	json_string(b, "Type", ev->type);
	json_string(b, "Action", ev->action);
	json_open(b, "Actor", '{');
	json_string(b, "ID", ev->id);
	json_map(b, "Attributes", &ev->attributes);
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

	if (w->filters && !event_filters_match(w->filters, ev))
		return;
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
	yyjson_doc_free(w->filters);
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

		if (ev->time_ns >= since_ns && (!w->until_ns || ev->time_ns <= w->until_ns) &&
		    (!w->filters || event_filters_match(w->filters, ev)))
			add_event(&w->ready, ev);
	}
}

void handle_events(struct request *r)
{
	yyjson_doc *filters;
	struct err e = { 0 };
	int64_t since = timestamp_parse(request_query(r, "since")), now = clock_wall_ns();
	struct watch *w;
	int rc = event_filters_parse(&filters, request_query(r, "filters"), &e);

	if (rc < 0) {
		reply_errno(r, rc, &e);
		return;
	}
	w = calloc(1, sizeof(*w));
	if (!w || events_listen(r->engine->events, on_event, r) < 0) {
		free(w);
		yyjson_doc_free(filters);
		reply_error(r, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory");
		return;
	}
	w->filters = filters;
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
