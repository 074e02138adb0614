/* What is remembered of updates and boots: it comes back as it was written, damage costs only
 * itself, and nothing grows without end. */
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
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "update/boots.h"
#include "update/store.h"

static char work[64];
static int store = -1;

static int make_store(void **unused)
{
	struct err e = { "" };

	(void)unused;
	strcpy(work, "/tmp/berth-store-XXXXXX");
	if (!mkdtemp(work))
		return -1;
	store = store_open(work, &e);
	return store < 0 ? -1 : 0;
}

static int clean(void **unused)
{
	(void)unused;
	close(store);
	return path_remove_tree(AT_FDCWD, work, NULL);
}

static struct slot_record record(void)
{
	struct slot_record r = { .digest = "0123abcd", .version = "1.2+x", .reason = "it \"broke\"\n",
				 .config = "cafe", .time_ns = 1700000000123456789, .result = RESULT_FAILED };

	r.before = (struct before){ .known = true, .data = true, .links = 2, .route = true, .router6 = true,
				    .healthy_count = 2, .healthy = { "web", "db" } };
	return r;
}

static void test_a_slots_record_comes_back(void **unused)
{
	struct slot_record in = record(), out;

	(void)unused;
	assert_int_equal(store_read_slot(store, SLOT_B, &out, NULL), -ENOENT);
	assert_int_equal(store_write_slot(store, SLOT_B, &in, NULL), 0);
	assert_int_equal(store_read_slot(store, SLOT_B, &out, NULL), 0);
	assert_memory_equal(&in, &out, sizeof(in));
	in.before = (struct before){ 0 };
	in.result = RESULT_INSTALLED;
	assert_int_equal(store_write_slot(store, SLOT_B, &in, NULL), 0);
	assert_int_equal(store_read_slot(store, SLOT_B, &out, NULL), 0);
	assert_memory_equal(&in, &out, sizeof(in));
	assert_int_equal(store_read_slot(store, SLOT_A, &out, NULL), -ENOENT);
}

static void test_how_the_machine_was_comes_back(void **unused)
{
	const struct before in = record().before;
	struct before out;

	(void)unused;
	store_read_good(store, &out);
	assert_false(out.known);
	assert_int_equal(store_write_good(store, &in, NULL), 0);
	store_read_good(store, &out);
	assert_memory_equal(&in, &out, sizeof(in));
	assert_int_equal(file_replace_at(store, "good.json", "{\"go", 4, 0600, NULL), 0);
	store_read_good(store, &out);
	assert_false(out.known);
}

static void test_a_damaged_record_is_an_error(void **unused)
{
	struct slot_record out;
	struct err e = { "" };

	(void)unused;
	assert_int_equal(file_replace_at(store, "slot-a.json", "{\"dig", 5, 0600, NULL), 0);
	assert_int_equal(store_read_slot(store, SLOT_A, &out, &e), -EBADMSG);
	assert_string_equal(e.text, "\"slot-a.json\" is damaged");
}

static void test_a_failed_slot_is_refused_until_it_is_forgotten(void **unused)
{
	struct slot_record in = record(), out;
	struct refusals list;

	(void)unused;
	in.result = RESULT_INSTALLED;
	assert_int_equal(store_write_slot(store, SLOT_B, &in, NULL), 0);
	assert_int_equal(store_fail_slot(store, SLOT_B, "ssh: silence", NULL), 0);
	assert_int_equal(store_fail_slot(store, SLOT_B, "ssh: silence", NULL), 0);
	assert_int_equal(store_read_slot(store, SLOT_B, &out, NULL), 0);
	assert_int_equal(out.result, RESULT_FAILED);
	store_read_refusals(store, &list);
	assert_int_equal(list.count, 1);
	assert_string_equal(refusals_find(&list, "0123abcd")->reason, "ssh: silence");
	assert_null(refusals_find(&list, "0123"));
	assert_int_equal(store_forget(store, "9", NULL), 0);
	assert_int_equal(store_forget(store, "1.2", NULL), 1);
	store_read_refusals(store, &list);
	assert_int_equal(list.count, 0);
}

/* Nobody could install it again: it did not come as a bundle. */
static void test_a_version_that_came_with_the_disk_fails_without_a_refusal(void **unused)
{
	struct slot_record in = record(), out;
	struct refusals list;

	(void)unused;
	in.digest[0] = '\0';
	assert_int_equal(store_write_slot(store, SLOT_A, &in, NULL), 0);
	assert_int_equal(store_fail_slot(store, SLOT_A, "ssh: silence", NULL), 0);
	assert_int_equal(store_read_slot(store, SLOT_A, &out, NULL), 0);
	assert_string_equal(out.reason, "ssh: silence");
	assert_int_equal(out.result, RESULT_FAILED);
	store_read_refusals(store, &list);
	assert_int_equal(list.count, 0);
}

