/* What a person in front of a console sees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "pid1/console/banner.h"

static const struct {
	struct banner banner;
	const char *text;
} rows[] = {
	{ { .mode = BANNER_STATUS, .reason = "", .hostname = "web1", .kernel = "6.12.1 x86_64",
	    .addresses = "eth0 10.0.2.15/24\neth0 fec0::15/64\n",
	    .summary = "version 0.1.0\nslot a\nstate running\n", .motd = "" },
	  "\nBerth 0.1.0, slot a, Linux 6.12.1 x86_64\n\n"
	  "  host      web1\n"
	  "  address   eth0 10.0.2.15/24\n"
	  "            eth0 fec0::15/64\n"
	  "  login     ssh root@10.0.2.15\n"
	  "  state     running\n"
	  "\nPress Enter for the menu.\n" },
	{ { .mode = BANNER_SHELL, .reason = "", .hostname = "web1", .kernel = "6.12.1 x86_64",
	    .addresses = "",
	    .summary = "version 0.1.0\nslot -\nstate degraded\nfault a\033[2J\nfault b",
	    .motd = "one thing\033c is wrong\n" },
	  "\nBerth 0.1.0, Linux 6.12.1 x86_64\n\n"
	  "  host      web1\n"
	  "  address   none yet\n"
	  "  state     degraded\n"
	  "  fault     a?[2J\n"
	  "  fault     b\n"
	  "\none thing?c is wrong\n"
	  "\nPress Enter for a root shell.\n" },
	{ { .mode = BANNER_RESCUE, .reason = "boot step \"mounts\" failed: no sysfs",
	    .hostname = "berth", .kernel = "6.12.1 x86_64", .addresses = "", .summary = "",
	    .motd = "" },
	  "\nBerth , Linux 6.12.1 x86_64\n\n"
	  "  RESCUE    boot step \"mounts\" failed: no sysfs\n"
	  "            the configuration was not read and no container runs\n"
	  "  host      berth\n"
	  "  address   none yet\n"
	  "\nPress Enter for a root shell; \"reboot\" tries again.\n" },
};

static void banners(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autobuf struct buf out = { 0 };

		banner_format(&rows[i].banner, &out);
		assert_string_equal(buf_text(&out), rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(banners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
