#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "spec/container.h"
#include "spec/image.h"
#include "spec/oci.h"

static int read_spec(const char *text, struct container_spec *spec, struct err *e)
{
	yyjson_doc *doc = yyjson_read(text, strlen(text), 0);
	int rc;

	assert_non_null(doc);
	rc = container_spec_from_json(yyjson_doc_get_root(doc), spec, e);
	yyjson_doc_free(doc);
	return rc;
}

/* A container spec that is wrong, and the sentence that says so. */
static const struct {
	const char *json, *error;
} faults[] = {
	{ "[]", "document: expected an object" },
	{ "{}", "name: is missing" },
	{ "{\"name\":\"web\"}", "image: is missing" },
	{ "{\"name\":1,\"image\":\"x\"}", "name: expected a string" },
	{ "{\"name\":\"a\",\"image\":\"x\"}", "name: \"a\" is not two or more" },
	{ "{\"name\":\"web\",\"name\":\"web\",\"image\":\"x\"}", "name: given twice" },
	{ "{\"name\":\"web\",\"image\":\"x\",\"command\":\"ls\"}",
	  "command: expected a list of strings" },
	{ "{\"name\":\"web\",\"image\":\"x\",\"command\":[\"a\",7]}",
	  "command[1]: expected a string" },
	{ "{\"name\":\"web\",\"image\":\"x\",\"tty\":\"yes\"}", "tty: expected true or false" },
	{ "{\"name\":\"web\",\"image\":\"x\",\"mem_limit\":1.5}", "mem_limit: expected a whole number" },
	{ "{\"name\":\"web\",\"image\":\"x\",\"mem_limit\":-1}", "mem_limit: -1 is out of range" },
	{ "{\"name\":\"web\",\"image\":\"x\\u0000y\"}", "image: string has a NUL character" },
	{ "{\"name\":\"web\",\"image\":\"x\",\"ports\":[{\"target\":70000}]}", "a port is 1 to 65535" },
	{ "{\"name\":\"web\",\"image\":\"x\",\"ports\":[{\"published\":80}]}",
	  "ports[0].target: is missing" },
	{ "{\"name\":\"web\",\"image\":\"x\",\"ports\":[{\"target\":80,\"protocol\":\"icmp\"}]}",
	  "unknown protocol \"icmp\"" },
	{ "{\"name\":\"web\",\"image\":\"x\",\"volumes\":[{\"type\":\"disk\",\"target\":\"/a\"}]}",
	  "type is volume, bind or tmpfs" },
	{ "{\"name\":\"web\",\"image\":\"x\",\"volumes\":[{\"type\":\"tmpfs\",\"target\":\"a\"}]}",
	  "target is an absolute path" },
	{ "{\"name\":\"web\",\"image\":\"x\",\"restart\":{\"policy\":\"never\"}}",
	  "unknown policy \"never\"" },
	{ "{\"name\":\"web\",\"image\":\"x\",\"depends_on\":[{\"name\":\"db\",\"condition\":\"up\"}]}",
	  "depends_on[0]: unknown condition \"up\"" },
	{ "{\"name\":\"web\",\"image\":\"x\",\"depends_on\":[7]}",
	  "depends_on[0]: expected an object" },
	{ "{\"name\":\"web\",\"image\":\"x\",\"healthcheck\":{\"retries\":-1}}",
	  "healthcheck.retries: -1 is out of range" },
	{ "{\"name\":\"web\",\"image\":\"x\",\"annotations\":{\"org.berth.user\":\"0\"}}",
	  "annotations: \"org.berth.user\": names that begin with" },
	{ "{\"name\":\"web\",\"image\":\"x\",\"working_dir\":\"a\"}", "is not an absolute path" },
};

static void faults_are_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct container_spec spec;
		struct err e = { 0 };

		assert_true(read_spec(faults[i].json, &spec, &e) < 0);
		if (!strstr(e.text, faults[i].error))
			fail_msg("%s: \"%s\" is not in \"%s\"", faults[i].json, faults[i].error, e.text);
	}
}

static const char full[] =
	"{\"name\":\"web\",\"image\":\"nginx\",\"entrypoint\":[],\"command\":[\"a\",\"b\"],"
	"\"environment\":{\"A\":\"1\",\"B\":\"\"},\"restart\":{\"policy\":\"on-failure\","
	"\"max_retries\":3},\"ports\":[{\"host_ip\":\"127.0.0.1\",\"published\":80,\"target\":8080,"
	"\"protocol\":\"tcp\"}],\"volumes\":[{\"type\":\"volume\",\"source\":\"v\",\"target\":\"/d\","
	"\"read_only\":true}],\"memswap_limit\":-1,\"ulimits\":[{\"name\":\"core\",\"soft\":0,"
	"\"hard\":-1}],\"tty\":true,\"labels\":{\"x\":\"y\"}}";

static char *text_of(const struct container_spec *spec)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	char *text;

	yyjson_mut_doc_set_root(doc, container_spec_to_json(spec, doc));
	text = yyjson_mut_write(doc, 0, NULL);
	yyjson_mut_doc_free(doc);
	return text;
}

static void what_is_written_is_read(void **state)
{
	struct container_spec spec, copy;
	struct err e = { 0 };
	char *text, *again;

	(void)state;
	assert_int_equal(read_spec(full, &spec, &e), 0);
	assert_true(spec.entrypoint.present);
	assert_int_equal(spec.entrypoint.count, 0);
	assert_string_equal(string_map_get(&spec.environment, "B"), "");
	text = text_of(&spec);
	assert_string_equal(text, full);
	assert_int_equal(container_spec_copy(&spec, &copy), 0);
	again = text_of(&copy);
	assert_string_equal(again, full);
	free(text);
	free(again);
	container_spec_free(&spec);
	container_spec_free(&copy);
}

