/* A configuration's way from new to good or refused, as rows of what happens to it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "bootcfg/trial.h"

enum act { BOOT, BOOT_FAULTY, KEEP, REFUSE, REFUSE_BESIDE, GIVE_BACK, FORGET, FORGET_BESIDE, END };

struct event {
	enum act act;
	const char *digest;   /* of BOOT */
	int expected;         /* the state that a boot gets, or what the function returns */
};

static char folder_path[] = "/tmp/test-trial-XXXXXX";

static int act(int folder, const struct event *ev)
{
	char json[128], reason[TRIAL_REASON_MAX] = "";

	snprintf(json, sizeof(json), "{\"hostname\":\"h\",\"digest\":\"%s\"}", ev->digest);
	switch (ev->act) {
	case BOOT:
		return (int)trial_enter(folder, ev->digest, json, reason, NULL);
	case BOOT_FAULTY:
		return (int)trial_enter(folder, ev->digest, NULL, reason, NULL);
	case KEEP:
		return trial_keep(folder, NULL);
	case REFUSE:
		return trial_refuse(folder, "network: gone", NULL, NULL);
	case REFUSE_BESIDE:
		return trial_refuse(folder, "network: gone", "0.2+v", NULL);
	case GIVE_BACK:
		return trial_give_back(folder, NULL);
	case FORGET_BESIDE:
		return trial_forget(folder, "0.2+v", NULL);
	default:
		return trial_forget(folder, NULL, NULL);
	}
}

static const struct {
	const char *name;
	struct event events[14];
	const char *good; /* digest of last-good.json at the end */
} lives[] = {
	{ "the first passes", { { BOOT, "a", TRIAL_FIRST }, { KEEP, "", 0 }, { BOOT, "a", TRIAL_GOOD },
				{ KEEP, "", 0 }, { END, "", 0 } }, "a" },
	{ "the first is tried for ever", { { BOOT, "a", TRIAL_FIRST }, { BOOT, "a", TRIAL_FIRST },
		{ BOOT, "a", TRIAL_FIRST }, { BOOT, "a", TRIAL_FIRST }, { BOOT, "a", TRIAL_FIRST },
		{ REFUSE, "", -ENOENT }, { END, "", 0 } }, "" },
	{ "a new one passes", { { BOOT, "a", TRIAL_FIRST }, { KEEP, "", 0 }, { BOOT, "b", TRIAL_NEW },
		{ KEEP, "", 0 }, { BOOT, "b", TRIAL_GOOD }, { BOOT, "a", TRIAL_NEW }, { END, "", 0 } }, "b" },
	{ "a new one fails", { { BOOT, "a", TRIAL_FIRST }, { KEEP, "", 0 }, { BOOT, "b", TRIAL_NEW },
		{ REFUSE, "", 0 }, { BOOT, "b", TRIAL_REFUSED }, { BOOT, "a", TRIAL_GOOD },
		{ BOOT, "c", TRIAL_NEW }, { FORGET, "", 1 }, { BOOT, "b", TRIAL_NEW }, { END, "", 0 } }, "a" },
	{ "refused beside a version that fails, too", { { BOOT, "a", TRIAL_FIRST }, { KEEP, "", 0 },
		{ BOOT, "b", TRIAL_NEW }, { REFUSE, "", 0 }, { BOOT, "c", TRIAL_NEW },
		{ REFUSE_BESIDE, "", 0 }, { BOOT, "c", TRIAL_REFUSED }, { FORGET_BESIDE, "", 1 },
		{ FORGET_BESIDE, "", 0 }, { BOOT, "b", TRIAL_REFUSED }, { BOOT, "c", TRIAL_NEW },
		{ KEEP, "", 0 }, { FORGET, "", 1 }, { END, "", 0 } }, "c" },
	{ "three boots that never end well", { { BOOT, "a", TRIAL_FIRST }, { KEEP, "", 0 },
		{ BOOT, "b", TRIAL_NEW }, { BOOT, "b", TRIAL_NEW }, { BOOT, "b", TRIAL_NEW },
		{ BOOT, "b", TRIAL_REFUSED }, { BOOT, "b", TRIAL_REFUSED }, { END, "", 0 } }, "a" },
	{ "boots in order cost nothing", { { BOOT, "a", TRIAL_FIRST }, { KEEP, "", 0 },
		{ BOOT, "b", TRIAL_NEW }, { GIVE_BACK, "", 0 }, { BOOT, "b", TRIAL_NEW },
		{ GIVE_BACK, "", 0 }, { BOOT, "b", TRIAL_NEW }, { GIVE_BACK, "", 0 },
		{ BOOT, "b", TRIAL_NEW }, { KEEP, "", 0 }, { END, "", 0 } }, "b" },
	{ "with errors it runs, and is not the last good one", { { BOOT, "a", TRIAL_FIRST },
		{ KEEP, "", 0 }, { BOOT_FAULTY, "b", TRIAL_NEW }, { KEEP, "", 0 },
		{ BOOT_FAULTY, "b", TRIAL_GOOD }, { REFUSE, "", -ENOENT }, { END, "", 0 } }, "a" },
	{ "a candidate of before is not taken for another", { { BOOT, "a", TRIAL_FIRST },
		{ KEEP, "", 0 }, { BOOT, "b", TRIAL_NEW }, { BOOT_FAULTY, "c", TRIAL_NEW },
		{ KEEP, "", 0 }, { END, "", 0 } }, "a" },
	{ "nothing is on trial", { { KEEP, "", 0 }, { GIVE_BACK, "", 0 }, { REFUSE, "", -ENOENT },
		{ FORGET, "", 0 }, { END, "", 0 } }, "" },
};

