/* Indexes, manifests, image configs: any bytes. */
#include <stdint.h>
#include <stdlib.h>

#include "image/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	struct manifest manifest;
	struct index index;
	struct diff_ids ids;
	struct err e;

	document_kind(text, len);
	if (manifest_parse(&manifest, text, len, &e) == 0)
		manifest_free(&manifest);
	if (index_parse(&index, text, len, &e) == 0) {
		index_pick(&index, "linux/amd64");
		index_free(&index);
	}
	if (diff_ids_parse(&ids, text, len, &e) == 0)
		diff_ids_free(&ids);
	return 0;
}
