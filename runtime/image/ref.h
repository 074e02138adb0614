/* Image references, as docker reads and writes them (distribution/reference): "nginx",
 * "redis:7", "registry.example:5000/team/app@sha256:...". A parsed reference is always in full:
 * the registry and "library/" are filled in, and "latest" when there is neither tag nor digest. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

enum {
	REF_NAME_MAX = 256,            /* domain and path together, with the NUL */
	REF_TAG_MAX = 129,
	REF_DIGEST_MAX = 72,           /* "sha256:", 64 hex digits, NUL */
	REF_TEXT_MAX = 2 * REF_NAME_MAX + REF_TAG_MAX + REF_DIGEST_MAX,
};

struct ref {
	char domain[REF_NAME_MAX];     /* "docker.io", "localhost", "registry.example:5000" */
	char path[REF_NAME_MAX];       /* "library/nginx" */
	char tag[REF_TAG_MAX];         /* "" only when there is a digest */
	char digest[REF_DIGEST_MAX];   /* "sha256:HEX" or "" */
};

/* 0, or -EINVAL and a sentence that quotes the text and says what a reference looks like. */
int ref_parse(struct ref *out, const char *text, struct err *e);

/* "docker.io/library/nginx:latest": what stores hold. Returns `out`. */
char *ref_full(const struct ref *ref, char out[REF_TEXT_MAX]);

/* "nginx:latest": what people are shown. Returns `out`. */
char *ref_familiar(const struct ref *ref, char out[REF_TEXT_MAX]);

/* "sha256:" and 64 lower-case hex digits; nothing else is a digest to us. */
bool digest_valid(const char *text);
const char *digest_hex(const char *digest); /* past "sha256:" */
