/* Folders of cases, one for each schema: cases/NAME.yaml is read; cases/NAME.json, if it is there,
 * is the whole configuration that must come out, cases/NAME.faults the lines of `bootcfg check`,
 * none without the file. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "bootcfg/network.h"

static char top[4096], folder[5000];

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

/* Where each value stands is test_origins.c's business. */
static yyjson_doc *without_origins(yyjson_val *config)
{
	yyjson_mut_doc *copy = yyjson_mut_doc_new(NULL);
	yyjson_doc *out;

	yyjson_mut_doc_set_root(copy, yyjson_val_mut_copy(copy, config));
	assert_non_null(yyjson_mut_obj_remove_key(yyjson_mut_doc_get_root(copy), "origins"));
	out = yyjson_mut_doc_imut_copy(copy, NULL);
	yyjson_mut_doc_free(copy);
	return out;
}

static void check_config(const char *name, yyjson_val *whole)
{
	yyjson_doc *compared = without_origins(whole), *expected;
	yyjson_val *config = yyjson_doc_get_root(compared);
	autobuf struct buf text = { 0 };

	read_case(name, ".json", &text);
	if (!text.len) {
		yyjson_doc_free(compared);
		return;
	}
	expected = yyjson_read(text.data, text.len, 0);
	if (!expected)
		fail_msg("%s.json is no JSON", name);
	if (!yyjson_equals(yyjson_doc_get_root(expected), config)) {
		autofree char *found = yyjson_val_write(config, YYJSON_WRITE_PRETTY, NULL);

		fail_msg("%s: the configuration is not that of %s.json but\n%s", name, name, found);
	}
	yyjson_doc_free(expected);
	yyjson_doc_free(compared);
}

static void check_case(const struct type *schema, const char *name)
{
	autobuf struct buf text = { 0 }, answer = { 0 }, lines = { 0 }, expected = { 0 };
	char file[512];
	struct config_text in = { .schema = schema, .file = file };
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

static int check_folder(const char *name, const struct type *schema)
{
	autodir DIR *d = NULL;
	struct dirent *entry;
	int cases = 0;

	snprintf(folder, sizeof(folder), "%s/%s", top, name);
	d = opendir(folder);
	if (!d)
		fail_msg("there is no folder %s", folder);
	while ((entry = readdir(d))) {
		size_t len = strlen(entry->d_name);

		if (len < 6 || strcmp(entry->d_name + len - 5, ".yaml") != 0)
			continue;
		entry->d_name[len - 5] = '\0';
		check_case(schema, entry->d_name);
		cases++;
	}
	return cases;
}

static void test_cases(void **state)
{
	(void)state;
	assert_true(check_folder(".", NULL) > 50);
	assert_true(check_folder("network-config", &schema_network_file) > 2);
	assert_true(check_folder("network-data", &schema_network_data) > 1);
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

/* A network's text of its own: what user-data says goes before it, and what is of no use leaves the
 * machine with DHCP. */
static void test_network_read(void **state)
{
	static const struct {
		const char *config, *text;
		size_t faults, links;
		bool faulty;
	} rows[] = {
		{ "{}", "version: 2\nethernets: {eth0: {dhcp4: true}}\n", 0, 1, false },
		{ "{}", "network: {version: 2, ethernets: {eth0: {dhcp4: true}}}\n", 0, 1, false },
		{ "{}", "network: [\n", 1, 0, true },
		{ "{}", "ethernets: {eth0: {dhcp5: true}}\n", 1, 1, true },
		{ "{\"network\":{\"links\":[]}}", "version: 2\nethernets: {a: {}}\n", 1, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autofaults struct faults faults = { 0 };
		yyjson_doc *start = yyjson_read(rows[i].config, strlen(rows[i].config), 0);
		yyjson_mut_doc *config = yyjson_doc_mut_copy(start, NULL);
		yyjson_mut_val *network;

		network_read(NETWORK_NETPLAN, "network-config", rows[i].text, strlen(rows[i].text),
			     config, &faults);
		network = yyjson_mut_obj_get(yyjson_mut_doc_get_root(config), "network");
		assert_int_equal(faults.count, rows[i].faults);
		assert_int_equal(yyjson_mut_arr_size(yyjson_mut_obj_get(network, "links")),
				 rows[i].links);
		assert_int_equal(yyjson_mut_get_bool(yyjson_mut_obj_get(network, "faulty")),
				 rows[i].faulty);
		yyjson_mut_doc_free(config);
		yyjson_doc_free(start);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_jailed),
		cmocka_unit_test(test_network_read),
	};
	const char *slash = strrchr(__FILE__, '/');

	snprintf(top, sizeof(top), "%.*scases", slash ? (int)(slash - __FILE__) + 1 : 0,
		 __FILE__);
	return cmocka_run_group_tests_name("bootcfg cases", tests, NULL, NULL);
}
