#include "spec_rows.h"

#include <dirent.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oci/filter.h"

#define RULE(a) "\"syscalls\":[{\"names\":[\"mkdir\"]," a "}]"

/* A profile without its braces and the sentence; NULL: it compiles. */
static const struct {
	const char *profile, *error;
	unsigned int flags;
} rows[] = {
	{ "\"defaultAction\":\"SCMP_ACT_ALLOW\"", NULL, 0 },
	{ "\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38," RULE("\"action\":\"SCMP_ACT_ALLOW\""),
	  NULL, 0 },
	{ "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\","
	  "\"SECCOMP_FILTER_FLAG_TSYNC\",\"SECCOMP_FILTER_FLAG_SPEC_ALLOW\"]",
	  NULL, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/x\"," RULE("\"action\":\"SCMP_ACT_NOTIFY\""),
	  NULL, FILTER_NOTIFIES },
	{ "\"defaultAction\":\"SCMP_ACT_ALLOW\"," RULE("\"action\":\"SCMP_ACT_NOTIFY\""),
	  "needs a listenerPath", 0 },
	{ "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/x\",\"syscalls\":[{\"names\":"
	  "[\"sendmsg\"],\"action\":\"SCMP_ACT_NOTIFY\"}]",
	  "cannot be used for \"sendmsg\"", 0 },
	{ "\"defaultAction\":\"SCMP_ACT_NOTIFY\",\"listenerPath\":\"/x\"", "cannot be the default", 0 },
	{ "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerMetadata\":\"x\"", "needs a listenerPath", 0 },
	{ "\"defaultAction\":\"SCMP_ACT_ALLOW\"," RULE("\"action\":\"SCMP_ACT_LOG\",\"errnoRet\":1"),
	  "errnoRet does not go with", 0 },
	{ "\"defaultAction\":\"SCMP_ACT_ALLOW\"," RULE("\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":70000"),
	  "errnoRet 70000 is out of range", 0 },
	{ "\"defaultAction\":\"SCMP_ACT_ALLOW\"," RULE("\"action\":\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":6,"
	  "\"value\":1,\"op\":\"SCMP_CMP_EQ\"}]"), "bad argument condition", 0 },
	{ "\"defaultAction\":\"SCMP_ACT_ALLOW\"," RULE("\"action\":\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":1,"
	  "\"value\":1,\"op\":\"SCMP_CMP_XX\"}]"), "bad argument condition", 0 },
	{ "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[],\"action\":\"SCMP_ACT_KILL\"}]",
	  "names no system call", 0 },
};

static char root[] = "/tmp/test_filter.XXXXXX";

static int prepare(const char *profile, struct filter *f, struct err *e)
{
	char text[1024];
	yyjson_doc *doc;
	int rc;

	snprintf(text, sizeof(text), "{%s}", profile);
	doc = yyjson_read(text, strlen(text), 0);
	assert_non_null(doc);
	rc = filter_prepare(root, yyjson_doc_get_root(doc), f, e);
	f->listener_path = f->listener_metadata = NULL; /* the document's */
	yyjson_doc_free(doc);
	return rc;
}

/* Each profile twice: compiled, and from the cache. */
static void profiles_compile_or_say_why(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		size_t k = i / 2;
		struct filter f = { 0 };
		struct err e = { 0 };
		int rc = prepare(rows[k].profile, &f, &e);

		if (!!rc != !!rows[k].error || (rc && !strstr(e.text, rows[k].error)) ||
		    (!rc && (f.flags != rows[k].flags || !f.code.len)))
			fail_msg("%s: %d \"%s\" flags %x", rows[k].profile, rc, e.text, f.flags);
		buf_free(&f.code);
	}
}

static int count_cached(void)
{
	char path[64];
	DIR *dir;
	int count = 0;

	snprintf(path, sizeof(path), "%s/.seccomp", root);
	dir = opendir(path);
	assert_non_null(dir);
	for (struct dirent *d; (d = readdir(dir));)
		count += d->d_name[0] != '.';
	closedir(dir);
	return count;
}

static void the_cache_is_bounded(void **state)
{
	(void)state;
	for (int i = 0; i < 70; i++) {
		struct filter f = { 0 };
		char profile[128];

		snprintf(profile, sizeof(profile),
			 "\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":%d", i + 1);
		assert_int_equal(prepare(profile, &f, NULL), 0);
		buf_free(&f.code);
	}
	assert_int_equal(count_cached(), 64);
}

static int set_up(void **state)
{
	(void)state;
	return !mkdtemp(root);
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profiles_compile_or_say_why),
		cmocka_unit_test(the_cache_is_bounded),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
