/* Credentials for registries, kept as docker's CLI keeps them ($DOCKER_CONFIG/config.json, or
 * ~/.docker/config.json), and the header that takes them to the engine. */
#pragma once

#include "base/buf.h"

/* "docker.io", "localhost:5000": the registry that an image's name leads to. Returns `out`. */
enum { LOGIN_HOST_MAX = 256 };
char *login_registry(const char *image, char out[LOGIN_HOST_MAX]);

/* Appends "X-Registry-Auth: ...\r\n" for that image, of nobody if there is no login. */
void login_header(struct buf *out, const char *image);

void base64url_add(struct buf *out, const char *data, size_t len);
