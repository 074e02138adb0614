/* Clients that are joined to a container's stdin, stdout and stderr. Each is a connection that the
 * engine has handed over, written to and read from here directly, so that it outlives the engine.
 *
 * A client may be slow: what it has not taken is kept up to ATTACH_ROOM; beyond that nothing that
 * the container writes is read, as in a pipe. One that came while the container ran already and
 * takes nothing for ATTACH_STUCK_MS is cut off; one that was there before the start is the
 * container's own terminal or pipe, and is waited for. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "shim/logfile.h"

struct shim;
struct client;
struct attached;

enum { ATTACH_ROOM = 256 * 1024, ATTACH_STUCK_MS = 10 * 1000, ATTACH_EARLY_MAX = 16 * 1024 };

struct attach_wish {
	bool in, out, err;
	bool patient;       /* there before the start */
	size_t early;       /* bytes of stdin that came with the request */
};

/* "attach oei 12": letters of what is wanted (i, o, e; p: patient), bytes that follow the line.
 * 0 or -EINVAL. */
int attach_parse(const char *line, struct attach_wish *out);

/* Takes `fd` over. 0 or -errno. */
int attach_client(struct client *c, int fd, const struct attach_wish *wish, const char *early);
void attach_free(struct client *c);

/* What the container wrote, to whoever wants it. */
void attach_output(struct shim *s, enum log_stream stream, const char *data, size_t len);

/* Whether their input can be read has changed. */
void attach_update(struct shim *s);

/* The container is over: returns when the clients have taken everything or are gone. */
void attach_finish(struct shim *s);
