/* When a version on trial is kept: the time that its checks hold; and may a bundle be installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "update/gate.h"
#include "update/trust.h"

/* One letter a second: what the checks say. '.': do not hold; 'a', 'b': hold, and of which
 * incarnation the services are. What comes of it: '?' wait, 'P' pass, 'F' fail. Hold 3 s, limit 6 s. */
static const struct {
	const char *name, *looks, *verdicts;
} trials[] = {
	{ "at once", "aaaa", "???P" },
	{ "after a while", "..aaaa", "?????P" },
	{ "an interruption begins anew", "aa.aaaa", "??????P" },
	{ "a restart begins anew", "aabbbb", "?????P" },
	{ "never", "......F", "??????F" },
	{ "held too late", "......a", "??????F" },
	{ "begun in time, finished later", "...aaaa", "??????P" },
	{ "begun in time, lost later", ".....aa.", "???????F" },
	{ "restarts without end", "abababa", "??????F" },
};

enum { IPV4 = 1, IPV6 = 2 };

/* Links and default route before and now; what a version's gate says, and a configuration's. */
static const struct {
	unsigned links;
	bool route;
	unsigned links_now;
	bool route_now, version, config;
	unsigned routers, routers_now; /* over which some router answers */
} networks[] = {
	{ 1, true, 1, true, true, true, 0, 0 },
	{ 1, true, 0, false, false, false, 0, 0 },
	{ 1, true, 1, false, false, false, 0, 0 },
	{ 2, true, 1, true, false, true, 0, 0 }, /* two cards became one bond */
	{ 2, false, 0, false, false, false, 0, 0 },
	{ 0, false, 0, false, true, true, 0, 0 },
	{ 0, false, 2, true, true, true, 0, 0 },
	{ 1, true, 1, true, true, true, IPV4 | IPV6, IPV4 | IPV6 },
	{ 1, true, 1, true, false, false, IPV4 | IPV6, IPV6 }, /* a wrong IPv4 address */
	{ 1, true, 1, true, false, false, IPV6, IPV4 },
	{ 1, true, 1, true, true, true, IPV4, IPV4 | IPV6 },
	{ 1, true, 1, true, true, true, 0, IPV4 },
};

static void test_the_network_as_it_was(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(networks); i++) {
		const struct before was = { .known = true, .links = networks[i].links,
					    .route = networks[i].route,
					    .router4 = networks[i].routers & IPV4,
					    .router6 = networks[i].routers & IPV6 };
		const struct before now = { .known = true, .links = networks[i].links_now,
					    .route = networks[i].route_now,
					    .router4 = networks[i].routers_now & IPV4,
					    .router6 = networks[i].routers_now & IPV6 };

		assert_int_equal(gate_network(&was, &now, false, NULL) == 0, networks[i].version);
		assert_int_equal(gate_network(&was, &now, true, NULL) == 0, networks[i].config);
	}
}

static void test_the_time_that_checks_hold(void **unused)
{
	static const char letters[] = { [GATE_WAIT] = '?', [GATE_PASS] = 'P', [GATE_FAIL] = 'F' };
	const struct settings s = { .hold_ms = 3000, .limit_ms = 6000 };

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(trials); i++) {
		struct gate g;

		gate_begin(&g, &s, 50000);
		for (int t = 0; trials[i].verdicts[t]; t++) {
			char look = trials[i].looks[t];
			enum gate_verdict v = gate_step(&g, look == 'a' || look == 'b', (uint64_t)look,
							50000 + t * 1000);

			if (letters[v] != trials[i].verdicts[t])
				fail_msg("%s: %c after %d s", trials[i].name, letters[v], t);
		}
	}
}

static void test_each_check_has_a_name_of_its_own(void **unused)
{
	size_t count;
	const struct gate_check *checks = gate_checks(&count);

	(void)unused;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(checks[i].name, checks[j].name);
}

/* ---- trust ---- */

