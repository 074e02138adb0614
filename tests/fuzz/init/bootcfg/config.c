/* libFuzzer: a boot configuration, in this process (the jail would only hide a crash). Seeds:
 * tests/unit/init/bootcfg/cases. Build: clang -fsanitize=fuzzer,address,undefined. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bootcfg/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = malloc(size + 1);
	autobuf struct buf answer = { 0 };
	struct config_text in = { .file = "fuzz", .text = text, .len = size };
	yyjson_doc *doc;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (config_read(&in, &answer, NULL) < 0)
		return 0;
	/* Whatever came in, what goes out is JSON. */
	doc = yyjson_read(buf_text(&answer), answer.len, 0);
	if (!doc)
		abort();
	yyjson_doc_free(doc);
	return 0;
}
