/* Providers' metadata as their references show it, and what becomes of it; the firmware's words; a
 * seed's address; VMware's door with a hypervisor of thirty lines behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bootcfg/dmi.h"
#include "bootcfg/meta.h"
#include "bootcfg/source.h"
#include "bootcfg/vmware.h"

#define META(host, keys) "{\"instance-id\": \"i-1\", \"local-hostname\": \"" host "\", " \
			 "\"public-keys\": [" keys "]}\n"

static const struct {
	const char *what;
	enum meta_format format;
	const char *text, *more;
	const char *error; /* NULL: none */
	const char *meta, *user, *vendor, *network, *notes;
} rows[] = {
	{ "OpenStack", META_OPENSTACK,
	  "{\"uuid\": \"i-1\", \"hostname\": \"web.novalocal\", \"name\": \"web\", \"availability_zone\": \"nova\","
	  " \"public_keys\": {\"mykey\": \"ssh-rsa A a\\n\", \"other\": \"ssh-rsa B b\"}, \"meta\": {\"a\": \"b\"}}",
	  "{\"cloud-init\": \"#cloud-config\\n\"}", NULL, META("web", "\"ssh-rsa A a\", \"ssh-rsa B b\""), "",
	  "#cloud-config\n", "", "" },
	{ "OpenStack, vendor data as a text", META_OPENSTACK, "{\"uuid\": \"i-1\", \"hostname\": \"web\"}",
	  "\"#cloud-config\\n\"", NULL, META("web", ""), "", "#cloud-config\n", "", "" },
	{ "OpenStack, cut off", META_OPENSTACK, "{\"uuid\": \"i-1\"", "",
	  "OpenStack's meta_data.json is no JSON", "", "", "", "", "" },
	{ "OpenStack, empty", META_OPENSTACK, "", "", "it is empty", "", "", "", "", "" },
	{ "OpenStack, a text", META_OPENSTACK, "\"a\"", "", "is no JSON object", "", "", "", "", "" },
	{ "OpenStack, values of the wrong kind", META_OPENSTACK,
	  "{\"uuid\": \"i-1\", \"hostname\": [1], \"public_keys\": {\"a\": {\"b\": 1}, \"c\": 1}}", "", NULL,
	  "{\"instance-id\": \"i-1\", \"public-keys\": []}\n", "", "", "", "" },
	{ "Google", META_GCP,
	  "{\"attributes\": {\"ssh-keys\": \"ann:ssh-rsa A ann\\nbob:ssh-rsa B google-ssh "
	  "{\\\"userName\\\":\\\"b\\\",\\\"expireOn\\\":\\\"2001-01-01T00:00:00+0000\\\"}\\n"
	  "bob:ssh-rsa C google-ssh {\\\"expireOn\\\":"
	  "\\\"2901-01-01T00:00:00+0000\\\"}\", \"user-data\": \"#cloud-config\\n\", \"startup-script\": \"#!\"},"
	  " \"hostname\": \"web.c.project.internal\", \"id\": 12}",
	  "{\"ssh-keys\": \"root:ssh-rsa D d\"}", NULL,
	  "{\"instance-id\": \"12\", \"local-hostname\": \"web\", \"public-keys\": [\"ssh-rsa A ann\","
	  " \"ssh-rsa C google-ssh {\\\"expireOn\\\":\\\"2901-01-01T00:00:00+0000\\\"}\", \"ssh-rsa D d\"]}\n",
	  "#cloud-config\n", "", "", "\"startup-script\" is not run: use user-data\n" },
	{ "Google, the project's keys kept out, base64", META_GCP,
	  "{\"attributes\": {\"ssh-keys\": \"a:ssh-rsa A a\", \"block-project-ssh-keys\": \"true\","
	  " \"user-data\": \"aGVsbG8=\", \"user-data-encoding\": \"base64\"}, \"hostname\": \"w\", \"id\": \"i-1\"}",
	  "{\"ssh-keys\": \"root:ssh-rsa D d\"}", NULL, META("w", "\"ssh-rsa A a\""), "hello", "", "", "" },
	{ "Google, no base64", META_GCP,
	  "{\"attributes\": {\"user-data\": \"*\", \"user-data-encoding\": \"base64\"}}", "",
	  "said to be base64 and is not", NULL, NULL, NULL, NULL, NULL },
	{ "DigitalOcean", META_DIGITALOCEAN,
	  "{\"droplet_id\": 2756294, \"hostname\": \"sample-droplet\", \"user_data\": \"#cloud-config\\n\","
	  " \"vendor_data\": \"#cloud-config\\ndisable_root: false\\n\", \"public_keys\": [\"ssh-rsa A a\"],"
	  " \"features\": {\"dhcp_enabled\": true}}", "", NULL,
	  "{\"instance-id\": \"2756294\", \"local-hostname\": \"sample-droplet\", \"public-keys\":"
	  " [\"ssh-rsa A a\"]}\n", "#cloud-config\n", "#cloud-config\ndisable_root: false\n", "", "" },
	{ "DigitalOcean, in a list", META_DIGITALOCEAN, "[{\"droplet_id\": \"i-1\", \"hostname\": \"a\"}]", "",
	  NULL, META("a", ""), "", "", "", "" },
	{ "Vultr", META_VULTR,
	  "{\"hostname\": \"vultr-guest\", \"instanceid\": \"a747\", \"instance-v2-id\": \"i-1\","
	  " \"public-keys\": [\"ssh-rsa A a\"], \"region\": {\"regioncode\": \"EWR\"}}", "", NULL,
	  META("vultr-guest", "\"ssh-rsa A a\""), "", "", "", "" },
	{ "Vultr, keys as lines", META_VULTR,
	  "{\"hostname\": \"g\", \"instanceid\": \"i-1\", \"public-keys\": \"ssh-rsa A a\\nssh-rsa B b\\n\"}", "",
	  NULL, META("g", "\"ssh-rsa A a\", \"ssh-rsa B b\""), "", "", "", "" },
	{ "Hetzner", META_HETZNER,
	  "availability-zone: fsn1-dc14\nhostname: my-server\ninstance-id: i-1\nlocal-ipv4: ''\n"
	  "network-config:\n  config:\n  - mac_address: 96:00:00:08:19:da\n    name: eth0\n    subnets:\n"
	  "    - ipv4: true\n      type: dhcp\n    type: physical\n  version: 1\n"
	  "public-ipv4: 192.0.2.1\npublic-keys:\n- ssh-rsa A a\nregion: eu-central\n"
	  "vendor_data: |\n  #cloud-config\n", "", NULL, META("my-server", "\"ssh-rsa A a\""), "",
	  "#cloud-config\n",
	  "network:\n  config:\n  - mac_address: 96:00:00:08:19:da\n    name: eth0\n    subnets:\n"
	  "    - ipv4: true\n      type: dhcp\n    type: physical\n  version: 1\n", "" },
	{ "Hetzner, no YAML", META_HETZNER, "a: [", "", "the metadata is no YAML: line ", NULL, NULL, NULL, NULL,
	  NULL },
	{ "VMware", META_HETZNER,
	  "instance-id: i-1\nlocal-hostname: vm\nnetwork:\n  version: 2\n", "", NULL, META("vm", ""), "", "",
	  "network:\n  version: 2\n", "" },
	{ "Azure, the service alone", META_AZURE,
	  "{\"compute\": {\"name\": \"vm\", \"vmId\": \"i-1\", \"osProfile\": {\"computerName\": \"web\"},"
	  " \"userData\": \"aGVsbG8=\", \"publicKeys\": [{\"keyData\": \"ssh-rsa A a\", \"path\": \"/home/a\"}]}}",
	  "", NULL, META("web", "\"ssh-rsa A a\""), "hello", "", "", "" },
	{ "Azure, and the provisioning disk", META_AZURE,
	  "{\"compute\": {\"name\": \"vm\", \"vmId\": \"i-1\", \"userData\": \"aGVsbG8=\"}}",
	  "<?xml version=\"1.0\"?>\n<ns0:Environment xmlns:ns0=\"x\"><ns1:ProvisioningSection>"
	  "<ns1:LinuxProvisioningConfigurationSet><ns1:HostName>disk</ns1:HostName>"
	  "<ns1:CustomData>I2Ns\nb3Vk</ns1:CustomData><ns1:SSH><ns1:PublicKeys><ns1:PublicKey>"
	  "<ns1:Fingerprint/><ns1:Path>/a</ns1:Path><ns1:Value>ssh-rsa A a&amp;b</ns1:Value>"
	  "</ns1:PublicKey></ns1:PublicKeys></ns1:SSH></ns1:LinuxProvisioningConfigurationSet>", NULL,
	  META("disk", "\"ssh-rsa A a&b\""), "#cloud", "", "", "" },
	{ "Azure, no JSON", META_AZURE, "<html>", "", "is no JSON with \"compute\"", NULL, NULL, NULL, NULL, NULL },
	{ "Azure's goal", META_AZURE_GOAL,
	  "<GoalState><Incarnation>1</Incarnation><Container><ContainerId>c-2</ContainerId><RoleInstanceList>"
	  "<RoleInstance><InstanceId>i.3</InstanceId></RoleInstance></RoleInstanceList></Container></GoalState>",
	  "", NULL, "", "1\nc-2\ni.3\n", "", "", "" },
	{ "Azure's goal, cut off", META_AZURE_GOAL, "<GoalState><Incarnation>1</Incarnation><Contai", "",
	  "has no ContainerId", NULL, NULL, NULL, NULL, NULL },
};

