/* What providers say about a machine, each in its own format, becomes one: the YAML that NoCloud's
 * meta-data is (keys of schema_meta), user-data, vendor-data and the network's text. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "bootcfg/source.h"

enum meta_format {
	META_OPENSTACK,    /* meta_data.json, and vendor_data.json */
	META_GCP,          /* instance/?recursive=true, and project/attributes/?recursive=true */
	META_AZURE,        /* metadata/instance, and the provisioning disk's ovf-env.xml */
	META_DIGITALOCEAN, /* metadata/v1.json */
	META_VULTR,        /* v1.json */
	META_HETZNER,      /* hetzner/v1/metadata (YAML); VMware's guestinfo.metadata is alike */
	META_AZURE_GOAL,   /* the wire server's goal state: see azure.c */
};

/* Reads the texts (`more`: empty if there is none) in a jailed child and puts what they say into
 * `s`. What they do not say stays as it is there. 0, or -errno with `e`: it is not what it
 * should be. */
int meta_convert(enum meta_format format, const struct buf *text, const struct buf *more,
		 struct source *s, struct err *e);

/* The same in this process, for the jailed child and for fuzzing: sections (section.h) "meta-data",
 * "user-data", "vendor-data", "network", "note". */
struct meta_input {
	enum meta_format format;
	const struct buf *text, *more;
	char now[24]; /* "2026-11-23T23:15:00", UTC: a key that has run out is left out */
};
int meta_read(const struct meta_input *in, struct buf *out, struct err *e);

/* Plain texts, for services that have one value an address. */
struct meta_facts {
	const char *hostname;    /* the part after the first dot is cut off; NULL or "": none */
	const char *instance_id;
	const char *keys;        /* lines */
};
/* Appends them as meta-data. */
void meta_write(const struct meta_facts *facts, struct buf *out);

/* ---- inside of meta*.c: one format each, in the jail ---- */
typedef int meta_fn(const struct meta_input *in, struct buf *out, struct err *e);
meta_fn meta_azure, meta_azure_goal; /* meta_azure.c */
meta_fn meta_hetzner;                /* meta_yaml.c */
