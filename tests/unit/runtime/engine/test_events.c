/* What the ring of events keeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/events.h"

static void put(struct events *ev, size_t number, const char *value)
{
	struct string_pair pair = { (char *)"name", (char *)(uintptr_t)value };
	char id[24];

	snprintf(id, sizeof(id), "%zu", number);
	events_put(ev, "image", "pull", id, &(struct string_map){ &pair, 1 });
}

static void the_last_are_kept(void **state)
{
	static const struct {
		size_t put, bytes, kept;
	} rows[] = {
		{ 3, 10, 3 }, { 256, 10, 256 }, { 600, 10, 256 },
		{ 600, 100000, 10 },   /* of the MiB that there is for all */
		{ 3, 2 << 20, 1 },     /* larger than all of it: the newest there is */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct events *ev = events_new();
		autofree char *value = calloc(1, rows[i].bytes + 1);

		memset(value, 'x', rows[i].bytes);
		for (size_t n = 0; n < rows[i].put; n++)
			put(ev, n, value);
		assert_int_equal(events_count(ev), rows[i].kept);
		for (size_t n = 0; n < rows[i].kept; n++)
			assert_int_equal(atoi(events_get(ev, n)->id), rows[i].put - rows[i].kept + n);
		put(ev, 7, "small");
		assert_string_equal(events_get(ev, events_count(ev) - 1)->id, "7");
		events_free(ev);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
