#include "spec_rows.h"

#include <linux/mount.h>
#include <linux/sched.h>

#include "oci/mounts.h"

#define ONE(m) "\"linux\":{},\"mounts\":[{\"destination\":\"/d\"," m "}]"

/* Options, and what becomes of them. */
static const struct {
	const char *type, *options;
	struct mount_flags here, tree;
	const char *data; /* the first of the file system's own */
	bool bind, recursive, late_ro;
} rows[] = {
	{ "tmpfs", "[\"nosuid\",\"nodev\",\"size=1k\"]",
	  { MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0 }, { 0, 0 }, "size=1k", false, false, false },
	{ "tmpfs", "[\"nosuid\",\"suid\"]", { 0, MOUNT_ATTR_NOSUID }, { 0, 0 }, NULL, false, false, false },
	/* A read-only tmpfs takes the mount points of others first. */
	{ "tmpfs", "[\"ro\"]", { 0, 0 }, { 0, 0 }, NULL, false, false, true },
	{ "proc", "[\"ro\",\"hidepid=2\"]", { MOUNT_ATTR_RDONLY, 0 }, { 0, 0 }, "hidepid=2", false, false,
	  false },
	{ "bind", "[\"rbind\",\"ro\"]", { MOUNT_ATTR_RDONLY, 0 }, { 0, 0 }, NULL, true, true, false },
	{ "bind", "[\"rbind\",\"\"]", { 0, 0 }, { 0, 0 }, NULL, true, true, false },
	{ "none", "[\"bind\"]", { 0, 0 }, { 0, 0 }, NULL, true, false, false },
	{ "bind", "[\"rbind\",\"rro\",\"rnosuid\"]", { 0, 0 },
	  { MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0 }, NULL, true, true, false },
	{ "bind", "[\"rbind\",\"rrw\",\"rsuid\",\"rdev\",\"rexec\"]", { 0, 0 },
	  { 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC }, NULL, true,
	  true, false },
	/* Access time is one field, cleared as a whole. */
	{ "tmpfs", "[\"noatime\"]", { MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME }, { 0, 0 }, NULL, false,
	  false, false },
	{ "bind", "[\"bind\",\"rnoatime\",\"rstrictatime\"]", { 0, 0 },
	  { MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME }, NULL, true, false, false },
	{ "bind", "[\"bind\",\"rnorelatime\",\"rnostrictatime\"]", { 0, 0 },
	  { MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME }, NULL, true, false, false },
	{ "tmpfs", "[\"sync\",\"lazytime\"]", { 0, 0 }, { 0, 0 }, "sync", false, false, false },
};

static const struct namespaces own = { .new_flags = CLONE_NEWUSER | CLONE_NEWCGROUP };

static void options_become_flags(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[512];
		yyjson_doc *doc;
		struct oci_spec spec;
		struct mounts m;
		const struct mount_plan *p;

		snprintf(text, sizeof(text),
			 "{\"ociVersion\":\"1.2.0\",\"linux\":{},\"mounts\":[{\"destination\":\"/d\","
			 "\"source\":\"/s\",\"type\":\"%s\",\"options\":%s}]}",
			 rows[i].type, rows[i].options);
		doc = yyjson_read(text, strlen(text), 0);
		assert_int_equal(oci_spec_read(yyjson_doc_get_root(doc), &spec, NULL), 0);
		assert_int_equal(mounts_plan(&spec, &own, "c", &m, NULL), 0);
		p = m.plans;
		if (p->here.set != rows[i].here.set || p->here.clear != rows[i].here.clear ||
		    p->tree.set != rows[i].tree.set || p->tree.clear != rows[i].tree.clear ||
		    !p->type != rows[i].bind || p->recursive != rows[i].recursive ||
		    p->late_ro != rows[i].late_ro || !!p->data_count < !!rows[i].data ||
		    (rows[i].data && strcmp(p->data[0], rows[i].data) != 0))
			fail_msg("%s: here %llx -%llx, tree %llx -%llx", text,
				 (unsigned long long)p->here.set, (unsigned long long)p->here.clear,
				 (unsigned long long)p->tree.set, (unsigned long long)p->tree.clear);
		mounts_free(&m);
		oci_spec_free(&spec);
		yyjson_doc_free(doc);
	}
}

#define IDS "[{\"containerID\":0,\"hostID\":1,\"size\":1}]"

static const struct spec_row faults[] = {
	{ ONE("\"type\":\"tmpfs\""), NULL },
	{ ONE("\"source\":\"/x\""), "has no type" },
	{ ONE("\"type\":\"bind\""), "a bind needs a source" },
	{ ONE("\"type\":\"bind\",\"source\":\"x\",\"options\":[\"mode=1\"]"),
	  "option \"mode=1\" does not go with a bind" },
	{ ONE("\"type\":\"tmpfs\",\"options\":[\"remount\",\"mode=1\"]"),
	  "option \"mode=1\" does not go with a remount" },
	{ ONE("\"options\":[\"remount\",\"ro\"]"), NULL },
	{ ONE("\"type\":\"proc\",\"options\":[\"tmpcopyup\"]"), "\"tmpcopyup\" needs a tmpfs" },
	{ ONE("\"type\":\"tmpfs\",\"options\":[\"idmap\"]"), "only a bind can map ids" },
	{ ONE("\"type\":\"bind\",\"source\":\"x\",\"uidMappings\":" IDS), "go together" },
	{ ONE("\"type\":\"bind\",\"source\":\"x\",\"uidMappings\":" IDS ",\"gidMappings\":" IDS), NULL },
	{ ONE("\"type\":\"cgroup\""), NULL },
};

static int plan(const struct oci_spec *spec, struct err *e)
{
	struct mounts m;
	int rc = mounts_plan(spec, &own, "c", &m, e);

	if (!rc)
		mounts_free(&m);
	return rc;
}

static void wrong_mounts_are_named(void **state)
{
	(void)state;
	CHECK_ROWS(faults, plan);
}

static void the_cgroup_is_bound_without_a_namespace(void **state)
{
	static const struct namespaces none = { 0 };
	struct oci_mount mount = { .destination = (char[]){ "sys/fs/cgroup/" }, .type = (char[]){ "cgroup" } };
	struct oci_linux l = { 0 };
	const struct oci_spec spec = { .linux_ = &l, .mounts = { &mount, 1 } };
	struct mounts m;

	(void)state;
	assert_int_equal(mounts_plan(&spec, &none, "a/b", &m, NULL), 0);
	assert_null(m.plans[0].type);
	assert_string_equal(m.plans[0].source, "/sys/fs/cgroup/a/b");
	assert_string_equal(m.plans[0].where, "/sys/fs/cgroup/");
	assert_ptr_equal(mounts_find(&m, "/sys/fs/cgroup"), m.plans);
	assert_null(mounts_find(&m, "/sys/fs"));
	mounts_free(&m);
	assert_int_equal(mounts_plan(&spec, &own, "a/b", &m, NULL), 0);
	assert_string_equal(m.plans[0].type, "cgroup2");
	mounts_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_become_flags),
		cmocka_unit_test(wrong_mounts_are_named),
		cmocka_unit_test(the_cgroup_is_bound_without_a_namespace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
