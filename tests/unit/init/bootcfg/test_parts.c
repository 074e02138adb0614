/* The parts of bootcfg that cases do not reach: salvage, base64, command line, labels, the schema
 * table itself. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/base64.h"
#include "bootcfg/label.h"
#include "bootcfg/network.h"
#include "bootcfg/salvage.h"
#include "bootcfg/source.h"
#include "bootcfg/walk.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMZ5bCqDnBsgPZPrbFs4cyxbt0ny6nYv7hCp4Yhwqk9a"

static const struct {
	const char *text;
	size_t count;
} salvage_rows[] = {
	{ "ssh_authorized_keys:\n\t- " KEY " a\n", 1 },
	{ "ssh_authorized_keys: [\"" KEY "\"\n", 1 },
	{ "ssh_authorized_keys: [\n  '" KEY " a',\n  \"" KEY " b\",\n", 2 },
	{ "ssh_authorized_keys:\n- " KEY "\n# note\n\n- " KEY " b\r\n", 2 },
	{ "ssh_authorized_keys:\n  # - " KEY "\n", 0 },
	{ "ssh_authorized_keys:\n  - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMZ5\n", 0 },
	{ "write_files:\n  - content: |\n      " KEY "\n", 0 },
	{ "ssh_authorized_keys:\n  - x\nother:\n  - " KEY "\n", 0 },
	{ "  ssh_authorized_keys:\n  - " KEY "\n", 0 },
	{ "", 0 },
	{ "ssh_authorized_keys:", 0 },
};

static void test_salvage(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(salvage_rows); i++) {
		yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
		const char *text = salvage_rows[i].text;
		size_t n = yyjson_mut_arr_size(salvage_ssh_keys(doc, text, strlen(text)));

		if (n != salvage_rows[i].count)
			fail_msg("row %zu: %zu keys instead of %zu", i, n, salvage_rows[i].count);
		yyjson_mut_doc_free(doc);
	}
}

static const struct {
	const char *coded, *plain;
	int code;
} base64_rows[] = {
	{ "aGVsbG8=", "hello", 0 },  { "aGVsbG8", "hello", 0 },	   { "aGVs\nbG8=\n", "hello", 0 },
	{ "", "", 0 },		     { "Pz8/", "???", 0 },	   { "Pz8_", "???", 0 },
	{ "a", "", -EINVAL },	     { "aGVsbG8==", "", -EINVAL }, { "aG*s", "", -EINVAL },
	{ "aGVs=bG8", "", -EINVAL }, { "====", "", -EINVAL },
};

static void test_base64(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(base64_rows); i++) {
		const char *coded = base64_rows[i].coded;
		unsigned char out[64];
		size_t len = 0;
		int code = base64_decode(coded, strlen(coded), out, sizeof(out), &len);

		if (code != base64_rows[i].code || len != strlen(base64_rows[i].plain) ||
		    memcmp(out, base64_rows[i].plain, len) != 0)
			fail_msg("\"%s\": %d, %zu bytes", coded, code, len);
	}
	for (size_t len = 0; len < 40; len++) {
		autobuf struct buf text = { 0 };
		unsigned char in[40], out[40];
		size_t back = 0;

		for (size_t i = 0; i < len; i++)
			in[i] = (unsigned char)(i * 37 + len);
		base64_encode(in, len, &text);
		assert_int_equal(base64_decode(buf_text(&text), text.len, out, len, &back), 0);
		assert_int_equal(back, len);
		assert_memory_equal(in, out, len);
	}
}

static const struct {
	const char *cmdline;
	int code;
	const char *text;
} cmdline_rows[] = {
	{ "quiet", 0, "" },
	{ "quiet berth.config=aGVsbG8= x", 1, "hello" },
	{ "berth.config=aGVsbG8", 1, "hello" },
	{ "berth.config=\"aGVsbG8\" x", 1, "hello" },
	{ "xberth.config=aGVsbG8", 0, "" },
	{ "xberth.config=eA berth.config=aGVsbG8\n", 1, "hello" },
	{ "berth.config=", 0, "" },
	{ "berth.config=a*b", -EINVAL, "" },
};

static void test_cmdline(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cmdline_rows); i++) {
		autobuf struct buf out = { 0 };
		int code = cmdline_config(cmdline_rows[i].cmdline, &out, NULL);

		if (code != cmdline_rows[i].code)
			fail_msg("\"%s\": %d", cmdline_rows[i].cmdline, code);
		if (code > 0)
			assert_string_equal(buf_text(&out), cmdline_rows[i].text);
	}
}

static void test_cmdline_value(void **state)
{
	static const struct {
		const char *cmdline, *name, *value; /* NULL: not there */
	} lines[] = {
		{ "quiet ds=nocloud;s=http://a/ x", "ds", "nocloud;s=http://a/" },
		{ "\"ds=nocloud;h=two words\" x", "ds", "nocloud;h=two words" },
		{ "ds=\"two words\"", "ds", "two words" },
		{ "berth.config-url=http://a/", "berth.config", NULL },
		{ "xds=1 ds=2", "ds", "2" },
		{ "ds", "ds", NULL },
		{ "", "ds", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		autobuf struct buf out = { 0 };

		assert_int_equal(cmdline_value(lines[i].cmdline, lines[i].name, &out), lines[i].value != NULL);
		assert_string_equal(buf_text(&out), lines[i].value ? lines[i].value : "");
	}
}

