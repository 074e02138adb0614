/* FleetLock: what is asked, what the answers mean, and the file that outlives a power cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "update/fleetlock.h"

static const struct {
	int status;
	const char *body;
	int code;
	const char *said;
} answers[] = {
	{ 200, "", 0, "" },
	{ 204, "whatever", 0, "" },
	{ 409, "{\"kind\":\"failed_lock\",\"value\":\"all slots are taken\"}", -EAGAIN,
	  "failed_lock: all slots are taken (status 409)" },
	{ 500, "{\"kind\":\"a\\u001b[2Jb\\nc\",\"value\":\"d\"}", -EAGAIN, "a [2Jb c: d (status 500)" },
	{ 404, "{\"kind\":\"x\"}", -EAGAIN, "x:  (status 404)" },
	{ 404, "<html>not found</html>", -EAGAIN, "status 404, and its answer is not FleetLock's" },
	{ 503, "", -EAGAIN, "status 503, and its answer is not FleetLock's" },
	{ 302, "{\"kind\":7}", -EAGAIN, "status 302, and its answer is not FleetLock's" },
	{ 400, "[[[[", -EAGAIN, "status 400, and its answer is not FleetLock's" },
};

static void test_answers(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct err e = { "" };
		int rc = fleetlock_judge(answers[i].status, answers[i].body, strlen(answers[i].body), &e);

		if (rc != answers[i].code || strcmp(e.text, answers[i].said) != 0)
			fail_msg("row %zu: %d, \"%s\"", i, rc, e.text);
	}
}

static void test_a_long_answer_is_cut(void **unused)
{
	char body[8192], *end = body + sprintf(body, "{\"kind\":\"k\",\"value\":\"");
	struct err e = { "" };

	(void)unused;
	memset(end, 'v', 4000);
	strcpy(end + 4000, "\"}");
	assert_int_equal(fleetlock_judge(409, body, strlen(body), &e), -EAGAIN);
	assert_int_equal(strlen(e.text), strlen("k: ") + 200 + strlen(" (status 409)"));
}

static void test_what_is_asked(void **unused)
{
	struct fleetlock l = { .url = "https://lock.example.org", .group = "a \"b\"" };
	autobuf struct buf body = { 0 };
	char url[URL_BYTES_MAX], id[FLEETLOCK_ID_MAX], other[FLEETLOCK_ID_MAX];
	struct err e = { "" };

	(void)unused;
	assert_int_equal(fleetlock_address(&l, FLEETLOCK_TAKE, url, NULL), 0);
	assert_string_equal(url, "https://lock.example.org/v1/pre-reboot");
	strcpy(l.url, "http://lock/below/");
	assert_int_equal(fleetlock_address(&l, FLEETLOCK_GIVE_BACK, url, NULL), 0);
	assert_string_equal(url, "http://lock/below/v1/steady-state");
	memset(l.url, 'x', sizeof(l.url) - 1);
	assert_int_equal(fleetlock_address(&l, FLEETLOCK_TAKE, url, &e), -ENAMETOOLONG);
	fleetlock_body(&l, "me", &body);
	assert_string_equal(buf_text(&body),
			    "{\"client_params\":{\"id\":\"me\",\"group\":\"a \\\"b\\\"\"}}");
	fleetlock_id("0123456789abcdef0123456789abcdef", id);
	fleetlock_id("0123456789abcdef0123456789abcdee", other);
	assert_int_equal(strlen(id), 32);
	assert_string_not_equal(id, other);
}

static void test_the_file(void **unused)
{
	char folder[] = "/tmp/berth-lock-XXXXXX";
	struct fleetlock l = { "https://lock/", "g\"", "boot-1" }, back = { 0 };
	autoclose int store = -1;

	(void)unused;
	assert_non_null(mkdtemp(folder));
	store = open(folder, O_RDONLY | O_DIRECTORY);
	assert_int_equal(fleetlock_read(store, &back, NULL), -ENOENT);
	assert_int_equal(fleetlock_remove(store, NULL), 0);
	assert_int_equal(fleetlock_write(store, &l, NULL), 0);
	assert_int_equal(fleetlock_read(store, &back, NULL), 0);
	assert_memory_equal(&l, &back, sizeof(l));
	assert_int_equal(fleetlock_remove(store, NULL), 0);
	assert_int_equal(fleetlock_read(store, &back, NULL), -ENOENT);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_a_long_answer_is_cut),
		cmocka_unit_test(test_what_is_asked),
		cmocka_unit_test(test_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
