/* The body of POST /containers/create (docker's API, "ContainerConfig" and "HostConfig") as a
 * struct container_spec. A table says what becomes of each key. What is not in it and is not empty
 * (null, "", 0, false, [], {}) is refused by name: nothing that was asked for is left out in
 * silence. Pure, but for the image that it may be told about. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "spec/container.h"
#include "spec/image.h"
#include "yyjson.h"

struct body {
	struct container_spec spec;    /* free with container_spec_free */
	unsigned console_rows, console_columns;
	bool publish_all;
	bool key_said;                 /* the error names its key already */
};

/* Everything but the name, which is no part of the body. -EINVAL: it makes no sense; -ENOTSUP: it
 * does, and Berth cannot do it. The spec is to be freed in any case. */
int body_read(struct body *out, const char *json, size_t len, struct err *e);

/* -P: a host port for each that image or body expose and nobody published. */
int body_publish_all(struct body *b, const struct image_config *image);

/* ---- what its files share ---- */

typedef int body_take_fn(struct body *b, void *member, yyjson_val *value, struct err *e);

struct body_key {
	const char *name;
	body_take_fn *take;
	size_t offset;    /* of the member in what body_walk() is given */
};

/* `where` goes before a key's name in sentences: "HostConfig." */
int body_walk(struct body *b, const char *where, yyjson_val *object, const struct body_key *keys,
	      void *base, struct err *e);

/* A whole body; 0, or -EINVAL when it is no JSON, or what body_walk() says. */
int body_parse(struct body *b, const char *json, size_t len, const struct body_key *keys,
	       void *base, struct err *e);

bool body_is_empty(yyjson_val *v);
int body_size(yyjson_val *v, unsigned *rows, unsigned *columns, struct err *e); /* of a terminal */
int body_no_memory(struct err *e);
int body_replace(char **member, const char *text, struct err *e);

body_take_fn take_string, take_bool, take_int, take_strings, take_map, take_nothing;
body_take_fn take_ports, take_exposed;                             /* body_ports.c */
body_take_fn take_binds, take_mounts, take_tmpfs, take_volumes;    /* body_mounts.c */
body_take_fn take_host_config, take_restart;                       /* body_host.c */
body_take_fn take_networking;                                      /* body_network.c */
body_take_fn take_log;                                             /* body_log.c */
body_take_fn take_health;                                          /* body_health.c */
