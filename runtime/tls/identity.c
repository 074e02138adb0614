#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include <mbedtls/entropy.h>
#include <mbedtls/error.h>

#include "tls/tls.h"

int tls_error(struct err *e, int code, const char *what)
{
	char text[160];

	mbedtls_strerror(code, text, sizeof(text));
	return err_set(e, -EINVAL, "%s: %s", what, text);
}

/* The kernel's own, because a generator with a state would give every child the same numbers. */
static int kernel_random(void *arg, unsigned char *out, size_t len)
{
	(void)arg;
	while (len) {
		ssize_t n = getrandom(out, len, 0);

		if (n < 0 && errno != EINTR)
			return MBEDTLS_ERR_ENTROPY_SOURCE_FAILED;
		out += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* PEM's parser wants its final NUL counted. */
static int read_certificates(mbedtls_x509_crt *out, const char *pem, const char *what,
			     struct err *e)
{
	int code = mbedtls_x509_crt_parse(out, (const unsigned char *)pem, strlen(pem) + 1);

	if (code > 0)
		return err_set(e, -EINVAL, "%s: %d of the certificates cannot be read", what, code);
	return code < 0 ? tls_error(e, code, what) : 0;
}

static int read_own(const struct settings *s, struct identity *id, struct err *e)
{
	const unsigned char *key = (const unsigned char *)s->key;
	int code = mbedtls_pk_parse_key(&id->key, key, strlen(s->key) + 1, NULL, 0, kernel_random,
					NULL);

	if (code < 0)
		return tls_error(e, code, "berth.api.key");
	if (mbedtls_pk_check_pair(&id->certificate.pk, &id->key, kernel_random, NULL))
		return err_set(e, -EINVAL, "berth.api.key does not belong to berth.api.certificate");
	return 0;
}

static int configure(struct identity *id, struct err *e)
{
	mbedtls_ssl_config *c = &id->ssl;
	int code = mbedtls_ssl_config_defaults(c, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
					       MBEDTLS_SSL_PRESET_DEFAULT);

	if (!code)
		code = mbedtls_ssl_conf_own_cert(c, &id->certificate, &id->key);
	if (code)
		return tls_error(e, code, "berth.api");
	mbedtls_ssl_conf_rng(c, kernel_random, NULL);
	mbedtls_ssl_conf_ca_chain(c, &id->authorities, NULL);
	mbedtls_ssl_conf_authmode(c, MBEDTLS_SSL_VERIFY_REQUIRED);
	mbedtls_ssl_conf_min_tls_version(c, MBEDTLS_SSL_VERSION_TLS1_2);
	/* No session outlives its process. */
	mbedtls_ssl_conf_session_tickets(c, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
	mbedtls_ssl_conf_renegotiation(c, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
	return 0;
}

int identity_make(const struct settings *s, struct identity *out, struct err *e)
{
	int rc;

	mbedtls_ssl_config_init(&out->ssl);
	mbedtls_x509_crt_init(&out->authorities);
	mbedtls_x509_crt_init(&out->certificate);
	mbedtls_pk_init(&out->key);
	rc = read_certificates(&out->authorities, s->client_ca_certs, "berth.api.client_ca_certs", e);
	if (!rc)
		rc = read_certificates(&out->certificate, s->certificate, "berth.api.certificate", e);
	if (!rc)
		rc = read_own(s, out, e);
	if (!rc)
		rc = configure(out, e);
	if (rc < 0)
		identity_free(out);
	return rc;
}

void identity_free(struct identity *id)
{
	mbedtls_ssl_config_free(&id->ssl);
	mbedtls_pk_free(&id->key);
	mbedtls_x509_crt_free(&id->certificate);
	mbedtls_x509_crt_free(&id->authorities);
}