static void test_the_list_of_refusals_is_bounded(void **unused)
{
	struct refusals list;

	(void)unused;
	for (int i = 0; i < REFUSED_MAX + 3; i++) {
		struct refusal r = { "", "1.0", "no" };

		snprintf(r.digest, sizeof(r.digest), "%04d", i);
		assert_int_equal(store_refuse(store, &r, NULL), 0);
	}
	store_read_refusals(store, &list);
	assert_int_equal(list.count, REFUSED_MAX);
	assert_null(refusals_find(&list, "0002"));
	assert_non_null(refusals_find(&list, "0003"));
	assert_non_null(refusals_find(&list, "0018"));
	assert_int_equal(store_forget(store, NULL, NULL), REFUSED_MAX);
	assert_int_equal(file_replace_at(store, "refused.json", "[", 1, 0600, NULL), 0);
	store_read_refusals(store, &list);
	assert_int_equal(list.count, 0); /* damage refuses nobody */
}

/* ---- boots ---- */

static void remember(void *arg, unsigned number, const char *json, size_t len)
{
	unsigned *seen = arg;

	assert_true(len > 0 && json[len - 1] == '\n');
	assert_true(number < *seen);
	*seen = number;
}

static void test_the_last_boots_are_kept(void **unused)
{
	unsigned seen = 1000;
	char name[64];

	(void)unused;
	for (unsigned i = 1; i <= BOOTS_KEPT + 4; i++) {
		struct boot_record r = { .slot = 'b', .why = "preferred", .outcome = "running" };

		assert_int_equal(boots_begin(store, &r, NULL), 0);
		assert_int_equal(r.number, i);
		snprintf(name, sizeof(name), "%08u.logs", i);
		assert_int_equal(mkdirat(store, name, 0700), 0);
	}
	assert_int_equal(faccessat(store, "00000004.json", F_OK, 0), -1);
	assert_int_equal(faccessat(store, "00000004.logs", F_OK, 0), -1);
	assert_int_equal(faccessat(store, "00000005.json", F_OK, 0), 0);
	assert_int_equal(faccessat(store, "00000005.logs", F_OK, 0), 0);
	assert_int_equal(boots_each(store, 1000, remember, &seen, NULL), 0);
	assert_int_equal(seen, 5);
}

static void test_a_record_says_which_check_failed(void **unused)
{
	struct boot_record r = { .slot = 'b', .outcome = "failed", .reason = "ssh: silence",
				 .looked = true, .look = { .ok = { true, true, false, true, true } } };
	autobuf struct buf text = { 0 };
	char name[64];

	(void)unused;
	strcpy(r.look.why[2], "silence");
	assert_int_equal(boots_begin(store, &r, NULL), 0);
	assert_int_equal(boots_write(store, &r, "{\"state\":\"running\"}\n", NULL), 0);
	snprintf(name, sizeof(name), "%08u.json", r.number);
	assert_int_equal(file_read_at(store, name, 4096, &text, NULL), 0);
	assert_non_null(strstr(text.data, "{\"name\":\"ssh\",\"ok\":false,\"why\":\"silence\"}"));
	assert_non_null(strstr(text.data, "\"init\":{\"state\":\"running\"}}\n"));
}

static void add_text(void *arg, unsigned number, const char *json, size_t len)
{
	(void)number;
	buf_add(arg, json, len);
}

/* A power cut after it was taken over, and before the note was cleared: it is there once. */
static void test_a_boot_of_another_place_is_taken_over_once(void **unused)
{
	struct boot_record r = { .slot = 'b', .outcome = "failed", .reason = "data: gone", .number = 1,
				 .time_ns = 1700000000123456789 };
	autobuf struct buf json = { 0 }, newest = { 0 }, again = { 0 };
	struct err e = { "" };

	(void)unused;
	boots_json(&r, NULL, &json);
	assert_int_equal(boots_adopt(store, json.data, json.len, &e), 0);
	assert_int_equal(boots_each(store, 1, add_text, &newest, NULL), 0);
	assert_non_null(strstr(newest.data, "\"reason\":\"data: gone\""));
	assert_null(strstr(newest.data, "\"number\":1,"));
	assert_int_equal(boots_adopt(store, json.data, json.len, &e), 0);
	assert_int_equal(boots_each(store, 1, add_text, &again, NULL), 0);
	assert_string_equal(newest.data, again.data);
	assert_int_equal(boots_adopt(store, "[1]", 3, &e), -EBADMSG);
	assert_string_equal(e.text, "the record of a failed boot is damaged");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_slots_record_comes_back),
		cmocka_unit_test(test_how_the_machine_was_comes_back),
		cmocka_unit_test(test_a_damaged_record_is_an_error),
		cmocka_unit_test(test_a_failed_slot_is_refused_until_it_is_forgotten),
		cmocka_unit_test(test_a_version_that_came_with_the_disk_fails_without_a_refusal),
		cmocka_unit_test(test_the_list_of_refusals_is_bounded),
		cmocka_unit_test(test_the_last_boots_are_kept),
		cmocka_unit_test(test_a_record_says_which_check_failed),
		cmocka_unit_test(test_a_boot_of_another_place_is_taken_over_once),
	};

	return cmocka_run_group_tests(tests, make_store, clean);
}
