#include "api/hijack.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void hijack_over(void *arg)
{
	struct request *r = arg;
	struct hijack *h = r->stream.state;

	h->attachment = NULL;
	MHD_upgrade_action(h->upgrade, MHD_UPGRADE_ACTION_CLOSE);
	api_run_soon(r->api);
}

static void on_upgraded(void *arg, struct MHD_Connection *connection, void *request,
			const char *early, size_t early_len, MHD_socket fd,
			struct MHD_UpgradeResponseHandle *upgrade)
{
	struct request *r = arg;
	struct hijack *h = r->stream.state;

	(void)connection;
	(void)request;
	h->upgrade = upgrade;
	h->wish.early = early;
	h->wish.early_len = early_len;
	if (h->join(r, h, fd) < 0)
		hijack_over(r);
}

static void hijack_end(struct request *r)
{
	struct hijack *h = r->stream.state;

	engine_detach(h->attachment);
	free(h);
}

bool hijack_asked(struct request *r)
{
	const char *to = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Upgrade");

	return to && !strcasecmp(to, "tcp");
}

void reply_hijack(struct request *r, const char *id, const struct attach_wish *wish,
		  hijack_join_fn *join)
{
	struct hijack *h = calloc(1, sizeof(*h));

	if (!h) {
		reply_error(r, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory");
		return;
	}
	h->join = join;
	h->wish = *wish;
	memcpy(h->id, id, sizeof(h->id));
	r->stream = (struct stream){ .end = hijack_end, .state = h };
	reply_upgrade(r, wish->raw ? "application/vnd.docker.raw-stream" :
				     "application/vnd.docker.multiplexed-stream", on_upgraded);
}
