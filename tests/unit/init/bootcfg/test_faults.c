/* One faulty configuration for each kind of fault: whatever it is, root's key is read, so that the
 * machine is reached, and one line says where, what was found and what was expected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bootcfg/config.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMZ5bCqDnBsgPZPrbFs4cyxbt0ny6nYv7hCp4Yhwqk9a"

static const struct {
	const char *kind, *text, *line;
} rows[] = {
	{ "tab as indentation", "containers:\n\tweb: {image: a}",
	  "4:1: a tab character is used for indentation; YAML wants spaces" },
	{ "unclosed bracket", "groups: [a, b",
	  "3:9: a \"[\" that begins here has no \"]\", or \",\" is missing in it" },
	{ "unclosed quote", "hostname: \"web",
	  "3:11: a quotation mark that opens here is never closed" },
	{ "unclosed brace", "ntp: {servers: [a]",
	  "3:6: a \"{\" that begins here has no \"}\", or \",\" is missing in it" },
	{ "colon in a plain text", "final_message: a: b",
	  "3:17: a \":\" stands where no key is expected; does the line above lack its \":\", is "
	  "it indented differently, or does a text with \": \" need quotes?" },
	{ "key without its colon", "hostname web\nfqdn: a.b",
	  "3:1: a key is not followed by \": \" (colon and space)" },
	{ "wrong indentation", "ntp:\n  servers: [a.org]\n   pools: [b.org]",
	  "5:4: a key is expected here; this line is not indented like the keys of its mapping" },
	{ "character that begins nothing", "hostname: @web",
	  "3:11: this character cannot begin a value; a text that begins with @, ` or % needs "
	  "quotes" },
	{ "unknown escape", "final_message: \"\\q\"",
	  "3:17: an unknown \\ escape stands in a text in double quotes; single quotes have none" },
	{ "alias to nowhere", "hostname: *web",
	  "3:11: there is no anchor \"&web\" before this alias" },
	{ "alias to itself", "x-a: &a [*a]",
	  "3:10: an alias refers to the value that it is part of" },
	{ "merge of a text", "x-a: &a text\nntp: {<<: *a}",
	  "3:6: a merge key \"<<\" takes a mapping, or a list of mappings" },
	{ "control character", "hostname: a\001b",
	  "3:12: there is a control character that no YAML text may hold" },
	{ "not UTF-8", "hostname: \377",
	  "3:11: this is not UTF-8 text" },
	{ "two documents", "hostname: a\n---\nhostname: b",
	  "4:1: a second YAML document begins here; a configuration is one document" },
	{ "a key twice", "hostname: a\nhostname: b",
	  "4:1: hostname: this key is here twice, first in line 3; the first one counts" },
	{ "a misspelt key", "hostnam: a",
	  "3:1: hostnam: there is no such key; is \"hostname\" meant?" },
	{ "a key that nobody knows", "frobnicate: 1",
	  "3:1: frobnicate: there is no such key here" },
	{ "a nested misspelt key", "containers: {web: {image: a, prots: ['80:80']}}",
	  "3:30: containers.web.prots: there is no such key; is \"ports\" meant?" },
	{ "a key of Compose at the top", "services: {web: {image: a}}",
	  "3:1: services: containers are declared under \"containers\", with the same keys as "
	  "Compose's services" },
	{ "a missing key", "containers: {web: {ports: ['80:80']}}",
	  "3:19: containers.web: the key \"image\" is missing, for example \"image: nginx:1.27\"" },
	{ "a list where a mapping stands", "containers: [web]",
	  "3:13: containers: found a list, expected a mapping of names to containers" },
	{ "a mapping where a list stands", "runcmd: {a: b}",
	  "3:9: runcmd: found a mapping, expected a list of commands" },
	{ "a text where a list stands", "runcmd: ls",
	  "3:9: runcmd: found \"ls\", expected a list of commands" },
	{ "a list where a text stands", "hostname: [a]",
	  "3:11: hostname: found a list, expected a host name such as \"web-1\"" },
	{ "an empty item", "users: [default, null]",
	  "3:18: users[1]: this item is empty, expected a mapping with \"name\", or \"default\"" },
	{ "not a number", "containers: {web: {image: a, pids_limit: many}}",
	  "3:42: containers.web.pids_limit: found \"many\", expected a number of processes up to "
	  "4194304, or -1 for no limit" },
	{ "a number out of range", "containers: {web: {image: a, oom_score_adj: 5000}}",
	  "3:45: containers.web.oom_score_adj: found \"5000\", expected a number from -1000 to "
	  "1000" },
	{ "not true or false", "disable_root: perhaps",
	  "3:15: disable_root: found \"perhaps\", expected true or false" },
	{ "not a size", "containers: {web: {image: a, mem_limit: 64x}}",
	  "3:41: containers.web.mem_limit: found \"64x\", expected a byte size such as \"64m\" "
	  "or \"1.5g\"" },
	{ "not a duration", "containers: {web: {image: a, stop_grace_period: 10}}",
	  "3:49: containers.web.stop_grace_period: found \"10\", expected a duration such as "
	  "\"10s\" or \"1m30s\": a number needs its unit: s, m, h or ms" },
	{ "not one of the words", "power_state: {mode: suspend}",
	  "3:21: power_state.mode: found \"suspend\", expected \"poweroff\", \"reboot\" or "
	  "\"halt\"" },
	{ "not a host name", "hostname: -web",
	  "3:11: hostname: found \"-web\", expected a host name such as \"web-1\": no part of it "
	  "may begin or end with \"-\"" },
	{ "not an address", "containers: {web: {image: a, dns: [300.1.1.1]}}",
	  "3:36: containers.web.dns[0]: found \"300.1.1.1\", expected an IP address such as "
	  "\"192.0.2.1\": it is no IP address" },
	{ "not a path", "write_files: [{path: etc/a}]",
	  "3:22: write_files[0].path: found \"etc/a\", expected an absolute path: it must begin "
	  "with \"/\"" },
	{ "not octal", "write_files: [{path: /a, permissions: '0999'}]",
	  "3:39: write_files[0].permissions: found \"0999\", expected octal permissions such as "
	  "\"0644\"" },
	{ "not base64", "write_files: [{path: /a, encoding: b64, content: '%%%'}]",
	  "3:15: write_files[0]: the content is no valid base64 text" },
	{ "not a port", "containers: {web: {image: a, ports: ['99999:80']}}",
	  "3:38: containers.web.ports[0]: found \"99999:80\", expected a port such as "
	  "\"8080:80\", \"127.0.0.1:53:53/udp\" or \"8000-8010:80-90\": \"99999\" is no port "
	  "number from 1 to 65535" },
	{ "ranges of different length", "containers: {web: {image: a, ports: ['8000-8002:80-81']}}",
	  "3:38: containers.web.ports[0]: found \"8000-8002:80-81\", expected a port such as "
	  "\"8080:80\", \"127.0.0.1:53:53/udp\" or \"8000-8010:80-90\": the two ranges are of "
	  "different length" },
	{ "a port taken twice", "containers: {aa: {image: a, ports: ['80:80']}, bb: {image: a, "
	  "ports: ['80:81']}}",
	  "3:48: containers.bb: port 80 of the host is already taken by \"aa\"" },
	{ "nobody to depend on", "containers: {web: {image: a, depends_on: [db]}}",
	  "3:14: containers.web: it depends on \"db\", but there is no such container" },
	{ "nothing to refer to", "containers: {web: {image: a, secrets: [token]}}",
	  "3:14: containers.web: \"token\" is not declared under \"secrets\"" },
	{ "two keys that exclude each other", "containers: {web: {image: a, network_mode: host, "
	  "ports: ['80:80']}}",
	  "3:19: containers.web: ports cannot be published with \"network_mode: host\"" },
	{ "a key that needs another", "containers: {web: {image: a, memswap_limit: 1g}}",
	  "3:19: containers.web: memswap_limit needs a mem_limit" },
	{ "a variable", "containers: {web: {image: 'a:$TAG'}}",
	  "3:27: containers.web.image: found \"a:$TAG\", expected an image such as "
	  "\"docker.io/library/nginx:1.27\": there are no variables to fill in here; write "
	  "\"$$\" for a dollar" },
	{ "a private key in the public one's place", "users: [{name: core, ssh_authorized_keys: "
	  "['-----BEGIN OPENSSH PRIVATE KEY-----']}]",
	  "3:44: users[0].ssh_authorized_keys[0]: found \"-----BEGIN OPENSSH PRIVATE KEY-----\", "
	  "expected a public key's line such as \"ssh-ed25519 AAAA... me@laptop\": this is a "
	  "private key; keep it secret, and put the .pub file's line here" },
	{ "a public key that is cut off", "users: [{name: core, ssh_authorized_keys: "
	  "['ssh-ed25519 AAAA']}]",
	  "3:44: users[0].ssh_authorized_keys[0]: found \"ssh-ed25519 AAAA\", expected a public "
	  "key's line such as \"ssh-ed25519 AAAA... me@laptop\": the key is cut off or is of "
	  "another type than its line says" },
	{ "a password in plain text", "chpasswd: {list: ['root:secret']}",
	  "3:19: chpasswd.list[0]: found a text that is not shown here, expected \"USER:HASH\": "
	  "it is no hash of a password" },
	{ "a refused key", "users: [{name: core, sudo: ALL}]",
	  "3:22: users[0].sudo: not supported: nothing in Berth is setuid, so nobody becomes "
	  "root; give root's key to those who should be, or put them into the group \"docker\"" },
	{ "a key that is not supported", "berth: {kernel_args: quiet}",
	  "3:9: berth.kernel_args: not supported: the loader takes the command line from the "
	  "signed image; use sysctl where a setting has one" },
	{ "an unknown time zone", "timezone: Atlantis",
	  "3:11: timezone: found \"Atlantis\", expected a time zone such as \"Europe/Berlin\": "
	  "there is no such time zone; \"Europe/Berlin\" and \"UTC\" are some" },
	{ "a user twice", "users: [{name: core}, {name: core}]",
	  "3:8: users: the user \"core\" has the name or the uid of one before" },
	{ "percentages beyond the whole", "disk_setup: {/dev/vdb: {layout: [60, 60]}}",
	  "3:33: disk_setup./dev/vdb.layout: these are 1 to 16 percentages that add up to 100 at "
	  "most" },
	{ "a mount on nothing", "mounts: [[/dev/vdb]]",
	  "3:10: mounts[0]: a mount has a device and a path at least" },
	{ "too many fields", "mounts: [[a, /b, c, d, '0', '0', more]]",
	  "3:10: mounts[0]: there are 7 entries, more than the 6 that are allowed" },
	{ "a web address without its scheme", "phone_home: {url: example.org}",
	  "3:19: phone_home.url: found \"example.org\", expected an address such as "
	  "\"https://example.org/$INSTANCE_ID\": it must begin with \"http://\" or \"https://\"" },
	{ "no certificate", "ca_certs: {trusted: [x]}",
	  "3:22: ca_certs.trusted[0]: found a text that is not shown here, expected a certificate in "
	  "PEM format (\"-----BEGIN CERTIFICATE-----...\"): a line \"-----BEGIN CERTIFICATE-----\" is "
	  "missing in it" },
	{ "a bad name of a container", "containers: {'a b': {image: a}}",
	  "3:14: containers.a b: this name cannot be used: only letters, digits, \"_\", \".\" "
	  "and \"-\" are allowed" },
	{ "a bad name of an image", "containers: {web: {image: '-a'}}",
	  "3:27: containers.web.image: found \"-a\", expected an image such as "
	  "\"docker.io/library/nginx:1.27\": it must begin with a letter or a digit" },
	{ "a bad capability", "containers: {web: {image: a, cap_add: ['net admin']}}",
	  "3:40: containers.web.cap_add[0]: found \"net admin\", expected a capability such as "
	  "\"NET_ADMIN\": only letters, digits and \"_\" are allowed" },
	{ "a health test of no kind", "containers: {web: {image: a, healthcheck: {test: [wget]}}}",
	  "3:50: containers.web.healthcheck.test: the list is [CMD, PROGRAM, ARGUMENT...], "
	  "[CMD-SHELL, LINE] or [NONE]" },
};

static void check_row(size_t i)
{
	autobuf struct buf text = { 0 }, answer = { 0 }, line = { 0 };
	autofaults struct faults faults = { 0 };
	struct config_text in = { .file = "f" };
	yyjson_val *keys;
	yyjson_doc *doc;

	buf_addf(&text, "#cloud-config\nssh_authorized_keys: [%s]\n%s\n", KEY, rows[i].text);
	in.text = buf_text(&text);
	in.len = text.len;
	assert_int_equal(config_read(&in, &answer, NULL), 0);
	doc = yyjson_read(buf_text(&answer), answer.len, 0);
	faults_from_json(&faults, yyjson_obj_get(yyjson_doc_get_root(doc), "faults"));
	if (faults.errors != 1 || faults.count != 1)
		fail_msg("%s: %zu faults", rows[i].kind, faults.count);
	fault_line(&faults.items[0], &line);
	if (strcmp(buf_text(&line) + strlen("f:"), rows[i].line) != 0)
		fail_msg("%s: \"%s\"", rows[i].kind, buf_text(&line));
	keys = yyjson_obj_get(yyjson_obj_get(yyjson_doc_get_root(doc), "config"),
			      "ssh_authorized_keys");
	if (!yyjson_equals_str(yyjson_arr_get_first(keys), KEY))
		fail_msg("%s: nobody could log in", rows[i].kind);
	yyjson_doc_free(doc);
}

static void test_faults(void **state)
{
	(void)state;
	assert_true(ARRAY_LEN(rows) >= 50);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_row(i);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_faults) };

	return cmocka_run_group_tests_name("bootcfg faults", tests, NULL, NULL);
}
