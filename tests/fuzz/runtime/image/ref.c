/* References: whatever is accepted is read back as the same, in both of its written forms. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/ref.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(const struct ref *ref, const char *text)
{
	struct ref back;

	if (ref_parse(&back, text, NULL) < 0 || memcmp(ref, &back, sizeof(back)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = strndup((const char *)data, len), written[REF_TEXT_MAX];
	struct err e;
	struct ref ref;

	if (ref_parse(&ref, text, &e) == 0) {
		check(&ref, ref_full(&ref, written));
		check(&ref, ref_familiar(&ref, written));
	}
	free(text);
	return 0;
}
