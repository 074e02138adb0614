#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "pid1/console/menu.h"

static void root_hashes(void **state)
{
	static const struct {
		const char *text, *hash; /* NULL: nobody gets in with a password */
	} rows[] = {
		{ "root:$6$salt$hash:19000:0:99999:7:::\n", "$6$salt$hash" },
		{ "nobody:$6$a$b:1\nroot:$y$j9T$c$d:1", "$y$j9T$c$d" },
		{ "root:*:0:0:Administrator:/root:/bin/sh\n", NULL },
		{ "root:x:0:0::/root:/bin/sh\n", NULL },
		{ "root:!$6$salt$hash:1\n", NULL },
		{ "root::0:0::/root:/bin/sh\n", NULL }, /* no password is no way in */
		{ "notroot:$6$salt$hash:1\n", NULL },
		{ "root:$6$far too long for the room that the caller has for it:1\n", NULL },
		{ "root", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char hash[32] = "";

		assert_int_equal(menu_root_hash(rows[i].text, hash, sizeof(hash)), rows[i].hash != NULL);
		if (rows[i].hash)
			assert_string_equal(hash, rows[i].hash);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_hashes),
	};

	return cmocka_run_group_tests_name("menu", tests, NULL, NULL);
}
