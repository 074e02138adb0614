/* What is refused before anything is made: cgroup_check, sysctl_check, hooks_check, devices_check,
 * paths_check. */
#include "spec_rows.h"

#include <linux/sched.h>
#include <stdlib.h>

#include "oci/cgroup.h"
#include "oci/devices.h"
#include "oci/hooks.h"
#include "oci/paths.h"
#include "oci/sysctl.h"

#define RESOURCES(r) "\"linux\":{\"resources\":{" r "}}"

static const struct spec_row resources[] = {
	{ RESOURCES(""), NULL },
	{ RESOURCES("\"memory\":{\"limit\":0,\"swap\":0,\"kernel\":-1,\"disableOOMKiller\":false}"), NULL },
	{ RESOURCES("\"memory\":{\"kernelTCP\":5}"), "memory.kernelTCP: cgroup v2 has no such limit" },
	{ RESOURCES("\"memory\":{\"swap\":5}"), "needs a memory limit" },
	{ RESOURCES("\"memory\":{\"swap\":-1}"), NULL },
	{ RESOURCES("\"cpu\":{\"realtimePeriod\":5}"), "cpu.realtimePeriod" },
	{ RESOURCES("\"cpu\":{\"realtimeRuntime\":0,\"burst\":5,\"quota\":-1}"), NULL },
	{ RESOURCES("\"cpu\":{\"burst\":-5}"), "cpu.burst: must not be above quota" },
	{ RESOURCES("\"blockIO\":{\"weight\":9}"), "blockIO.weight: is 10 to 1000" },
	{ RESOURCES("\"blockIO\":{\"weight\":0}"), NULL },
	{ RESOURCES("\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":0,\"weight\":10,"
		    "\"leafWeight\":10}]}"), "weightDevice[].leafWeight" },
	{ RESOURCES("\"network\":{\"priorities\":[{\"name\":\"eth0\",\"priority\":1}]}"),
	  "network.priorities: cgroup v2 has no such limit: net_prio is of cgroup v1" },
	{ RESOURCES("\"network\":{}"), NULL },
	{ RESOURCES("\"hugepageLimits\":[{\"pageSize\":\"2M\",\"limit\":1}]"), "not like \"2MB\"" },
	{ RESOURCES("\"hugepageLimits\":[{\"pageSize\":\"64KB\",\"limit\":1}]"), NULL },
	{ RESOURCES("\"rdma\":{\"a b\":{\"hcaHandles\":1}}"), "\"a b\" is not a device" },
	{ RESOURCES("\"unified\":{\"memory.high\":\"1\",\"cgroup.max.depth\":\"1\"}"), NULL },
	{ RESOURCES("\"unified\":{\"memory/high\":\"1\"}"), "\"memory/high\" is not a limit" },
	{ RESOURCES("\"unified\":{\"..\":\"1\"}"), "\"..\" is not a limit" },
	{ RESOURCES("\"unified\":{\"cgroup.kill\":\"1\"}"), "\"cgroup.kill\" is not a limit" },
	{ RESOURCES("\"unified\":{\"\":\"1\"}"), "\"\" is not a limit" },
};

static int check_resources(const struct oci_spec *spec, struct err *e)
{
	return cgroup_check(&spec->linux_->resources, e);
}

static const struct spec_row sysctls[] = {
	{ "\"linux\":{\"sysctl\":{\"net.ipv4.ip_forward\":\"1\",\"net/core/x\":\"1\"}}", NULL },
	{ "\"linux\":{\"sysctl\":{\"kernel.msgmax\":\"1\"}}", "\"kernel.msgmax\" is not in a separate" },
	{ "\"linux\":{\"sysctl\":{\"kernel.core_pattern\":\"1\"}}", "is not in a separate" },
	{ "\"linux\":{\"sysctl\":{\"network\":\"1\"}}", "is not in a separate" },
	{ "\"linux\":{\"sysctl\":{\"net.ipv4.conf.eth0/1.x\":\"1\"}}", NULL },
	{ "\"linux\":{\"sysctl\":{\"net/../kernel/core_pattern\":\"1\"}}", "is not a name" },
	{ "\"linux\":{\"sysctl\":{\"net.//.kernel.core_pattern\":\"1\"}}", "is not a name" },
	{ "\"linux\":{\"sysctl\":{\"net/./x\":\"1\"}}", "is not a name" },
	{ "\"linux\":{\"sysctl\":{\"net..x\":\"1\"}}", "is not a name" },
	{ "\"linux\":{\"sysctl\":{\"\":\"1\"}}", "is not in a separate" },
	{ "\"linux\":{},\"hostname\":\"x\"", "hostname: needs a UTS namespace of its own" },
	{ "\"linux\":{},\"domainname\":\"x\"", "domainname: needs a UTS namespace of its own" },
	{ "\"linux\":{},\"hostname\":\"\"", NULL },
};

