/* Image references: what docker's distribution/reference accepts, refuses and shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "image/ref.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define NAME_50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NAME_250 NAME_50 NAME_50 NAME_50 NAME_50 NAME_50

static const struct {
	const char *text, *full, *familiar;
} good[] = {
	{ "nginx", "docker.io/library/nginx:latest", "nginx:latest" },
	{ "nginx:1.27", "docker.io/library/nginx:1.27", "nginx:1.27" },
	{ "library/nginx", "docker.io/library/nginx:latest", "nginx:latest" },
	{ "docker.io/nginx", "docker.io/library/nginx:latest", "nginx:latest" },
	{ "index.docker.io/library/nginx", "docker.io/library/nginx:latest", "nginx:latest" },
	{ "team/app:V1.0_rc-2", "docker.io/team/app:V1.0_rc-2", "team/app:V1.0_rc-2" },
	{ "library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest" },
	{ "library/" HEX64, "docker.io/library/" HEX64 ":latest", "library/" HEX64 ":latest" },
	{ "docker.io/a.b/c", "docker.io/a.b/c:latest", "docker.io/a.b/c:latest" },
	{ "localhost/demo", "localhost/demo:latest", "localhost/demo:latest" },
	{ "localhost:5000/demo:x", "localhost:5000/demo:x", "localhost:5000/demo:x" },
	{ "reg.example/a/b/c", "reg.example/a/b/c:latest", "reg.example/a/b/c:latest" },
	{ "reg.example:443/a@sha256:" HEX64, "reg.example:443/a@sha256:" HEX64,
	  "reg.example:443/a@sha256:" HEX64 },
	{ "nginx@sha256:" HEX64, "docker.io/library/nginx@sha256:" HEX64, "nginx@sha256:" HEX64 },
	{ "nginx:1@sha256:" HEX64, "docker.io/library/nginx:1@sha256:" HEX64,
	  "nginx:1@sha256:" HEX64 },
	{ "[::1]:5000/a", "[::1]:5000/a:latest", "[::1]:5000/a:latest" },
	{ "UPPER/a", "UPPER/a:latest", "UPPER/a:latest" },
	{ "a.b--c/f", "a.b--c/f:latest", "a.b--c/f:latest" },
	{ "x/a.b_c__d--e", "docker.io/x/a.b_c__d--e:latest", "x/a.b_c__d--e:latest" },
	{ "nginx:_x", "docker.io/library/nginx:_x", "nginx:_x" },
};

static const char *const bad[] = {
	"", ":", "/", "@", "Nginx", "a/", "/a", "a//b", "a/B", "nginx:", "nginx:-x", "nginx:.x",
	"nginx:a b", "nginx@sha256:abc", "nginx@md5:" HEX64, "nginx@sha256:" HEX64 "0",
	"nginx@sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
	HEX64, "a..b", "a___b", "a_.b", "a-", "-a", "a.", "reg.example:/a", "reg.example:x/a",
	"-reg.example/a", "reg-.example/a", "[::1/a", "[]/a", "a b", "a\nb", "../a", "a/../b",
	"http://reg.example/a", "nginx:" NAME_50 NAME_50 NAME_50, NAME_250 "/aaaa",
	"a.b_c/f", "a.b./f",
};

static void accepts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct ref r, again;
		struct err e = { 0 };
		char text[REF_TEXT_MAX];

		if (ref_parse(&r, good[i].text, &e) < 0)
			fail_msg("\"%s\": %s", good[i].text, e.text);
		assert_string_equal(ref_full(&r, text), good[i].full);
		assert_int_equal(ref_parse(&again, text, &e), 0);
		assert_memory_equal(&r, &again, sizeof(r));
		assert_string_equal(ref_familiar(&r, text), good[i].familiar);
		assert_int_equal(ref_parse(&again, text, &e), 0);
		assert_memory_equal(&r, &again, sizeof(r));
	}
}

static void refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct ref r;
		struct err e = { 0 };

		if (ref_parse(&r, bad[i], &e) == 0)
			fail_msg("accepted \"%s\"", bad[i]);
		assert_non_null(strstr(e.text, "invalid image reference"));
	}
}

static void knows_digests(void **state)
{
	(void)state;
	assert_true(digest_valid("sha256:" HEX64));
	assert_string_equal(digest_hex("sha256:" HEX64), HEX64);
	assert_false(digest_valid(HEX64));
	assert_false(digest_valid("sha512:" HEX64));
	assert_false(digest_valid("sha256:" HEX64 "a"));
	assert_false(digest_valid("sha256:../../../../etc/passwd"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts),
		cmocka_unit_test(refuses),
		cmocka_unit_test(knows_digests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
