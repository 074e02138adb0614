/* Wrappings of user-data: what comes out of each, section by section. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bootcfg/parts.h"
#include "bootcfg/section.h"

#define CONFIG "#cloud-config\nhostname: a\n"
/* The same, gzipped (gzip -n | base64) and as base64 alone. */
#define GZIP_64 "H4sIAAAAAAACA1NOzskvTdFNzs9Ly0znysgvLslLzE21UkjkAgBR3LOOGgAAAA=="
#define BASE_64 "I2Nsb3VkLWNvbmZpZwpob3N0bmFtZTogYQo="
#define MULTI "Content-Type: multipart/mixed; boundary=\"==B==\"\nMIME-Version: 1.0\n\n"

static const struct {
	const char *what, *text, *out; /* "NAME: TEXT|" for each section; "!" and the error */
} rows[] = {
	{ "plain", CONFIG, "config:" CONFIG "|" },
	{ "nothing", "", "config:|" },
	{ "base64", BASE_64, "config:" CONFIG "|" },
	{ "base64, with lines", "I2Nsb3VkLWNvbmZp\nZwpob3N0bmFtZTogYQo=\n", "config:" CONFIG "|" },
	{ "base64 of something else", "aGVsbG8gd29ybGQsIGhlbGxv", "config:aGVsbG8gd29ybGQsIGhlbGxv|" },
	{ "gzip in base64", GZIP_64, "config:" CONFIG "|" },
	{ "damaged gzip", "\x1f\x8b\x08xxxxxxxxxxxx", "!it is damaged gzip" },
	{ "include", "#include\n# note\nhttp://a/b\n  https://c/d\n",
	  "include:http://a/b\nhttps://c/d\n|" },
	{ "include once", "#include-once\nhttp://a/b", "include:http://a/b\n|" },
	{ "multi-part",
	  "From nobody Thu Jan  1 00:00:00 1970\n" MULTI "preamble\n--==B==\n"
	  "Content-Type: text/cloud-config; charset=\"us-ascii\"\nContent-Transfer-Encoding: 7bit\n"
	  "Content-Disposition: attachment; filename=\"a.yaml\"\n\nhostname: a\n"
	  "--==B==\nContent-Type: text/plain\n\n" CONFIG "--==B==--\nafter\n",
	  "typed:hostname: a\n|config:" CONFIG "|" },
	{ "multi-part, CR LF, folded header",
	  "MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary=xx\r\n\r\n--xx\r\n"
	  "Content-Type: text/cloud-config\r\n\r\na: b\r\n--xx--\r\n", "typed:a: b\r\n|" },
	{ "encodings",
	  MULTI "--==B==\nContent-Transfer-Encoding: base64\nContent-Type: text/cloud-config\n\n" BASE_64
	  "\n--==B==\nContent-Transfer-Encoding: quoted-printable\nContent-Type: text/cloud-config\n\n"
	  "a: =3D=\nb\n--==B==--\n", "typed:" CONFIG "|typed:a: =b\n|" },
	{ "multi-part in multi-part",
	  MULTI "--==B==\nContent-Type: multipart/mixed; boundary=i\n\n--i\nContent-Type: text/cloud-config\n"
	  "\nx: 1\n--i--\n--==B==--\n", "typed:x: 1\n|" },
	{ "cut off", MULTI "--==B==\nContent-Type: text/cloud-config\n\nx: 1\n", "typed:x: 1\n|" },
	{ "a script in it", MULTI "--==B==\nContent-Type: text/x-shellscript\n\n#!/bin/sh\n--==B==--\n",
	  "error:a script (text/x-shellscript) is not run: use a container, or runcmd|" },
	{ "other formats in it",
	  MULTI "--==B==\nContent-Type: text/cloud-boothook\n\nx\n--==B==\nContent-Type: text/jinja2\n\nx\n"
	  "--==B==\nContent-Type: text/x-include-url\n\nhttp://a/\n--==B==--\n",
	  "error:boot hooks (text/cloud-boothook) are not run|"
	  "error:templates (text/jinja2) are not filled in|include:http://a/\n|" },
	{ "a way of merging",
	  MULTI "--==B==\nContent-Type: text/cloud-config\nMerge-Type: list(append)\n\nx: 1\n--==B==--\n",
	  "error:a MIME part asks for a way of merging (Merge-Type); maps are merged, lists replaced|"
	  "typed:x: 1\n|" },
	{ "no boundary", "Content-Type: multipart/mixed\n\n--x\n", "!a MIME multi-part names no boundary" },
	{ "no part", MULTI "nothing\n", "" },
	{ "bad base64", MULTI "--==B==\nContent-Transfer-Encoding: base64\n\n***\n--==B==--\n",
	  "!a MIME part is said to be base64 and is not" },
	{ "archive",
	  "#cloud-config-archive\n- type: text/cloud-config\n  content: |\n    a: b\n- |\n  #cloud-config\n"
	  "  c: d\n- \"#include\\nhttp://a/\"\n",
	  "typed:a: b\n|config:#cloud-config\nc: d\n|include:http://a/\n|" },
	{ "archive of the wrong shape", "#cloud-config-archive\na: b\n", "!an archive is a list" },
	{ "an item of the wrong shape", "#cloud-config-archive\n- [a]\n",
	  "!line 2 of the archive: found no text, and no mapping with \"content\" and \"type\"" },
	{ "archive that is no YAML", "#cloud-config-archive\n- [a\n",
	  "!line 2 of the archive: a \"[\" that begins here" },
};

