/* Where each value was written: the file and line that `berth config show` says beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bootcfg/merge.h"
#include "bootcfg/origins.h"
#include "bootcfg/understand.h"

#define KEY(n) "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMZ5bCqDnBsgPZPrbFs4cyxbt0ny6nYv7hCp4Yhwqk9a " n
#define PART "- |\n  #cloud-config\n"

static const struct {
	const char *what, *user, *vendor, *meta, *network;
	const char *has[6], *hasnt; /* in "origins" */
} rows[] = {
	{ "a line each", "#cloud-config\nhostname: a\nntp:\n  servers: [192.0.2.1]\n", "", "", "",
	  { "\"u\":{\"hostname\":2,\"ntp\":4,\"ntp.servers\":4,\"ntp.servers[0]\":4}",
	    "\"default\":{\"ntp.enabled\":0}" }, NULL },
	{ "the names of the JSON; items by name or by number",
	  "containers:\n  aa:\n    image: x\n    ports:\n    - 80:80\n    - 90-91:90-91\n", "", "", "",
	  { "\"containers\":2", "\"containers.aa\":3", "\"containers.aa.ports[0]\":5",
	    "\"containers.aa.ports[1]\":6" },
	  "containers.aa.name" },
	{ "the later part is the later file", "#cloud-config-archive\n" PART "  hostname: one\n" PART
	  "  hostname: two\n", "", "", "", { "\"u[1]\":{\"hostname\":2},\"u[2]\":{\"hostname\":2}" }, NULL },
	{ "vendor-data is below", "#cloud-config\nhostname: user\n", "#cloud-config\n\nhostname: vendor\n", "", "",
	  { "\"vendor-data\":{\"hostname\":3},\"u\":{\"hostname\":2}" }, NULL },
	{ "metadata counts where it is taken", "#cloud-config\nhostname: user\n", "",
	  "local-hostname: meta\ninstance-id: i\n", "", { "\"hostname\":2", "\"meta-data\":{\"instance_id\":2}" },
	  "\"hostname\":1" },
	{ "a name that is made of another", "#cloud-config\n\n\nfqdn: a.example.org\n", "", "", "",
	  { "\"fqdn\":4,\"hostname\":4" }, NULL },
	{ "the place of a key is where it is in the end",
	  "ssh_authorized_keys:\n- " KEY("1") "\n", "#cloud-config\nssh_authorized_keys: [\"" KEY("2") "\"]\n",
	  "public-keys:\n- " KEY("1") "\n- " KEY("3") "\n", "",
	  { "\"vendor-data\":{\"ssh_authorized_keys\":2,\"ssh_authorized_keys[0]\":2}",
	    "\"u\":{\"ssh_authorized_keys\":2,\"ssh_authorized_keys[1]\":2}",
	    "\"meta-data\":{\"ssh_authorized_keys[2]\":3}" }, NULL },
	{ "a network of its own", "#cloud-config\n", "", "",
	  "version: 2\nethernets:\n  eth0:\n    dhcp4: true\n",
	  { "\"network-config\":{\"network.links\":3,", "\"network.links.eth0.dhcp4\":4" }, NULL },
};

static void check_row(size_t i)
{
	struct source s = { .kind = "test", .file = "u" };
	autofaults struct faults faults = { 0 };
	yyjson_mut_doc *doc = NULL;
	autofree char *json = NULL;

	buf_adds(&s.user_data, rows[i].user);
	buf_adds(&s.vendor_data, rows[i].vendor);
	buf_adds(&s.meta_data, rows[i].meta);
	buf_adds(&s.network, rows[i].network);
	assert_int_equal(understand(&s, false, &doc, &faults), 0);
	merge_defaults(doc);
	json = yyjson_mut_val_write(yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "origins"), 0, NULL);
	assert_non_null(json);
	for (size_t h = 0; h < ARRAY_LEN(rows[i].has) && rows[i].has[h]; h++)
		if (!strstr(json, rows[i].has[h]))
			fail_msg("%s: no %s in %s", rows[i].what, rows[i].has[h], json);
	if (rows[i].hasnt && strstr(json, rows[i].hasnt))
		fail_msg("%s: %s in %s", rows[i].what, rows[i].hasnt, json);
	yyjson_mut_doc_free(doc);
	source_free(&s);
}

static void test_rows(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_row(i);
}

/* A text that is no configuration: its keys are from somewhere in it. */
static void test_salvaged_keys(void **unused)
{
	struct source s = { .kind = "test", .file = "u" };
	autofaults struct faults faults = { 0 };
	yyjson_mut_doc *doc = NULL, *last_good = merge_empty();
	autofree char *json = NULL;

	(void)unused;
	buf_adds(&s.user_data, "a: [\nssh_authorized_keys:\n- " KEY("s") "\n");
	assert_true(understand(&s, false, &doc, &faults) < 0);
	merge_ssh_keys(last_good, doc);
	json = yyjson_mut_write(last_good, 0, NULL);
	assert_non_null(strstr(json, "\"origins\":{\"u\":{\"ssh_authorized_keys[0]\":0}}"));
	yyjson_mut_doc_free(doc);
	yyjson_mut_doc_free(last_good);
	source_free(&s);
}

/* A long text costs a bounded amount of memory for this. */
static void test_bound(void **unused)
{
	struct source s = { .kind = "test", .file = "u" };
	autofaults struct faults faults = { 0 };
	yyjson_mut_doc *doc = NULL;
	autofree char *json = NULL;

	(void)unused;
	buf_adds(&s.user_data, "write_files:\n");
	for (int i = 0; i < 900; i++) {
		buf_addf(&s.user_data, "- path: /a%d\n  content: |\n", i);
		buf_adds(&s.user_data, "    x\n");
	}
	buf_adds(&s.user_data, "berth: {sysctl: {");
	for (int i = 0; i < 150; i++)
		buf_addf(&s.user_data, "net.%090d.a%d: 1,", i, i);
	buf_adds(&s.user_data, "}}\n");
	assert_int_equal(understand(&s, false, &doc, &faults), 0);
	json = yyjson_mut_val_write(yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "origins"), 0, NULL);
	assert_true(strlen(json) > 20000 && strlen(json) < ORIGINS_BYTES_MAX * 2);
	yyjson_mut_doc_free(doc);
	source_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_salvaged_keys),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests_name("bootcfg origins", tests, NULL, NULL);
}