static const struct {
	const char *name, *version, *arch, *from, *digest;
	bool force, at_console;
	const char *said; /* NULL: may be installed */
} bundles[] = {
	{ "newer", "1.3", "x86_64", "0", "aa", false, false, NULL },
	{ "the same again", "1.2", "x86_64", "0", "aa", false, false, NULL },
	{ "older, above the floor", "1.1", "x86_64", "0", "aa", false, false, NULL },
	{ "other machine", "1.3", "aarch64", "0", "aa", true, true, "1.3 is for aarch64, this machine is x86_64" },
	{ "below the floor", "1.0.9", "x86_64", "0", "aa", false, true, "1.0.9 is older than 1.1" },
	{ "forced over SSH", "1.0.9", "x86_64", "0", "aa", true, false, "1.0.9 is older than 1.1" },
	{ "forced at the console", "1.0.9", "x86_64", "0", "aa", true, true, NULL },
	{ "a step left out", "2.0", "x86_64", "1.5", "aa", false, false,
	  "2.0 replaces 1.5 or newer, this machine runs 1.2" },
	{ "a step left out, forced", "2.0", "x86_64", "1.5", "aa", true, false, NULL },
	{ "failed before", "1.3", "x86_64", "0", "bb", false, false, "because it failed here: ssh: silence" },
	{ "failed before, forced", "1.3", "x86_64", "0", "bb", true, true, "berth update forget bb" },
};

static void test_what_may_be_installed(void **unused)
{
	struct refusals refused = { 1, { { "bb", "1.3", "ssh: silence" } } };

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(bundles); i++) {
		struct trust t = { "x86_64", "1.2", "1.1", &refused, bundles[i].force, bundles[i].at_console };
		struct manifest m = { 0 };
		struct err e = { "" };
		int rc;

		snprintf(m.version, sizeof(m.version), "%s", bundles[i].version);
		snprintf(m.arch, sizeof(m.arch), "%s", bundles[i].arch);
		snprintf(m.from, sizeof(m.from), "%s", bundles[i].from);
		snprintf(m.digest, sizeof(m.digest), "%s", bundles[i].digest);
		rc = trust_check(&t, &m, &e);
		if (bundles[i].said ? rc != -EPERM || !strstr(e.text, bundles[i].said) : rc != 0)
			fail_msg("%s: %d, \"%s\"", bundles[i].name, rc, e.text);
	}
}

/* What `berth inspect` says of a container's state, and what the gate makes of it; NULL: it holds. */
static const struct {
	const char *state, *why;
} containers[] = {
	{ "{\"Status\":\"running\",\"Running\":true}", NULL },
	{ "{\"Status\":\"running\",\"Running\":true,\"Health\":{\"Status\":\"healthy\"}}", NULL },
	{ "{\"Status\":\"running\",\"Running\":true,\"Health\":{\"Status\":\"starting\"}}",
	  "container \"web\" is starting" },
	{ "{\"Status\":\"running\",\"Running\":true,\"Health\":{\"Status\":\"unhealthy\"}}",
	  "container \"web\" is unhealthy" },
	{ "{\"Status\":\"exited\",\"Running\":false,\"Health\":{\"Status\":\"healthy\"}}",
	  "container \"web\" is not running, it is exited" },
	{ "3", "container \"web\" is not running, it is unknown" },
};

static void test_healthy_or_running_without_a_check(void **unused)
{
	static const char started_a[] = "[{\"State\":{\"StartedAt\":\"a\"}}]";
	static const char started_b[] = "[{\"State\":{\"StartedAt\":\"b\"}}]";
	uint64_t first, second;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(containers); i++) {
		char text[256];
		struct err e = { "" };
		int len = snprintf(text, sizeof(text), "[{\"State\":%s}]", containers[i].state);
		int rc = facts_judge("web", text, (size_t)len, &first, &e);

		assert_int_equal(rc, containers[i].why ? -EAGAIN : 0);
		assert_string_equal(e.text, containers[i].why ? containers[i].why : "");
	}
	assert_true(facts_judge("web", "", 0, &first, NULL) < 0);
	facts_judge("web", started_a, sizeof(started_a) - 1, &first, NULL);
	facts_judge("web", started_b, sizeof(started_b) - 1, &second, NULL);
	assert_true(first != second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_network_as_it_was),
		cmocka_unit_test(test_healthy_or_running_without_a_check),
		cmocka_unit_test(test_the_time_that_checks_hold),
		cmocka_unit_test(test_each_check_has_a_name_of_its_own),
		cmocka_unit_test(test_what_may_be_installed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
