/* One folder of cases: cases/NAME.yaml is read; cases/NAME.json, if it is there, is the whole
 * configuration that must come out, cases/NAME.faults the lines of `bootcfg check`, none without
 * the file. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "bootcfg/config.h"

static char folder[4096];

static void read_case(const char *name, const char *end, struct buf *out)
{
	char path[8192];

	snprintf(path, sizeof(path), "%s/%s%s", folder, name, end);
	file_read_at(AT_FDCWD, path, CONFIG_TEXT_MAX, out, NULL);
}

static void fault_lines(yyjson_val *answer, struct buf *out)
{
	autofaults struct faults faults = { 0 };

	faults_from_json(&faults, yyjson_obj_get(answer, "faults"));
	for (size_t i = 0; i < faults.count; i++) {
		fault_line(&faults.items[i], out);
		buf_addc(out, '\n');
	}
}

static void check_config(const char *name, yyjson_val *config)
{
	autobuf struct buf text = { 0 };
	yyjson_doc *expected;

	read_case(name, ".json", &text);
	if (!text.len)
		return;
	expected = yyjson_read(text.data, text.len, 0);
	if (!expected)
		fail_msg("%s.json is no JSON", name);
	if (!yyjson_equals(yyjson_doc_get_root(expected), config)) {
		autofree char *found = yyjson_val_write(config, YYJSON_WRITE_PRETTY, NULL);

		fail_msg("%s: the configuration is not that of %s.json but\n%s", name, name, found);
	}
	yyjson_doc_free(expected);
}

static void check_case(const char *name)
{
	autobuf struct buf text = { 0 }, answer = { 0 }, lines = { 0 }, expected = { 0 };
	char file[512];
	struct config_text in = { .file = file };
	yyjson_doc *doc;

	snprintf(file, sizeof(file), "%s.yaml", name);
	read_case(name, ".yaml", &text);
	read_case(name, ".faults", &expected);
	in.text = buf_text(&text);
	in.len = text.len;
	assert_int_equal(config_read(&in, &answer, NULL), 0);
	doc = yyjson_read(buf_text(&answer), answer.len, 0);
	assert_non_null(doc);
	fault_lines(yyjson_doc_get_root(doc), &lines);
	if (strcmp(buf_text(&lines), buf_text(&expected)) != 0)
		fail_msg("%s: the faults are not those of %s.faults but\n%s", name, name,
			 buf_text(&lines));
	check_config(name, yyjson_obj_get(yyjson_doc_get_root(doc), "config"));
	yyjson_doc_free(doc);
}

static void test_cases(void **state)
{
	autodir DIR *d = opendir(folder);
	struct dirent *entry;
	int cases = 0;

	(void)state;
	if (!d)
		fail_msg("there is no folder %s", folder);
	while ((entry = readdir(d))) {
		size_t len = strlen(entry->d_name);

		if (len < 6 || strcmp(entry->d_name + len - 5, ".yaml") != 0)
			continue;
		entry->d_name[len - 5] = '\0';
		check_case(entry->d_name);
		cases++;
	}
	assert_true(cases > 50);
}

/* The same through the jail, as at boot. */
static void test_jailed(void **state)
{
	static const char text[] = "#cloud-config\nhostname: web-1\n", bad[] = "a: [\n";
	struct config_text in = { .file = "f", .text = text, .len = sizeof(text) - 1 };
	autofaults struct faults faults = { 0 };
	yyjson_mut_doc *config = NULL;

	(void)state;
	assert_int_equal(config_parse(&in, &config, &faults), 0);
	assert_int_equal(faults.count, 0);
	assert_true(yyjson_mut_equals_str(
		yyjson_mut_obj_get(yyjson_mut_doc_get_root(config), "hostname"), "web-1"));
	yyjson_mut_doc_free(config);
	in.text = bad;
	in.len = sizeof(bad) - 1;
	assert_int_equal(config_parse(&in, &config, &faults), -EBADMSG);
	assert_int_equal(faults.errors, 1);
	yyjson_mut_doc_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_jailed),
	};
	const char *slash = strrchr(__FILE__, '/');

	snprintf(folder, sizeof(folder), "%.*scases", slash ? (int)(slash - __FILE__) + 1 : 0,
		 __FILE__);
	return cmocka_run_group_tests_name("bootcfg cases", tests, NULL, NULL);
}
