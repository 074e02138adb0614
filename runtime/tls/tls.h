/* api-tls: Docker's API over TCP for clients that have a certificate (docker --tlsverify). One
 * process a connection; it is nobody, jailed, and has no way to the engine until its client is
 * known.
 * Source: docker's "Protect the Docker daemon socket"; RFC 8446 and 5246 by mbedTLS. */
#pragma once

#include <mbedtls/ssl.h>
#include <stdint.h>

#include "base/err.h"

/* berth.api of the configuration, as bootcfg writes it. Owned: settings_free. */
struct settings {
	uint16_t port;
	char *client_ca_certs, *certificate, *key; /* PEM */
};

/* -ENOENT: none is configured, which is no error. */
int settings_read(const char *path, struct settings *out, struct err *e);
void settings_free(struct settings *s);

/* ---- identity.c: who we are, and whom we believe ---- */
struct identity {
	mbedtls_ssl_config ssl;
	mbedtls_x509_crt authorities, certificate;
	mbedtls_pk_context key;
};

/* 0, or -EINVAL with a sentence that names the key of the configuration. */
int identity_make(const struct settings *s, struct identity *out, struct err *e);
void identity_free(struct identity *id);

/* mbedTLS's code as a sentence. */
int tls_error(struct err *e, int code, const char *what);

/* ---- session.c: the child's life ---- */

/* What a session says to the process that holds the way to the engine, a packet each:
 * SESSION_KNOWN, which is answered with a connection to the engine (SCM_RIGHTS); or the sentence
 * why the client was refused. */
#define SESSION_KNOWN "\n"
enum { SESSION_SENTENCE_MAX = 256 };

/* Owns nothing: the process ends after it. `client` and `parent` are fds of ours. */
void session_run(const struct identity *id, int client, int parent);

/* ---- relay.c ---- */

/* Copies both ways until both ends are through; a half that is closed (close_notify, shutdown) is
 * passed on. */
void relay(mbedtls_ssl_context *ssl, int client, int engine);