static void check(const char *row, const char *what, const struct buf *got, const char *expected)
{
	if (expected && strcmp(buf_text(got), expected) != 0)
		fail_msg("%s, %s: \"%s\" instead of \"%s\"", row, what, buf_text(got), expected);
}

static void test_providers(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autobuf struct buf text = { 0 }, more = { 0 };
		struct source s = { .kind = "test" };
		struct err e = { "" };
		int code;

		buf_adds(&text, rows[i].text);
		buf_adds(&more, rows[i].more);
		code = meta_convert(rows[i].format, &text, &more, &s, &e);
		if ((code < 0) != (rows[i].error != NULL) ||
		    (rows[i].error && !strstr(e.text, rows[i].error)))
			fail_msg("%s: %d, \"%s\"", rows[i].what, code, e.text);
		check(rows[i].what, "meta-data", &s.meta_data, rows[i].meta);
		check(rows[i].what, "user-data", &s.user_data, rows[i].user);
		check(rows[i].what, "vendor-data", &s.vendor_data, rows[i].vendor);
		check(rows[i].what, "network", &s.network, rows[i].network);
		check(rows[i].what, "notes", &s.notes, rows[i].notes);
		source_free(&s);
	}
}

static void test_platform(void **unused)
{
	static const struct {
		struct dmi dmi;
		enum platform is;
	} machines[] = {
		{ { .vendor = "Amazon EC2", .product = "t3.micro" }, PLATFORM_EC2 },
		{ { .vendor = "Xen", .serial = "ec2abc", .uuid = "EC2ABC" }, PLATFORM_EC2 },
		{ { .vendor = "Xen", .serial = "ec2abc", .uuid = "12345" }, PLATFORM_NONE },
		{ { .vendor = "Amazon EC2 clone" }, PLATFORM_NONE },
		{ { .vendor = "Google", .product = "Google Compute Engine" }, PLATFORM_GCP },
		{ { .vendor = "Microsoft Corporation", .chassis_tag = "7783-7084-3265-9085-8269-3286-77" },
		  PLATFORM_AZURE },
		{ { .vendor = "Microsoft Corporation", .product = "Virtual Machine" }, PLATFORM_NONE },
		{ { .vendor = "DigitalOcean", .product = "Droplet" }, PLATFORM_DIGITALOCEAN },
		{ { .vendor = "Hetzner", .product = "vServer" }, PLATFORM_HETZNER },
		{ { .vendor = "Vultr", .product = "VC2" }, PLATFORM_VULTR },
		{ { .vendor = "OpenStack Foundation", .product = "OpenStack Nova" }, PLATFORM_OPENSTACK },
		{ { .vendor = "RDO", .product = "OpenStack Compute" }, PLATFORM_OPENSTACK },
		{ { .vendor = "T-Systems", .chassis_tag = "OpenTelekomCloud" }, PLATFORM_OPENSTACK },
		{ { .vendor = "VMware, Inc.", .product = "VMware7,1" }, PLATFORM_VMWARE },
		{ { .vendor = "QEMU", .product = "Standard PC (Q35 + ICH9, 2009)" }, PLATFORM_NONE },
		{ { .vendor = "" }, PLATFORM_NONE },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(machines); i++)
		if (dmi_platform(&machines[i].dmi) != machines[i].is)
			fail_msg("%s: %d", machines[i].dmi.vendor, dmi_platform(&machines[i].dmi));
}

