/* docker's create body: what becomes of each key, and what is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/body.h"
#include "base/buf.h"
#include "base/cleanup.h"

/* What docker CLI 28.2 sends for "docker run -it --rm busybox ..." (recorded). */
static const char from_cli[] =
	"{\"Hostname\":\"\",\"Domainname\":\"\",\"User\":\"\",\"AttachStdin\":true,\"AttachStdout\":true,"
	"\"AttachStderr\":true,\"Tty\":true,\"OpenStdin\":true,\"StdinOnce\":true,\"Env\":null,\"Cmd\":[\"sh\","
	"\"-c\",\"stty size\"],\"Image\":\"busybox\",\"Volumes\":{},\"WorkingDir\":\"\",\"Entrypoint\":null,"
	"\"OnBuild\":null,\"Labels\":{},\"HostConfig\":{\"Binds\":null,\"ContainerIDFile\":\"\",\"LogConfig\":"
	"{\"Type\":\"\",\"Config\":{}},\"NetworkMode\":\"default\",\"PortBindings\":{},\"RestartPolicy\":{\"Name\":"
	"\"no\",\"MaximumRetryCount\":0},\"AutoRemove\":true,\"VolumeDriver\":\"\",\"VolumesFrom\":null,"
	"\"ConsoleSize\":[24,80],\"CapAdd\":null,"
	"\"CapDrop\":null,\"CgroupnsMode\":\"\",\"Dns\":[],\"DnsOptions\":[],"
	"\"DnsSearch\":[],\"ExtraHosts\":null,\"GroupAdd\":null,\"IpcMode\":\"\",\"Cgroup\":\"\",\"Links\":null,"
	"\"OomScoreAdj\":0,\"PidMode\":\"\",\"Privileged\":false,\"PublishAllPorts\":false,\"ReadonlyRootfs\":false,"
	"\"SecurityOpt\":null,\"UTSMode\":\"\",\"UsernsMode\":\"\",\"ShmSize\":0,\"Isolation\":\"\",\"CpuShares\":0,"
	"\"Memory\":0,\"NanoCpus\":0,\"CgroupParent\":\"\",\"BlkioWeight\":0,\"BlkioWeightDevice\":[],"
	"\"BlkioDeviceReadBps\":[],\"CpuPeriod\":0,\"CpuQuota\":0,\"CpusetCpus\":\"\",\"CpusetMems\":\"\","
	"\"Devices\":[],\"DeviceCgroupRules\":null,\"DeviceRequests\":null,\"MemoryReservation\":0,\"MemorySwap\":0,"
	"\"MemorySwappiness\":-1,\"OomKillDisable\":false,\"PidsLimit\":0,\"Ulimits\":[],\"CpuCount\":0,"
	"\"MaskedPaths\":null,\"ReadonlyPaths\":null},\"NetworkingConfig\":{\"EndpointsConfig\":{\"default\":"
	"{\"IPAMConfig\":null,\"Links\":null,\"Aliases\":null,\"MacAddress\":\"\",\"GwPriority\":0,"
	"\"IPPrefixLen\":0,\"DNSNames\":null}}}}";

static int read_body(struct body *b, const char *json, struct err *e)
{
	return body_read(b, json, strlen(json), e);
}

static void what_the_docker_cli_sends(void **state)
{
	struct err e = { 0 };
	struct body b;

	(void)state;
	assert_int_equal(read_body(&b, from_cli, &e), 0);
	assert_string_equal(b.spec.image, "busybox");
	assert_int_equal(b.spec.command.count, 3);
	assert_false(b.spec.entrypoint.present);
	assert_true(b.spec.tty && b.spec.stdin_open && b.spec.stdin_once && b.spec.auto_remove);
	assert_string_equal(b.spec.network_mode, "default");
	assert_int_equal(b.console_rows, 24);
	assert_int_equal(b.console_columns, 80);
	container_spec_free(&b.spec);
}

/* Each row: a piece of HostConfig or of the body's top, and the spec that it makes, as JSON with
 * nothing but the image besides. */
