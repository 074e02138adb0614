/* What the later stages of a boot are made of. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "bootcfg/stage.h"

/* The script is given to a shell: what it says counts, not how it is written. */
static void run_script(const struct buf *script, struct buf *said)
{
	char path[] = "/tmp/stage-test-XXXXXX", line[256];
	autoclose int fd = mkstemp(path);
	autobuf struct buf command = { 0 };
	FILE *output;

	assert_int_equal(write(fd, script->data, script->len), script->len);
	buf_addf(&command, "/bin/sh %s 2>&1", path);
	output = popen(buf_text(&command), "r");
	while (fgets(line, sizeof(line), output))
		buf_adds(said, line);
	pclose(output);
	unlink(path);
}

static const struct {
	const char *commands, *said;
} scripts[] = {
	{ "[\"echo one\", [\"echo\", \"two words\", \"it's $HOME\"]]", "one\ntwo words it's $HOME\n" },
	{ "[\"cd /tmp; x=7\", \"echo $PWD $x\"]", "/tmp 7\n" },
	{ "[[\"false\"], \"echo on\"]", "n: warning: n[0]: exit code 1\non\n" },
	{ "[\"(exit 3)\"]", "n: warning: n[0]: exit code 3\n" },
	{ "[\"cat <<E\\nhere\\nE\", \"exit 0\", \"echo never\"]", "here\n" },
	{ "[\"true # comment\"]", "" },
};

static void test_script(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		yyjson_doc *doc = yyjson_read(scripts[i].commands, strlen(scripts[i].commands), 0);
		autobuf struct buf script = { 0 }, said = { 0 };

		stage_script(yyjson_doc_get_root(doc), "n", &script);
		run_script(&script, &said);
		assert_string_equal(buf_text(&said), scripts[i].said);
		yyjson_doc_free(doc);
	}
}

static const struct {
	const char *text, *filled;
} fills[] = {
	{ "up after $UPTIME s", "up after 1.5 s" }, { "${uptime}s", "1.5s" },
	{ "$uptimes $ ${ ${uptime $$", "$uptimes $ ${ ${uptime $$" },
	{ "$version$version", "xx" }, { "", "" }, { "$", "$" },
};

static void test_fill(void **state)
{
	static const struct stage_word words[] = { { "uptime", "1.5" }, { "version", "x" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fills); i++) {
		autobuf struct buf out = { 0 };

		stage_fill(fills[i].text, words, ARRAY_LEN(words), &out);
		assert_string_equal(buf_text(&out), fills[i].filled);
	}
}

static void test_form(void **state)
{
	autobuf struct buf form = { 0 };

	(void)state;
	stage_form_add(&form, "hostname", "web-1");
	stage_form_add(&form, "key", "ssh-ed25519 A+/=\xc3\xa4&");
	stage_form_add(&form, "none", "");
	assert_string_equal(buf_text(&form),
			    "hostname=web-1&key=ssh-ed25519%20A%2B%2F%3D%C3%A4%26&none=");
}

/* Once for each instance, whatever its id is made of. */
static void test_once(void **state)
{
	char folder[] = "/tmp/stage-test-XXXXXX";
	autoclose int root = -1;

	(void)state;
	assert_non_null(mkdtemp(folder));
	root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(stage_first_time(root, "i-1", "runcmd"));
	assert_false(stage_first_time(root, "i-1", "runcmd"));
	assert_true(stage_first_time(root, "i-1", "phone_home"));
	assert_true(stage_first_time(root, "../../i", "runcmd"));
	assert_false(stage_first_time(root, "../../i", "runcmd"));
	/* What cannot be remembered is not done. */
	assert_int_equal(path_remove_tree(AT_FDCWD, folder, NULL), 0);
	assert_false(stage_first_time(root, "i-2", "runcmd"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_script), cmocka_unit_test(test_fill),
		cmocka_unit_test(test_form), cmocka_unit_test(test_once),
	};

	return cmocka_run_group_tests_name("bootcfg stages", tests, NULL, NULL);
}
