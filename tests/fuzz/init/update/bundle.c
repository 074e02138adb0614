/* The texts of a bundle, also those that a bad signature keeps the product from reading: head,
 * signature, key, manifest. What a manifest promises about itself must hold. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "update/bundle.h"

static void check_image(const struct image *image)
{
	uint64_t bytes = 0, stored = 0;

	for (uint32_t i = 0; i < image->chunk_count; i++) {
		bytes += image_chunk_bytes(image, i);
		stored += image->chunks[i].stored_bytes;
		if (image->chunks[i].stored_bytes > image_chunk_bytes(image, i))
			abort();
	}
	if (bytes != image->bytes || stored != image->stored_bytes || !bytes)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct keyring keys = { 0 };
	struct manifest m = { 0 };
	struct signature s;
	struct bundle_head h;
	struct err e = { "" };
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (size >= BUNDLE_HEAD_BYTES && bundle_head_parse(text, &h, &e) == 0 &&
	    bundle_payload_offset(&h) % BUNDLE_ALIGN)
		abort();
	keyring_add(&keys, text, size, &e);
	if (signature_parse(text, size, &s, &e) == 0)
		signature_check(&s, &keys, data, size, &e);
	if (manifest_parse(text, size, &m, &e) == 0) {
		check_image(&m.boot);
		check_image(&m.root);
	}
	manifest_free(&m);
	free(text);
	return 0;
}
