/* The configuration in force may be as large as bootcfg makes one; what is for updates is found all
 * the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "update/auto_settings.h"
#include "update/configtrial.h"
#include "update/facts.h"
#include "update/hostconfig.h"

static const size_t file_bytes[] = { 0, 2 << 20, 7 << 20 };

/* A file of so many bytes before what is looked for. */
static void make_config(const char *path, size_t bytes)
{
	autobuf struct buf text = { 0 };

	buf_adds(&text, "{\"write_files\":[{\"path\":\"/etc/large\",\"content\":\"");
	for (size_t i = 0; i < bytes; i++)
		buf_addc(&text, 'x');
	buf_adds(&text, "\"}],\"trial\":\"new\",\"digest\":\"abc\",\"berth\":{\"update\":"
			"{\"automatic\":\"reboot\",\"hold_ms\":8000,\"channel\":\"http://u/s.json\"}}}");
	assert_true(buf_ok(&text));
	assert_int_equal(file_replace_at(AT_FDCWD, path, text.data, text.len, 0600, NULL), 0);
}

static void test_of_any_size(void **unused)
{
	char path[] = "/tmp/hostconfig-test-XXXXXX";
	autoclose int fd = mkstemp(path);

	(void)unused;
	assert_true(fd >= 0);
	hostconfig_path = path;
	for (size_t i = 0; i < ARRAY_LEN(file_bytes); i++) {
		struct auto_settings autos;
		struct settings settings;
		char digest[SHA256_HEX_MAX];

		make_config(path, file_bytes[i]);
		auto_settings_read(&autos);
		assert_int_equal(autos.level, AUTO_REBOOT);
		facts_settings(&settings);
		assert_int_equal(settings.hold_ms, 8000);
		assert_string_equal(settings.channel, "http://u/s.json");
		assert_int_equal(configtrial_read(digest), CONFIG_NEW);
		assert_string_equal(digest, "abc");
	}
	unlink(path);
}

static void test_none_yet(void **unused)
{
	autobuf struct buf text = { 0 };
	struct auto_settings autos;

	(void)unused;
	hostconfig_path = "/tmp/hostconfig-test-none";
	assert_int_equal(hostconfig_read(&text, NULL), -ENOENT);
	auto_settings_read(&autos);
	assert_int_equal(autos.level, AUTO_OFF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_of_any_size), cmocka_unit_test(test_none_yet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
