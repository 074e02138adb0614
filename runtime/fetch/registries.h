/* What the boot configuration says of registries ("berth.registries" in /run/berth/config.json):
 *   [{ "host": "docker.io", "mirrors": ["https://mirror.example"], "username": ...,
 *      "password": ..., "ca_certs": "PEM", "insecure": true }]
 * and what holds without it: https, but http as well for this machine's own addresses. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "fetch/auth.h"

enum { ENDPOINTS_MAX = 16, ENDPOINT_URL_MAX = 512 };

/* A place that may have what is asked for. */
struct endpoint {
	char url[ENDPOINT_URL_MAX];  /* "https://registry-1.docker.io", no "/" at its end */
	bool plain_too;              /* http if it does not speak TLS; certificates are not checked */
	bool mirror;
	char *ca;                    /* PEM, or NULL: the machine's */
	struct credentials credentials;
};

struct endpoints {
	struct endpoint all[ENDPOINTS_MAX];
	size_t count;                /* mirrors first, the registry itself last */
};

/* The places for a registry ("docker.io", "localhost:5000"). `json` is the configuration's text,
 * NULL if there is none. 0 or -errno. */
int endpoints_find(const char *json, size_t len, const char *domain, struct endpoints *out,
		   struct err *e);
void endpoints_free(struct endpoints *all);
