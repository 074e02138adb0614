/* Applying a configuration to a folder that plays the root, twice: the second boot finds the
 * first one's work. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "bootcfg/apply.h"
#include "bootcfg/config.h"
#include "bootcfg/merge.h"

static char folder[] = "/tmp/apply-test-XXXXXX";

static const char text[] =
	"#cloud-config\n"
	"hostname: web-1\n"
	"ssh_authorized_keys: ssh-ed25519 "
	"AAAAC3NzaC1lZDI1NTE5AAAAIMZ5bCqDnBsgPZPrbFs4cyxbt0ny6nYv7hCp4Yhwqk9a\n"
	"ntp: {servers: [192.0.2.1], pools: [pool.example]}\n"
	"write_files:\n"
	"  - {path: /etc/app/app.conf, content: \"a\\n\", permissions: \"0600\"}\n"
	"  - {path: /etc/list, content: \"more\\n\", append: true}\n"
	"  - {path: /trap/escaped, content: x}\n"
	"  - {path: /etc/link, content: \"own\"}\n"
	"  - {path: /etc/who, content: x, owner: nobody-has-this-name}\n"
	"  - {path: /etc/, content: x}\n";

static int make_root(void **state)
{
	char path[4096];

	(void)state;
	if (!mkdtemp(folder) || chdir(folder) < 0 || mkdir("etc", 0755) < 0)
		return -1;
	/* Symlinks must not lead out: the root of the test is "/" for them. */
	snprintf(path, sizeof(path), "%s-outside", folder);
	if (symlink(path, "trap") < 0 || symlink("/etc/passwd", "etc/link") < 0)
		return -1;
	return file_replace_at(AT_FDCWD, "etc/list", "first\n", 6, 0644, NULL);
}

static int remove_root(void **state)
{
	(void)state;
	return path_remove_tree(AT_FDCWD, folder, NULL);
}

static void assert_file(const char *path, const char *content, mode_t mode)
{
	autobuf struct buf found = { 0 };
	struct stat st;

	assert_int_equal(file_read_at(AT_FDCWD, path, 65536, &found, NULL), 0);
	assert_string_equal(buf_text(&found), content);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, mode);
}

static void apply_once(struct faults *faults)
{
	struct config_text in = { .file = "f", .text = text, .len = sizeof(text) - 1 };
	autoclose int root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct apply a = { .root = root, .faults = faults };
	yyjson_mut_doc *config = NULL;

	assert_int_equal(config_parse(&in, &config, faults), 0);
	assert_int_equal(faults->count, 0);
	merge_defaults(config);
	a.config = yyjson_mut_doc_get_root(config);
	apply_ssh_keys(&a);
	apply_hostname(&a);
	apply_files(&a);
	apply_ntp(&a);
	apply_motd(&a);
	yyjson_mut_doc_free(config);
}

static const struct {
	const char *path, *message;
} told[] = {
	{ "write_files[2]", "\"trap\"" },
	{ "write_files[4]", "there is no user \"nobody-has-this-name\"" },
	{ "write_files[5]", "does not name a file" },
};

static void test_apply(void **state)
{
	(void)state;
	for (int boot = 0; boot < 2; boot++) {
		autofaults struct faults faults = { 0 };

		apply_once(&faults);
		assert_file("etc/hostname", "web-1\n", 0644);
		assert_file("etc/ntp.conf", "server 192.0.2.1\nserver pool.example\n", 0644);
		assert_file("etc/app/app.conf", "a\n", 0600);
		assert_file("etc/list", "first\nmore\n", 0644);
		assert_file("etc/link", "own", 0644);
		assert_file("run/berth/ssh/authorized_keys",
			    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMZ5bCqDnBsgPZPrbFs4cyxbt0ny6nYv7h"
			    "Cp4Yhwqk9a\n",
			    0600);
		assert_int_equal(faults.count, ARRAY_LEN(told));
		for (size_t i = 0; i < ARRAY_LEN(told); i++) {
			assert_string_equal(faults.items[i].path, told[i].path);
			if (!strstr(faults.items[i].message, told[i].message))
				fail_msg("\"%s\"", faults.items[i].message);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_apply, make_root, remove_root),
	};

	return cmocka_run_group_tests_name("bootcfg apply", tests, NULL, NULL);
}
