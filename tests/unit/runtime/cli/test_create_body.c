/* docker's options of run and create as the API's JSON. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "cli/create_body.h"

static const struct {
	const char *text;
	int rc;
	long long bytes;
} sizes[] = {
	{ "512", 0, 512 }, { "64m", 0, 64 << 20 }, { "1G", 0, 1 << 30 }, { "64mb", 0, 64 << 20 },
	{ "2b", 0, 2 }, { "-1", 0, -1 }, { "", -EINVAL, 0 }, { "m", -EINVAL, 0 },
	{ "64x", -EINVAL, 0 }, { "64m1", -EINVAL, 0 }, { "-2", -EINVAL, 0 },
	{ "9999999999999t", -EINVAL, 0 },
};

static void sizes_are_parsed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		long long bytes = 0;

		assert_int_equal(create_size(sizes[i].text, &bytes), sizes[i].rc);
		assert_true(bytes == sizes[i].bytes);
	}
}

static const struct {
	const char *text;
	int rc;
	int64_t ns;
} durations[] = {
	{ "0", 0, 0 }, { "500ms", 0, 500000000 }, { "1m30s", 0, 90000000000 }, { "1.5h", 0, 5400000000000 },
	{ "2us", 0, 2000 }, { "7ns", 0, 7 }, { "", -EINVAL, 0 }, { "5", -EINVAL, 0 }, { "s", -EINVAL, 0 },
	{ "-1s", -EINVAL, 0 }, { "1d", -EINVAL, 0 }, { "infs", -EINVAL, 0 }, { "1e3s", -EINVAL, 0 },
	{ "0x1s", -EINVAL, 0 }, { "9999999999h", -EINVAL, 0 },
};

static void durations_are_parsed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
		int64_t ns = 0;

		assert_int_equal(create_duration(durations[i].text, &ns), durations[i].rc);
		assert_int_equal(ns, durations[i].ns);
	}
}

#define LIST(...) { { __VA_ARGS__ }, sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *) }

/* Options, and a piece of the body that they make. */
static const struct {
	struct create_options options;
	const char *piece;
} rows[] = {
	{ { .memory = "64m" }, "\"Memory\":67108864" },
	{ { .cpus = "0.5" }, "\"NanoCpus\":500000000" },
	{ { .pids = "40" }, "\"PidsLimit\":40" },
	{ { .entrypoint = "" }, "\"Entrypoint\":[\"\"]" },
	{ { .hostname = "glass" }, "\"Hostname\":\"glass\"" },
	{ { .network = "none" }, "\"NetworkMode\":\"none\"" },
	{ { .network = "blue", .ip = "10.99.0.5", .network_aliases = LIST("db", "sql"),
	    .mac = "02:00:00:00:00:07" },
	  "\"NetworkingConfig\":{\"EndpointsConfig\":{\"blue\":{\"Aliases\":[\"db\",\"sql\"],\"IPAMConfig\":"
	  "{\"IPv4Address\":\"10.99.0.5\"},\"MacAddress\":\"02:00:00:00:00:07\"}}}" },
	{ { .links = LIST("db:sql") }, "\"Links\":[\"db:sql\"]" },
	{ { .remove = true }, "\"AutoRemove\":true" },
	{ { .tty = true }, "\"Tty\":true" },
	{ { .interactive = true }, "\"StdinOnce\":true" },
	{ { .restart = "on-failure:3" }, "{\"Name\":\"on-failure\",\"MaximumRetryCount\":3}" },
	{ { .env = LIST("A=b=c", "BERTH_TEST_SET", "BERTH_TEST_UNSET") },
	  "\"Env\":[\"A=b=c\",\"BERTH_TEST_SET=here\"]" },
	{ { .labels = LIST("k=v=w", "bare") }, "\"Labels\":{\"k\":\"v=w\",\"bare\":\"\"}" },
	{ { .tmpfs = LIST("/t:size=1m,mode=700") }, "\"Tmpfs\":{\"/t\":\"size=1m,mode=700\"}" },
	{ { .volumes = LIST("v:/data:ro") }, "\"Binds\":[\"v:/data:ro\"]" },
	{ { .volumes = LIST("/one", "v:/two", "/three") }, "\"Binds\":[\"v:/two\"]" },
	{ { .volumes = LIST("/one", "/three") }, "\"Volumes\":{\"/one\":{},\"/three\":{}}" },
	{ { .volumes = LIST("./tests:/a:ro") }, "/tests:/a:ro\"]" },
	{ { .cap_drop = LIST("ALL") }, "\"CapDrop\":[\"ALL\"]" },
	{ { .expose = LIST("80/tcp") }, "\"ExposedPorts\":{\"80/tcp\":{}}" },
	{ { .ports = LIST("80") }, "{\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"\"}]}" },
	{ { .ports = LIST("8080:80", "127.0.0.1:81:80") },
	  "{\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"8080\"},"
	  "{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"81\"}]}" },
	{ { .ports = LIST("[::1]:53:53/udp") },
	  "{\"53/udp\":[{\"HostIp\":\"::1\",\"HostPort\":\"53\"}]}" },
	{ { .health_cmd = "a b", .health_interval = "1m30s", .health_retries = "2" },
	  "\"Healthcheck\":{\"Interval\":90000000000,\"Retries\":2,\"Test\":[\"CMD-SHELL\",\"a b\"]}" },
	{ { .no_health = true }, "\"Healthcheck\":{\"Test\":[\"NONE\"]}" },
	{ { .devices = LIST("/dev/fuse") }, "{\"PathOnHost\":\"/dev/fuse\",\"PathInContainer\":\"/dev/fuse\","
					    "\"CgroupPermissions\":\"rwm\"}" },
	{ { .devices = LIST("/dev/a:/dev/b:r") },
	  "{\"PathOnHost\":\"/dev/a\",\"PathInContainer\":\"/dev/b\",\"CgroupPermissions\":\"r\"}" },
	{ { .devices = LIST("/dev/a:rw") },
	  "{\"PathOnHost\":\"/dev/a\",\"PathInContainer\":\"/dev/a\",\"CgroupPermissions\":\"rw\"}" },
	{ { .ulimits = LIST("nofile=10:20") }, "{\"Name\":\"nofile\",\"Soft\":10,\"Hard\":20}" },
	{ { .ulimits = LIST("core=-1") }, "{\"Name\":\"core\",\"Soft\":-1,\"Hard\":-1}" },
	{ { .mounts = LIST("type=bind,src=/a,dst=/b,ro,bind-propagation=rslave") },
	  "{\"Type\":\"bind\",\"Source\":\"/a\",\"Target\":\"/b\",\"ReadOnly\":true,"
	  "\"BindOptions\":{\"Propagation\":\"rslave\"}}" },
	{ { .mounts = LIST("type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=0700") },
	  "{\"Type\":\"tmpfs\",\"Target\":\"/t\",\"TmpfsOptions\":{\"SizeBytes\":1048576,\"Mode\":448}}" },
	{ { .mounts = LIST("target=/t,readonly=false") },
	  "{\"Target\":\"/t\",\"ReadOnly\":false,\"Type\":\"volume\"}" },
	{ { .read_bps = LIST("/dev/vda:1m") },
	  "\"BlkioDeviceReadBps\":[{\"Path\":\"/dev/vda\",\"Rate\":1048576}]" },
	{ { .pid = "host", .uts = "host" }, "\"PidMode\":\"host\",\"UTSMode\":\"host\"" },
	{ { .volumes_from = LIST("web:ro") }, "\"VolumesFrom\":[\"web:ro\"]" },
	{ { .cpu_quota = "-1", .cpu_period = "5000" }, "\"CpuPeriod\":5000,\"CpuQuota\":-1" },
	{ { .oom_score_adj = "-500" }, "\"OomScoreAdj\":-500" },
	{ { .log_options = LIST("max-size=1m") }, "\"Config\":{\"max-size\":\"1m\"}" },
};

