/* A directory to entries, and (into a container, or out of one) entries to a directory. */
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
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/path.h"
#include "unpack/changes.h"
#include "unpack/extract.h"
#include "unpack/treeout.h"

static char folder[] = "/tmp/test-treeout-XXXXXX";
static int dir = -1;

static int set_up(void **state)
{
	(void)state;
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	dir = mkdtemp(folder) ? open(folder, O_RDONLY | O_DIRECTORY) : -1;
	return dir < 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(dir);
	path_remove_tree(AT_FDCWD, folder, NULL);
	return 0;
}

static void put_file(const char *name, const char *text)
{
	autoclose int fd = openat(dir, name, O_WRONLY | O_CREAT, 0640);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, 0640), 0);
}

static void put_dir(const char *name)
{
	assert_int_equal(mkdirat(dir, name, 0755), 0);
}

/* ---- out ---- */

static int note_entry(void *ctx, const struct entry *entry, struct err *e)
{
	static const char letters[] = {
		[ENTRY_DIR] = 'd',  [ENTRY_FILE] = '-', [ENTRY_SYMLINK] = 'l', [ENTRY_HARDLINK] = 'h',
		[ENTRY_CHAR] = 'c', [ENTRY_BLOCK] = 'b', [ENTRY_FIFO] = 'p',
	};

	(void)e;
	buf_addf(ctx, "%c %s%s%s\n", letters[entry->kind], entry->path, *entry->target ? " -> " : "",
		 entry->target);
	return 0;
}

static int note_data(void *ctx, const void *data, size_t len, struct err *e)
{
	(void)e;
	buf_addc(ctx, '=');
	buf_add(ctx, data, len);
	buf_addc(ctx, '\n');
	return 0;
}

static void tells(const struct treeout *like, const char *name, const char *as,
		  const char *expected)
{
	autobuf struct buf said = { 0 };
	struct sink sink = { note_entry, note_data, &said };
	struct treeout out = *like;
	struct err e = { 0 };

	out.sink = &sink;
	assert_int_equal(treeout_put(&out, dir, name, as, &e), 0);
	assert_string_equal(buf_text(&said), expected);
}

static void walks_in_order(void **state)
{
	static const struct treeout plain = { 0 };

	(void)state;
	put_dir("b");
	put_file("b/x", "one");
	put_file("a", "");
	assert_int_equal(linkat(dir, "b/x", dir, "b/y", 0), 0);
	assert_int_equal(symlinkat("b/x", dir, "l"), 0);
	assert_int_equal(mkfifoat(dir, "p", 0600), 0);
	tells(&plain, NULL, "", "- a\nd b\n- b/x\n=one\nh b/y -> b/x\nl l -> b/x\np p\n");
	tells(&plain, "b", "new", "d new\n- new/x\n=one\nh new/y -> new/x\n");
	tells(&plain, "l", "l", "l l -> b/x\n");
	tells(&plain, NULL, "/", "d /\n- /a\nd /b\n- /b/x\n=one\nh /b/y -> /b/x\nl /l -> b/x\np /p\n");
	tells(&plain, "none", "x", "");
}

static void leaves_out_what_the_runtime_made(void **state)
{
	static const struct treeout changes = { .layer = true, .skip = changes_are_ours };

	(void)state;
	put_dir("proc");
	put_dir("dev");
	put_dir("etc");
	put_file("etc/hosts", "");
	put_file("etc/hostname", "mine");
	put_dir("srv");
	tells(&changes, NULL, "", "d etc\n- etc/hostname\n=mine\nd srv\n");
}

static void makes_whiteouts(void **state)
{
	static const struct treeout layer = { .layer = true };

	(void)state;
	if (geteuid() != 0)
		skip();
	put_dir("d");
	assert_int_equal(mknodat(dir, "d/gone", S_IFCHR, 0), 0);
	put_dir("o");
	autoclose int fd = openat(dir, "o", O_RDONLY);
	if (fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0) < 0)
		skip();
	put_file("o/f", "");
	tells(&layer, NULL, "", "d d\n- d/.wh.gone\nd o\n- o/.wh..wh..opq\n- o/f\n");
}

