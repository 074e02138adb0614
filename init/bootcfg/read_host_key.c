/* An OpenSSH private key file with an unencrypted Ed25519 key (openssh/PROTOCOL.key), as the key
 * file that dropbear reads: string "ssh-ed25519", string of seed and public key. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/base64.h"
#include "bootcfg/read.h"

enum { KEY_FILE_MAX = 4096, PUBLIC_BYTES = 32, PRIVATE_BYTES = 64 };

static const char begin[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
static const char end[] = "-----END OPENSSH PRIVATE KEY-----";
static const char magic[] = "openssh-key-v1"; /* with its NUL */
static const char type_name[] = "ssh-ed25519";

/* What is left to read. */
struct bytes {
	const unsigned char *at;
	size_t left;
};

static bool take(struct bytes *b, size_t len, const unsigned char **out)
{
	if (b->left < len)
		return false;
	*out = b->at;
	b->at += len;
	b->left -= len;
	return true;
}

/* RFC 4251, section 5: a length of four bytes, and as many bytes. */
static bool take_string(struct bytes *b, struct bytes *out)
{
	const unsigned char *len;

	if (!take(b, 4, &len))
		return false;
	out->left = (size_t)len[0] << 24 | (size_t)len[1] << 16 | (size_t)len[2] << 8 | len[3];
	return take(b, out->left, &out->at);
}

static bool is_text(const struct bytes *b, const char *text)
{
	return b->left == strlen(text) && memcmp(b->at, text, b->left) == 0;
}

/* The 64 bytes of the private half, whose second half is the public one. */
static const char *find_key(struct bytes b, const unsigned char **private)
{
	struct bytes cipher, kdf, options, public, secret, name, key;
	const unsigned char *skipped, *count;

	if (!take(&b, sizeof(magic), &skipped) || memcmp(skipped, magic, sizeof(magic)) != 0 ||
	    !take_string(&b, &cipher) || !take_string(&b, &kdf) || !take_string(&b, &options))
		return "it is damaged";
	if (!is_text(&cipher, "none"))
		return "it is encrypted; a machine that boots alone cannot ask for its password";
	if (!take(&b, 4, &count) || count[3] != 1 || !take_string(&b, &public) ||
	    !take_string(&b, &secret) || !take(&secret, 8, &skipped) ||
	    memcmp(skipped, skipped + 4, 4) != 0 || !take_string(&secret, &name))
		return "it is damaged";
	if (!is_text(&name, type_name))
		return "it is no Ed25519 key";
	if (!take_string(&secret, &public) || public.left != PUBLIC_BYTES ||
	    !take_string(&secret, &key) || key.left != PRIVATE_BYTES ||
	    memcmp(key.at + 32, public.at, PUBLIC_BYTES) != 0)
		return "it is damaged";
	*private = key.at;
	return NULL;
}

static void add_string(struct buf *out, const void *data, size_t len)
{
	const unsigned char bytes[4] = { 0, 0, 0, (unsigned char)len };

	buf_add(out, bytes, sizeof(bytes));
	buf_add(out, data, len);
}

static yyjson_mut_val *key_json(struct walk *w, const unsigned char *private)
{
	autobuf struct buf file = { 0 }, blob = { 0 }, file64 = { 0 }, blob64 = { 0 };
	yyjson_mut_val *o = yyjson_mut_obj(w->doc);

	add_string(&file, type_name, sizeof(type_name) - 1);
	add_string(&file, private, PRIVATE_BYTES);
	add_string(&blob, type_name, sizeof(type_name) - 1);
	add_string(&blob, private + 32, PUBLIC_BYTES);
	base64_encode(file.data, file.len, &file64);
	base64_encode(blob.data, blob.len, &blob64);
	yyjson_mut_obj_add_strcpy(w->doc, o, "dropbear_base64", buf_text(&file64));
	yyjson_mut_obj_add_strcpy(w->doc, o, "public", buf_text(&blob64));
	return o;
}

yyjson_mut_val *read_host_key(struct walk *w, const struct type *t, const struct node *n,
			      struct err *why)
{
	const char *first = strstr(n->text, begin), *last = first ? strstr(first, end) : NULL;
	unsigned char bytes[KEY_FILE_MAX];
	const unsigned char *private = NULL;
	const char *reason;
	size_t len = 0;

	(void)t;
	if (!last) {
		err_set(why, -EINVAL, "its first or its last line is missing");
		return NULL;
	}
	first += sizeof(begin) - 1;
	if (base64_decode(first, (size_t)(last - first), bytes, sizeof(bytes), &len) < 0) {
		err_set(why, -EINVAL, "it is damaged");
		return NULL;
	}
	reason = find_key((struct bytes){ bytes, len }, &private);
	if (!reason)
		return key_json(w, private);
	err_set(why, -EINVAL, "%s", reason);
	return NULL;
}