static const struct {
	const char *top, *host, *spec;
} rows[] = {
	{ "\"Entrypoint\":[\"\"]", "", "\"entrypoint\":[]" },
	{ "\"Entrypoint\":[\"a\",\"b\"]", "", "\"entrypoint\":[\"a\",\"b\"]" },
	{ "\"Cmd\":\"one\"", "", "\"command\":[\"one\"]" },
	{ "\"Env\":[\"A=b=c\",\"E=\"]", "", "\"environment\":{\"A\":\"b=c\",\"E\":\"\"}" },
	{ "\"StopTimeout\":3", "", "\"stop_grace_ms\":3000" },
	{ "\"StopTimeout\":0", "", "\"stop_grace_ms\":1" },
	{ "\"StopSignal\":\"SIGINT\"", "", "\"stop_signal\":\"SIGINT\"" },
	{ "\"ExposedPorts\":{\"80\":{}}", "", "\"expose\":[\"80/tcp\"]" },
	{ "\"NetworkDisabled\":true", "", "\"network_mode\":\"none\"" },
	{ "\"NetworkingConfig\":{\"EndpointsConfig\":{\"blue\":{\"Aliases\":[\"db\"],\"GwPriority\":2,"
	  "\"MacAddress\":\"02:42:0a:63:00:05\",\"IPAMConfig\":{\"IPv4Address\":\"10.99.0.5\"},"
	  "\"IPAddress\":\"10.99.0.9\",\"DNSNames\":[\"x\"]},\"red\":null}}", "\"NetworkMode\":\"blue\"",
	  "\"network_mode\":\"blue\",\"networks\":[{\"name\":\"blue\",\"aliases\":[\"db\"],"
	  "\"ipv4_address\":\"10.99.0.5\",\"mac_address\":\"02:42:0a:63:00:05\",\"gw_priority\":2},"
	  "{\"name\":\"red\"}]" },
	{ "\"Healthcheck\":{\"Test\":[\"NONE\"]}", "", "\"healthcheck\":{\"test\":[\"NONE\"]}" },
	{ "\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"a b\"],\"Interval\":2000000000,\"Retries\":4}", "",
	  "\"healthcheck\":{\"test\":[\"CMD-SHELL\",\"a b\"],\"interval_ms\":2000,\"retries\":4}" },
	{ "\"Healthcheck\":{\"Test\":[],\"Timeout\":1000000,\"StartPeriod\":5000000,\"StartInterval\":0}",
	  "", "\"healthcheck\":{\"timeout_ms\":1,\"start_period_ms\":5}" },
	{ "\"Volumes\":{\"/data\":{}}", "",
	  "\"volumes\":[{\"type\":\"volume\",\"target\":\"/data\"}]" },
	{ "", "\"Binds\":[\"vol1:/data:ro,nocopy\"]",
	  "\"volumes\":[{\"type\":\"volume\",\"source\":\"vol1\",\"target\":\"/data\",\"read_only\":true,"
	  "\"nocopy\":true}]" },
	{ "", "\"Binds\":[\"/tmp:/h:rslave,z\"]",
	  "\"volumes\":[{\"type\":\"bind\",\"source\":\"/tmp\",\"target\":\"/h\","
	  "\"bind_propagation\":\"rslave\"}]" },
	{ "", "\"Tmpfs\":{\"/t\":\"rw,size=64m,mode=700\"}",
	  "\"volumes\":[{\"type\":\"tmpfs\",\"target\":\"/t\",\"tmpfs_size\":67108864,\"tmpfs_mode\":448}]" },
	{ "", "\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/a\",\"Target\":\"/b\",\"ReadOnly\":true,"
	  "\"BindOptions\":{\"Propagation\":\"shared\"}}]",
	  "\"volumes\":[{\"type\":\"bind\",\"source\":\"/a\",\"target\":\"/b\",\"read_only\":true,"
	  "\"bind_propagation\":\"shared\"}]" },
	{ "", "\"Mounts\":[{\"Type\":\"tmpfs\",\"Target\":\"/b\",\"TmpfsOptions\":{\"SizeBytes\":4096}}]",
	  "\"volumes\":[{\"type\":\"tmpfs\",\"target\":\"/b\",\"tmpfs_size\":4096}]" },
	{ "", "\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"8080\"}]}",
	  "\"ports\":[{\"host_ip\":\"127.0.0.1\",\"published\":8080,\"target\":80,\"protocol\":\"tcp\"}]" },
	{ "", "\"PortBindings\":{\"80\":[{\"HostPort\":\"8000-8010\"}]}",
	  "\"ports\":[{\"published\":8000,\"published_end\":8010,\"target\":80,\"protocol\":\"tcp\"}]" },
	{ "", "\"PortBindings\":{\"53/udp\":[{\"HostPort\":\"\"}]}",
	  "\"ports\":[{\"target\":53,\"protocol\":\"udp\"}]" },
	{ "", "\"RestartPolicy\":{\"Name\":\"on-failure\",\"MaximumRetryCount\":3}",
	  "\"restart\":{\"policy\":\"on-failure\",\"max_retries\":3}" },
	{ "", "\"LogConfig\":{\"Type\":\"json-file\",\"Config\":{\"max-size\":\"2m\",\"max-file\":\"2\"}}",
	  "\"log\":{\"driver\":\"json-file\",\"max_size\":2097152,\"max_file\":2}" },
	{ "", "\"LogConfig\":{\"Type\":\"syslog\",\"Config\":{\"syslog-address\":\"udp://192.0.2.1\","
	  "\"syslog-facility\":\"local7\",\"syslog-format\":\"rfc5424\",\"tag\":\"web\"}}",
	  "\"log\":{\"driver\":\"syslog\",\"syslog_address\":\"udp://192.0.2.1\","
	  "\"syslog_format\":\"rfc5424\",\"syslog_facility\":24,\"tag\":\"web\"}" },
	{ "", "\"LogConfig\":{\"Type\":\"local\"}", "\"log\":{\"driver\":\"local\"}" },
	{ "", "\"Memory\":67108864,\"NanoCpus\":500000000,\"PidsLimit\":40,\"CpusetCpus\":\"0\"",
	  "\"mem_limit\":67108864,\"nano_cpus\":500000000,\"cpuset\":\"0\",\"pids_limit\":40" },
	{ "", "\"CapAdd\":[\"NET_ADMIN\"],\"CapDrop\":[\"ALL\"],\"ReadonlyRootfs\":true",
	  "\"cap_add\":[\"NET_ADMIN\"],\"cap_drop\":[\"ALL\"],\"read_only\":true" },
	{ "", "\"Ulimits\":[{\"Name\":\"nofile\",\"Soft\":10,\"Hard\":20}]",
	  "\"ulimits\":[{\"name\":\"nofile\",\"soft\":10,\"hard\":20}]" },
	{ "", "\"Devices\":[{\"PathOnHost\":\"/dev/fuse\",\"PathInContainer\":\"/dev/f\","
	  "\"CgroupPermissions\":\"rw\"}]",
	  "\"devices\":[{\"source\":\"/dev/fuse\",\"target\":\"/dev/f\",\"permissions\":\"rw\"}]" },
	{ "", "\"CgroupnsMode\":\"private\",\"IpcMode\":\"private\",\"Runtime\":\"berth-oci\"",
	  "\"ipc\":\"private\",\"cgroup\":\"private\"" },
	{ "", "\"PidMode\":\"container:web\",\"UTSMode\":\"host\",\"IpcMode\":\"none\",\"Init\":true",
	  "\"init\":true,\"pid\":\"container:web\",\"ipc\":\"none\",\"uts\":\"host\"" },
	{ "", "\"CpuPeriod\":50000,\"CpuQuota\":25000,\"VolumesFrom\":[\"web:ro\"]",
	  "\"cpu_period\":50000,\"cpu_quota\":25000,\"volumes_from\":[\"web:ro\"]" },
};

