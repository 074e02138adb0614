/* From a source's texts to one configuration: what lies over what, and what a fault in each
 * costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "base/cleanup.h"
#include "bootcfg/understand.h"

#define KEY(n) "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMZ5bCqDnBsgPZPrbFs4cyxbt0ny6nYv7hCp4Yhwqk9a " n
#define ARCHIVE "#cloud-config-archive\n"
#define PART "- |\n  #cloud-config\n"

static const struct {
	const char *what, *user, *vendor, *meta;
	bool online;
	int code;
	const char *has[4];  /* in the JSON */
	const char *hasnt;   /* not in it */
	const char *faults;  /* each of them, "LEVEL FILE: MESSAGE" shortened, one after the other */
} rows[] = {
	{ "nothing", "", "", "", false, 0, { "{" }, "hostname", "" },
	{ "metadata where user-data says nothing", "#cloud-config\nntp: {enabled: false}\n", "",
	  "{\"local-hostname\": \"meta\", \"instance-id\": \"i-1\", \"public-keys\": [\"" KEY("m") "\"]}", false, 0,
	  { "\"hostname\":\"meta\"", "\"instance_id\":\"i-1\"", " m\"", "\"enabled\":false" }, NULL, "" },
	{ "user-data over metadata, keys of both",
	  "#cloud-config\nhostname: user\nssh_authorized_keys: [\"" KEY("u") "\"]\n", "",
	  "{\"local-hostname\": \"meta\", \"public-keys\": [\"" KEY("m") "\"]}", false, 0,
	  { "\"hostname\":\"user\"", " u\"", " m\"" }, "\"meta\"", "" },
	{ "vendor-data under user-data", "#cloud-config\nhostname: user\n",
	  "#cloud-config\nhostname: vendor\nntp: {enabled: false}\n", "", false, 0,
	  { "\"hostname\":\"user\"", "\"enabled\":false" }, "\"vendor\"", "" },
	{ "vendor-data with faults is one warning", "#cloud-config\n",
	  "#cloud-config\nhostnam: a\ndisable_rot: b\nhostname: v\n", "", false, 0, { "\"hostname\":\"v\"" }, NULL,
	  "1 vendor-data: " },
	{ "vendor-data that is none", "#cloud-config\nhostname: u\n", "#!/bin/sh\n", "", false, 0,
	  { "\"hostname\":\"u\"" }, NULL, "1 vendor-data: this is a script" },
	{ "parts: the later one wins, maps are merged, lists replaced, keys added",
	  ARCHIVE PART "  hostname: one\n  ntp: {enabled: false, servers: [192.0.2.1]}\n  ssh_authorized_keys: [\""
	  KEY("1") "\"]\n" PART "  hostname: two\n  ntp: {servers: [192.0.2.2]}\n  ssh_authorized_keys: [\""
	  KEY("2") "\"]\n", "", "", false, 0,
	  { "\"hostname\":\"two\"", "\"enabled\":false", "\"servers\":[\"192.0.2.2\"]", " 1\",\"ssh-" }, "192.0.2.1",
	  "" },
	{ "parts: containers by name",
	  ARCHIVE PART "  containers: {aa: {image: one}, bb: {image: kept}}\n" PART
	  "  containers: {aa: {image: two}, cc: {image: added}}\n", "", "", false, 0,
	  { "\"two", "\"kept", "\"added" }, "\"one", "" },
	{ "a script among parts costs itself", ARCHIVE PART "  hostname: a\n- |\n  #!/bin/sh\n", "", "", false, 0,
	  { "\"hostname\":\"a\"" }, NULL, "0 u[2]: this is a script" },
	{ "a part that is no YAML costs itself, but its keys count",
	  ARCHIVE PART "  hostname: a\n- |\n  #cloud-config\n  ssh_authorized_keys:\n  - " KEY("s") "\n  x: [\n", "",
	  "", false, 0, { "\"hostname\":\"a\"", " s\"" }, NULL, "0 u[2]: " },
	{ "nothing usable", "#!/bin/sh\n", "", "", false, -EBADMSG, { "{" }, NULL, "0 u: this is a script" },
	{ "nothing usable, keys told from the text", "a: [\nssh_authorized_keys:\n- " KEY("s") "\n", "", "", false,
	  -EBADMSG, { " s\"" }, NULL, "0 u: " },
	{ "damaged gzip", "\x1f\x8b\x08xxxxxxxxxxxx", "", "", false, -EBADMSG, { "{" }, NULL,
	  "0 u: it is damaged gzip" },
	{ "something included, without the network", "#include\nhttp://192.0.2.1/\n", "", "", false, -EAGAIN,
	  { "{" }, NULL, "" },
	{ "something included by the provider, without the network", "#cloud-config\nhostname: u\n",
	  "#include\nhttp://192.0.2.1/\n", "", false, -EAGAIN, { "\"hostname\":\"u\"" }, NULL, "" },
	{ "metadata that is no YAML", "#cloud-config\nhostname: u\n", "", "a: [", false, 0,
	  { "\"hostname\":\"u\"" }, NULL, "0 meta-data: " },
};

