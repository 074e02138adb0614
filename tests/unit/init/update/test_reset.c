/* What a reset keeps and drops, and that it goes on where a power cut left it. */
#include <fcntl.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "update/reset.h"

static void asked(void **state)
{
	static const struct {
		const char *cmdline;
		enum reset_kind kind;
	} rows[] = {
		{ "", RESET_NONE },
		{ "quiet berth.slot=a\n", RESET_NONE },
		{ "quiet berth.reset=all\n", RESET_ALL },
		{ "berth.reset=keep-data quiet", RESET_KEEP_DATA },
		{ "berth.reset", RESET_NONE },
		{ "berth.reset=", RESET_NONE },
		{ "berth.reset=al", RESET_NONE },
		{ "berth.reset=allx", RESET_NONE },
		{ "xberth.reset=all", RESET_NONE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(reset_asked(rows[i].cmdline), rows[i].kind);
}

static const struct {
	const char *path;
	bool kept;
} files[] = {
	{ "lib/berth/volumes/v/_data/file", true },
	{ "lib/berth/store/blobs/x", true },
	{ "lib/berth/machine-id", true },
	{ "lib/berth/ssh/dropbear_ed25519_host_key", true },
	{ "lib/berth/config/user-data", true },
	{ "lost+found/x", true },
	{ "lib/berth/ssh/authorized_keys", false },
	{ "lib/berth/config/last-good.json", false },
	{ "lib/berth/containers/c/state.json", false },
	{ "lib/berth/boots/00000001.json", false },
	{ "lib/berth/update/refused.json", false },
	{ "lib/berth/clock", false },
	{ "lib/other/file", false },
	{ "log/messages", false },
	{ "tmp/x", false },
};

static int make_tree(char *path)
{
	int var;

	assert_non_null(mkdtemp(path));
	var = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(var >= 0);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char folder[128];
		int dir;

		snprintf(folder, sizeof(folder), "%.*s",
			 (int)(strrchr(files[i].path, '/') - files[i].path), files[i].path);
		dir = path_mkdirs_in(var, folder, 0755, NULL);
		assert_true(dir >= 0);
		assert_int_equal(file_replace_at(dir, strrchr(files[i].path, '/') + 1, "x", 1, 0600, NULL), 0);
		close(dir);
	}
	return var;
}

static void rest_is_dropped(void **state)
{
	char path[] = "/tmp/test-reset-XXXXXX";
	int var = make_tree(path);

	(void)state;
	assert_int_equal(symlinkat("/etc", var, "run"), 0);
	assert_int_equal(reset_go_on(var, NULL), 0);
	assert_int_equal(faccessat(var, "tmp/x", F_OK, 0), 0);
	assert_int_equal(reset_mark(var, NULL), 0);
	/* A cut in the middle: some of it is gone already. */
	assert_int_equal(path_remove_tree(var, "log", NULL), 0);
	assert_int_equal(reset_go_on(var, NULL), 1);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		assert_int_equal(faccessat(var, files[i].path, F_OK, 0) == 0, files[i].kept);
	assert_int_equal(faccessat(var, "run", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(faccessat(AT_FDCWD, "/etc/passwd", F_OK, 0), 0);
	assert_int_equal(reset_go_on(var, NULL), 0);
	path_remove_tree(AT_FDCWD, path, NULL);
	close(var);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asked),
		cmocka_unit_test(rest_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
