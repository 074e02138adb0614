/* The order in which the machine is taken down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "pid1/mountinfo.h"

static void collect(const char *point, const char *type, void *arg)
{
	buf_addf(arg, "%s=%s ", point, type);
}

static const struct {
	const char *text, *order;
} rows[] = {
	{ "", "" },
	{ "\n\n", "" },
	{ "rubbish\n1 2 3\n", "" },
	{ "1 0 254:0 / / ro,nosuid shared:1 - erofs /dev/dm-0 ro\n"
	  "20 1 0:20 / /run rw - tmpfs tmpfs rw\n"
	  "21 1 254:8 / /var rw shared:2 master:3 - ext4 /dev/vda8 rw\n"
	  "22 21 0:40 / /var/lib/x rw - overlay overlay rw\n",
	  "/var/lib/x=overlay /var=ext4 /run=tmpfs /=erofs " },
	/* Without a last newline; with escapes; with a second mount on the same point. */
	{ "5 1 8:1 / /a\\040b\\134c rw - ext4 d rw\n6 5 8:2 / /a\\040b\\134c rw - vfat d rw",
	  "/a b\\c=vfat /a b\\c=ext4 " },
	{ "5 1 8:1 / /a\\04 rw - ext4 d rw\n", "/a\\04=ext4 " },
	{ "5 1 8:1 / relative rw - ext4 d rw\n", "" },
	{ "5 1 8:1 / /x rw -\n7 1 8:1 / /y rw - xfs", "/y=xfs " },
};

static void backwards(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autobuf struct buf out = { 0 };
		char text[1024];

		snprintf(text, sizeof(text), "%s", rows[i].text);
		mountinfo_backwards(text, collect, &out);
		assert_string_equal(buf_text(&out), rows[i].order);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(backwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