/* A disk's first bytes, as pieces at offsets. */
struct piece {
	size_t at;
	const char *bytes;
	size_t len;
};

#define AT(offset, text) { offset, text, sizeof(text) - 1 }
#define FAT16 AT(11, "\0\2\4\1\0\2\0\2\0\0\xf8\1\0"), AT(43, "BOOT LABEL "), AT(510, "\x55\xaa")
#define ENTRY_LABEL "CIDATA     \x08" "01234567890123456789"
#define ENTRY_FILE "USER-D~1   \x20" "01234567890123456789"
#define ENTRY_LONG "Auser-data.\x0f" "01234567890123456789"
#define ENTRY_GONE "\xe5LDLABEL   \x08" "01234567890123456789"

static const struct {
	const char *what;
	struct piece pieces[8];
	const char *type, *label;
} label_rows[] = {
	{ "zeros", { { 0 } }, NULL, "" },
	{ "ISO", { AT(32768, "\1CD001\1"), AT(32808, "cidata                          ") },
	  "iso9660", "cidata" },
	{ "ISO, not a primary descriptor", { AT(32768, "\2CD001\1"), AT(32808, "cidata ") }, NULL,
	  "" },
	{ "FAT16, label in the boot sector", { FAT16 }, "vfat", "BOOT LABEL" },
	{ "FAT16, label in the root folder", { FAT16, AT(1536, ENTRY_LABEL) }, "vfat", "CIDATA" },
	{ "FAT16, other entries first",
	  { FAT16, AT(1536, ENTRY_LONG ENTRY_FILE ENTRY_GONE ENTRY_LABEL) }, "vfat", "CIDATA" },
	{ "partition table", { AT(446, "\x80"), AT(510, "\x55\xaa") }, NULL, "" },
	{ "FAT, sectors of 3 bytes", { FAT16, AT(11, "\3\0") }, NULL, "" },
	{ "FAT32",
	  { AT(11, "\0\2\1\1\0\2\0\0\0\0\xf8\0\0"), AT(36, "\1\0\0\0"), AT(44, "\2\0\0\0"),
	    AT(71, "FAT32 BOOT "), AT(510, "\x55\xaa"), AT(1536, ENTRY_LABEL) }, "vfat", "CIDATA" },
	{ "FAT32, root far away",
	  { AT(11, "\0\2\x80\1\0\2\0\0\0\0\xf8\0\0"), AT(36, "\xff\xff\xff\xff"),
	    AT(44, "\xff\xff\xff\xff"), AT(71, "FAT32 BOOT "), AT(510, "\x55\xaa") }, "vfat",
	  "FAT32 BOOT" },
	{ "FAT32, root before the first cluster",
	  { AT(11, "\0\2\1\1\0\2\0\0\0\0\xf8\0\0"), AT(36, "\1\0\0\0"), AT(44, "\1\0\0\0"),
	    AT(510, "\x55\xaa") }, NULL, "" },
};

