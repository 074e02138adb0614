/* config.json: any bytes. What is read is written, and read again as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "spec/oci.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static char *write_spec(const struct oci_spec *spec)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	char *text;

	yyjson_mut_doc_set_root(doc, oci_spec_write(spec, doc));
	text = yyjson_mut_write(doc, YYJSON_WRITE_ALLOW_INVALID_UNICODE, NULL);
	yyjson_mut_doc_free(doc);
	return text;
}

/* Reads `text`; NULL if it is refused, else how it is written. */
static char *again(const char *text, size_t len)
{
	yyjson_doc *doc = yyjson_read(text, len, 0);
	autooci struct oci_spec spec = { 0 };
	autoseccomp struct oci_seccomp seccomp = { 0 };
	struct err e = { 0 };
	char *written = NULL;

	if (doc && !oci_spec_read(yyjson_doc_get_root(doc), &spec, &e)) {
		written = write_spec(&spec);
		if (spec.linux_ && spec.linux_->seccomp)
			oci_seccomp_read(spec.linux_->seccomp, &seccomp, &e);
	} else if (doc && !e.text[0]) {
		abort(); /* refused without a word */
	}
	yyjson_doc_free(doc);
	return written;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	autofree char *first = again((const char *)data, len);
	autofree char *second = first ? again(first, strlen(first)) : NULL;

	if (first && (!second || strcmp(first, second) != 0))
		abort();
	return 0;
}
