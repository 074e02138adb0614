/* Rows of a piece of config.json and the sentence that must come of it; NULL: none. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "spec/oci.h"

struct spec_row {
	const char *json; /* members of config.json beside ociVersion */
	const char *error;
};

typedef int spec_check(const struct oci_spec *spec, struct err *e);

static inline void check_rows(const struct spec_row *rows, size_t count, spec_check *check)
{
	for (size_t i = 0; i < count; i++) {
		char text[4096];
		yyjson_doc *doc;
		struct oci_spec spec;
		struct err e = { 0 };
		int rc;

		snprintf(text, sizeof(text), "{\"ociVersion\":\"1.2.0\",%s}", rows[i].json);
		doc = yyjson_read(text, strlen(text), 0);
		if (!doc)
			fail_msg("row %zu is no JSON: %s", i, text);
		if (oci_spec_read(yyjson_doc_get_root(doc), &spec, &e) < 0)
			fail_msg("%s: %s", text, e.text);
		rc = check(&spec, &e);
		if (!!rc != !!rows[i].error || (rc && !strstr(e.text, rows[i].error)))
			fail_msg("%s: %d \"%s\"", text, rc, e.text);
		oci_spec_free(&spec);
		yyjson_doc_free(doc);
	}
}

#define CHECK_ROWS(rows, check) check_rows(rows, sizeof(rows) / sizeof((rows)[0]), check)
