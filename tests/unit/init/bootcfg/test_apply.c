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

static char folder[32];

static const char text[] =
	"#cloud-config\n"
	"hostname: web-1\n"
	"ssh_authorized_keys: ssh-ed25519 "
	"AAAAC3NzaC1lZDI1NTE5AAAAIMZ5bCqDnBsgPZPrbFs4cyxbt0ny6nYv7hCp4Yhwqk9a\n"
	"fqdn: web-1.example.org\n"
	"ntp: {servers: [192.0.2.1], pools: [pool.example]}\n"
	"timezone: Europe/Berlin\n"
	"ca_certs:\n"
	"  trusted: [\"-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----\"]\n"
	"groups: [staff, {ops: [core]}]\n"
	"chpasswd: {list: ['root:$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0']}\n"
	"users:\n"
	"  - default\n"
	"  - {name: core, groups: docker, uid: 1500, gecos: Core, ssh_authorized_keys: [\n"
	"      ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMZ5bCqDnBsgPZPrbFs4cyxbt0ny6nYv7hCp4Yhwqk9a]}\n"
	"  - {name: first, no_user_group: true, shell: /bin/false}\n"
	"  - {name: evil, ssh_authorized_keys: [\n"
	"      ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMZ5bCqDnBsgPZPrbFs4cyxbt0ny6nYv7hCp4Yhwqk9a]}\n"
	"  - {name: prog, system: true, primary_group: staff}\n"
	"  - {name: root, ssh_authorized_keys: [\n"
	"      ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMZ5bCqDnBsgPZPrbFs4cyxbt0ny6nYv7hCp4Yhwqk9a root]}\n"
	"runcmd: [ls]\n"
	"mounts: []\n"
	"berth:\n"
	"  sysctl: {vm.swappiness: 10, net/ipv4/conf/eth0.7/forwarding: 1, no.such: 1}\n"
	"  proxy: {https: 'http://192.0.2.1:3128', no_proxy: [localhost, .example.org]}\n"
	"secrets: {token: {content: s3cret}}\n"
	"containers: {web: {image: a, secrets: [token]}}\n"
	"write_files:\n"
	"  - {path: /etc/app/app.conf, content: \"a\\n\", permissions: \"0600\"}\n"
	"  - {path: /etc/list, content: \"more\\n\", append: true}\n"
	"  - {path: /trap/escaped, content: x}\n"
	"  - {path: /etc/link, content: \"own\"}\n"
	"  - {path: /etc/who, content: x, owner: nobody-has-this-name}\n"
	"  - {path: /etc/, content: x}\n"
	"  - {path: /etc/other, content: \"more\\n\", append: true}\n"
	"  - {path: /home/evil/notes, content: \"more\\n\", append: true, owner: '1001', permissions: '0604'}\n";

static int make_root(void **state)
{
	char path[4096];

	(void)state;
	strcpy(folder, "/tmp/apply-test-XXXXXX");
	if (!mkdtemp(folder) || chdir(folder) < 0 || mkdir("etc", 0755) < 0)
		return -1;
	/* Symlinks must not lead out: the root of the test is "/" for them. */
	snprintf(path, sizeof(path), "%s-outside", folder);
	if (mkdir("usr", 0755) < 0 || mkdir("usr/share", 0755) < 0 ||
	    mkdir("usr/share/berth", 0755) < 0 ||
	    file_replace_at(AT_FDCWD, "usr/share/berth/ca-certificates.pem", "image's\n", 8, 0644,
			    NULL) < 0)
		return -1;
	if (path_mkdirs_in(AT_FDCWD, "proc/sys/vm", 0755, NULL) < 0 ||
	    path_mkdirs_in(AT_FDCWD, "proc/sys/net/ipv4/conf/eth0.7", 0755, NULL) < 0 ||
	    file_replace_at(AT_FDCWD, "proc/sys/vm/swappiness", "", 0, 0644, NULL) < 0 ||
	    file_replace_at(AT_FDCWD, "proc/sys/net/ipv4/conf/eth0.7/forwarding", "", 0, 0644,
			    NULL) < 0)
		return -1;
	/* A user's link must not lead root astray. */
	if (path_mkdirs_in(AT_FDCWD, "home/evil", 0755, NULL) < 0 ||
	    symlink("/etc", "home/evil/.ssh") < 0)
		return -1;
	if (symlink(path, "trap") < 0 || symlink("/etc/passwd", "etc/link") < 0 ||
	    symlink("/etc/list", "etc/other") < 0)
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
	apply_users(&a);
	apply_hostname(&a);
	apply_timezone(&a);
	apply_ca_certs(&a);
	apply_proxy(&a);
	apply_sysctl(&a);
	apply_files(&a);
	apply_container_files(&a);
	apply_ntp(&a);
	apply_stages(&a);
	apply_motd(&a);
	yyjson_mut_doc_free(config);
}

