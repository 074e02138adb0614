/* Makes the machine what the configuration says. Every boot, so everything here may find its own
 * work already done. What cannot be done is a fault; the rest goes on. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <yyjson.h>

#include "base/buf.h"
#include "base/err.h"
#include "bootcfg/fault.h"

struct apply {
	int root;              /* fd of "/", or of a folder that plays its part in a test */
	bool live;             /* it is this machine: the kernel's host name is set too */
	yyjson_mut_val *config;
	struct faults *faults;
	bool new_host_key;     /* out: apply_host_key has put another one in place */
};

/* ---- apply_users.c ---- */
void apply_ssh_keys(struct apply *a); /* root's */
void apply_users(struct apply *a);

/* ---- apply_host.c ---- */
void apply_hostname(struct apply *a);
void apply_timezone(struct apply *a);
void apply_ca_certs(struct apply *a);
void apply_proxy(struct apply *a);
void apply_sysctl(struct apply *a);
void apply_host_key(struct apply *a);
void apply_watchdog(struct apply *a);
void apply_log(struct apply *a); /* logsend/settings.h; without a server PID 1 leaves it off */

/* ---- apply_files.c ---- */
void apply_files(struct apply *a);    /* write_files, without those that are deferred */
void apply_deferred(struct apply *a); /* those */
void apply_container_files(struct apply *a); /* configs and secrets of containers */

/* ---- apply.c ---- */

/* Replaces `dir`/`name` inside the root; makes its folder. For apply_*.c. */
int apply_text(struct apply *a, const char *dir, mode_t dir_mode, const char *name,
	       const struct buf *text, mode_t mode, struct err *e);

void apply_ntp(struct apply *a);
void apply_stages(struct apply *a); /* what is left for later in the boot (stage.h) */

/* Last, because it shows the faults of all others: the text of an SSH login, /run/berth/motd. */
void apply_motd(struct apply *a);
