/* The channel's text: signed, and never older than the last one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "update/channel.h"
#include "update/store.h"

#include "shell.h"

static char work[64];

static int make_keys(void **unused)
{
	(void)unused;
	strcpy(work, "/tmp/berth-channel-XXXXXX");
	if (!mkdtemp(work))
		return -1;
	shell("image-build/bundle/make-keys %s/keys >/dev/null", work);
	return 0;
}

static int clean(void **unused)
{
	(void)unused;
	return path_remove_tree(AT_FDCWD, work, NULL);
}

#define UNTIL_BYTES "{\"format\":\"berth-channel-1\",\"channel\":\"stable\",\"serial\":7," \
	     "\"version\":\"1.2+a\"," \
	     "\"digest\":\"abc0\",\"bundle\":\"berth-1.2+a.bundle\",\"bytes\":4096"
#define GOOD UNTIL_BYTES "}"
#define ROLLOUT(begin, seconds) \
	UNTIL_BYTES ",\"rollout\":{\"begin\":" begin ",\"seconds\":" seconds "}}"

static int open_text(const char *text, struct channel *out, struct err *e)
{
	autobuf struct buf signature = { 0 };
	struct keyring keys = { 0 };
	char path[128];

	snprintf(path, sizeof(path), "%s/text", work);
	assert_int_equal(file_replace_at(AT_FDCWD, path, text, strlen(text), 0600, NULL), 0);
	shell("cd %s && minisign -SWm text -s keys/signing.sec >/dev/null", work);
	snprintf(path, sizeof(path), "%s/text.minisig", work);
	assert_int_equal(file_read_at(AT_FDCWD, path, 4096, &signature, NULL), 0);
	snprintf(path, sizeof(path), "%s/keys", work);
	assert_int_equal(keyring_load(&keys, path, NULL), 0);
	return channel_open_texts(text, strlen(text), buf_text(&signature), signature.len, &keys,
				  "https://host/dir/stable.json", out, e);
}

static void test_a_channel_names_its_newest_version(void **unused)
{
	struct channel c;
	struct err e = { "" };

	(void)unused;
	assert_int_equal(open_text(GOOD, &c, &e), 0);
	assert_string_equal(c.name, "stable");
	assert_string_equal(c.version, "1.2+a");
	assert_string_equal(c.bundle, "https://host/dir/berth-1.2+a.bundle");
	assert_int_equal(c.serial, 7);
	assert_int_equal(c.bytes, 4096);
	assert_int_equal(c.rollout.length_s, 0);
	assert_int_equal(open_text(ROLLOUT("1795500000", "86400"), &c, &e), 0);
	assert_int_equal(c.rollout.begin_s, 1795500000);
	assert_int_equal(c.rollout.length_s, 86400);
}

static void test_texts_that_are_no_channel(void **unused)
{
	static const char *const texts[] = {
		"", "[]", "{}", "{\"format\":\"berth-channel-2\"}",
		"{\"format\":\"berth-channel-1\",\"channel\":\"../x\",\"serial\":7,\"version\":\"1\","
		"\"digest\":\"a\",\"bundle\":\"b\",\"bytes\":1}",
		"{\"format\":\"berth-channel-1\",\"channel\":\"x\",\"serial\":7,\"version\":\"1\","
		"\"digest\":\"a\",\"bundle\":\"http://elsewhere/b\",\"bytes\":1}",
		"{\"format\":\"berth-channel-1\",\"channel\":\"x\",\"serial\":-7,\"version\":\"1\","
		"\"digest\":\"a\",\"bundle\":\"b\",\"bytes\":1}",
		ROLLOUT("0", "1"), ROLLOUT("-1", "1"), ROLLOUT("1", "31622401"), ROLLOUT("1", "1.5"),
		ROLLOUT("18446744073709551615", "1"), UNTIL_BYTES ",\"rollout\":7}",
	};
	struct channel c;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct err e = { "" };

		assert_int_equal(open_text(texts[i], &c, &e), -EBADMSG);
		assert_non_null(strstr(e.text, "not in the format \"berth-channel-1\""));
	}
}

static void test_a_replayed_text_is_refused(void **unused)
{
	autoclose int store = store_open(work, NULL);
	struct channel c = { .name = "stable", .serial = 7 }, other = { .name = "next", .serial = 1 };
	struct err e = { "" };

	(void)unused;
	assert_int_equal(channel_check_serial(store, &c, &e), 0);
	assert_int_equal(channel_check_serial(store, &c, &e), 0);
	assert_int_equal(channel_check_serial(store, &other, &e), 0);
	c.serial = 9;
	assert_int_equal(channel_check_serial(store, &c, &e), 0);
	c.serial = 8;
	assert_int_equal(channel_check_serial(store, &c, &e), -EPERM);
	assert_non_null(strstr(e.text, "older than one that was seen before (number 8 after 9)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_channel_names_its_newest_version),
		cmocka_unit_test(test_texts_that_are_no_channel),
		cmocka_unit_test(test_a_replayed_text_is_refused),
	};

	return cmocka_run_group_tests(tests, make_keys, clean);
}