/* The body that was made, and the spec that is expected, both written by container_spec_to_json. */
static void make_json(struct buf *out, const char *top, const char *host)
{
	buf_addf(out, "{\"Image\":\"i\"%s%s", *top ? "," : "", top);
	buf_addf(out, ",\"HostConfig\":{%s}}", host);
}

static char *spec_text(const struct container_spec *spec)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	char *text;

	yyjson_mut_doc_set_root(doc, container_spec_to_json(spec, doc));
	text = yyjson_mut_write(doc, 0, NULL);
	yyjson_mut_doc_free(doc);
	return text;
}

static void every_key_finds_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autobuf struct buf json = { 0 };
		autobuf struct buf expected = { 0 };
		autospec struct container_spec spec = { 0 };
		autofree char *made = NULL, *wanted = NULL;
		struct err e = { 0 };
		yyjson_doc *doc;
		struct body b;

		make_json(&json, rows[i].top, rows[i].host);
		if (read_body(&b, buf_text(&json), &e) < 0)
			fail_msg("%s: %s", buf_text(&json), e.text);
		b.spec.name = strdup("cc");
		buf_addf(&expected, "{\"name\":\"cc\",\"image\":\"i\"%s%s}", *rows[i].spec ? "," : "",
			 rows[i].spec);
		doc = yyjson_read(buf_text(&expected), expected.len, 0);
		assert_int_equal(container_spec_from_json(yyjson_doc_get_root(doc), &spec, &e), 0);
		yyjson_doc_free(doc);
		made = spec_text(&b.spec);
		wanted = spec_text(&spec);
		assert_string_equal(made, wanted);
		container_spec_free(&b.spec);
	}
}

