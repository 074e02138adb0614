/* Credentials, challenges and tokens, as registries and docker's clients write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "fetch/auth.h"

static const struct {
	const char *text, *user, *password, *identity; /* NULL: not there */
} good_headers[] = {
	{ "", NULL, NULL, NULL },
	{ "e30=", NULL, NULL, NULL },
	{ "e30", NULL, NULL, NULL },
	{ "bnVsbA==", NULL, NULL, NULL },
	/* {"username":"u","password":"p?>"} in both alphabets */
	{ "eyJ1c2VybmFtZSI6InUiLCJwYXNzd29yZCI6InA_PiJ9", "u", "p?>", NULL },
	{ "eyJ1c2VybmFtZSI6InUiLCJwYXNzd29yZCI6InA/PiJ9", "u", "p?>", NULL },
	/* {"auth":"dTpwOnE="}: "u:p:q" */
	{ "eyJhdXRoIjoiZFRwd09uRT0ifQ==", "u", "p:q", NULL },
	{ "{\"username\":\"u\",\"password\":\"p\"}", "u", "p", NULL },
	/* {"identitytoken":"t"} */
	{ "eyJpZGVudGl0eXRva2VuIjoidCJ9", NULL, NULL, "t" },
	/* {"username":"u\r\nX: y"}: nothing that would end a header */
	{ "eyJ1c2VybmFtZSI6InVcclxuWDogeSJ9", NULL, NULL, NULL },
};

static const char *const bad_headers[] = {
	"!", "e", "W10=" /* [] */, "eyJhdXRoIjoiISJ9" /* {"auth":"!"} */, "eA==" /* x */,
	"eyJhdXRoIjoiZFE9PSJ9" /* {"auth":"dQ=="}: no colon */,
};

static void same(const char *have, const char *wanted)
{
	if (!wanted)
		assert_null(have);
	else
		assert_string_equal(have, wanted);
}

static void reads_credentials(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good_headers); i++) {
		struct credentials c = { 0 };

		assert_int_equal(credentials_parse(good_headers[i].text, &c, NULL), 0);
		same(c.user, good_headers[i].user);
		same(c.password, good_headers[i].password);
		same(c.identity_token, good_headers[i].identity);
		credentials_free(&c);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad_headers); i++) {
		struct credentials c = { 0 };
		struct err e = { 0 };

		assert_true(credentials_parse(bad_headers[i], &c, &e) < 0);
		assert_non_null(strstr(e.text, "X-Registry-Auth"));
	}
}

static const struct {
	const char *text;
	bool known, basic, bearer;
	const char *realm, *service, *scope;
} challenges[] = {
	{ "Basic realm=\"x\"", true, true, false, "", "", "" },
	{ "basic", true, true, false, "", "", "" },
	{ "Bearer realm=\"https://a/t\",service=\"s\",scope=\"repository:x:pull,push\"", true, false, true,
	  "https://a/t", "s", "repository:x:pull,push" },
	{ "bearer  Realm=https://a/t , service=s", true, false, true, "https://a/t", "s", "" },
	{ "Bearer realm=\"a\\\"b\"", true, false, true, "a\"b", "", "" },
	{ "Bearer realm=\"x\",error=\"invalid_token\"", true, false, true, "x", "", "" },
	{ "Bearer service=\"s\"", false, false, false, "", "", "" },
	{ "Bearer realm=\"x", false, false, false, "", "", "" },
	{ "Bearer realm", false, false, false, "", "", "" },
	{ "Bearer", false, false, false, "", "", "" },
	{ "Negotiate abc", false, false, false, "", "", "" },
	{ "", false, false, false, "", "", "" },
};

static void reads_challenges(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(challenges); i++) {
		struct challenge c = { .basic = false };

		assert_int_equal(challenge_parse(challenges[i].text, &c), challenges[i].known);
		assert_int_equal(c.basic, challenges[i].basic);
		assert_int_equal(c.bearer, challenges[i].bearer);
		assert_string_equal(c.realm, challenges[i].realm);
		assert_string_equal(c.service, challenges[i].service);
		assert_string_equal(c.scope, challenges[i].scope);
	}
}

static void makes_the_token_s_address(void **state)
{
	struct challenge c = { .realm = "https://a/t?x=1", .service = "a b" };
	struct challenge file = { .realm = "file:///etc/passwd" };
	autobuf struct buf b = { 0 }, none = { 0 };

	(void)state;
	assert_int_equal(challenge_url(&c, "repository:x:pull repository:y:pull", &b), 0);
	assert_string_equal(b.data, "https://a/t?x=1&service=a%20b&scope=repository%3Ax%3Apull"
			    "&scope=repository%3Ay%3Apull");
	assert_true(challenge_url(&file, "", &none) < 0);
}

static void reads_tokens(void **state)
{
	static const struct { const char *json, *token; } rows[] = {
		{ "{\"token\":\"a\"}", "a" }, { "{\"access_token\":\"b\"}", "b" },
		{ "{\"token\":\"a\",\"access_token\":\"b\"}", "a" }, { "{}", NULL }, { "[]", NULL },
		{ "{\"token\":\"a\\nb\"}", NULL }, { "{\"token\":\"a\\u0000b\"}", NULL }, { "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autofree char *token = token_of(rows[i].json, strlen(rows[i].json));

		same(token, rows[i].token);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_credentials),
		cmocka_unit_test(reads_challenges),
		cmocka_unit_test(makes_the_token_s_address),
		cmocka_unit_test(reads_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
