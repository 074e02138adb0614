/* The engine: all containers of the machine and what they are made of. Single-threaded; every
 * call returns at once, and what takes time is told through a callback from the event loop.
 * The API and the boot configuration use it through this header alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "engine/container.h"
#include "engine/events.h"
#include "engine/paths.h"
#include "image/store.h"
#include "net/bridge.h"
#include "net/pool.h"
#include "net/ports.h"
#include "net/ruleset.h"
#include "spec/image.h"

struct job;
struct resolver;

struct engine {
	struct engine_paths paths;
	struct loop *loop;
	struct store *store;
	struct events *events;
	struct container **containers;   /* in the order of their making */
	size_t count, room;
	struct exec *execs;
	char boot_id[40];
	bool machine_boot;               /* the first start of an engine in this boot */
	bool taking_stock;               /* at its start: nothing starts before all is known */
	bool stopping;                   /* SIGTERM came: nothing starts any more */
	bool state_unsaved;              /* a container.json could not be written */
	struct err state_fault;          /* why */
	struct loop_source *save_timer;
	struct loop_source *public_timer;
	int64_t boot_ms;                 /* CLOCK_BOOTTIME when the first start returned; 0: none */
	int lock;                        /* held as long as this engine lives */
	unsigned jobs;                   /* processes at work in the image store ... */
	struct job *cleaner;             /* ... of which one may be this, which empties its tmp/ */
	bool uncollected;                /* something may be left over that the next end of a job frees */
	int cgroup_shims;                /* fd of the cgroup that shims go into; -1 */

	/* Networks; each link is made when the first container needs it. */
	struct network **networks;       /* bridge, host, none, then in the order of their making */
	size_t network_count;
	struct netlink *netlink;
	struct resolver *resolver;       /* NULL: no container needed it yet */
	bool forwarding_is_ours;         /* ip_forward was off until we turned it on */
	struct ports *ports;
	struct loop_source *firewall_timer;
	struct loop_source *resolv_source;
	int resolv_watch;                /* inotify; -1 */
};

int engine_init(struct engine *en, int argc, char **argv, struct err *e);
void engine_free(struct engine *en);

/* Loads what is on disk, takes live containers over, makes it like the configuration, starts
 * what is to run. A fault in one container costs that container only and is logged. */
void engine_boot(struct engine *en);

/* The configuration has changed: declared containers that changed are stopped in their own time and
 * made anew, new ones are made, those that are gone are removed; the others run on. */
void engine_reload(struct engine *en);

/* Stops everything, each in its own grace time, and then the loop. */
void engine_shutdown(struct engine *en);

/* By name, id, or an id's beginning. -ENOENT "No such container: x", -EINVAL when several
 * ids begin so. */
int engine_find(struct engine *en, const char *text, struct container **out, struct err *e);

/* How a container is made; `declaration` as in struct container. Takes nothing over; the
 * container is the engine's. */
int engine_create(struct engine *en, const struct container_spec *spec, const char *declaration,
		  struct container **out, struct err *e);

/* ---- what can be asked of one container ----
 * ENGINE_PENDING: `done` (may be NULL) will be called once, from the loop. ENGINE_DONE and
 * ENGINE_ALREADY (it was so before): `done` is not called. -errno: refused or failed at once, with
 * the sentence that docker has for it; -EBUSY: not in this state. */
enum { ENGINE_DONE = 0, ENGINE_ALREADY = 1, ENGINE_PENDING = 2 };
enum { ENGINE_NAME_MAX = 64 };

typedef void engine_done_fn(void *arg, struct container *c, int rc, const struct err *e);

int engine_start(struct container *c, engine_done_fn *done, void *arg, struct err *e);
int engine_stop(struct container *c, int64_t grace_ms, engine_done_fn *done, void *arg,
		struct err *e); /* grace_ms < 0: the container's own */
int engine_restart(struct container *c, int64_t grace_ms, engine_done_fn *done, void *arg,
		   struct err *e);
int engine_kill(struct container *c, int sig, engine_done_fn *done, void *arg, struct err *e);
int engine_pause(struct container *c, bool pause, struct err *e);
/* A declared container stays away until the next boot. */
int engine_remove(struct container *c, bool force, bool volumes, engine_done_fn *done, void *arg,
		  struct err *e);
int engine_rename(struct container *c, const char *name, struct err *e);

/* Limits and restart policy; what `wish` does not say stays. */
int engine_update(struct container *c, const struct container_spec *wish, struct err *e);

/* `done` at the next exit, or at the removal. */
enum engine_wait { ENGINE_WAIT_EXIT, ENGINE_WAIT_REMOVED };
int engine_wait(struct container *c, enum engine_wait what, engine_done_fn *done, void *arg,
		struct err *e);

/* Joins a client's connection to the container's streams, now or when it starts. `fd` stays the
 * caller's, who keeps it open until `over`: called once, unless engine_detach() came before. */