static const struct {
	const char *top, *host;
	int rc;
	const char *sentence;
} refused[] = {
	{ "\"Sails\":3", "", -ENOTSUP, "Sails is not supported" },
	{ "", "\"IpcMode\":\"shareable\"", -ENOTSUP, "HostConfig.IpcMode: \"shareable\" is not" },
	{ "", "\"UTSMode\":\"container:web\"", -ENOTSUP, "HostConfig.UTSMode: \"container:web\" is not" },
	{ "", "\"MaskedPaths\":[]", -ENOTSUP, "HostConfig.MaskedPaths: is not supported" },
	{ "", "\"MemorySwappiness\":10", -ENOTSUP, "HostConfig.MemorySwappiness: is not supported" },
	{ "", "\"Runtime\":\"runc\"", -ENOTSUP, "HostConfig.Runtime: \"runc\" is not supported" },
	{ "\"Healthcheck\":{\"Interval\":1000}", "", -EINVAL,
	  "Healthcheck.Interval: cannot be less than 1ms" },
	{ "\"Healthcheck\":{\"Retries\":-1}", "", -EINVAL, "Healthcheck.Retries: cannot be negative" },
	{ "\"Healthcheck\":{\"Sails\":1}", "", -ENOTSUP, "Healthcheck.Sails is not supported" },
	{ "\"NetworkingConfig\":{\"EndpointsConfig\":{\"blue\":{\"DriverOpts\":{\"a\":\"b\"}}}}", "", -ENOTSUP,
	  "EndpointConfig.DriverOpts is not supported" },
	{ "\"NetworkingConfig\":{\"EndpointsConfig\":{\"blue\":{\"Aliases\":7}}}", "", -EINVAL,
	  "EndpointConfig.Aliases: expected a list of strings" },
	{ "", "\"LogConfig\":{\"Type\":\"fluentd\"}", -ENOTSUP, "LogConfig.Type: logging driver" },
	{ "", "\"LogConfig\":{\"Type\":\"\",\"Config\":{\"tag\":\"x\"}}", -ENOTSUP, "for the syslog driver" },
	{ "", "\"LogConfig\":{\"Type\":\"json-file\",\"Config\":{\"labels\":\"x\"}}", -ENOTSUP,
	  "option labels is not" },
	{ "", "\"LogConfig\":{\"Type\":\"syslog\"}", -EINVAL, "needs syslog-address" },
	{ "", "\"LogConfig\":{\"Type\":\"syslog\",\"Config\":{\"syslog-address\":\"tcp://a\"}}", -ENOTSUP,
	  "\"tcp://a\" is not supported" },
	{ "", "\"LogConfig\":{\"Type\":\"syslog\",\"Config\":{\"syslog-facility\":\"x\"}}", -EINVAL,
	  "invalid syslog facility: x" },
	{ "", "\"LogConfig\":{\"Type\":\"syslog\",\"Config\":{\"tag\":\"{{.Name}}\"}}", -ENOTSUP,
	  "one word without a template" },
	{ "", "\"Memory\":\"lots\"", -EINVAL, "HostConfig.Memory: expected a whole number" },
	{ "", "\"Privileged\":1", -EINVAL, "HostConfig.Privileged: expected true or false" },
	{ "", "\"CapAdd\":[1]", -EINVAL, "HostConfig.CapAdd: expected a string" },
	{ "", "\"Binds\":[\"/only\"]", -EINVAL, "invalid volume specification" },
	{ "", "\"Binds\":[\"../x:/data\"]", -EINVAL, "includes invalid characters" },
	{ "", "\"Binds\":[\"v1:data\"]", -EINVAL, "must be absolute" },
	{ "", "\"Binds\":[\"v1:/data:rx\"]", -EINVAL, "invalid mode: rx" },
	{ "", "\"Binds\":[\"v1:/d\",\"v2:/d\"]", -EINVAL, "Duplicate mount point: /d" },
	{ "", "\"Mounts\":[{\"Type\":\"npipe\",\"Target\":\"/a\"}]", -ENOTSUP, "\"npipe\"" },
	{ "", "\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"a/b\",\"Target\":\"/a\"}]", -EINVAL,
	  "includes invalid characters" },
	{ "", "\"Mounts\":[{\"Type\":\"volume\",\"Target\":\"/a\",\"VolumeOptions\":{\"Subpath\":\"s\"}}]",
	  -ENOTSUP, "VolumeOptions.Subpath is not supported" },
	{ "", "\"Tmpfs\":{\"/t\":\"exec\"}", -ENOTSUP, "tmpfs option \"exec\"" },
	{ "", "\"PortBindings\":{\"99999\":[]}", -EINVAL, "invalid port \"99999\"" },
	{ "", "\"PortBindings\":{\"80/x\":[]}", -EINVAL, "invalid protocol" },
	{ "", "\"PortBindings\":{\"80\":[{\"HostPort\":\"8000-7999\"}]}", -EINVAL, "invalid host port" },
	{ "", "\"PortBindings\":{\"80\":[{\"HostPort\":\"8000-\"}]}", -EINVAL, "invalid host port" },
	{ "", "\"PortBindings\":{\"80\":[{\"HostPort\":\"0-7\"}]}", -EINVAL, "invalid host port" },
	{ "\"Env\":[\"NAME\"]", "", -EINVAL, "Env: \"NAME\" is not NAME=value" },
	{ "\"StopSignal\":\"SIGNOT\"", "", -EINVAL, "Invalid signal: SIGNOT" },
	{ "", "\"AutoRemove\":true,\"RestartPolicy\":{\"Name\":\"always\"}", -EINVAL,
	  "can't create 'AutoRemove' container with restart policy" },
	{ "\"User\":\"a\\u0000b\"", "", -EINVAL, "User: the string is too long or has a NUL" },
};