static int check_sysctls(const struct oci_spec *spec, struct err *e)
{
	const struct namespaces net = { .new_flags = CLONE_NEWNET };

	return sysctl_check(spec, &net, e);
}

static const struct spec_row hooks[] = {
	{ "\"hooks\":{\"prestart\":[{\"path\":\"/a\",\"timeout\":1}]}", NULL },
	{ "\"hooks\":{\"poststop\":[{\"path\":\"/a\"},{\"path\":\"b\"}]}",
	  "hooks.poststop[1].path: \"b\" is not an absolute path" },
	{ "\"hooks\":{\"startContainer\":[{\"path\":\"/a\",\"timeout\":0}]}",
	  "hooks.startContainer[0].timeout: 0 is not 1 to" },
	{ "\"hooks\":{}", NULL },
	{ "\"hostname\":\"no hooks\"", NULL },
};

static int check_hooks(const struct oci_spec *spec, struct err *e)
{
	return hooks_check(spec->hooks, e);
}

#define DEVICE(d) "\"linux\":{\"devices\":[{" d "}]}"

static const struct spec_row devices[] = {
	{ DEVICE("\"type\":\"c\",\"path\":\"/dev/x\",\"major\":1,\"minor\":3"), NULL },
	{ DEVICE("\"type\":\"p\",\"path\":\"/run/fifo\""), NULL },
	{ DEVICE("\"type\":\"cc\",\"path\":\"/dev/x\""), "type is b, c, u or p" },
	{ DEVICE("\"type\":\"c\",\"path\":\"dev/x\""), "is not a full path" },
	{ DEVICE("\"type\":\"c\",\"path\":\"/dev/\""), "is not a full path" },
	{ DEVICE("\"type\":\"c\",\"path\":\"\""), "is not a full path" },
	{ DEVICE("\"type\":\"c\",\"path\":\"/dev/..\""), "is not a full path" },
	{ DEVICE("\"type\":\"b\",\"path\":\"/dev/x\",\"major\":-1,\"minor\":3"), "-1:3 is not a device" },
	{ DEVICE("\"type\":\"b\",\"path\":\"/dev/x\",\"major\":4096,\"minor\":3"), "is not a device" },
	{ "\"linux\":{\"uidMappings\":[{\"containerID\":0,\"hostID\":5,\"size\":1}],\"devices\":[{\"type\":"
	  "\"p\",\"path\":\"/x\",\"uid\":7}]}", "does not map its owner" },
};

static int check_devices(const struct oci_spec *spec, struct err *e)
{
	return devices_check(spec->linux_, e);
}

static const struct spec_row paths[] = {
	{ "\"linux\":{\"maskedPaths\":[\"/a\"],\"readonlyPaths\":[\"/b\"]}", NULL },
	{ "\"linux\":{\"maskedPaths\":[\"a\"]}", "linux.maskedPaths: \"a\" is not an absolute path" },
	{ "\"linux\":{\"readonlyPaths\":[\"\"]}", "linux.readonlyPaths: \"\" is not an absolute path" },
};

static int check_paths(const struct oci_spec *spec, struct err *e)
{
	return paths_check(spec->linux_, e);
}

static void faults_are_named(void **state)
{
	(void)state;
	CHECK_ROWS(resources, check_resources);
	CHECK_ROWS(sysctls, check_sysctls);
	CHECK_ROWS(hooks, check_hooks);
	CHECK_ROWS(devices, check_devices);
	CHECK_ROWS(paths, check_paths);
}

static void limits_are_seen(void **state)
{
	struct oci_resources r = { .memory.limit = { true, 0 }, .pids.limit = { true, -1 } };

	(void)state;
	assert_false(cgroup_wants_limits(&r));
	r.cpu.quota = (struct opt_int){ true, 100 };
	assert_true(cgroup_wants_limits(&r));
}

static void hooks_are_told_the_state(void **state)
{
	struct string_pair pair = { (char[]){ "k" }, (char[]){ "v \"" } };
	const struct string_map notes = { &pair, 1 };
	struct hook_state s = { "1.2.0", "id", "creating", "/b", 7, &notes };
	char *text = hook_state_text(&s);

	(void)state;
	assert_string_equal(text, "{\"ociVersion\":\"1.2.0\",\"id\":\"id\",\"status\":\"creating\","
				  "\"pid\":7,\"bundle\":\"/b\",\"annotations\":{\"k\":\"v \\\"\"}}");
	free(text);
	s.pid = 0;
	s.annotations = NULL;
	text = hook_state_text(&s);
	assert_null(strstr(text, "pid"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_are_named),
		cmocka_unit_test(limits_are_seen),
		cmocka_unit_test(hooks_are_told_the_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
