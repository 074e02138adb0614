#include "update/manifest.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#define FORMAT "berth-bundle-1"

static int fault(struct err *e, const char *key)
{
	return err_set(e, -EBADMSG, "the manifest's \"%s\" is missing or not what it may be", key);
}

static int get_text(yyjson_val *from, const char *key, char out[MANIFEST_TEXT_MAX], struct err *e)
{
	yyjson_val *v = yyjson_obj_get(from, key);
	size_t len = yyjson_get_len(v);

	if (!yyjson_is_str(v) || !len || len >= MANIFEST_TEXT_MAX)
		return fault(e, key);
	for (size_t i = 0; i < len; i++) /* it is shown on terminals */
		if (yyjson_get_str(v)[i] <= ' ' || yyjson_get_str(v)[i] > '~')
			return fault(e, key);
	memcpy(out, yyjson_get_str(v), len + 1);
	return 0;
}

static int get_number(yyjson_val *from, const char *key, uint64_t max, uint64_t *out, struct err *e)
{
	yyjson_val *v = yyjson_obj_get(from, key);

	if (!yyjson_is_uint(v) || yyjson_get_uint(v) > max)
		return fault(e, key);
	*out = yyjson_get_uint(v);
	return 0;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* Returns the count of bytes, or -1. */
static int from_hex(yyjson_val *v, uint8_t *out, size_t room)
{
	const char *text = yyjson_get_str(v);
	size_t len = yyjson_get_len(v);

	if (!yyjson_is_str(v) || len % 2 || len / 2 > room)
		return -1;
	for (size_t i = 0; i < len / 2; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return (int)(len / 2);
}

static int get_sha256(yyjson_val *from, const char *key, uint8_t out[SHA256_SIZE], struct err *e)
{
	return from_hex(yyjson_obj_get(from, key), out, SHA256_SIZE) == SHA256_SIZE ? 0 : fault(e, key);
}

uint32_t image_chunk_bytes(const struct image *image, uint32_t i)
{
	uint64_t left = image->bytes - (uint64_t)i * CHUNK_BYTES;

	return left < CHUNK_BYTES ? (uint32_t)left : CHUNK_BYTES;
}

/* ["chunks"]: pairs of stored size and digest, flat: [262144, "ab...", 1200, "cd...", ...]. */
static int get_chunks(yyjson_val *from, struct image *out, struct err *e)
{
	yyjson_val *list = yyjson_obj_get(from, "chunks"), *each;
	size_t i, count;

	if (yyjson_arr_size(list) != 2 * (size_t)out->chunk_count)
		return fault(e, "chunks");
	out->chunks = calloc(out->chunk_count, sizeof(*out->chunks));
	if (!out->chunks)
		return err_set(e, -ENOMEM, "read the manifest: out of memory");
	yyjson_arr_foreach(list, i, count, each) {
		struct chunk *c = &out->chunks[i / 2];

		if (i % 2) {
			if (from_hex(each, c->sha256, sizeof(c->sha256)) != SHA256_SIZE)
				return fault(e, "chunks");
			continue;
		}
		if (!yyjson_is_uint(each) || !yyjson_get_uint(each) ||
		    yyjson_get_uint(each) > image_chunk_bytes(out, (uint32_t)(i / 2)))
			return fault(e, "chunks");
		c->stored_bytes = (uint32_t)yyjson_get_uint(each);
		out->stored_bytes += c->stored_bytes;
	}
	return 0;
}

static int get_image(yyjson_val *root, const char *name, struct image *out, struct err *e)
{
	yyjson_val *from = yyjson_obj_get(root, name);
	int rc = yyjson_is_obj(from) ? 0 : fault(e, name);

	if (!rc)
		rc = get_number(from, "bytes", (uint64_t)CHUNKS_MAX * CHUNK_BYTES, &out->bytes, e);
	if (!rc && (!out->bytes || out->bytes % VERITY_BLOCK_BYTES))
		rc = fault(e, "bytes");
	if (!rc)
		rc = get_sha256(from, "sha256", out->sha256, e);
	if (rc)
		return rc;
	out->chunk_count = (uint32_t)((out->bytes + CHUNK_BYTES - 1) / CHUNK_BYTES);
	return get_chunks(from, out, e);
}

static int get_verity(yyjson_val *root, struct manifest *m, struct err *e)
{
	yyjson_val *from = yyjson_obj_get(root, "verity");
	uint64_t blocks = m->root.bytes / VERITY_BLOCK_BYTES;
	struct verity *v = &m->verity;
	struct verity_levels levels;
	int rc = get_number(from, "data_blocks", blocks, &v->data_blocks, e);
	int salt;

	if (!rc)
		rc = get_number(from, "hash_start_block", blocks, &v->hash_start_block, e);
	if (!rc)
		rc = get_sha256(from, "root_hash", v->root_hash, e);
	if (rc)
		return rc;
	salt = from_hex(yyjson_obj_get(from, "salt"), v->salt, sizeof(v->salt));
	if (salt < 0)
		return fault(e, "salt");
	v->salt_bytes = (unsigned)salt;
	/* The tree begins right behind the data and ends where the image ends: nothing is unchecked. */
	if (v->hash_start_block != v->data_blocks || verity_layout(v, &levels) < 0 || levels.end != blocks)
		return fault(e, "hash_start_block");
	return 0;
}

static int read_all(yyjson_val *root, struct manifest *m, struct err *e)
{
	uint64_t built;
	char format[MANIFEST_TEXT_MAX];
	int rc = get_text(root, "format", format, e);

	if (!rc && strcmp(format, FORMAT) != 0)
		rc = err_set(e, -EPROTONOSUPPORT, "the bundle has the format \"%s\", this version reads "
			     "\"" FORMAT "\"", format);
	if (!rc)
		rc = get_text(root, "version", m->version, e);
	if (!rc && version_check(m->version) < 0)
		rc = fault(e, "version");
	if (!rc)
		rc = get_text(root, "from", m->from, e);
	if (!rc && version_check(m->from) < 0)
		rc = fault(e, "from");
	if (!rc)
		rc = get_text(root, "arch", m->arch, e);
	if (!rc)
		rc = get_number(root, "built", INT64_MAX, &built, e);
	if (rc)
		return rc;
	m->built = (int64_t)built;
	rc = get_image(root, "boot", &m->boot, e);
	if (!rc)
		rc = get_image(root, "root", &m->root, e);
	m->root.offset = m->boot.stored_bytes;
	return rc ? rc : get_verity(root, m, e);
}

int manifest_parse(const char *text, size_t len, struct manifest *out, struct err *e)
{
	struct manifest m = { 0 };
	yyjson_doc *doc;
	int rc;

	if (len > MANIFEST_BYTES_MAX)
		return err_set(e, -EFBIG, "the manifest is larger than %d bytes", MANIFEST_BYTES_MAX);
	/* yyjson promises not to write without YYJSON_READ_INSITU. */
	doc = yyjson_read_opts((char *)(uintptr_t)text, len, 0, NULL, NULL);
	rc = yyjson_is_obj(yyjson_doc_get_root(doc)) ?
		     read_all(yyjson_doc_get_root(doc), &m, e) :
		     err_set(e, -EBADMSG, "the manifest is not a JSON object");
	yyjson_doc_free(doc);
	if (rc < 0) {
		manifest_free(&m);
		return rc;
	}
	sha256_hex(text, len, m.digest);
	*out = m;
	return 0;
}

void manifest_free(struct manifest *m)
{
	free(m->boot.chunks);
	free(m->root.chunks);
	*m = (struct manifest){ 0 };
}

/* ---- versions ---- */

int version_check(const char *text)
{
	bool digit = false;

	for (; *text && *text != '+'; text++) {
		if (*text == '.' ? !digit : !isdigit((unsigned char)*text))
			return -EINVAL;
		digit = *text != '.';
	}
	return digit ? 0 : -EINVAL;
}

int version_compare(const char *a, const char *b)
{
	while ((*a && *a != '+') || (*b && *b != '+')) {
		unsigned long long x = strtoull(a, (char **)(uintptr_t)&a, 10);
		unsigned long long y = strtoull(b, (char **)(uintptr_t)&b, 10);

		if (x != y)
			return x < y ? -1 : 1;
		a += *a == '.';
		b += *b == '.';
	}
	return 0;
}
