/* Signatures in minisign's format (jedisct1.github.io/minisign, "Signature format"), so that the
 * stock tool signs and verifies: Ed25519 over the data ("Ed") or over its BLAKE2b-512 ("ED"), and
 * a trusted comment that a second signature holds.
 *
 * The text of a signature is not trusted: its lines are bounded and have one shape. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	KEYS_MAX = 8,
	SIGNATURE_TEXT_MAX = 2048,
	SIGNATURE_COMMENT_MAX = 512,
	KEY_ID_BYTES = 8,
	KEY_ID_TEXT_MAX = 17,
};

struct key {
	uint8_t id[KEY_ID_BYTES];
	uint8_t ed25519[32];
};

struct keyring {
	struct key keys[KEYS_MAX];
	size_t count;
};

/* Adds the key of a minisign public key file's text. */
int keyring_add(struct keyring *k, const char *text, size_t len, struct err *e);

/* Adds every *.pub file of the directory. A file that is no key is an error; no key at all too. */
int keyring_load(struct keyring *k, const char *directory, struct err *e);

struct signature {
	char algorithm; /* 'd': of the data; 'D': of its hash */
	uint8_t id[KEY_ID_BYTES];
	uint8_t bytes[64];
	char comment[SIGNATURE_COMMENT_MAX]; /* trusted once signature_check says so */
	uint8_t comment_bytes[64];
};

int signature_parse(const char *text, size_t len, struct signature *out, struct err *e);

/* 0 when one of the keys made it over exactly this data, and over its comment. -ENOKEY: none of the
 * keys has its number; -EKEYREJECTED: it does not hold. */
int signature_check(const struct signature *s, const struct keyring *k, const void *data,
		    size_t len, struct err *e);

/* As minisign prints it: 16 hex digits. Returns `out`. */
char *key_id_text(const uint8_t id[KEY_ID_BYTES], char out[KEY_ID_TEXT_MAX]);