static const struct {
	const char *path, *message;
} told[] = {
	{ "users.evil", "cannot make the folder .ssh" },
	{ "berth.sysctl.no.such", "this kernel has no such setting" },
	{ "write_files[2]", "\"trap\"" },
	{ "write_files[4]", "there is no user \"nobody-has-this-name\"" },
	{ "write_files[5]", "does not name a file" },
	{ "write_files[6]", "cannot read /etc/other to add to it" },
};

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMZ5bCqDnBsgPZPrbFs4cyxbt0ny6nYv7hCp4Yhwqk9a\n"
#define HASH "$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0"

static const struct {
	const char *path, *content;
	mode_t mode;
} files[] = {
	{ "etc/hosts", "127.0.0.1 localhost\n127.0.1.1 web-1.example.org web-1\n"
		       "::1 localhost ip6-localhost ip6-loopback\n", 0644 },
	{ "etc/timezone", "Europe/Berlin\n", 0644 },
	{ "etc/passwd", "root:x:0:0:Administrator:/root:/bin/sh\n"
			"nobody:*:65534:65534:Nobody:/:/bin/false\n"
			"core:*:1500:1500:Core:/home/core:/bin/sh\n"
			"first:*:1000:100::/home/first:/bin/false\n"
			"evil:*:1001:1001::/home/evil:/bin/sh\n"
			"prog:*:1002:800::/home/prog:/bin/sh\n", 0644 },
	{ "etc/group", "root:x:0:\ntty:x:5:\nusers:x:100:\nnogroup:x:65534:\nstaff:x:800:\n"
		       "ops:x:801:core\ncore:x:1500:\ndocker:x:802:core\nevil:x:1001:\n", 0644 },
	{ "etc/shadow", "root:" HASH ":::::::\n", 0600 },
	{ "home/core/.ssh/authorized_keys", KEY, 0644 },
	{ "run/berth/proxy", "https_proxy=http://192.0.2.1:3128\n"
	  "no_proxy=169.254.169.254,168.63.129.16,localhost,.example.org\n", 0600 },
	{ "run/berth/ca-certificates.pem",
	  "image's\n\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", 0644 },
	{ "run/berth/secrets/web/token", "s3cret", 0444 },
	{ "run/berth/stage/final", "", 0644 },
	{ "proc/sys/vm/swappiness", "10", 0644 },
	{ "proc/sys/net/ipv4/conf/eth0.7/forwarding", "1", 0644 },
};

static void test_apply(void **state)
{
	char zone[64];
	struct stat st;

	(void)state;
	for (int boot = 0; boot < 2; boot++) {
		autofaults struct faults faults = { 0 };

		apply_once(&faults);
		assert_file("etc/hostname", "web-1\n", 0644);
		for (size_t i = 0; i < ARRAY_LEN(files); i++)
			assert_file(files[i].path, files[i].content, files[i].mode);
		assert_int_equal(lstat("home/core", &st), 0);
		assert_int_equal(st.st_uid, 1500);
		assert_int_equal(st.st_mode & 07777, 0750);
		assert_int_equal(access("home/prog", F_OK), -1);
		assert_int_equal(access("run/berth/stage/disks", F_OK), -1);
		assert_int_equal(readlink("etc/localtime", zone, sizeof(zone)), 33);
		assert_file("etc/ntp.conf", "server 192.0.2.1\nserver pool.example\n", 0644);
		assert_file("etc/app/app.conf", "a\n", 0600);
		assert_file("etc/list", "first\nmore\n", 0644);
		assert_file("etc/link", "own", 0644);
		assert_int_equal(lstat("etc/other", &st), 0);
		assert_true(S_ISLNK(st.st_mode));
		assert_file("home/evil/notes", "more\n", 0604);
		assert_int_equal(lstat("home/evil/notes", &st), 0);
		assert_int_equal(st.st_uid, 1001);
		assert_file("run/berth/ssh/authorized_keys",
			    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMZ5bCqDnBsgPZPrbFs4cyxbt0ny6nYv7h"
			    "Cp4Yhwqk9a\n"
			    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMZ5bCqDnBsgPZPrbFs4cyxbt0ny6nYv7h"
			    "Cp4Yhwqk9a root\n",
			    0600);
		assert_int_equal(faults.count, ARRAY_LEN(told));
		for (size_t i = 0; i < ARRAY_LEN(told); i++) {
			assert_string_equal(faults.items[i].path, told[i].path);
			if (!strstr(faults.items[i].message, told[i].message))
				fail_msg("\"%s\"", faults.items[i].message);
		}
	}
}