struct attachment;
struct attach_wish {
	bool in, out, err;
	bool raw;            /* a terminal's bytes, no frames */
	const char *early;   /* what the client has sent already */
	size_t early_len;    /* at most 16 KiB */
};
typedef void engine_attach_over_fn(void *arg);
int engine_attach(struct container *c, int fd, const struct attach_wish *wish,
		  engine_attach_over_fn *over, void *arg, struct attachment **out, struct err *e);
void engine_detach(struct attachment *a); /* NULL is fine */
int engine_resize(struct container *c, unsigned rows, unsigned columns, struct err *e);

/* ---- one more program in a container that runs ---- */
struct exec_spec {
	struct string_list argv, env;
	char *user, *cwd;
	bool tty, in, out, err;
	bool privileged;             /* every capability */
	unsigned rows, columns;      /* of the terminal; 0: not said */
	bool probe;                  /* of a health check: no events */
	int64_t limit_ms;            /* killed after that; 0: no limit */
};
void exec_spec_free(struct exec_spec *spec);

struct exec {
	struct exec *next;
	struct container *container;
	char id[CONTAINER_ID_LEN + 1];
	struct exec_spec spec;
	bool started, running, ended;
	bool ran;                    /* it did not fail to start */
	bool late;                   /* and was killed by its limit */
	int64_t exit_code;           /* once it has ended */
	pid_t pid;
	int status, shim_fd;         /* the shim's line; its socket; -1 */
	struct loop_source *source;  /* of the one that is awaited */
	struct buf line;
	struct attachment *attachments;
	engine_done_fn *done;
	void *arg;
	void (*on_end)(void *arg);   /* once, with `ended` set; the exec may not be freed in it */
	void *end_arg;
};

/* Takes the spec over on success. At most 64 of a container run, of the others the latest are
 * kept; -EBUSY: the container does not run. */
int engine_exec_create(struct container *c, struct exec_spec *spec, struct exec **out,
		       struct err *e);
int engine_exec_find(struct engine *en, const char *id, struct exec **out, struct err *e);
int engine_exec_check(const struct exec *x, struct err *e); /* can it be started? */
/* Before the start. */
int engine_exec_attach(struct exec *x, int fd, const struct attach_wish *wish,
		       engine_attach_over_fn *over, void *arg, struct attachment **out,
		       struct err *e);
/* ENGINE_PENDING, or -errno. What is attached is told as well when the start fails. */
int engine_exec_start(struct exec *x, engine_done_fn *done, void *arg, struct err *e);
int engine_exec_resize(struct exec *x, unsigned rows, unsigned columns, struct err *e);

/* Whoever waited with `arg` is gone: no callback for it any more. */
void engine_forget(struct engine *en, void *arg);

/* A name that no container has. 0 or -errno. */
int engine_free_name(const struct engine *en, char out[ENGINE_NAME_MAX]);

/* The image's config; free with image_config_free. */
int engine_image_config(struct engine *en, const char *image, struct image_config *out,
			struct err *e);

/* "NAME=value" as its program sees them. 0 or -errno. */
int engine_container_env(const struct container *c, const struct image_config *image,
			 struct string_list *out);

/* ---- images: what changes them is a process of its own (engine/job.h) ---- */

/* Reads the stores anew; the old one stays when that fails. */
int engine_reload_store(struct engine *en, struct err *e);

/* What a job's result says of an image: it gets `ref` (in full; NULL: none). `news`: it was not
 * under that name before. 0 or -errno. */
int engine_take_image(struct engine *en, const char *result, const char *ref, bool *news,
		      struct err *e);
struct image_teller {
	void (*tell)(void *arg, const char *what, const char *name);
	void *arg;
};
/* What `load` brought: each image gets the names that the archive has for it, and is told ("Loaded
 * image" NAME). 0 or -errno. */
int engine_take_loaded(struct engine *en, const char *result, const struct image_teller *teller,
		       struct err *e);
/* NULL: none. */
const struct image *engine_image_by_digest(const struct engine *en, const char *digest);

/* docker's rmi, with its sentences; each step is told ("Untagged" NAME, "Deleted" DIGEST). */
int engine_image_remove(struct engine *en, const char *name, bool force,
			const struct image_teller *teller, struct err *e);
bool engine_image_used(const struct engine *en, const struct image *image);
uint64_t engine_image_own_bytes(const struct engine *en, const struct image *image);

/* Frees what no image needs, at once or when the last job is done. */
void engine_clean_store(struct engine *en);
void engine_clean_later(struct engine *en); /* once the boot is over */
int engine_collect(struct engine *en, int rc, struct err *e);
int engine_tag(struct engine *en, const char *image, const char *ref, struct err *e);

/* "a", "b": images whose names are near `name`, for error sentences. */
void engine_near_images(const struct engine *en, const char *name, struct buf *out);

/* Where its log is: PATH, rotated to PATH.1, PATH.2 ... */
char *container_log_path(const struct container *c); /* free it; NULL: out of memory */
int container_dir(const struct container *c, const char *file, char *out, size_t size);
int64_t memory_bytes(const char *key); /* a line of /proc/meminfo */
int container_run_dir(const struct container *c, const char *file, char *out, size_t size);
