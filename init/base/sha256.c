#include "base/sha256.h"

#include <stdio.h>
#include <string.h>

static const uint32_t round_constant[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

static uint32_t load_be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t extend(uint32_t *w, int i)
{
	uint32_t a = w[(i + 1) & 15], b = w[(i + 14) & 15];

	return w[i & 15] += w[(i + 9) & 15] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) +
			    (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
}

/* One round. The eight words change places by their names (a..h at index 0..7, counted back by the
 * round's number), so that nothing is copied: unrolled by eight they are all in registers. */
#define AT(n) v[((n) - i) & 7]
static inline __attribute__((always_inline)) void round_of(uint32_t *v, int i, uint32_t input)
{
	uint32_t t1 = AT(7) + (rotate(AT(4), 6) ^ rotate(AT(4), 11) ^ rotate(AT(4), 25)) +
		      ((AT(4) & AT(5)) ^ (~AT(4) & AT(6))) + input;
	uint32_t t2 = (rotate(AT(0), 2) ^ rotate(AT(0), 13) ^ rotate(AT(0), 22)) +
		      ((AT(0) & AT(1)) ^ (AT(0) & AT(2)) ^ (AT(1) & AT(2)));

	AT(3) += t1;
	AT(7) = t1 + t2;
}
#undef AT

static void compress(uint32_t state[8], const unsigned char *block)
{
	uint32_t w[16], v[8];

	for (int i = 0; i < 16; i++)
		w[i] = load_be32(block + 4 * i);
	memcpy(v, state, sizeof(v));
	for (int i = 0; i < 64; i += 8) {
#define ROUND(k) round_of(v, k, round_constant[i + k] + (i < 16 ? w[i + k] : extend(w, i + k)))
		ROUND(0);
		ROUND(1);
		ROUND(2);
		ROUND(3);
		ROUND(4);
		ROUND(5);
		ROUND(6);
		ROUND(7);
#undef ROUND
	}
	for (int i = 0; i < 8; i++)
		state[i] += v[i];
}

void sha256_init(struct sha256 *s)
{
	static const uint32_t start[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};

	memcpy(s->state, start, sizeof(start));
	s->len_bytes = 0;
}

void sha256_add(struct sha256 *s, const void *data, size_t len)
{
	const unsigned char *p = data;
	size_t used = s->len_bytes % 64;

	s->len_bytes += len;
	if (used) {
		size_t n = len < 64 - used ? len : 64 - used;

		memcpy(s->block + used, p, n);
		p += n;
		len -= n;
		if (used + n < 64)
			return;
		compress(s->state, s->block);
	}
	for (; len >= 64; p += 64, len -= 64)
		compress(s->state, p);
	if (len)
		memcpy(s->block, p, len);
}

void sha256_end(struct sha256 *s, unsigned char out[SHA256_SIZE])
{
	unsigned char tail[72] = { 0x80 };
	uint64_t bits = s->len_bytes * 8;
	size_t pad = 64 - (s->len_bytes + 8) % 64;

	for (int i = 0; i < 8; i++)
		tail[pad + (size_t)i] = (unsigned char)(bits >> (56 - 8 * i));
	sha256_add(s, tail, pad + 8);
	for (int i = 0; i < SHA256_SIZE; i++)
		out[i] = (unsigned char)(s->state[i / 4] >> (24 - 8 * (i % 4)));
}

char *sha256_end_hex(struct sha256 *s, char out[SHA256_HEX_MAX])
{
	unsigned char sum[SHA256_SIZE];

	sha256_end(s, sum);
	for (int i = 0; i < SHA256_SIZE; i++)
		snprintf(out + 2 * i, 3, "%02x", sum[i]);
	return out;
}

char *sha256_hex(const void *data, size_t len, char out[SHA256_HEX_MAX])
{
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, data, len);
	return sha256_end_hex(&s, out);
}
