#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "spec/capability.h"
#include "spec/oci.h"
#include "spec/oci_make.h"

static yyjson_doc *parse(const char *text)
{
	yyjson_doc *doc = yyjson_read(text, strlen(text), 0);

	assert_non_null(doc);
	return doc;
}

static struct container_spec read_spec(const char *more)
{
	struct container_spec spec;
	struct err e = { 0 };
	char text[2048];
	yyjson_doc *doc;

	snprintf(text, sizeof(text), "{\"name\":\"web\",\"image\":\"x\"%s}", more);
	doc = parse(text);
	if (container_spec_from_json(yyjson_doc_get_root(doc), &spec, &e) < 0)
		fail_msg("%s: %s", text, e.text);
	yyjson_doc_free(doc);
	return spec;
}

static struct image_config read_image(const char *config)
{
	struct image_config image;
	char text[2048];
	yyjson_doc *doc;

	snprintf(text, sizeof(text), "{\"config\":%s}", config);
	doc = parse(text);
	assert_int_equal(image_config_from_json(yyjson_doc_get_root(doc), &image, NULL), 0);
	yyjson_doc_free(doc);
	return image;
}

static char *join(const struct string_list *list)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < list->count; i++)
		buf_addf(&b, "%s%s", i ? "|" : "", list->items[i]);
	return buf_take(&b);
}

