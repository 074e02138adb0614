/* process.json, which "exec --process" reads: any bytes, and what is checked of it. */
#include <stdint.h>
#include <stdlib.h>

#include "oci/caps.h"
#include "oci/process.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	yyjson_doc *doc = yyjson_read((const char *)data, len, 0);
	struct oci_process p = { 0 };
	struct err e = { 0 };
	struct caps caps;

	if (doc && oci_process_read(yyjson_doc_get_root(doc), &p, &e) < 0) {
		if (!e.text[0])
			abort();
	} else if (doc) {
		if ((caps_read(p.capabilities, true, &caps, &e) < 0 || process_check(&p, NULL, &e) < 0) &&
		    !e.text[0])
			abort();
		oci_process_free(&p);
	}
	yyjson_doc_free(doc);
	return 0;
}
