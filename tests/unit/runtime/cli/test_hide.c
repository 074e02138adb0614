#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "cli/hide.h"

static void texts(void **state)
{
	static const struct {
		const char *text, *hidden; /* NULL: as it was */
	} rows[] = {
		{ "engine ready after 300 ms, 4 containers\n", NULL },
		{ "ssh-key: warning: the host key was damaged\n", NULL },
		{ "quiet berth.config=I2Nsb3VkLWNvbmZpZwo= panic=5\n", "quiet berth.config=[hidden] panic=5\n" },
		{ "MYSQL_ROOT_PASSWORD=hunter2 started", "MYSQL_ROOT_PASSWORD=[hidden] started" },
		{ "password: \"two words\" tail", "password: \"[hidden]\" tail" },
		{ "{\"Token\":\"abc\",\"n\":1}", "{\"Token\":\"[hidden]\",\"n\":1}" },
		{ "log=\"{\\\"token\\\":\\\"abc\\\",\\\"n\\\":1}\"",
		  "log=\"{\\\"token\\\":\\\"[hidden]\",\\\"n\\\":1}\"" },
		{ "PrivateKey = abc=\nPresharedKey = abc=\n", "PrivateKey = [hidden]\nPresharedKey = [hidden]\n" },
		{ "GET /x?token=abc&n=1 HTTP/1.1", "GET /x?token=[hidden]&n=1 HTTP/1.1" },
		{ "Authorization: Bearer abc.def ghi\nnext", "Authorization: [hidden]\nnext" },
		{ "get https://me:pw@host/path: 404", "get https://[hidden]@host/path: 404" },
		{ "get https://me:p@w@host/path: 404", "get https://[hidden]@host/path: 404" },
		{ "get https://host/path@2: 404", NULL },
		{ "root:$6$saltsalt$hashhashhash:1", "root:[hidden]:1" },
		{ "costs $5 and $HOME$ more", NULL },
		{ "a\n-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\nb\n",
		  "a\n[hidden: a private key]\nb\n" },
		{ "-----BEGIN EC PRIVATE KEY-----\nAAAA", "[hidden: a private key]\n" },
		{ "a password is needed", NULL },
		{ "run --password hunter2 --quiet", "run --password [hidden] --quiet" },
		{ "run --token 'a b' c", "run --token '[hidden]' c" },
		{ "\"--secret\",\"a\"", NULL }, /* a JSON text's: by its key */
		{ "run --password --quiet", NULL },
		{ "password=", NULL },
		{ "password=\"\" user=\"x\"", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autobuf struct buf out = { 0 };

		hide_text(rows[i].text, strlen(rows[i].text), &out);
		assert_string_equal(buf_text(&out), rows[i].hidden ? rows[i].hidden : rows[i].text);
	}
}

static void documents(void **state)
{
	static const char before[] =
		"{\"Name\":\"/db\",\"Pid\":42,\"Config\":{\"Env\":[\"PW=canary\",\"EMPTY=\"],"
		"\"Cmd\":[\"server\",\"--pass\",\"canary\"],\"Labels\":{\"a\":\"canary\"},\"Image\":\"db:1\"},"
		"\"environment\":{\"A\":\"canary\",\"B\":7},"
		"\"write_files\":[{\"path\":\"/x\",\"content_base64\":\"canary\"}],"
		"\"files\":[{\"content\":\"canary\"}],\"key\":{\"dropbear_base64\":\"canary\"},"
		"\"network\":{\"links\":[{\"name\":\"wg0\",\"key\":\"canary\",\"peers\":["
		"{\"keys\":{\"public\":\"PUB=\",\"shared\":\"canary\"}}]}]},"
		"\"registries\":{\"r\":{\"password\":\"canary\",\"mirror\":\"https://u:canary@m/\"}}}";
	static const char *const kept[] = { "/db", "42", "PW=[hidden]", "\"db:1\"", "\"/x\"",
					    "https://[hidden]@m/", "PUB=", "wg0", "\"A\": \"[hidden]\"" };
	autobuf struct buf out = { 0 };

	(void)state;
	assert_int_equal(hide_json(before, strlen(before), &out), 0);
	assert_null(strstr(buf_text(&out), "canary"));
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		assert_non_null(strstr(buf_text(&out), kept[i]));
}

static void no_document(void **state)
{
	autobuf struct buf out = { 0 };

	(void)state;
	assert_int_equal(hide_json("{\"a\":", 5, &out), -EINVAL);
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(documents),
		cmocka_unit_test(no_document),
	};

	return cmocka_run_group_tests_name("hide", tests, NULL, NULL);
}