static void test_seed(void **unused)
{
	static const struct dmi dmi = { .serial = "S1", .uuid = "U2" };
	static const struct {
		const char *text;
		int code;
		const char *where, *meta; /* or the error */
	} seeds[] = {
		{ "ds=nocloud;s=http://10.0.2.2:8000/;h=web;i=id-1", 1, "http://10.0.2.2:8000/",
		  "{\"instance-id\": \"id-1\", \"local-hostname\": \"web\", \"public-keys\": []}\n" },
		{ "nocloud;s=https://a/b/", 1, "https://a/b/", "" },
		{ "ds=nocloud-net;seedfrom=http://a/", 1, "http://a/", "" },
		{ "ds=nocloud;s=http://a/__dmi.system-uuid__/__dmi.system-serial-number__/", 1, "http://a/U2/S1/",
		  "" },
		{ "ds=nocloud", 0, "", "" },
		{ "ds=nocloud;h=web", 0, "", "" },
		{ "ds=nocloudy;s=http://a/", 0, "", "" },
		{ "VMware-42 1b", 0, "", "" },
		{ "ds=nocloud;s=/var/seed/", -22, "is no http:// or https:// address", "" },
		{ "ds=nocloud;s;;=;", 0, "", "" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(seeds); i++) {
		struct source s = { .kind = "none" };
		struct err e = { "" };

		assert_int_equal(seed_parse(seeds[i].text, &dmi, &s, &e), seeds[i].code);
		assert_non_null(strstr(seeds[i].code < 0 ? e.text : s.where, seeds[i].where));
		assert_string_equal(buf_text(&s.meta_data), seeds[i].meta);
		assert_int_equal(s.pending, seeds[i].code > 0);
		source_free(&s);
	}
}

/* ---- a hypervisor ---- */

static struct {
	char question[64], answer[64];
	unsigned asked, told, expected;
	bool deaf; /* opens no channel */
} hyper;

static void hypervisor(struct vmware_call *c)
{
	static const char set[] = "info-get guestinfo.userdata";
	unsigned n;

	assert_int_equal(c->a, 0x564D5868);
	assert_int_equal(c->d & 0xffff, 0x5658);
	switch (c->c >> 16) {
	case 0: /* open */
		assert_int_equal(c->b, 0xC9435052);
		memset(hyper.question, 0, sizeof(hyper.question));
		hyper.asked = hyper.told = 0;
		c->d = 7U << 16;
		c->si = 11;
		c->di = 12;
		break;
	case 1: /* the question's length */
		hyper.expected = c->b;
		break;
	case 2: /* four bytes of it */
		n = hyper.expected - hyper.asked < 4 ? hyper.expected - hyper.asked : 4;
		memcpy(hyper.question + hyper.asked, &c->b, n);
		hyper.asked += n;
		break;
	case 3: /* the answer's length */
		strcpy(hyper.answer, strcmp(hyper.question, set) ? "0 No value found" : "1 #cloud-config");
		c->b = (unsigned)strlen(hyper.answer);
		c->d = 1U << 16;
		c->c = 3U << 16;
		return;
	case 4: /* four bytes of it */
		memcpy(&c->b, hyper.answer + hyper.told, 4);
		hyper.told += 4;
		c->d = 2U << 16;
		break;
	default:
		break;
	}
	if (c->c >> 16)
		assert_true(c->si == 11 && c->di == 12);
	c->c = hyper.deaf ? 0 : 1U << 16;
}

static void test_vmware(void **unused)
{
	autobuf struct buf out = { 0 };
	struct err e = { "" };

	(void)unused;
	vmware_door = hypervisor;
	assert_int_equal(vmware_guestinfo("guestinfo.userdata", &out, &e), 1);
	assert_string_equal(buf_text(&out), "#cloud-config");
	assert_int_equal(vmware_guestinfo("guestinfo.metadata", &out, &e), 0);
	hyper.deaf = true;
	assert_int_equal(vmware_guestinfo("guestinfo.userdata", &out, &e), -5);
	assert_string_equal(e.text, "VMware's hypervisor opens no channel");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_providers),
		cmocka_unit_test(test_platform),
		cmocka_unit_test(test_seed),
		cmocka_unit_test(test_vmware),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