/* ---- in ---- */

struct row {
	enum entry_kind kind;
	const char *path, *target;
	int rc;
};

static int put_row(struct extract *x, const struct row *row)
{
	struct wire_record *record = calloc(1, sizeof(*record));
	struct err e = { 0 };
	int rc;

	record->kind = WIRE_ENTRY;
	record->entry.kind = row->kind;
	record->entry.mode = row->kind == ENTRY_DIR ? 0755 : 0644;
	record->entry.uid = geteuid();
	record->entry.gid = getegid();
	strcpy(record->entry.path, row->path);
	strcpy(record->entry.target, row->target ? row->target : "");
	rc = extract_record(x, record, &e);
	assert_true(rc == 0 || *e.text);
	free(record);
	return rc;
}

static void put_rows(const struct extract_place *place, const struct row *rows, size_t count)
{
	struct extract *x = extract_into(place);
	struct err e = { 0 };

	for (size_t i = 0; i < count; i++)
		assert_int_equal(put_row(x, &rows[i]), rows[i].rc);
	assert_int_equal(extract_finish(x, &e), 0);
	extract_free(x);
}

static void replaces_by_dockers_rules(void **state)
{
	static const struct row rows[] = {
		{ ENTRY_FILE, "in/new", NULL, 0 },          { ENTRY_DIR, "file", NULL, -EINVAL },
		{ ENTRY_FILE, "dir", NULL, -EINVAL },       { ENTRY_DIR, "dir", NULL, 0 },
		{ ENTRY_FILE, "file", NULL, 0 },            { ENTRY_SYMLINK, "file", "/etc", 0 },
		{ ENTRY_FILE, "file", NULL, 0 },            { ENTRY_HARDLINK, "h", "in/new", 0 },
		{ ENTRY_DIR, "", NULL, 0 },
	};
	struct extract_place place = { .root = dir, .dir = "/", .keep_kinds = true };
	struct stat st;

	(void)state;
	put_dir("dir");
	put_file("file", "old");
	put_rows(&place, rows, ARRAY_LEN(rows));
	assert_int_equal(fstatat(dir, "h", &st, 0), 0);
	assert_int_equal(st.st_nlink, 2);
	assert_int_equal(fstatat(dir, "file", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISREG(st.st_mode) && st.st_size == 0);
}

/* "out" leads to the folder's own root where "/" is it, and nowhere when links are not followed. */
static void follows_links_within_the_root_or_not_at_all(void **state)
{
	static const struct row inside[] = { { ENTRY_FILE, "out/f", NULL, 0 } };
	static const struct row strict[] = { { ENTRY_FILE, "out/f", NULL, -ELOOP },
					     { ENTRY_SYMLINK, "l", "/tmp", 0 },
					     { ENTRY_FILE, "l/escaped", NULL, -ELOOP },
					     { ENTRY_HARDLINK, "h", "out/f", -ELOOP } };
	struct extract_place place = { .root = dir, .dir = "/" };

	(void)state;
	assert_int_equal(symlinkat("../../..", dir, "out"), 0);
	put_rows(&place, inside, ARRAY_LEN(inside));
	assert_int_equal(faccessat(dir, "f", F_OK, 0), 0);
	place.strict = true;
	put_rows(&place, strict, ARRAY_LEN(strict));
	assert_int_not_equal(access("/tmp/escaped", F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(walks_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(leaves_out_what_the_runtime_made, set_up, tear_down),
		cmocka_unit_test_setup_teardown(makes_whiteouts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(replaces_by_dockers_rules, set_up, tear_down),
		cmocka_unit_test_setup_teardown(follows_links_within_the_root_or_not_at_all, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
