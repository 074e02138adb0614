/* --change of commit and import. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/instructions.h"
#include "base/cleanup.h"

static const struct {
	const char *before, *line, *after; /* after "!": the sentence */
} rows[] = {
	{ "{}", "CMD [\"a\", \"b\"]", "{\"Cmd\":[\"a\",\"b\"]}" },
	{ "{}", "cmd a b", "{\"Cmd\":[\"/bin/sh\",\"-c\",\"a b\"]}" },
	{ "{\"Entrypoint\":[\"x\"]}", "ENTRYPOINT []", "{\"Entrypoint\":[]}" },
	{ "{\"Env\":[\"A=1\",\"B=2\"]}", "ENV A=3 C='x y' D=\"q\\\"\"",
	  "{\"Env\":[\"A=3\",\"B=2\",\"C=x y\",\"D=q\\\"\"]}" },
	{ "{}", "ENV A one  two", "{\"Env\":[\"A=one  two\"]}" },
	{ "{}", "ENV A", "!ENV must have two arguments" },
	{ "{}", "ENV A=1 B", "!can't find = in \"B\"" },
	{ "{}", "LABEL a=b \"c d\"=e", "{\"Labels\":{\"a\":\"b\",\"c d\":\"e\"}}" },
	{ "{}", "EXPOSE 80 53/udp", "{\"ExposedPorts\":{\"80/tcp\":{},\"53/udp\":{}}}" },
	{ "{}", "EXPOSE 0", "!invalid containerPort: 0" },
	{ "{}", "EXPOSE 80/ftp", "!invalid containerPort: 80/ftp" },
	{ "{}", "VOLUME /a /b", "{\"Volumes\":{\"/a\":{},\"/b\":{}}}" },
	{ "{}", "VOLUME [\"/a b\"]", "{\"Volumes\":{\"/a b\":{}}}" },
	{ "{}", "USER 1:2", "{\"User\":\"1:2\"}" },
	{ "{}", "USER a b", "!USER requires exactly one argument" },
	{ "{}", "STOPSIGNAL SIGINT", "{\"StopSignal\":\"SIGINT\"}" },
	{ "{\"WorkingDir\":\"/a\"}", "WORKDIR b", "{\"WorkingDir\":\"/a/b\"}" },
	{ "{\"WorkingDir\":\"/a\"}", "WORKDIR /b", "{\"WorkingDir\":\"/b\"}" },
	{ "{}", "ONBUILD RUN x", "{\"OnBuild\":[\"RUN x\"]}" },
	{ "{}", "HEALTHCHECK NONE", "{\"Healthcheck\":{\"Test\":[\"NONE\"]}}" },
	{ "{}", "HEALTHCHECK --interval=1m30s --retries=2 CMD x y",
	  "{\"Healthcheck\":{\"Interval\":90000000000,\"Retries\":2,\"Test\":[\"CMD-SHELL\",\"x y\"]}}" },
	{ "{}", "HEALTHCHECK CMD [\"x\"]", "{\"Healthcheck\":{\"Test\":[\"CMD\",\"x\"]}}" },
	{ "{}", "HEALTHCHECK --interval=soon CMD x", "!is no option of it" },
	{ "{}", "HEALTHCHECK x", "!Unknown type" },
	{ "{}", "RUN x", "!RUN is not a valid change command" },
	{ "{}", "", "! is not a valid change command" },
};

static void applies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		yyjson_doc *before = yyjson_read(rows[i].before, strlen(rows[i].before), 0);
		yyjson_mut_doc *doc = yyjson_doc_mut_copy(before, NULL);
		struct err e = { 0 };
		int rc = instruction_apply(doc, yyjson_mut_doc_get_root(doc), rows[i].line, &e);
		autofree char *text = yyjson_mut_write(doc, 0, NULL);

		if (*rows[i].after == '!') {
			assert_int_equal(rc, -EINVAL);
			if (!strstr(e.text, rows[i].after + 1))
				fail_msg("%s: %s", rows[i].line, e.text);
		} else {
			assert_int_equal(rc, 0);
			assert_string_equal(text, rows[i].after);
		}
		yyjson_mut_doc_free(doc);
		yyjson_doc_free(before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(applies) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
