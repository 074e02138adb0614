/* Which version left a note, and why it failed; what is no such note names nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "update/boots.h"
#include "update/device.h"
#include "update/failnote.h"
#include "update/lookback.h"

static const struct {
	const char *name, *text; /* NULL: the record below, as a gate writes it */
	int rc;
	const char *version, *reason;
} rows[] = {
	{ "a gate's record", NULL, 0, "0.2+v", "data: /var is in memory: \"gone\"" },
	{ "not JSON", "hello", -ENOENT, "", "" },
	{ "no slot", "{\"version\":\"1\"}", -ENOENT, "", "" },
	{ "a slot that nobody has", "{\"slot\":\"c\"}", -ENOENT, "", "" },
	{ "two letters", "{\"slot\":\"ba\"}", -ENOENT, "", "" },
	{ "texts that are none", "{\"slot\":\"b\",\"version\":3,\"reason\":[]}", 0, "", "" },
};

static void test_who_left_a_note(void **unused)
{
	const struct boot_record record = { .slot = 'b', .version = "0.2+v", .outcome = "failed",
					    .reason = "data: /var is in memory: \"gone\"" };
	struct slots slots = { .running = SLOT_A };
	autoclose int fd = -1;

	(void)unused;
	strcpy(slots.state, "/tmp/berth-note-XXXXXX");
	fd = mkstemp(slots.state);
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autoclose int device = device_open(slots.state, NULL);
		autobuf struct buf text = { 0 };
		struct slot_record out = { 0 };
		struct err e = { "" };
		enum slot slot = SLOT_A;
		int rc;

		if (rows[i].text)
			buf_adds(&text, rows[i].text);
		else
			boots_json(&record, NULL, &text);
		assert_int_equal(failnote_write(device, text.data, text.len, NULL), 0);
		rc = lookback_note(&slots, &slot, &out, &e);
		if (rc != rows[i].rc || strcmp(out.version, rows[i].version) != 0 ||
		    strcmp(out.reason, rows[i].reason) != 0 || (rc == 0) != (slot == SLOT_B))
			fail_msg("%s: %d, \"%s\", \"%s\"", rows[i].name, rc, out.version, out.reason);
		assert_int_equal(rc == 0, e.text[0] == '\0');
		assert_int_equal(out.result == RESULT_FAILED, rc == 0);
	}
	unlink(slots.state);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_who_left_a_note) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
