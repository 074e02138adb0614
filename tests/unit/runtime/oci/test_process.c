#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/cleanup.h"
#include "oci/process.h"

#define P "\"cwd\":\"/\",\"args\":[\"x\"]"

/* A config.json's process, and the sentence; NULL: it is right. */
static const struct {
	const char *json, *error;
} rows[] = {
	{ "{" P "}", NULL },
	{ "{\"cwd\":\"/\"}", "process.args: must not be empty" },
	{ "{\"cwd\":\"/\",\"args\":[\"\"]}", "process.args: must not be empty" },
	{ "{\"cwd\":\"tmp\",\"args\":[\"x\"]}", "process.cwd: \"tmp\" is not an absolute path" },
	{ "{\"cwd\":\"\",\"args\":[\"x\"]}", "process.cwd: \"\" is not an absolute path" },
	{ "{" P ",\"env\":[\"A=1\",\"B=\"]}", NULL },
	{ "{" P ",\"env\":[\"A=1\",\"B\"]}", "process.env[1]: \"B\" is not NAME=VALUE" },
	{ "{" P ",\"env\":[\"=1\"]}", "process.env[0]: \"=1\" is not NAME=VALUE" },
	{ "{" P ",\"user\":{\"umask\":63}}", NULL },
	{ "{" P ",\"user\":{\"umask\":512}}", "process.user.umask: 512 is not 0 to 511 (0777)" },
	{ "{" P ",\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":1,\"hard\":2}]}", NULL },
	{ "{" P ",\"rlimits\":[{\"type\":\"RLIMIT_X\",\"soft\":1,\"hard\":2}]}",
	  "process.rlimits: unknown type \"RLIMIT_X\"" },
	{ "{" P ",\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":3,\"hard\":2}]}",
	  "process.rlimits: RLIMIT_CPU: soft is above hard" },
	{ "{" P ",\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":2},"
	  "{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":2}]}",
	  "process.rlimits: \"RLIMIT_CPU\" is given twice" },
	{ "{" P ",\"oomScoreAdj\":1001}", "process.oomScoreAdj: is -1000 to 1000" },
	{ "{" P ",\"scheduler\":{\"policy\":\"SCHED_BATCH\",\"nice\":5}}", NULL },
	{ "{" P ",\"scheduler\":{\"policy\":\"SCHED_ISO\"}}",
	  "process.scheduler.policy: unknown policy \"SCHED_ISO\"" },
	{ "{" P ",\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"nice\":20}}",
	  "process.scheduler.nice: 20 is not -20 to 19" },
	{ "{" P ",\"scheduler\":{\"policy\":\"SCHED_FIFO\",\"priority\":100}}",
	  "process.scheduler.priority: 100 is not 0 to 99" },
	{ "{" P ",\"scheduler\":{\"policy\":\"SCHED_RR\",\"priority\":1,\"flags\":[\"X\"]}}",
	  "process.scheduler.flags: unknown flag \"X\"" },
	{ "{" P ",\"ioPriority\":{\"class\":\"IOPRIO_CLASS_IDLE\",\"priority\":7}}", NULL },
	{ "{" P ",\"ioPriority\":{\"class\":\"IOPRIO_CLASS_NONE\",\"priority\":0}}",
	  "process.ioPriority.class: unknown class \"IOPRIO_CLASS_NONE\"" },
	{ "{" P ",\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":8}}",
	  "process.ioPriority.priority: 8 is not 0 to 7" },
	{ "{" P ",\"apparmorProfile\":\"unconfined\",\"selinuxLabel\":\"\"}", NULL },
};

static void checks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		yyjson_doc *doc = yyjson_read(rows[i].json, strlen(rows[i].json), 0);
		struct oci_process process;
		struct err e = { 0 };

		assert_non_null(doc);
		assert_int_equal(oci_process_read(yyjson_doc_get_root(doc), &process, &e), 0);
		assert_int_equal(process_check(&process, NULL, &e), rows[i].error ? -EINVAL : 0);
		assert_string_equal(e.text, rows[i].error ? rows[i].error : "");
		oci_process_free(&process);
		yyjson_doc_free(doc);
	}
}

static void personalities(void **state)
{
	static const struct {
		char *domain, *flag;
		const char *error;
	} cases[] = {
		{ "LINUX", NULL, "" },
		{ "LINUX32", NULL, "" },
		{ "BSD", NULL, "linux.personality.domain: \"BSD\" is neither LINUX nor LINUX32" },
		{ "LINUX", "X", "linux.personality.flags: unknown flag \"X\"" },
	};
	char *args[] = { "x" };
	struct oci_process process = { .cwd = "/", .args = { args, 1, true } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *flags[] = { cases[i].flag };
		struct oci_personality p = { cases[i].domain, { flags, cases[i].flag ? 1 : 0, true } };
		struct err e = { 0 };

		process_check(&process, &p, &e);
		assert_string_equal(e.text, cases[i].error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks),
		cmocka_unit_test(personalities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
