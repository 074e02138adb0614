/* The client's side of a question: what the program is given, and what is made of what it writes. A
 * program of a few lines stands for the download (tests/update/test_download.py has the real one). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "download/fetch.h"

static char work[] = "/tmp/berth-fetch-XXXXXX", program[64];

static int make_folder(void **unused)
{
	(void)unused;
	if (!mkdtemp(work))
		return -1;
	snprintf(program, sizeof(program), "%s/download", work);
	fetch_program = program;
	return 0;
}

static int remove_folder(void **unused)
{
	(void)unused;
	return path_remove_tree(AT_FDCWD, work, NULL);
}

/* The program is this shell script. */
static void stand_in(const char *script)
{
	autobuf struct buf text = { 0 };

	buf_addf(&text, "#!/bin/sh\n%s\n", script);
	assert_int_equal(file_replace_at(AT_FDCWD, program, text.data, text.len, 0755, NULL), 0);
}

static void test_answers(void **unused)
{
	static const struct {
		const char *script;
		int code, status;
		const char *headers, *body, *said;
	} rows[] = {
		{ "printf '200\\nA: 1\\nB: 2\\n\\nbody\\n\\nmore'", 0, 200, "A: 1\nB: 2\n", "body\n\nmore", "" },
		{ "printf '404\\n\\n'", 0, 404, "", "", "" },
		{ "printf '404\\n\\n\\nx'", 0, 404, "", "\nx", "" },
		{ "printf '200\\nA: 1'", -EIO, 0, "", "", "strange answer" },
		{ "exit 0", -EIO, 0, "", "", "strange answer" },
		{ "printf 'nobody there'; exit 1", -EIO, 0, "", "", "nobody there" },
		{ "exit 1", -EIO, 0, "", "", "failed" },
		{ "head -c 3000000 /dev/zero", -EFBIG, 0, "", "", "" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autoanswer struct fetch_answer a = { 0 };
		struct fetch_ask ask = { .url = "http://x/" };
		struct err e = { "" };

		stand_in(rows[i].script);
		assert_int_equal(fetch_ask(&ask, &a, &e), rows[i].code);
		assert_int_equal(a.status, rows[i].status);
		assert_string_equal(buf_text(&a.headers), rows[i].headers);
		assert_string_equal(buf_text(&a.body), rows[i].body);
		assert_non_null(strstr(e.text, rows[i].said));
	}
}

static void test_what_the_program_is_given(void **unused)
{
	static const struct fetch_way proxied = { .proxy = "http://p:1", .ca = "/ca.pem" }, plain;
	static const struct {
		struct fetch_ask ask;
		const char *seen;
	} rows[] = {
		{ { .url = "http://x/" },
		  "--ask GET --max 1048576 --tries 1 --seconds 30 --redirects 0 http://x/,,*,\n" },
		{ { .url = "http://x/", .method = "PUT", .headers = "A: 1\n", .body = "b", .body_bytes = 1,
		    .max = 10, .tries = 3, .seconds = 2, .redirects = 4, .way = &proxied },
		  "--ask PUT --max 10 --tries 3 --seconds 2 --redirects 4 http://x/ --ca /ca.pem,"
		  "http://p:1,,A: 1\n\nb" },
		{ { .url = "http://x/", .way = &plain },
		  "--ask GET --max 1048576 --tries 1 --seconds 30 --redirects 0 http://x/,mine,,\n" },
	};

	(void)unused;
	setenv("http_proxy", "mine", 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autoanswer struct fetch_answer a = { 0 };
		struct err e = { "" };

		stand_in("printf '200\\n\\n%s,%s,%s,' \"$*\" \"$http_proxy\" \"$no_proxy\"; /bin/cat");
		assert_int_equal(fetch_ask(&rows[i].ask, &a, &e), 0);
		assert_string_equal(buf_text(&a.body), rows[i].seen);
	}
}

static void test_headers(void **unused)
{
	static const struct {
		const char *name, *value;
	} rows[] = {
		{ "a", "1" }, { "Token", "xyz" }, { "long", "0123456" }, { "b", NULL }, { "to", NULL },
	};
	autoanswer struct fetch_answer a = { 0 };

	(void)unused;
	buf_adds(&a.headers, "A: 1\ntoken:xyz\nLong: 0123456789\nA: 2\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char value[8] = "";

		assert_int_equal(fetch_header(&a, rows[i].name, value, sizeof(value)), rows[i].value != NULL);
		if (rows[i].value)
			assert_string_equal(value, rows[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_what_the_program_is_given),
		cmocka_unit_test(test_headers),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