static void test_label(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(label_rows); i++) {
		char path[] = "/tmp/label-test-XXXXXX", label[LABEL_MAX] = "";
		autoclose int fd = mkstemp(path);
		const char *type;

		assert_true(fd >= 0);
		unlink(path);
		assert_int_equal(ftruncate(fd, 65536), 0);
		for (size_t p = 0; p < 8 && label_rows[i].pieces[p].len; p++) {
			const struct piece *piece = &label_rows[i].pieces[p];

			assert_int_equal(pwrite(fd, piece->bytes, piece->len, (off_t)piece->at),
					 piece->len);
		}
		type = label_read(fd, label);
		if (!type != !label_rows[i].type || (type && strcmp(type, label_rows[i].type)) ||
		    (type && strcmp(label, label_rows[i].label)))
			fail_msg("%s: %s, \"%s\"", label_rows[i].what, type ? type : "nothing",
				 label);
	}
}

static const struct {
	const char *name, *nearest;
} nearest_rows[] = {
	{ "prots", "ports" },	  { "port", "ports" },	     { "enviroment", "environment" },
	{ "read-only", "read_only" }, { "Image", "image" },  { "volume", "volumes" },
	{ "memory_limit", "mem_limit" }, { "frobnicate", NULL }, { "x", NULL }, { "", NULL },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL },
};

static void test_nearest(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(nearest_rows); i++) {
		const char *found = schema_nearest(&schema_container, nearest_rows[i].name);
		const char *wanted = nearest_rows[i].nearest;

		if (!found != !wanted || (found && strcmp(found, wanted) != 0))
			fail_msg("\"%s\": \"%s\"", nearest_rows[i].name, found ? found : "");
	}
}

/* Every key has its help, and its example is a value that it takes. */
static void check_example(const struct key *k)
{
	autofaults struct faults faults = { 0 };
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	struct walk w = { .doc = doc, .faults = &faults, .file = "example",
			  .dropped = yyjson_mut_arr(doc) };
	const struct node *root;
	struct node_tree *tree;
	struct node_error error;

	if (node_parse(k->example, strlen(k->example), &tree, &root, &error) < 0)
		fail_msg("%s: the example is no YAML: %s", k->name, error.err.text);
	walk_value(&w, k->type, root);
	if (faults.count)
		fail_msg("%s: the example has a fault: %s", k->name, faults.items[0].message);
	node_tree_free(tree);
	buf_free(&w.path);
	origins_free(&w.origins);
	yyjson_mut_doc_free(doc);
}

static void check_keys(const struct type *t)
{
	for (; t->kind != TYPE_OBJECT; t = t->item)
		if (!t->item)
			return;
	for (size_t i = 0; i < t->key_count; i++) {
		const struct key *k = &t->keys[i];

		if (k->refused) {
			assert_null(k->type);
			continue;
		}
		if (!k->type || !k->help || !k->example || !(k->required || k->normal) ||
		    !k->type->name || !k->type->expected)
			fail_msg("the key \"%s\" is not fully described", k->name);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(t->keys[j].name, k->name);
		check_example(k);
		check_keys(k->type);
	}
}

static void test_table(void **state)
{
	(void)state;
	check_keys(&schema_root);
	check_keys(&schema_meta);
	check_keys(&schema_network_file);
	check_keys(&schema_network_data);
	check_keys(&type_bond_params_v1);
	check_keys(&type_bridge_params_v1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_salvage), cmocka_unit_test(test_base64),
		cmocka_unit_test(test_cmdline), cmocka_unit_test(test_cmdline_value),
		 cmocka_unit_test(test_label),
		cmocka_unit_test(test_nearest), cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests_name("bootcfg parts", tests, NULL, NULL);
}
