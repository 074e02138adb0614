/* libFuzzer: a boot configuration. Seeds: tests/unit/init/bootcfg/cases. */
#include "answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	yyjson_doc_free(answer_of(data, size, NULL));
	return 0;
}
