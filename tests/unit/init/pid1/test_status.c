/* What PID 1 answers to "status" and "summary". */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "pid1/cgroup.h"
#include "pid1/identity.h"
#include "pid1/status.h"

static const struct step_log good_steps = {
	.results = {
		{ .name = "mounts", .state = STEP_OK, .start_ms = 400, .took_ms = 3 },
		{ .name = "power button", .state = STEP_FAILED, .on_failure = STEP_IGNORE,
		  .start_ms = 403, .took_ms = 1, .text = "no \"key\"" },
	},
	.count = 2,
};

static const struct step_log bad_steps = {
	.results = {
		{ .name = "etc", .state = STEP_FAILED, .on_failure = STEP_DEGRADE, .text = "no overlay" },
	},
	.count = 1,
};

#define SERVICE(name_, state_) \
	.name = name_, .state = state_, .took_ms = -1, .last_exit = -1

static const struct status_service running[] = {
	{ .name = "net", .state = SVC_RUNNING, .pid = 88, .restarts = 2, .since_ms = 900,
	  .took_ms = 52, .last_exit = 137 },
	{ SERVICE("time", SVC_OFF) },
	{ SERVICE("console-ttyS0", SVC_BACKOFF), .console = true, .failures = 9 },
};

static const struct status healthy = {
	.version = "1.2", .slot = "a", .state = "", .rescue = "", .uptime_ms = 5000,
	.steps = &good_steps, .services = running, .service_count = 3,
};

static void json(void **state)
{
	autobuf struct buf out = { 0 };

	(void)state;
	status_json(&healthy, &out);
	assert_string_equal(buf_text(&out),
		"{\"version\":\"1.2\",\"slot\":\"a\",\"uptime_ms\":5000,\"state\":\"running\","
		"\"var_in_memory\":false,\"faults\":[],\"steps\":["
		"{\"name\":\"mounts\",\"state\":\"ok\",\"start_ms\":400,\"took_ms\":3,\"note\":\"\"},"
		"{\"name\":\"power button\",\"state\":\"failed\",\"start_ms\":403,\"took_ms\":1,"
		"\"error\":\"no \\\"key\\\"\"}],\"services\":["
		"{\"name\":\"net\",\"state\":\"running\",\"pid\":88,\"restarts\":2,\"since_ms\":900,"
		"\"took_ms\":52,\"last_exit\":137},"
		"{\"name\":\"time\",\"state\":\"off\",\"pid\":0,\"restarts\":0,\"since_ms\":0,"
		"\"took_ms\":null,\"last_exit\":null},"
		"{\"name\":\"console-ttyS0\",\"state\":\"backoff\",\"pid\":0,\"restarts\":0,"
		"\"since_ms\":0,\"took_ms\":null,\"last_exit\":null}]}\n");
}

static void faults(void **state)
{
	static const struct status_service broken[] = {
		{ .name = "config", .state = SVC_FAILED, .last_exit = 1 },
		{ .name = "engine", .state = SVC_BACKOFF, .failures = 3, .last_exit = 139 },
		{ .name = "ssh", .state = SVC_BACKOFF, .failures = 2, .last_exit = 1 },
		{ .name = "net", .state = SVC_STARTING, .late = true, .last_exit = -1 },
		{ .name = "time", .state = SVC_BACKOFF, .failures = 7, .last_exit = -ENOENT },
	};
	struct status s = healthy;
	autobuf struct buf out = { 0 };

	(void)state;
	s.var_in_memory = true;
	s.steps = &bad_steps;
	s.services = broken;
	s.service_count = ARRAY_LEN(broken);
	status_summary(&s, &out);
	assert_string_equal(buf_text(&out),
		"version 1.2\nslot a\nstate degraded\n"
		"fault /var is in memory: nothing that is written to it survives a reboot\n"
		"fault boot step etc failed: no overlay\n"
		"fault service config has failed: it ended with exit code 1\n"
		"fault service engine keeps ending: it was killed by signal 11\n"
		"fault service net is late: it is not ready yet\n"
		"fault service time keeps ending: it could not be started: "
		"No such file or directory\n");
}

static void states(void **state)
{
	struct status s = healthy;

	(void)state;
	assert_string_equal(status_state(&s), "running");
	s.var_in_memory = true;
	assert_string_equal(status_state(&s), "degraded");
	s.slot = "memory";
	assert_string_equal(status_state(&s), "running");
	s.state = "stopping";
	assert_string_equal(status_state(&s), "stopping");
}

static void machine_ids(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "0123456789abcdef0123456789abcdef", true },
		{ "0123456789abcdef0123456789abcdef\n", true },
		{ "0123456789abcdef0123456789abcdef\n\n", false },
		{ "0123456789ABCDEF0123456789abcdef", false },
		{ "00000000000000000000000000000000", false },
		{ "0123456789abcdef0123456789abcde", false },
		{ "0123456789abcdef0123456789abcdef0", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (identity_is_machine_id(rows[i].text, strlen(rows[i].text)) != rows[i].good)
			fail_msg("\"%s\"", rows[i].text);
}

static void reserves(void **state)
{
	static const struct {
		uint64_t total_mib, reserve_mib;
	} rows[] = {
		{ 64, 16 }, { 128, 16 }, { 256, 32 }, { 1024, 128 }, { 2048, 256 }, { 65536, 256 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(cgroup_reserve_bytes(rows[i].total_mib << 20),
				 rows[i].reserve_mib << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json),
		cmocka_unit_test(faults),
		cmocka_unit_test(states),
		cmocka_unit_test(machine_ids),
		cmocka_unit_test(reserves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
