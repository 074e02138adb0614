/* SHA-256 (FIPS 180-4), incremental. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
	SHA256_SIZE = 32,
	SHA256_HEX_MAX = 65, /* 64 digits and the NUL */
};

struct sha256 {
	uint32_t state[8];
	uint64_t len_bytes;
	unsigned char block[64];
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t len);

/* Ends the sum; `s` must be initialised again before it is used again. */
void sha256_end(struct sha256 *s, unsigned char out[SHA256_SIZE]);

/* As sha256_end, as lower-case hex. Returns `out`. */
char *sha256_end_hex(struct sha256 *s, char out[SHA256_HEX_MAX]);
char *sha256_hex(const void *data, size_t len, char out[SHA256_HEX_MAX]);
