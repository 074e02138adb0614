/* What a list of links that is not whole may cost: nothing. The kernel is played here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "netup/manager.h"

static int lists[2]; /* what the two lists answer */
static size_t told;  /* so many links are in the first */

int netlink_links(struct netlink *nl, netlink_link_fn *fn, void *arg, struct err *e)
{
	(void)nl;
	for (size_t i = 0; i < told; i++) {
		struct netlink_link l = { .index = (int)i + 1 };

		snprintf(l.name, sizeof(l.name), "c%zu", i);
		fn(&l, arg);
	}
	return lists[0] < 0 ? err_set(e, lists[0], "the list was cut") : 0;
}

int netlink_links_ipv6(struct netlink *nl, netlink_link_fn *fn, void *arg, struct err *e)
{
	(void)nl, (void)fn, (void)arg;
	return lists[1] < 0 ? err_set(e, lists[1], "the list was cut") : 0;
}

static void only_a_whole_list_drops_links(void **state)
{
	static const struct {
		size_t told;
		int links, ipv6, code;
		size_t left;
		bool unsettled;
	} rows[] = {
		{ 2, 0, 0, 0, 2, false },
		{ 1, -ENOBUFS, 0, -ENOBUFS, 2, true },
		{ 0, -ENOMEM, 0, -ENOMEM, 2, true },
		{ 2, 0, -ENOBUFS, -ENOBUFS, 2, true },
		{ 1, 0, 0, 0, 1, false },
		{ 0, 0, 0, 0, 0, false },
	};
	static char *const cards[] = { (char *)"c0", (char *)"c1", NULL };
	struct manager m = { .only = cards };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		m.unsettled = false;
		told = rows[i].told;
		lists[0] = rows[i].links;
		lists[1] = rows[i].ipv6;
		assert_int_equal(links_look(&m), rows[i].code);
		assert_int_equal(m.count, rows[i].left);
		assert_int_equal(m.unsettled, rows[i].unsettled);
	}
	buf_free(&m.guarded);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(only_a_whole_list_drops_links) };

	return cmocka_run_group_tests_name("links", tests, NULL, NULL);
}
