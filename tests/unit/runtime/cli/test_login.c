/* Which registry an image's name leads to; base64; docker's bar. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "cli/login.h"
#include "cli/progress.h"

static void knows_the_registry(void **state)
{
	static const struct { const char *image, *registry; } rows[] = {
		{ "nginx", "docker.io" }, { "nginx:1", "docker.io" }, { "team/app", "docker.io" },
		{ "localhost/app", "localhost" }, { "localhost:5000/app:1", "localhost:5000" },
		{ "reg.example/a/b", "reg.example" }, { "docker.io/nginx", "docker.io" }, { "", "docker.io" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char out[LOGIN_HOST_MAX];

		assert_string_equal(login_registry(rows[i].image, out), rows[i].registry);
	}
}

static void writes_base64(void **state)
{
	static const struct { const char *plain, *coded; } rows[] = {
		{ "", "" }, { "{}", "e30=" }, { "a", "YQ==" }, { "abc", "YWJj" }, { "p?>", "cD8-" },
		{ "\xff\xff", "__8=" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autobuf struct buf b = { 0 };

		base64url_add(&b, rows[i].plain, strlen(rows[i].plain));
		assert_string_equal(buf_text(&b), rows[i].coded);
	}
}

static void draws_bars(void **state)
{
	static const struct { uint64_t current, total; const char *bar; } rows[] = {
		{ 48128, 2064031, "[=>                                                ]  48.1kB/2.06MB" },
		{ 100, 100, "[=================================================>]  100B/100B" },
		{ 1, 100, "[>                                                 ]  1B/100B" },
		{ 5000, 0, "5kB" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char out[PROGRESS_BAR_MAX];

		assert_string_equal(progress_bar(rows[i].current, rows[i].total, out), rows[i].bar);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_the_registry),
		cmocka_unit_test(writes_base64),
		cmocka_unit_test(draws_bars),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
