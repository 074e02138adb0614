/* What the runtime remembers of a container: ROOT/ID/state.json, replaced atomically, and the
 * lock on the directory ROOT/ID, which every command that changes something holds.
 * A container without a pid was interrupted while it was created; only delete may touch it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "spec/record.h"

#define STATE_START_SOCKET "start.sock" /* there while the container waits for "start" */

enum status {
	STATUS_CREATING,
	STATUS_CREATED,
	STATUS_RUNNING,
	STATUS_PAUSED, /* its cgroup is frozen, whether it was created or running */
	STATUS_STOPPED,
};

struct state {
	char *id, *bundle, *rootfs, *created, *ociVersion;
	char *cgroup; /* below the cgroup root, without a leading slash */
	int64_t pid;
	uint64_t startTime; /* field 22 of /proc/PID/stat: tells a reused pid from ours */
	struct string_map annotations;
	bool hooks; /* config.json has some for after "create" */
	char *mountNamespace, *mountedOn; /* one that was joined, and the root file system's place there */
};

/* 0 or -EINVAL with a sentence: [A-Za-z0-9_+.-], not beginning with a dot. */
int state_check_id(const char *id, struct err *e);

/* Makes ROOT/ID, which must not be there, and returns its fd, locked for writing. */
int state_create(const char *root, const char *id, struct err *e);

/* Opens ROOT/ID and locks it. -ENOENT: "container does not exist". */
int state_open(const char *root, const char *id, bool exclusive, struct err *e);

/* Opens, locks and reads; the fd of the directory. */
int state_load(const char *root, const char *id, bool exclusive, struct state *out,
	       struct err *e);

/* The same without the lock, for a look from outside. */
int state_peek(const char *root, const char *id, struct state *out, struct err *e);

int state_write(int dir, const struct state *state, struct err *e);
int state_read(int dir, struct state *out, struct err *e);
void state_free(struct state *state);

enum status state_status(int dir, const struct state *state);
const char *status_name(enum status status);

/* An unprivileged user's container may be without a cgroup of its own: an error says so. */
int state_need_cgroup(const struct state *state, struct err *e);

/* Field 22 of /proc/PID/stat; 0: no such process, or it is a zombie. */
uint64_t state_process_start(pid_t pid);

/* Removes ROOT/ID and what the runtime keeps there. */
int state_remove(const char *root, const char *id, struct err *e);

#define autostate __attribute__((cleanup(state_free)))