static void what_cannot_be_done_is_refused_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		autobuf struct buf json = { 0 };
		struct err e = { 0 };
		struct body b;

		make_json(&json, refused[i].top, refused[i].host);
		assert_int_equal(read_body(&b, buf_text(&json), &e), refused[i].rc);
		if (!strstr(e.text, refused[i].sentence))
			fail_msg("%s: \"%s\"", buf_text(&json), e.text);
		container_spec_free(&b.spec);
	}
}

/* The body says nothing of it, so no key is at fault: the check of the whole has to see it. */
static void what_a_list_lacks_is_refused(void **state)
{
	static const struct { const char *host, *sentence; } lists[] = {
		{ "\"Ulimits\":[{\"Soft\":1,\"Hard\":1}]", "ulimits[0].name: is missing" },
		{ "\"Devices\":[{\"PathInContainer\":\"/dev/x\"}]", "devices[0].source: is missing" },
		{ "\"BlkioDeviceReadBps\":[{\"Rate\":1}]", "blkio.read_bps[0].path: is missing" },
		{ "\"BlkioDeviceWriteIOps\":[{\"Path\":\"/dev/vda\",\"Rate\":1},{}]",
		  "blkio.write_iops[1].path: is missing" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		autobuf struct buf json = { 0 };
		struct err e = { 0 };
		struct body b;

		make_json(&json, "", lists[i].host);
		assert_int_equal(read_body(&b, buf_text(&json), &e), 0);
		b.spec.name = strdup("web");
		assert_int_equal(container_spec_check(&b.spec, &e), -EINVAL);
		assert_string_equal(e.text, lists[i].sentence);
		container_spec_free(&b.spec);
	}
}

static void what_is_no_body(void **state)
{
	static const char *const texts[] = { "", "no", "[]", "{}", "{\"Image\":\"\"}", "{\"Image\":3}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct err e = { 0 };
		struct body b;

		assert_int_equal(read_body(&b, texts[i], &e), -EINVAL);
		assert_true(*e.text);
		container_spec_free(&b.spec);
	}
}

static void publish_all_takes_what_is_exposed(void **state)
{
	static const char json[] = "{\"Image\":\"i\",\"ExposedPorts\":{\"70/udp\":{}},\"HostConfig\":{"
		"\"PublishAllPorts\":true,\"PortBindings\":{\"80/tcp\":[{\"HostPort\":\"8080\"}]}}}";
	char tcp80[] = "80/tcp", tcp90[] = "90/tcp", odd[] = "odd";
	char *exposed[] = { tcp80, tcp90, odd };
	struct image_config image = { .ExposedPorts = { exposed, 3, true } };
	struct err e = { 0 };
	struct body b;

	(void)state;
	assert_int_equal(read_body(&b, json, &e), 0);
	assert_int_equal(body_publish_all(&b, &image), 0);
	assert_int_equal(b.spec.ports.count, 3);
	assert_int_equal(b.spec.ports.items[1].target, 70);
	assert_string_equal(b.spec.ports.items[1].protocol, "udp");
	assert_int_equal(b.spec.ports.items[2].target, 90);
	assert_int_equal(b.spec.ports.items[2].published, 0);
	container_spec_free(&b.spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_docker_cli_sends),
		cmocka_unit_test(every_key_finds_its_place),
		cmocka_unit_test(what_cannot_be_done_is_refused_by_name),
		cmocka_unit_test(what_a_list_lacks_is_refused),
		cmocka_unit_test(what_is_no_body),
		cmocka_unit_test(publish_all_takes_what_is_exposed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
