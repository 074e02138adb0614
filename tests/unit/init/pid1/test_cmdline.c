/* The kernel command line, as PID 1 reads it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "pid1/cmdline.h"

static const struct {
	const char *text;
	bool shell, rescue;
	const char *slot;
} rows[] = {
	{ "", false, false, "" },
	{ "root=/dev/dm-0 ro quiet\n", false, false, "" },
	{ "berth.console=shell\n", true, false, "" },
	{ "berth.console=status", false, false, "" },
	{ "berth.console=shell berth.console=status", false, false, "" }, /* the last one wins */
	{ "berth.console", false, false, "" },
	{ "xberth.console=shell berth.consoles=shell", false, false, "" },
	{ "berth.rescue", false, true, "" },
	{ "berth.rescue=1 quiet", false, true, "" },
	{ "berth.rescue=0", false, false, "" },
	{ "berth.slot=a berth.root=PARTUUID=0-1", false, false, "a" },
	{ "dm-mod.create=\"x,,,ro,0 8 verity berth.rescue berth.slot=z\" berth.slot=b", false, false,
	  "b" },
	{ "\"berth.slot=b\"", false, false, "b" },
	{ "quiet -- berth.rescue", false, false, "" },
	{ "  \t berth.rescue \t berth.console=shell", true, true, "" },
	{ "berth.slot=\"unclosed and long", false, false, "unclosed and long" },
};

static void options(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct boot_options o;

		cmdline_parse(rows[i].text, &o);
		if (o.console_shell != rows[i].shell || o.rescue != rows[i].rescue)
			fail_msg("\"%s\" reads as shell %d, rescue %d", rows[i].text,
				 o.console_shell, o.rescue);
		assert_string_equal(o.slot, rows[i].slot);
	}
}

static void a_lost_state_is_the_reason(void **state)
{
	struct boot_options o;

	(void)state;
	cmdline_parse("berth.why=state-lost berth.rescue", &o);
	assert_true(o.rescue && o.state_lost);
	cmdline_parse("berth.why=preferred", &o);
	assert_false(o.rescue || o.state_lost);
}

static void long_words_are_cut(void **state)
{
	static char text[100000];
	struct boot_options o;

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = "berth.slot="[i % 11];
	cmdline_parse(text, &o);
	assert_true(o.slot[CMDLINE_VALUE_MAX - 1] == '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options),
		cmocka_unit_test(a_lost_state_is_the_reason),
		cmocka_unit_test(long_words_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
