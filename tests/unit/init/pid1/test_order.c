/* In which order services start and stop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "pid1/service.h"

enum { ROWS_MAX = 20 };

static size_t real_table(const struct service_def *defs[ROWS_MAX])
{
	static const struct service_def console = {
		.name = "console-ttyS0", .after = { "net", "engine", "ssh" }, .kind = SVC_DAEMON,
	};
	size_t count;
	const struct service_def *rows = service_table(&count);

	assert_in_range(count, 1, ROWS_MAX - 1);
	for (size_t i = 0; i < count; i++)
		defs[i] = &rows[i];
	defs[count] = &console;
	return count + 1;
}

static void the_table_has_no_cycle(void **state)
{
	const struct service_def *defs[ROWS_MAX];
	size_t count = real_table(defs);
	struct err e = { 0 };

	(void)state;
	if (service_table_check(defs, count, &e) < 0)
		fail_msg("%s", e.text);
}

static void bad_tables_are_refused(void **state)
{
	static const struct service_def a = { .name = "a", .after = { "b" } };
	static const struct service_def b = { .name = "b", .after = { "a" } };
	static const struct service_def c = { .name = "c", .after = { "nobody" } };
	static const struct service_def d = { .name = "d" };
	static const struct {
		const struct service_def *rows[2];
		const char *says;
	} tables[] = {
		{ { &a, &b }, "service \"a\" comes after \"b\", which is no row above it" },
		{ { &d, &c }, "service \"c\" comes after \"nobody\", which is no row above it" },
		{ { &d, &d }, "service \"d\" is there twice" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		struct err e = { 0 };

		assert_true(service_table_check(tables[i].rows, 2, &e) < 0);
		assert_string_equal(e.text, tables[i].says);
	}
}

/* Rounds: all that may start (or stop) does so together, then the next ones. */
static void start_rounds(struct buf *out, bool rescue)
{
	const struct service_def *defs[ROWS_MAX], *here[ROWS_MAX];
	size_t all = real_table(defs), count = 0;
	bool settled[ROWS_MAX] = { false }, now[ROWS_MAX];

	for (size_t i = 0; i < all; i++)
		if (!rescue || defs[i]->in_rescue)
			here[count++] = defs[i];
	for (size_t left = count; left;) {
		size_t before = left;

		for (size_t i = 0; i < count; i++) {
			now[i] = !settled[i] && service_may_start(here, settled, count, i);
			if (now[i])
				buf_addf(out, "%s ", here[i]->name);
		}
		for (size_t i = 0; i < count; i++)
			if (now[i]) {
				settled[i] = true;
				left--;
			}
		assert_int_not_equal(left, before);
		buf_adds(out, "| ");
	}
}

static void start_order(void **state)
{
	autobuf struct buf boot = { 0 }, rescue = { 0 };

	(void)state;
	start_rounds(&boot, false);
	assert_string_equal(buf_text(&boot), "data | config | net metadata ssh-key | "
					     "bootcmd ssh gate time update | disks | engine | "
					     "api-tls log final console-ttyS0 | ");
	start_rounds(&rescue, true);
	assert_string_equal(buf_text(&rescue), "data net | ssh-key | ssh | ");
}

static void stop_order(void **state)
{
	const struct service_def *defs[ROWS_MAX];
	size_t count = real_table(defs), left = count;
	bool alive[ROWS_MAX], now[ROWS_MAX];
	autobuf struct buf out = { 0 };

	(void)state;
	memset(alive, true, sizeof(alive));
	while (left) {
		size_t before = left;

		for (size_t i = 0; i < count; i++) {
			now[i] = alive[i] && service_may_stop(defs, alive, count, i);
			if (now[i])
				buf_addf(&out, "%s ", defs[i]->name);
		}
		for (size_t i = 0; i < count; i++)
			if (now[i]) {
				alive[i] = false;
				left--;
			}
		assert_int_not_equal(left, before); /* nobody waits for one who waits for him */
		buf_adds(&out, "| ");
	}
	/* Containers end while the network is still there; the gate before what it watches goes away. */
	assert_string_equal(buf_text(&out),
			    "engine gate | api-tls log time update final console-ttyS0 | net disks ssh | "
			    "bootcmd ssh-key | metadata | config | data | ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_has_no_cycle),
		cmocka_unit_test(bad_tables_are_refused),
		cmocka_unit_test(start_order),
		cmocka_unit_test(stop_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
