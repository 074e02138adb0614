/* What the engine's own files share. */
#pragma once

#include "base/spawn.h"
#include "engine/engine.h"

/* lifecycle.c */
int lifecycle_event(struct container *c, enum container_event event, struct err *e);

/* Its process is gone or never came to be. `error`: why it did not run as it should, or NULL.
 * `retry`: the restart policy has a say. */
struct ending {
	int64_t exit_code;
	bool oom_killed;
	int64_t finished_ns;
	const char *error;
	bool retry;
};
void lifecycle_ended(struct container *c, const struct ending *how);
void lifecycle_stop_unasked(struct container *c); /* the machine goes down */

/* waiter.c */
enum {
	WAIT_STARTED = 1,  /* runs, or could not be started */
	WAIT_ENDED = 2,    /* has no process and none is to come */
	WAIT_EXITED = 4,   /* had an exit, whatever comes next */
	WAIT_REMOVED = 8,
};
enum waiter_then { THEN_NOTHING, THEN_START, THEN_REMOVE, THEN_REMOVE_VOLUMES };
int waiter_add(struct container *c, unsigned kinds, enum waiter_then then, engine_done_fn *done,
	       void *arg, struct err *e);
void waiter_tell(struct container *c, unsigned kinds, int rc, const struct err *e);
void waiter_free_all(struct container *c);

/* start.c */
void start_begin(struct container *c);
void start_abort(struct container *c);
void start_network_changed(struct engine *en, int rc, const struct err *e);
bool start_holds_exit(struct container *c); /* the runtime's start has not reported yet */
void start_brought(struct container *c, int rc, const struct err *e); /* bring.c is done */
void start_free(struct container *c);       /* gives up what a start under way holds */

/* watch.c: the shim's socket and the process, while the container lives */
int watch_attach(struct container *c, struct err *e);
void watch_detach(struct container *c);
int watch_connect(const struct container *c); /* fd of the shim's socket or -errno */
int watch_connect_in(const char *dir);
bool watch_hung_up(int fd); /* the shim has; what it says before is no news */
/* The same, having said `text`; `pass` (or -1) goes along. */
int watch_say(const char *dir, const char *text, size_t len, int pass);
/* Of the record; `late` (may be NULL): its time limit killed it. 0 or -errno. */
int watch_exit_code(const char *dir, int64_t *code, bool *late);
int watch_read_pid(int fd, pid_t *pid);
int watch_signal(const struct container *c, int sig);
void watch_kill_cgroup(const struct container *c);
int watch_freeze(const struct container *c, bool freeze, struct err *e);
void watch_clean_runtime(struct container *c);
void watch_ended(struct container *c);

/* shims.c */
enum { SHIM_STATUS_FD = 3 };
/* argv says "--status-fd 3"; the pipe's other end (not blocking), or -errno. */
int shim_spawn(struct engine *en, const char *const *argv, struct err *e);
bool shim_line_read(int fd, struct buf *line);     /* true: it is whole, or all there will be */
const char *shim_sentence(const char *line);
int64_t shim_exit_code(const char *sentence);

/* attach.c: `list` is a container's or an exec's, `dir` where its shim's socket is */
void attach_hand_over(struct attachment **list, const char *dir);
void attach_give_up(struct attachment **list, const char *why); /* `why` (or NULL): told to them */
int attach_to(struct container *c, struct attachment **list, const char *dir, int fd,
	      const struct attach_wish *wish, engine_attach_over_fn *over, void *arg,
	      struct attachment **out, struct err *e); /* `dir` NULL: wait for attach_hand_over */

/* exec.c */
void exec_end_all(struct container *c); /* it ended, and with it all that ran in it */
void exec_forget(struct exec *x);
void exec_forget_all(struct container *c);
void exec_clear(struct engine *en);     /* what an earlier engine left */

/* health_monitor.c: nothing, and no cost, for a container without a check */
int health_prepare(struct container *c, const struct image_config *image); /* 0 or -ENOMEM */
void health_begin(struct container *c); /* it runs */
void health_adopt(struct container *c); /* it ran already */
void health_pause(struct container *c, bool pause);
void health_end(struct container *c);

/* files.c */
void files_written(struct engine *en, const char *id); /* a job that wrote is over */
void start_files_settled(struct container *c);         /* start.c: no such job is left */

/* bundle.c */
int bundle_write(struct container *c, const struct image *image, const struct image_config *config,
		 struct err *e);
uint32_t bundle_id_base(const struct container *c); /* what its id 0 is on the host */
int bundle_write_resolv(struct container *c, bool in_place, struct err *e);
int bundle_remove(struct container *c, struct err *e);

/* volumes.c */
int volumes_name_anonymous(struct container_spec *spec, const struct image_config *config,
			   struct err *e);
int volumes_prepare(struct container *c, bool *copy_up, struct err *e);
void volumes_remove_anonymous(struct container *c);
bool volume_is_anonymous(const char *name); /* 64 digits */
int volume_path(const struct engine *en, const char *name, char *out, size_t size);

/* bring.c: the pull of an image that a declared container lacks; ends in start_brought() */
bool bring_wanted(const struct container *c);
int bring_begin(struct container *c);
void bring_end(struct container *c);

/* copyup.c */
int copyup_run(struct container *c, const struct image *image, struct child *child, int *complaint,
	       struct err *e); /* `complaint`: memfd with the child's sentence when it failed */

/* network.c */
int network_prepare(struct container *c, struct err *e); /* addresses, ports, rules */
int network_connect(struct container *c, struct err *e); /* once it has a process */
bool network_settled(const struct engine *en);           /* the rules are in force */
void network_release(struct container *c);
int network_adopt(struct container *c, struct err *e);
void network_repair(struct engine *en);
void network_rules_changed(struct engine *en);
/* For one that lives; nothing for others. */
int network_join(struct container *c, struct endpoint *ep, struct err *e);
int network_leave(struct container *c, struct endpoint *ep, struct err *e);

/* network_change.c */
int network_make_endpoints(struct container *c, struct err *e); /* of what its spec says */

/* networks.c */
struct network;
int networks_add(struct engine *en, struct network *n); /* 0 or -ENOMEM */
void networks_drop(struct engine *en, const struct network *n);
int network_save(const struct engine *en, const struct network *n, struct err *e);
void network_unlink(const struct engine *en, const struct network *n);

/* make.c */
struct container *container_named(const struct engine *en, const char *name); /* NULL: none */
int container_name_free(const struct engine *en, const char *name, struct err *e); /* and valid */

/* boot.c */
void boot_changed(struct container *c);    /* lets what depends on it go */
void boot_mark_removed(struct container *c);

/* adopt.c */
void adopt_all(struct engine *en);

/* keep.c: container.json */
void keep_soon(struct container *c);
void keep_next(struct container *c); /* once the present turn of the loop is over */
void keep_now(struct container *c);
int keep_load(struct engine *en);
void keep_remove(struct container *c);
int keep_add(struct engine *en, struct container *c);
void keep_drop(struct engine *en, struct container *c);

/* public.c: machine.json */
void public_soon(struct engine *en);