static void good_digest(int folder, char out[16])
{
	autobuf struct buf text = { 0 };
	const char *p;

	file_read_at(folder, TRIAL_LAST_GOOD, 4096, &text, NULL);
	p = strstr(buf_text(&text), "\"digest\":\"");
	snprintf(out, 16, "%.1s", p && p[10] != '"' ? p + 10 : "");
}

static void live(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lives); i++) {
		char good[16];
		int dir;

		mkdir(folder_path, 0700);
		dir = open(folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		for (size_t k = 0; lives[i].events[k].act != END; k++) {
			int got = act(dir, &lives[i].events[k]);

			if (got != lives[i].events[k].expected)
				fail_msg("%s: event %zu gave %d", lives[i].name, k, got);
		}
		good_digest(dir, good);
		assert_string_equal(good, lives[i].good);
		close(dir);
		path_remove_tree(AT_FDCWD, folder_path, NULL);
	}
}

/* More refusals than are kept: the oldest goes. */
static void refusals_are_bounded(void **state)
{
	int dir;
	char digest[8], reason[TRIAL_REASON_MAX];

	(void)state;
	mkdir(folder_path, 0700);
	dir = open(folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	trial_enter(dir, "good", "{\"digest\":\"good\"}", reason, NULL);
	assert_int_equal(trial_keep(dir, NULL), 0);
	for (int i = 0; i < TRIAL_REFUSED_MAX + 2; i++) {
		snprintf(digest, sizeof(digest), "d%d", i);
		assert_int_equal(trial_enter(dir, digest, NULL, reason, NULL), TRIAL_NEW);
		assert_int_equal(trial_refuse(dir, "\"quoted\" reason", NULL, NULL), 0);
	}
	assert_int_equal(trial_enter(dir, "d1", NULL, reason, NULL), TRIAL_NEW);
	assert_int_equal(trial_enter(dir, "d2", NULL, reason, NULL), TRIAL_REFUSED);
	assert_string_equal(reason, "\"quoted\" reason");
	assert_int_equal(trial_forget(dir, NULL, NULL), TRIAL_REFUSED_MAX);
	close(dir);
	path_remove_tree(AT_FDCWD, folder_path, NULL);
}

/* Half a file of any of them is as if there were none: something is tried once more. */
static void damage(void **state)
{
	static const char *const names[] = { "trial.json", "refused.json", "candidate.json" };
	char reason[TRIAL_REASON_MAX];
	int dir;

	(void)state;
	mkdir(folder_path, 0700);
	dir = open(folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	trial_enter(dir, "a", "{\"digest\":\"a\"}", reason, NULL);
	trial_keep(dir, NULL);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_int_equal(file_replace_at(dir, names[i], "{\"dig", 5, 0600, NULL), 0);
		assert_int_equal(trial_enter(dir, "b", "{\"digest\":\"b\"}", reason, NULL), TRIAL_NEW);
		assert_int_equal(trial_enter(dir, "a", "{\"digest\":\"a\"}", reason, NULL), TRIAL_GOOD);
	}
	close(dir);
	path_remove_tree(AT_FDCWD, folder_path, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(live),
		cmocka_unit_test(refusals_are_bounded),
		cmocka_unit_test(damage),
	};

	assert_non_null(mkdtemp(folder_path));
	rmdir(folder_path);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
