/* A connection that leaves HTTP ("Upgrade: tcp") and becomes the streams of a container or of a
 * program of exec. */
#pragma once

#include <stdbool.h>

#include "api/request.h"

struct hijack;

/* Called when the 101 is out. 0: `attachment` is set, or its end was told already; -errno. */
typedef int hijack_join_fn(struct request *r, struct hijack *h, int fd);

struct hijack {
	hijack_join_fn *join;
	struct attach_wish wish;
	struct attachment *attachment;
	char id[CONTAINER_ID_LEN + 1];    /* of container or exec, which may be gone by then */
	struct MHD_UpgradeResponseHandle *upgrade;
};

bool hijack_asked(struct request *r);
void reply_hijack(struct request *r, const char *id, const struct attach_wish *wish,
		  hijack_join_fn *join);

/* The engine_attach_over_fn for it; `arg` is the request. */
void hijack_over(void *arg);