static void unknown_keys_are_ignored(void **state)
{
	struct container_spec spec;

	(void)state;
	assert_int_equal(
		read_spec("{\"name\":\"web\",\"image\":\"x\",\"new\":{\"a\":[1]},\"user\":null}", &spec, NULL),
		0);
	assert_null(spec.user);
	container_spec_free(&spec);
}

/* A container.json that an earlier Berth wrote: the update must not lose the container. */
static void dependencies_were_names(void **state)
{
	struct container_spec spec;
	struct err e = { 0 };
	char *text;

	(void)state;
	if (read_spec("{\"name\":\"web\",\"image\":\"x\",\"depends_on\":[\"db\",\"cache\"]}", &spec,
		      &e) < 0)
		fail_msg("%s", e.text);
	text = text_of(&spec);
	assert_string_equal(text, "{\"name\":\"web\",\"image\":\"x\",\"depends_on\":[{\"name\":\"db\"},"
				  "{\"name\":\"cache\"}]}");
	free(text);
	container_spec_free(&spec);
}

static void refused_keys_may_be_empty(void **state)
{
	static const struct {
		const char *json, *error;
	} rows[] = {
		{ "{\"ociVersion\":\"1.0.2\",\"hooks\":{}}", NULL },
		{ "{\"ociVersion\":\"1.0.2\",\"hooks\":{\"poststop\":[]}}", NULL },
		{ "{\"ociVersion\":\"1.0.2\",\"hooks\":{\"prestart\":[{}]}}",
		  "hooks.prestart[0].path: is missing" },
		{ "{\"ociVersion\":\"1.0.2\",\"linux\":{\"intelRdt\":{\"closID\":\"x\"}}}",
		  "linux.intelRdt: is not supported" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		yyjson_doc *doc = yyjson_read(rows[i].json, strlen(rows[i].json), 0);
		struct oci_spec spec;
		struct err e = { 0 };
		int rc = oci_spec_read(yyjson_doc_get_root(doc), &spec, &e);

		if (!!rc != !!rows[i].error || (rc && !strstr(e.text, rows[i].error)))
			fail_msg("%s: \"%s\"", rows[i].json, e.text);
		if (!rc)
			oci_spec_free(&spec);
		yyjson_doc_free(doc);
	}
}

/* Objects whose keys are names: linux.timeOffsets, rdma. */
static void named_lists_keep_their_keys(void **state)
{
	static const char text[] =
		"{\"ociVersion\":\"1.2.0\",\"linux\":{\"timeOffsets\":{\"boottime\":{\"secs\":7},"
		"\"monotonic\":{\"secs\":-1,\"nanosecs\":5}},\"resources\":{\"rdma\":{\"mlx5_1\":"
		"{\"hcaHandles\":3}}}}}";
	yyjson_doc *doc = yyjson_read(text, sizeof(text) - 1, 0);
	yyjson_mut_doc *out = yyjson_mut_doc_new(NULL);
	char *written;
	autooci struct oci_spec spec;

	(void)state;
	assert_int_equal(oci_spec_read(yyjson_doc_get_root(doc), &spec, NULL), 0);
	assert_int_equal(spec.linux_->timeOffsets.count, 2);
	assert_string_equal(spec.linux_->timeOffsets.items[1].clock, "monotonic");
	assert_int_equal(spec.linux_->timeOffsets.items[1].secs, -1);
	assert_string_equal(spec.linux_->resources.rdma.items[0].name, "mlx5_1");
	yyjson_mut_doc_set_root(out, oci_spec_write(&spec, out));
	written = yyjson_mut_write(out, 0, NULL);
	assert_non_null(strstr(written, "\"rdma\":{\"mlx5_1\":{\"hcaHandles\":3}}"));
	assert_non_null(strstr(written, "\"monotonic\":{\"secs\":-1,\"nanosecs\":5}"));
	free(written);
	yyjson_mut_doc_free(out);
	yyjson_doc_free(doc);
}

static void image_config_is_read(void **state)
{
	static const char text[] =
		"{\"architecture\":\"amd64\",\"config\":{\"Cmd\":[\"nginx\"],\"User\":\"web\","
		"\"ExposedPorts\":{\"80/tcp\":{}},\"Volumes\":{\"/d\":{}},\"Entrypoint\":null}}";
	yyjson_doc *doc = yyjson_read(text, sizeof(text) - 1, 0);
	struct image_config image;

	(void)state;
	assert_int_equal(image_config_from_json(yyjson_doc_get_root(doc), &image, NULL), 0);
	assert_string_equal(image.architecture, "amd64");
	assert_string_equal(image.User, "web");
	assert_true(string_list_has(&image.ExposedPorts, "80/tcp"));
	assert_true(string_list_has(&image.Volumes, "/d"));
	assert_false(image.Entrypoint.present);
	image_config_free(&image);
	yyjson_doc_free(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_are_named),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(unknown_keys_are_ignored),
		cmocka_unit_test(dependencies_were_names),
		cmocka_unit_test(refused_keys_may_be_empty),
		cmocka_unit_test(named_lists_keep_their_keys),
		cmocka_unit_test(image_config_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
