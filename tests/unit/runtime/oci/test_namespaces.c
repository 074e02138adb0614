#include "spec_rows.h"

#include <linux/sched.h>

#include "oci/namespaces.h"

#define MAP "[{\"containerID\":0,\"hostID\":1000,\"size\":10}]"

static const struct spec_row plans[] = {
	{ "\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]}", NULL },
	{ "\"linux\":{\"namespaces\":[{\"type\":\"mount\",\"path\":\"/x\"}]}", NULL },
	{ "\"linux\":{\"namespaces\":[{\"type\":\"pid\"}]}", "a mount namespace is needed" },
	{ "\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"mount\"}]}",
	  "\"mount\" is given twice" },
	{ "\"linux\":{\"namespaces\":[{\"type\":\"mnt\"}]}", "unknown type \"mnt\"" },
	{ "\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"pid\",\"path\":\"x\"}]}",
	  "path \"x\" of the pid namespace is not absolute" },
	{ "\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"user\"}]}",
	  "needs uidMappings and gidMappings" },
	{ "\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"user\"}],\"uidMappings\":" MAP
	  ",\"gidMappings\":" MAP "}", NULL },
	{ "\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"user\",\"path\":\"/x\"}]}", NULL },
	{ "\"linux\":{\"namespaces\":[{\"type\":\"mount\"}],\"uidMappings\":" MAP "}",
	  "need a user namespace" },
	{ "\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"user\"}],\"uidMappings\":" MAP
	  ",\"gidMappings\":[{\"containerID\":-1,\"hostID\":0,\"size\":1}]}",
	  "linux.gidMappings[0]: is not a range of 32-bit ids" },
	{ "\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"user\"}],\"uidMappings\":" MAP
	  ",\"gidMappings\":[{\"containerID\":0,\"hostID\":4294967295,\"size\":1}]}",
	  "linux.gidMappings[0]: is not a range of 32-bit ids" },
	{ "\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"time\"}],\"timeOffsets\":"
	  "{\"monotonic\":{\"secs\":-5,\"nanosecs\":999999999}}}", NULL },
	{ "\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"time\"}],\"timeOffsets\":"
	  "{\"monotonic\":{\"nanosecs\":1000000000}}}",
	  "linux.timeOffsets.monotonic.nanosecs: is 0 to 999999999" },
	{ "\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"time\"}],\"timeOffsets\":"
	  "{\"tai\":{}}}", "\"tai\" is neither monotonic nor boottime" },
	{ "\"linux\":{\"namespaces\":[{\"type\":\"mount\"}],\"timeOffsets\":{\"boottime\":{}}}",
	  "need a new time namespace" },
};

static int plan(const struct oci_spec *spec, struct err *e)
{
	struct namespaces n;

	return namespaces_plan(spec->linux_, &n, e);
}

static void lists_are_checked(void **state)
{
	(void)state;
	CHECK_ROWS(plans, plan);
}

static void new_and_joined_are_told_apart(void **state)
{
	struct namespaces n = { .new_flags = CLONE_NEWNET | CLONE_NEWNS,
				.joined = { { "/a", "ipc", CLONE_NEWIPC, false, -1 },
					    { "/b", "uts", CLONE_NEWUTS, true, -1 } },
				.joined_count = 2 };

	(void)state;
	assert_true(namespaces_own(&n, CLONE_NEWNET));
	assert_false(namespaces_joins(&n, CLONE_NEWNET));
	assert_true(namespaces_own(&n, CLONE_NEWIPC));
	assert_true(namespaces_joins(&n, CLONE_NEWIPC));
	assert_false(namespaces_own(&n, CLONE_NEWUTS)); /* the host's own by its path */
	assert_false(namespaces_own(&n, CLONE_NEWPID));
}

static void ids_are_mapped(void **state)
{
	struct oci_mapping ranges[] = { { 0, 1000, 1 }, { 1, 100000, 65536 }, { 70000, 5, 2 } };
	const struct oci_mapping_list map = { ranges, 3 }, rootless = { ranges + 2, 1 }, none = { 0 };
	const struct oci_linux l = { .uidMappings = map, .gidMappings = rootless };
	static const struct {
		int64_t inside, outside;
	} rows[] = { { 0, 1000 }, { 1, 100000 }, { 65536, 165535 }, { 65537, -1 }, { 70001, 6 },
		     { 70002, -1 } };
	uint32_t uid, gid;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(namespaces_host_id(&map, rows[i].inside), rows[i].outside);
	assert_int_equal(namespaces_host_id(&none, 77), 77);
	namespaces_root(&l, &uid, &gid);
	assert_int_equal(uid, 0);
	assert_int_equal(gid, 70000); /* no root is mapped: the first that is */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_checked),
		cmocka_unit_test(new_and_joined_are_told_apart),
		cmocka_unit_test(ids_are_mapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
