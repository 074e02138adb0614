/* Where the configuration comes from: the first source that has one, in the order of the table
 * in source.c. Local ones first; those on the network are asked in a second stage (README.md). */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "bootcfg/fault.h"

struct source {
	const char *kind;       /* "cmdline", "nocloud", "ec2" ... "default", "none" */
	char where[160];        /* "/dev/vdb", an address: for people */
	const char *file;       /* the name in faults: "user-data" */
	size_t row;             /* of the table of sources */
	bool pending;           /* it is on the network and has not been asked yet */
	bool openstack_network; /* `network` is OpenStack's JSON, not netplan's YAML */
	struct buf user_data;   /* as the source gave it: perhaps packed (parts.h) */
	struct buf vendor_data; /* the provider's, under the user's */
	struct buf meta_data;   /* YAML, keys of schema_meta; empty if there is none */
	struct buf network;     /* network-config or network_data.json */
	struct buf notes;       /* lines for people: what is there and not done */
};

void source_free(struct source *s);

/* Fills `out` without the network; what a source had but could not give is told in `faults`. Always
 * succeeds: with nothing anywhere, the kind is "none" and the text empty. A source on the network
 * comes back `pending`. */
void source_find(struct source *out, struct faults *faults);

/* The second stage: asks the pending source, which takes its time. One without a user-data
 * leaves that to the sources after it. 0, or -errno with `e`: it has no answer. */
int source_fetch(struct source *s, struct faults *faults, struct err *e);

/* The image's default, for when the one that was found is of no use. 0 or -errno. */
int source_default(struct source *out, struct err *e);

/* ---- the sources ----
 * 1: it has a configuration; 0: it has none; -errno with `e`: it should have and is broken. */
typedef int source_fn(struct source *out, struct err *e);

source_fn source_cmdline, source_cmdline_url; /* source_cmdline.c */
source_fn source_fwcfg;                       /* source_fwcfg.c */
source_fn source_nocloud, source_configdrive; /* source_disk.c */
source_fn source_esp;
source_fn source_seed_url;                    /* source_seed.c */
source_fn source_vmware;                      /* source_vmware.c */
source_fn source_cloud;                       /* source_cloud.c */

/* What asks a pending source. */
typedef int source_fetch_fn(struct source *s, struct err *e);
source_fetch_fn source_fetch_url, source_fetch_seed, source_fetch_cloud;

/* "ds=nocloud;s=http://...;h=HOST;i=ID". As a source. */
struct dmi;
int seed_parse(const char *text, const struct dmi *dmi, struct source *out, struct err *e);

/* Appends the value of NAME=VALUE (quoted or not) in a kernel command line. False: not there. */
bool cmdline_value(const char *cmdline, const char *name, struct buf *out);

/* The text of berth.config= in a kernel command line. As a source. */
int cmdline_config(const char *cmdline, struct buf *out, struct err *e);

/* /proc/cmdline. 0 or -errno. */
int cmdline_read(struct buf *out, struct err *e);
