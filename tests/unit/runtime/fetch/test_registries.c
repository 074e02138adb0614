/* Where a registry's images are asked for, by name and configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "fetch/registries.h"

static const char json[] =
	"{\"berth\":{\"registries\":["
	"{\"host\":\"docker.io\",\"mirrors\":[\"https://m.example/\",\"http://127.0.0.1:1\"],"
	"\"username\":\"u\",\"password\":\"p\"},"
	"{\"host\":\"m.example\",\"username\":\"mu\",\"password\":\"mp\",\"ca_certs\":\"PEM\"},"
	"{\"host\":\"loose:5000\",\"insecure\":true}]}}";

static const struct {
	const char *json, *domain;
	struct {
		const char *url, *user, *ca;
		bool plain, mirror;
	} want[4];
} rows[] = {
	{ NULL, "docker.io", { { "https://registry-1.docker.io", NULL, NULL, false, false } } },
	{ NULL, "reg.example", { { "https://reg.example", NULL, NULL, false, false } } },
	{ NULL, "localhost:5000", { { "https://localhost:5000", NULL, NULL, true, false } } },
	{ NULL, "localhost.example", { { "https://localhost.example", NULL, NULL, false, false } } },
	{ NULL, "127.example", { { "https://127.example", NULL, NULL, false, false } } },
	{ NULL, "127.0.0.1.example:1", { { "https://127.0.0.1.example:1", NULL, NULL, false, false } } },
	{ NULL, "128.0.0.1", { { "https://128.0.0.1", NULL, NULL, false, false } } },
	{ NULL, "127.1.2.3:5000", { { "https://127.1.2.3:5000", NULL, NULL, true, false } } },
	{ NULL, "127.0.0.1", { { "https://127.0.0.1", NULL, NULL, true, false } } },
	{ NULL, "[::1]:5000", { { "https://[::1]:5000", NULL, NULL, true, false } } },
	{ "{}", "reg.example", { { "https://reg.example", NULL, NULL, false, false } } },
	{ json, "loose:5000", { { "https://loose:5000", NULL, NULL, true, false } } },
	/* Mirrors first, each with its own credentials and never the registry's. */
	{ json, "docker.io", { { "https://m.example", "mu", "PEM", false, true },
			       { "http://127.0.0.1:1", NULL, NULL, true, true },
			       { "https://registry-1.docker.io", "u", NULL, false, false } } },
};

static void same(const char *have, const char *wanted)
{
	if (!wanted)
		assert_null(have);
	else
		assert_string_equal(have, wanted);
}

static void finds(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct endpoints all;
		size_t n = 0;

		assert_int_equal(endpoints_find(rows[i].json, rows[i].json ? strlen(rows[i].json) : 0,
						rows[i].domain, &all, NULL), 0);
		for (; rows[i].want[n].url; n++) {
			const struct endpoint *at = &all.all[n];

			assert_true(n < all.count);
			assert_string_equal(at->url, rows[i].want[n].url);
			same(at->credentials.user, rows[i].want[n].user);
			same(at->ca, rows[i].want[n].ca);
			assert_int_equal(at->plain_too, rows[i].want[n].plain);
			assert_int_equal(at->mirror, rows[i].want[n].mirror);
		}
		assert_int_equal(all.count, n);
		endpoints_free(&all);
	}
}

static void refuses_damage(void **state)
{
	struct endpoints all;

	(void)state;
	assert_true(endpoints_find("{", 1, "docker.io", &all, NULL) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds),
		cmocka_unit_test(refuses_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
