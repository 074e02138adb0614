#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oci/user.h"

static char folder[] = "/tmp/test_user.XXXXXX";
static int root;

static void put(const char *name, const char *text)
{
	int fd = openat(root, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static int set_up(void **state)
{
	(void)state;
	root = mkdtemp(folder) ? open(folder, O_RDONLY | O_DIRECTORY) : -1;
	mkdirat(root, "etc", 0755);
	put("etc/passwd", "# comment\n"
			  "root:x:0:0:root:/root:/bin/sh\n"
			  "broken\n"
			  "app:x:1000:1001::/home/app:/bin/sh\n"
			  "nohome:x:1002:1002:::\n"
			  "77:x:5:6::/seventyseven:\n"
			  "minus:x:-1:0::/:\n"
			  "last:x:9:9::/last:/bin/sh"); /* no newline */
	put("etc/group", "root:x:0:\nusers:x:100:other,app\nextra:x:2000:app\napp:x:1001:\n"
			 "similar:x:3000:apple,xapp\nfour:x:4:\n");
	return root < 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlinkat(root, "etc/passwd", 0);
	unlinkat(root, "etc/group", 0);
	unlinkat(root, "etc", AT_REMOVEDIR);
	close(root);
	return rmdir(folder);
}

static const struct {
	const char *wish;
	uint32_t uid, gid;
	const char *groups, *home, *error;
} rows[] = {
	{ "", 0, 0, "", "/root", NULL },
	{ "root", 0, 0, "", "/root", NULL },
	{ "0", 0, 0, "", "/root", NULL },
	{ "app", 1000, 1001, "100 2000 ", "/home/app", NULL },
	{ "1000", 1000, 1001, "100 2000 ", "/home/app", NULL },
	{ "app:users", 1000, 100, "", "/home/app", NULL },
	{ "app:4321", 1000, 4321, "", "/home/app", NULL },
	{ "4321", 4321, 0, "", "/", NULL },
	{ "4321:four", 4321, 4, "", "/", NULL },
	{ ":users", 0, 100, "", "/root", NULL },
	{ "nohome", 1002, 1002, "", "/", NULL },
	{ "77", 5, 6, "", "/seventyseven", NULL }, /* a name before a number, as runc has it */
	{ "last", 9, 9, "", "/last", NULL },
	{ "nobody", 0, 0, NULL, NULL, "unable to find user nobody: no matching entries in passwd file" },
	{ "app:none", 0, 0, NULL, NULL, "unable to find group none: no matching entries in group file" },
	{ "-1", 0, 0, NULL, NULL, "unable to find user -1" },
	{ "minus", 0, 0, NULL, NULL, "unable to find user minus" },
	{ "4294967295", 0, 0, NULL, NULL, "unable to find user 4294967295" },
	{ "99999999999", 0, 0, NULL, NULL, "unable to find user 99999999999" },
	{ "0x0", 0, 0, NULL, NULL, "unable to find user 0x0" },
	{ "1000 ", 0, 0, NULL, NULL, "unable to find user 1000 " },
};

static void users(void **state)
{
	static struct user u;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = { 0 };
		char groups[64] = "";
		int rc = user_resolve(root, rows[i].wish, &u, &e);

		if (rows[i].error) {
			if (rc == 0 || !strstr(e.text, rows[i].error))
				fail_msg("\"%s\": \"%s\"", rows[i].wish, e.text);
			continue;
		}
		if (rc < 0)
			fail_msg("\"%s\": %s", rows[i].wish, e.text);
		for (int k = 0; k < u.group_count; k++)
			snprintf(groups + strlen(groups), sizeof(groups) - strlen(groups), "%u ", u.groups[k]);
		assert_int_equal(u.uid, rows[i].uid);
		assert_int_equal(u.gid, rows[i].gid);
		assert_string_equal(groups, rows[i].groups);
		assert_string_equal(u.home, rows[i].home);
	}
}

static void long_lines_are_left_out(void **state)
{
	static char line[200 * 1024];
	static struct user u;
	int fd = openat(root, "etc/passwd", O_WRONLY | O_APPEND);

	(void)state;
	memset(line, 'x', sizeof(line));
	assert_int_equal(write(fd, "\n", 1), 1);
	assert_int_equal(write(fd, line, sizeof(line)), (ssize_t)sizeof(line));
	assert_int_equal(write(fd, ":x:7:7::/:\nafter:x:8:8::/after:\n", 32), 32);
	close(fd);
	assert_int_equal(user_resolve(root, "after", &u, NULL), 0);
	assert_int_equal(u.uid, 8);
}

static void no_fifo_is_read(void **state)
{
	static struct user u;

	(void)state;
	unlinkat(root, "etc/passwd", 0);
	assert_int_equal(mkfifoat(root, "etc/passwd", 0644), 0);
	assert_true(user_resolve(root, "app", &u, NULL) < 0);
	assert_int_equal(user_resolve(root, "12", &u, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users),
		cmocka_unit_test(long_lines_are_left_out),
		cmocka_unit_test(no_fifo_is_read),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
