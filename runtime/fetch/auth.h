/* What a registry asks for and what the client has: credentials as docker's clients send them,
 * challenges (RFC 7235, RFC 6750, and distribution's token specification). Pure: no network. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct credentials {
	char *user, *password;
	char *identity_token;  /* an OAuth2 refresh token */
	char *registry_token;  /* sent as it is */
};

void credentials_free(struct credentials *c);

/* X-Registry-Auth: base64url of {"username", "password", "auth", "identitytoken",
 * "registrytoken"}, or the JSON itself; "" and "e30=" hold none. 0 or -EINVAL. */
int credentials_parse(const char *header, struct credentials *out, struct err *e);

enum { CHALLENGE_TEXT_MAX = 1024 };
struct challenge {
	bool basic, bearer;
	char realm[CHALLENGE_TEXT_MAX];   /* of bearer */
	char service[CHALLENGE_TEXT_MAX];
	char scope[CHALLENGE_TEXT_MAX];
};

/* One WWW-Authenticate header's value; adds to what other headers of the answer said. False: it is
 * of no scheme that we know, or damaged. */
bool challenge_parse(const char *value, struct challenge *out);

/* The address of a token: realm with service and scopes (blanks between them). 0 or -EINVAL. */
int challenge_url(const struct challenge *c, const char *scope, struct buf *out);

/* {"token": ...} or {"access_token": ...}: a copy, NULL if it has none. */
char *token_of(const char *json, size_t len);

/* base64, both alphabets, padding optional. 0 or -EINVAL. */
int base64_read(const char *text, size_t len, struct buf *out);

/* Appends text percent-encoded. */
void url_escape(struct buf *out, const char *text);