static void options_make_the_body(void **state)
{
	char *words[] = { (char *)"echo", (char *)"-n" };

	(void)state;
	setenv("BERTH_TEST_SET", "here", 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = { 0 };
		autofree char *body = create_body(&rows[i].options, true, "img", 2, words, &e);

		assert_non_null(body);
		assert_non_null(strstr(body, "\"Image\":\"img\",\"Cmd\":[\"echo\",\"-n\"]"));
		if (!strstr(body, rows[i].piece))
			fail_msg("no %s in %s", rows[i].piece, body);
	}
}

static const struct {
	struct create_options options;
	const char *sentence;
} faults[] = {
	{ { .memory = "lots" }, "invalid argument \"lots\" for \"--memory\"" },
	{ { .cpus = "many" }, "invalid argument \"many\" for \"--cpus\"" },
	{ { .cpus = "-1" }, "--cpus" },
	{ { .restart = "on-failure:x" }, "--restart" },
	{ { .ports = LIST("80:") }, "--publish" },
	{ { .devices = LIST("fuse") }, "bad format for a device" },
	{ { .devices = LIST("/dev/a:/dev/b:x") }, "bad format for a device" },
	{ { .ulimits = LIST("nofile=20:10") }, "invalid ulimit argument" },
	{ { .ulimits = LIST("=5") }, "invalid ulimit argument" },
	{ { .mounts = LIST("type=bind,src=/a") }, "target is required" },
	{ { .mounts = LIST("target=/a,colour=red") }, "unknown option 'colour' of --mount" },
	{ { .mounts = LIST("target=/a,tmpfs-size=big") }, "invalid value for tmpfs-size: big" },
	{ { .write_iops = LIST("/dev/vda") }, "is not DEVICE:NUMBER" },
	{ { .oom_score_adj = "2000" }, "--oom-score-adj" },
	{ { .env_files = LIST("/no/such/file") }, "/no/such/file" },
	{ { .volumes = LIST("./no/such:/a") }, "--volume ./no/such:/a: No such file" },
	{ { .health_interval = "soon" }, "invalid argument \"soon\" for \"--health-interval\"" },
	{ { .health_retries = "x" }, "--health-retries" },
	{ { .no_health = true, .health_cmd = "a" }, "--no-healthcheck conflicts" },
};

static void faults_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		struct err e = { 0 };

		assert_null(create_body(&faults[i].options, true, "img", 0, NULL, &e));
		assert_non_null(strstr(e.text, faults[i].sentence));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_parsed),
		cmocka_unit_test(durations_are_parsed),
		cmocka_unit_test(options_make_the_body),
		cmocka_unit_test(faults_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
