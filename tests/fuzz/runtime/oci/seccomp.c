/* linux.seccomp: any profile is compiled or refused in a sentence, and what is compiled is whole
 * instructions. */
#include <stdint.h>
#include <stdlib.h>

#include "oci/filter_compile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
const char *__lsan_default_suppressions(void);

/* libseccomp 2.5.4 loses some of a rule that it merges into others; the command that compiles one
 * profile ends with it. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libseccomp";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	yyjson_doc *doc = yyjson_read((const char *)data, len, 0);
	struct filter filter = { 0 };
	struct err e = { 0 };

	if (doc && filter_compile(yyjson_doc_get_root(doc), &filter, &e) < 0) {
		if (!e.text[0])
			abort();
	} else if (filter.code.len % sizeof(struct sock_filter)) {
		abort();
	}
	buf_free(&filter.code);
	yyjson_doc_free(doc);
	return 0;
}