static void show(const struct buf *sections, struct buf *out)
{
	struct section s;

	for (size_t at = 0; section_next(sections, &at, &s);) {
		buf_addf(out, "%s:", s.name);
		buf_add(out, s.data, s.len);
		buf_addc(out, '|');
	}
}

static void test_split(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autobuf struct buf raw = { 0 }, sections = { 0 }, shown = { 0 };
		struct err e = { "" };

		buf_adds(&raw, rows[i].text);
		if (parts_split(&raw, &sections, &e) < 0)
			buf_addf(&shown, "!%s", e.text);
		else
			show(&sections, &shown);
		if (strncmp(buf_text(&shown), rows[i].out, strlen(rows[i].out)) != 0 ||
		    (rows[i].out[0] != '!' && shown.len != strlen(rows[i].out)))
			fail_msg("%s: \"%s\" instead of \"%s\"", rows[i].what, buf_text(&shown), rows[i].out);
	}
}

/* As deep as it is allowed, and one deeper. */
static void test_depth(void **unused)
{
	(void)unused;
	for (int depth = 1; depth < 12; depth++) {
		autobuf struct buf raw = { 0 }, sections = { 0 };
		struct err e = { "" };
		int code;

		for (int i = 0; i < depth; i++)
			buf_addf(&raw, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i);
		buf_adds(&raw, "Content-Type: text/cloud-config\n\na: b\n");
		code = parts_split(&raw, &sections, &e);
		if (depth < PARTS_DEPTH_MAX - 1)
			assert_int_equal(code, 0);
		if (depth > PARTS_DEPTH_MAX)
			assert_non_null(strstr(e.text, "wrappings in each other"));
	}
}

/* Through the jail, with the names that faults have. */
static void test_names(void **unused)
{
	static const struct {
		const char *text, *names;
		int code;
		size_t faults;
		bool waits;
	} cases[] = {
		{ CONFIG, "u;", 0, 0, false },
		{ "#cloud-config-archive\n- '#cloud-config'\n- '#cloud-config'\n", "u[1];u[2];", 0, 0, false },
		{ "#include\nhttp://a/\n", "", 0, 0, true },
		{ "#include\nftp://a/\n", "", 0, 1, false },
		{ "#cloud-config-archive\n- [a]\n", "", -74, 1, false },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		autoparts struct parts parts = { .count = 0 };
		autofaults struct faults faults = { 0 };
		autobuf struct buf raw = { 0 }, names = { 0 };

		buf_adds(&raw, cases[i].text);
		assert_int_equal(parts_read(&raw, "u", false, &parts, &faults), cases[i].code);
		for (size_t p = 0; p < parts.count; p++)
			buf_addf(&names, "%s;", parts.items[p].file);
		assert_string_equal(buf_text(&names), cases[i].names);
		assert_int_equal(faults.count, cases[i].faults);
		assert_int_equal(parts.needs_network, cases[i].waits);
	}
}

/* A bomb: a megabyte and more of zeros in a kilobyte. */
static void test_bomb(void **unused)
{
	autobuf struct buf bomb = { 0 }, out = { 0 };
	char path[] = "/tmp/berth-bomb-XXXXXX", command[96];
	struct err e = { "" };
	FILE *f;
	int c, fd = mkstemp(path);

	(void)unused;
	assert_true(fd >= 0);
	close(fd);
	snprintf(command, sizeof(command), "head -c 3000000 /dev/zero | gzip -9 >%s", path);
	assert_int_equal(system(command), 0);
	f = fopen(path, "rb");
	assert_non_null(f);
	while ((c = fgetc(f)) != EOF)
		buf_addc(&bomb, (char)c);
	fclose(f);
	remove(path);
	assert_int_equal(parts_plain(&bomb, &out, &e), -27);
	assert_string_equal(e.text, "unpacked it is larger than 1048576 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_bomb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