/* Docker's rule of entrypoint and command. */
static void arguments(void **state)
{
	static const struct {
		const char *image, *spec, *args;
	} rows[] = {
		{ "{\"Entrypoint\":[\"e\"],\"Cmd\":[\"c\"]}", "", "e|c" },
		{ "{\"Entrypoint\":[\"e\"],\"Cmd\":[\"c\"]}", ",\"command\":[\"d\",\"f\"]", "e|d|f" },
		{ "{\"Entrypoint\":[\"e\"],\"Cmd\":[\"c\"]}", ",\"entrypoint\":[\"x\"]", "x" },
		{ "{\"Entrypoint\":[\"e\"],\"Cmd\":[\"c\"]}",
		  ",\"entrypoint\":[\"x\"],\"command\":[\"y\"]", "x|y" },
		{ "{\"Entrypoint\":[\"e\"],\"Cmd\":[\"c\"]}",
		  ",\"entrypoint\":[],\"command\":[\"y\"]", "y" },
		{ "{\"Entrypoint\":[\"e\"],\"Cmd\":[\"c\"]}",
		  ",\"entrypoint\":[\"\"],\"command\":[\"y\"]", "y" },
		{ "{\"Entrypoint\":[\"e\"],\"Cmd\":[\"c\"]}", ",\"command\":[]", "e" },
		{ "{\"Cmd\":[\"c\"]}", "", "c" },
		{ "{}", "", NULL },
		{ "{\"Cmd\":[\"c\"]}", ",\"entrypoint\":[]", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct container_spec spec = read_spec(rows[i].spec);
		struct image_config image = read_image(rows[i].image);
		struct string_list args = { 0 };
		struct err e = { 0 };
		int rc = container_spec_argv(&spec, &image, &args, &e);

		if (!rows[i].args) {
			assert_true(rc < 0);
			assert_string_equal(e.text, "no command specified");
		} else {
			char *text = join(&args);

			assert_string_equal(text, rows[i].args);
			free(text);
		}
		string_list_free(&args);
		container_spec_free(&spec);
		image_config_free(&image);
	}
}

static void environment(void **state)
{
	struct container_spec spec =
		read_spec(",\"tty\":true,\"environment\":{\"B\":\"3\",\"PATH\":\"/bin\"}");
	struct image_config image = read_image("{\"Env\":[\"A=1\",\"B=2\",\"PATH=/usr/bin\"]}");
	struct string_list env = { 0 };
	char *text;

	(void)state;
	assert_int_equal(container_spec_env(&spec, &image, "host", &env, NULL), 0);
	text = join(&env);
	assert_string_equal(text, "PATH=/bin|HOSTNAME=host|TERM=xterm|A=1|B=3");
	free(text);
	string_list_free(&env);
	container_spec_free(&spec);
	image_config_free(&image);
}

static int make(const char *more, uint32_t idmap_size, struct oci_spec *out, yyjson_doc **doc,
		struct err *e)
{
	struct container_spec spec = read_spec(more);
	struct image_config image = read_image("{\"Cmd\":[\"c\"]}");
	const struct oci_context context = {
		.id = "0123456789abcdef", .rootfs = "/r", .cgroup = "/containers/0123456789abcdef",
		.idmap_base = 65536, .idmap_size = idmap_size,
	};
	struct buf text = { 0 };
	int rc = container_spec_to_oci(&spec, &image, &context, &text, e);

	if (!rc) {
		*doc = parse(buf_text(&text));
		rc = oci_spec_read(yyjson_doc_get_root(*doc), out, e);
	}
	buf_free(&text);
	container_spec_free(&spec);
	image_config_free(&image);
	return rc;
}

static void refusals(void **state)
{
	static const struct {
		const char *spec, *error;
	} rows[] = {
		{ ",\"cap_add\":[\"NET_FOO\"]", "unknown capability \"NET_FOO\"" },
		{ ",\"security_opt\":[\"apparmor=mine\"]",
		  "security_opt \"apparmor=mine\" is not supported" },
		{ ",\"memswap_limit\":5", "memswap_limit needs mem_limit" },
		{ ",\"mem_limit\":9,\"memswap_limit\":5", "memswap_limit is smaller than mem_limit" },
		{ ",\"init\":true", "init: this host has no init program for containers" },
		{ ",\"devices\":[{\"source\":\"/no/device\"}]", "device \"/no/device\"" },
		{ ",\"devices\":[{\"source\":\"/etc/passwd\"}]", "\"/etc/passwd\" is not a device" },
		{ ",\"devices\":[{\"source\":\"/dev/null\",\"permissions\":\"x\"}]",
		  "permissions are of \"rwm\", not \"x\"" },
		{ ",\"volumes\":[{\"type\":\"volume\",\"source\":\"v\",\"target\":\"/d\"}]",
		  "there is no host path for \"v\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct oci_spec oci;
		yyjson_doc *doc = NULL;
		struct err e = { 0 };

		assert_true(make(rows[i].spec, 65536, &oci, &doc, &e) < 0);
		if (!strstr(e.text, rows[i].error))
			fail_msg("\"%s\" is not in \"%s\"", rows[i].error, e.text);
	}
}

static void capability_sets(void **state)
{
	static const struct {
		const char *spec;
		size_t count;
	} rows[] = {
		{ "", 14 },
		{ ",\"cap_drop\":[\"ALL\"]", 0 },
		{ ",\"cap_drop\":[\"all\"],\"cap_add\":[\"net_admin\"]", 1 },
		{ ",\"cap_drop\":[\"CAP_CHOWN\",\"KILL\"]", 12 },
		{ ",\"cap_add\":[\"ALL\"],\"cap_drop\":[\"SYS_ADMIN\"]", CAPABILITY_COUNT - 1 },
		{ ",\"privileged\":true", CAPABILITY_COUNT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct oci_spec oci;
		yyjson_doc *doc = NULL;

		assert_int_equal(make(rows[i].spec, 65536, &oci, &doc, NULL), 0);
		assert_int_equal(oci.process->capabilities->bounding.count, rows[i].count);
		assert_int_equal(oci.process->capabilities->inheritable.count, 0);
		oci_spec_free(&oci);
		yyjson_doc_free(doc);
	}
}

static void shape(void **state)
{
	struct oci_spec oci;
	yyjson_doc *doc = NULL;

	(void)state;
	assert_int_equal(make(",\"volumes\":[{\"type\":\"tmpfs\",\"target\":\"/a/b\"},"
			      "{\"type\":\"tmpfs\",\"target\":\"/a\"}],\"network_mode\":\"host\","
			      "\"mem_limit\":100,\"nano_cpus\":500000000,\"user\":\"app:users\","
			      "\"annotations\":{\"org.example.team\":\"web\"}",
			      65536, &oci, &doc, NULL),
			 0);
	assert_string_equal(oci.hostname, "0123456789ab");
	assert_true(oci.process->noNewPrivileges);
	assert_int_equal(oci.linux_->namespaces.count, 6); /* all but the network */
	assert_int_equal(oci.linux_->resources.memory.swap.value, 200);
	assert_int_equal(oci.linux_->resources.cpu.quota.value, 50000);
	assert_string_equal(string_map_get(&oci.annotations, ANNOTATION_USER), "app:users");
	assert_string_equal(string_map_get(&oci.annotations, "org.example.team"), "web");
	assert_string_equal(oci.mounts.items[oci.mounts.count - 2].destination, "/a");
	assert_string_equal(oci.mounts.items[oci.mounts.count - 1].destination, "/a/b");
	assert_int_equal(oci.linux_->sysctl.count, 0);
	assert_non_null(oci.linux_->seccomp);
	oci_spec_free(&oci);
	yyjson_doc_free(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments), cmocka_unit_test(environment),
		cmocka_unit_test(refusals),  cmocka_unit_test(capability_sets),
		cmocka_unit_test(shape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
