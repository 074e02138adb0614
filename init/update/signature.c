#include "update/signature.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"

static const char untrusted[] = "untrusted comment: ";
static const char trusted[] = "trusted comment: ";

struct line {
	const char *text;
	size_t len;
};

/* The text's next line, its end (also "\r\n") taken off. */
static bool next_line(const char **p, const char *end, struct line *out)
{
	const char *stop = memchr(*p, '\n', (size_t)(end - *p));

	if (!stop)
		stop = end;
	if (*p >= end)
		return false;
	*out = (struct line){ *p, (size_t)(stop - *p) };
	if (out->len && out->text[out->len - 1] == '\r')
		out->len--;
	*p = stop < end ? stop + 1 : end;
	return true;
}

static bool begins(const struct line *l, const char *with)
{
	return l->len >= strlen(with) && !memcmp(l->text, with, strlen(with));
}

/* The line is base64 of exactly `len` bytes. */
static bool decode(const struct line *l, void *out, size_t len)
{
	size_t got;

	return sodium_base642bin(out, len, l->text, l->len, NULL, &got, NULL,
				 sodium_base64_VARIANT_ORIGINAL) == 0 && got == len;
}

int keyring_add(struct keyring *k, const char *text, size_t len, struct err *e)
{
	struct {
		char algorithm[2];
		struct key key;
	} __attribute__((packed)) wire;
	const char *p = text, *end = text + len;
	struct line comment, key;

	if (k->count == KEYS_MAX)
		return err_set(e, -E2BIG, "more than %d keys", KEYS_MAX);
	if (!next_line(&p, end, &comment) || !begins(&comment, untrusted) || !next_line(&p, end, &key) ||
	    !decode(&key, &wire, sizeof(wire)) || memcmp(wire.algorithm, "Ed", 2) != 0)
		return err_set(e, -EINVAL, "not a public key of minisign");
	k->keys[k->count++] = wire.key;
	return 0;
}

static int add_file(struct keyring *k, int dir, const char *name, struct err *e)
{
	autobuf struct buf text = { 0 };
	int rc = file_read_at(dir, name, 1024, &text, e);

	if (rc < 0)
		return rc;
	rc = keyring_add(k, buf_text(&text), text.len, e);
	if (rc < 0)
		err_prefix(e, "\"%s\"", name);
	return rc;
}

int keyring_load(struct keyring *k, const char *directory, struct err *e)
{
	autodir DIR *d = opendir(directory);
	struct dirent *entry;

	if (!d)
		return err_sys(e, "open the keys in \"%s\"", directory);
	while ((entry = readdir(d))) {
		size_t len = strlen(entry->d_name);
		int rc;

		if (len < 4 || strcmp(entry->d_name + len - 4, ".pub") != 0)
			continue;
		rc = add_file(k, dirfd(d), entry->d_name, e);
		if (rc < 0)
			return rc;
	}
	return k->count ? 0 : err_set(e, -ENOKEY, "there is no key in \"%s\"", directory);
}

int signature_parse(const char *text, size_t len, struct signature *out, struct err *e)
{
	struct {
		char algorithm[2];
		uint8_t id[KEY_ID_BYTES], bytes[64];
	} __attribute__((packed)) wire;
	const char *p = text, *end = text + len;
	struct line first, second, third, fourth;
	struct signature s = { 0 };

	if (len > SIGNATURE_TEXT_MAX || !next_line(&p, end, &first) || !begins(&first, untrusted) ||
	    !next_line(&p, end, &second) || !decode(&second, &wire, sizeof(wire)) ||
	    !next_line(&p, end, &third) || !begins(&third, trusted) ||
	    third.len - strlen(trusted) >= sizeof(s.comment) || !next_line(&p, end, &fourth) ||
	    !decode(&fourth, s.comment_bytes, sizeof(s.comment_bytes)))
		return err_set(e, -EBADMSG, "the signature is not in minisign's format");
	if (wire.algorithm[0] != 'E' || (wire.algorithm[1] != 'd' && wire.algorithm[1] != 'D'))
		return err_set(e, -EBADMSG, "the signature is of a kind that is not known");
	s.algorithm = wire.algorithm[1];
	memcpy(s.id, wire.id, sizeof(s.id));
	memcpy(s.bytes, wire.bytes, sizeof(s.bytes));
	memcpy(s.comment, third.text + strlen(trusted), third.len - strlen(trusted));
	*out = s;
	return 0;
}

/* minisign signs the signature's bytes and, right behind them, the comment's text. */
static bool comment_holds(const struct signature *s, const struct key *k)
{
	uint8_t text[sizeof(s->bytes) + SIGNATURE_COMMENT_MAX];
	size_t len = strlen(s->comment);

	memcpy(text, s->bytes, sizeof(s->bytes));
	memcpy(text + sizeof(s->bytes), s->comment, len);
	return crypto_sign_verify_detached(s->comment_bytes, text, sizeof(s->bytes) + len,
					   k->ed25519) == 0;
}

static bool data_holds(const struct signature *s, const struct key *k, const void *data, size_t len)
{
	uint8_t hash[64];

	if (s->algorithm == 'd')
		return crypto_sign_verify_detached(s->bytes, data, len, k->ed25519) == 0;
	crypto_generichash(hash, sizeof(hash), data, len, NULL, 0);
	return crypto_sign_verify_detached(s->bytes, hash, sizeof(hash), k->ed25519) == 0;
}

int signature_check(const struct signature *s, const struct keyring *k, const void *data,
		    size_t len, struct err *e)
{
	char id[KEY_ID_TEXT_MAX];
	bool known = false;

	if (sodium_init() < 0)
		return err_set(e, -EIO, "libsodium does not start");
	for (size_t i = 0; i < k->count; i++) {
		if (memcmp(k->keys[i].id, s->id, KEY_ID_BYTES) != 0)
			continue;
		known = true;
		if (data_holds(s, &k->keys[i], data, len) && comment_holds(s, &k->keys[i]))
			return 0;
	}
	if (!known)
		return err_set(e, -ENOKEY, "signed by key %s, which this machine does not know",
			       key_id_text(s->id, id));
	return err_set(e, -EKEYREJECTED, "the signature by key %s does not hold: it was made over "
		       "other data", key_id_text(s->id, id));
}

char *key_id_text(const uint8_t id[KEY_ID_BYTES], char out[KEY_ID_TEXT_MAX])
{
	for (int i = 0; i < KEY_ID_BYTES; i++) /* a little endian number */
		snprintf(out + 2 * i, 3, "%02X", id[KEY_ID_BYTES - 1 - i]);
	return out;
}