static void check_faults(const char *what, const struct faults *f, const char *expected)
{
	autobuf struct buf got = { 0 };

	for (size_t i = 0; i < f->count; i++)
		buf_addf(&got, "%d %s: %s", f->items[i].level, f->items[i].file, f->items[i].message);
	if (strncmp(buf_text(&got), expected, strlen(expected)) != 0 || (!*expected && got.len) ||
	    (*expected && f->count != 1))
		fail_msg("%s: faults \"%s\" instead of \"%s\"", what, buf_text(&got), expected);
}

static void test_rows(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct source s = { .kind = "test", .file = "u" };
		autofaults struct faults faults = { 0 };
		yyjson_mut_doc *doc = NULL;
		autofree char *json = NULL;
		int code;

		buf_adds(&s.user_data, rows[i].user);
		buf_adds(&s.vendor_data, rows[i].vendor);
		buf_adds(&s.meta_data, rows[i].meta);
		code = understand(&s, rows[i].online, &doc, &faults);
		json = yyjson_mut_write(doc, 0, NULL);
		if (code != rows[i].code)
			fail_msg("%s: %d instead of %d", rows[i].what, code, rows[i].code);
		for (size_t h = 0; h < 4 && rows[i].has[h]; h++)
			if (!json || !strstr(json, rows[i].has[h]))
				fail_msg("%s: no %s in %s", rows[i].what, rows[i].has[h], json);
		if (rows[i].hasnt && strstr(json, rows[i].hasnt))
			fail_msg("%s: %s in %s", rows[i].what, rows[i].hasnt, json);
		check_faults(rows[i].what, &faults, rows[i].faults);
		yyjson_mut_doc_free(doc);
		source_free(&s);
	}
}

/* What waits for the network is told which. */
static void test_network_of_what_waits(void **unused)
{
	struct source s = { .kind = "nocloud", .file = "user-data" };
	autofaults struct faults faults = { 0 };
	yyjson_mut_doc *doc = NULL;

	(void)unused;
	buf_adds(&s.user_data, "#include\nhttp://192.0.2.1/\n");
	buf_adds(&s.network, "version: 2\nethernets: {eth0: {dhcp4: true}}\n");
	assert_int_equal(understand(&s, false, &doc, &faults), -EAGAIN);
	assert_non_null(yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "network"));
	yyjson_mut_doc_free(doc);
	source_free(&s);
}

static void test_notes(void **unused)
{
	struct source s = { .kind = "gcp", .file = "user-data" };
	autofaults struct faults faults = { 0 };
	yyjson_mut_doc *doc = NULL;

	(void)unused;
	buf_adds(&s.notes, "one\ntwo\n");
	assert_int_equal(understand(&s, false, &doc, &faults), 0);
	assert_int_equal(faults.warnings, 2);
	assert_string_equal(faults.items[1].message, "two");
	assert_string_equal(faults.items[1].file, "gcp");
	yyjson_mut_doc_free(doc);
	source_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_network_of_what_waits),
		cmocka_unit_test(test_notes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
