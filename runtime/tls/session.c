/* One client: a handshake within its time, then the engine's answer to "known". */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <psa/crypto.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/jail.h"
#include "tls/tls.h"

enum { HANDSHAKE_MS = 10000 };

static int receive(void *arg, unsigned char *out, size_t room)
{
	ssize_t n = read(*(int *)arg, out, room);

	if (n >= 0)
		return (int)n;
	return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_READ : MBEDTLS_ERR_SSL_CONN_EOF;
}

static int send_out(void *arg, const unsigned char *data, size_t len)
{
	ssize_t n = write(*(int *)arg, data, len);

	if (n >= 0)
		return (int)n;
	return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_WRITE : MBEDTLS_ERR_SSL_CONN_EOF;
}

/* What an administrator makes of it: which of the certificates, and what is wrong with it. */
static int say_why(const mbedtls_ssl_context *ssl, int code, struct err *e)
{
	uint32_t flags = mbedtls_ssl_get_verify_result(ssl);
	char text[SESSION_SENTENCE_MAX];

	if (code == MBEDTLS_ERR_SSL_CONN_EOF)
		return err_set(e, -ECONNRESET, "it hung up during the handshake");
	if (code == MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE)
		return err_set(e, -EACCES, "it has no certificate");
	if (!flags || flags == UINT32_MAX ||
	    mbedtls_x509_crt_verify_info(text, sizeof(text), "", flags) <= 0)
		return tls_error(e, code, "TLS");
	text[strcspn(text, "\n")] = '\0';
	return err_set(e, -EACCES, "its certificate: %s", text);
}

static int shake_hands(mbedtls_ssl_context *ssl, int client, struct err *e)
{
	int64_t until = clock_boot_ms() + HANDSHAKE_MS;

	for (;;) {
		int code = mbedtls_ssl_handshake(ssl);
		int64_t left = until - clock_boot_ms();
		struct pollfd p = { client, code == MBEDTLS_ERR_SSL_WANT_WRITE ? POLLOUT : POLLIN, 0 };

		if (code == 0)
			return 0;
		if (code != MBEDTLS_ERR_SSL_WANT_READ && code != MBEDTLS_ERR_SSL_WANT_WRITE)
			return say_why(ssl, code, e);
		if (left <= 0 || poll(&p, 1, (int)left) == 0)
			return err_set(e, -ETIMEDOUT, "no handshake within %d s", HANDSHAKE_MS / 1000);
	}
}

static int ask_for_engine(int parent)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room,
			    .msg_controllen = sizeof(control.room) };
	struct cmsghdr *c;
	int fd;

	if (write(parent, SESSION_KNOWN, 1) != 1 || recvmsg(parent, &m, 0) != 1)
		return -1;
	c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static int begin(mbedtls_ssl_context *ssl, const struct identity *id, int *client, struct err *e)
{
	int code = jail_enter(JAIL_TALK, e);

	if (code < 0)
		return code;
	/* After the fork, so that no two sessions share a state of its generator. */
	if (psa_crypto_init() != PSA_SUCCESS)
		return err_set(e, -EIO, "the cryptography does not start");
	code = mbedtls_ssl_setup(ssl, &id->ssl);
	if (code)
		return tls_error(e, code, "TLS");
	mbedtls_ssl_set_bio(ssl, client, send_out, receive, NULL);
	return shake_hands(ssl, *client, e);
}

void session_run(const struct identity *id, int client, int parent)
{
	mbedtls_ssl_context ssl;
	struct err e = { "" };
	int engine;

	mbedtls_ssl_init(&ssl);
	if (begin(&ssl, id, &client, &e) < 0) {
		size_t len = strnlen(e.text, SESSION_SENTENCE_MAX - 1);

		/* Nobody who could be told if this fails. */
		(void)!write(parent, e.text, len);
	} else {
		engine = ask_for_engine(parent);
		if (engine >= 0)
			relay(&ssl, client, engine);
	}
	mbedtls_ssl_free(&ssl);
}
