/* What an image says about its containers: the "config" of an OCI (or Docker) image config.
 * Source: OCI image-spec, config.md. */
#pragma once

#include "base/err.h"
#include "spec/record.h"

/* Docker's: times in nanoseconds. */
struct image_health {
	struct string_list Test;
	int64_t Interval, Timeout, StartPeriod, StartInterval, Retries;
};

struct image_config {
	struct string_list Entrypoint, Cmd, Env; /* Env: "NAME=value" */
	char *WorkingDir, *User, *StopSignal;
	struct string_list Volumes, ExposedPorts; /* the keys: "/data", "80/tcp" */
	struct string_map Labels;
	struct image_health Healthcheck;
	struct string_list Shell; /* that CMD-SHELL means; absent: /bin/sh -c */
	char *architecture, *os; /* of the image, from beside "config" */
	char *created;		 /* RFC 3339 */
};

/* `object` is the whole image config JSON ({"architecture":..,"config":{..},"rootfs":..}). */
int image_config_from_json(yyjson_val *object, struct image_config *out, struct err *e);
void image_config_free(struct image_config *config);

#define autoimage __attribute__((cleanup(image_config_free)))