static const struct {
	const char *text, *hostname, *fqdn;
} names[] = {
	{ "", "berth", NULL },
	{ "hostname: web", "web", NULL },
	{ "hostname: web.example.org", "web", "web.example.org" },
	{ "fqdn: web.example.org", "web", "web.example.org" },
	{ "hostname: a\nfqdn: web.example.org", "a", "web.example.org" },
	{ "fqdn: web.example.org\nprefer_fqdn_over_hostname: true", "web.example.org",
	  "web.example.org" },
	{ "hostname: web\nprefer_fqdn_over_hostname: true", "web", NULL },
};

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct config_text in = { .file = "f", .text = names[i].text,
					  .len = strlen(names[i].text) };
		autofaults struct faults faults = { 0 };
		yyjson_mut_doc *config = NULL;
		yyjson_mut_val *root;
		const char *fqdn;

		assert_int_equal(config_parse(&in, &config, &faults), 0);
		merge_defaults(config);
		root = yyjson_mut_doc_get_root(config);
		fqdn = yyjson_mut_get_str(yyjson_mut_obj_get(root, "fqdn"));
		assert_string_equal(yyjson_mut_get_str(yyjson_mut_obj_get(root, "hostname")),
				    names[i].hostname);
		if (!fqdn != !names[i].fqdn || (fqdn && strcmp(fqdn, names[i].fqdn) != 0))
			fail_msg("row %zu: %s", i, fqdn ? fqdn : "nothing");
		yyjson_mut_doc_free(config);
	}
}

/* Nobody is locked out by disable_root. */
static void test_disable_root(void **state)
{
	static const char key[] = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMZ5bCqDnBsgPZPrbFs4cyxbt0ny6nY"
				  "v7hCp4Yhwqk9a";
	static const struct {
		const char *users, *written;
		size_t errors;
	} rows[] = {
		{ "[]", KEY, 1 },
		{ "[{name: core}]", KEY, 1 },
		{ "[{name: core, ssh_authorized_keys: [%s]}]", "", 0 },
		{ "[{name: root, ssh_authorized_keys: [%s]}]", KEY KEY, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autobuf struct buf lines = { 0 };
		char users[256];
		struct config_text in = { .file = "f" };
		autofaults struct faults faults = { 0 };
		autoclose int root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
		struct apply a = { .root = root, .faults = &faults };
		yyjson_mut_doc *config = NULL;

		snprintf(users, sizeof(users), "%.*s%s%s", (int)strcspn(rows[i].users, "%"), rows[i].users,
			 strchr(rows[i].users, '%') ? key : "",
			 strchr(rows[i].users, '%') ? "]}]" : "");
		buf_addf(&lines, "disable_root: true\nssh_authorized_keys: [%s]\nusers: %s\n", key,
			 users);
		in.text = buf_text(&lines);
		in.len = lines.len;
		faults_free(&faults);
		assert_int_equal(config_parse(&in, &config, &faults), 0);
		faults_free(&faults);
		merge_defaults(config);
		a.config = yyjson_mut_doc_get_root(config);
		apply_ssh_keys(&a);
		assert_file("run/berth/ssh/authorized_keys", rows[i].written, 0600);
		assert_int_equal(faults.errors, rows[i].errors);
		yyjson_mut_doc_free(config);
	}
}

/* Another key is told, because dropbear has to be restarted for it; the same one is not. */
static void test_host_key(void **state)
{
	static const struct {
		const char *base64, *written;
		bool another;
	} boots[] = {
		{ "a2V5", "key", true }, { "a2V5", "key", false }, { "bmV3", "new", true },
		{ "*", "new", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(boots); i++) {
		autoclose int root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
		yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
		yyjson_mut_val *config = yyjson_mut_obj(doc);
		yyjson_mut_val *keys = yyjson_mut_obj_add_obj(doc, config, "ssh_keys");
		yyjson_mut_val *key = yyjson_mut_obj_add_obj(doc, keys, "ed25519_private");
		autofaults struct faults faults = { 0 };
		struct apply a = { .root = root, .faults = &faults, .config = config };

		yyjson_mut_obj_add_str(doc, key, "dropbear_base64", boots[i].base64);
		apply_host_key(&a);
		assert_file("var/lib/berth/ssh/dropbear_ed25519_host_key", boots[i].written, 0600);
		assert_int_equal(a.new_host_key, boots[i].another);
		assert_int_equal(faults.errors, *boots[i].base64 == '*');
		yyjson_mut_doc_free(doc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_apply, make_root, remove_root),
		cmocka_unit_test(test_names),
		cmocka_unit_test_setup_teardown(test_disable_root, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_host_key, make_root, remove_root),
	};

	return cmocka_run_group_tests_name("bootcfg apply", tests, NULL, NULL);
}
