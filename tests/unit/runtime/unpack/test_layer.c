/* Layers: hostile and odd entries, what a sink is given, and the tar that is written of it. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/sha256.h"
#include "unpack/layer.h"
#include "unpack/tarout.h"

struct row {
	char type;            /* as in ls: - d l h(ard link) c p */
	const char *path, *target;
	int mode, uid;
	const char *xattr;    /* its name; the value is "v" */
	uint64_t size;        /* '-': of zeros */
};

static const struct {
	char type;
	unsigned int filetype;
} types[] = {
	{ '-', AE_IFREG }, { 'd', AE_IFDIR }, { 'l', AE_IFLNK },
	{ 'h', AE_IFREG }, { 'c', AE_IFCHR }, { 'p', AE_IFIFO },
};

static void add_row(struct archive *a, const struct row *row)
{
	struct archive_entry *entry = archive_entry_new();
	static const char zeros[4096];

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i].type == row->type)
			archive_entry_set_filetype(entry, types[i].filetype);
	archive_entry_set_pathname(entry, row->path);
	archive_entry_set_perm(entry, (unsigned int)(row->mode ? row->mode : 0644));
	archive_entry_set_uid(entry, row->uid);
	archive_entry_set_size(entry, (int64_t)row->size);
	if (row->type == 'l')
		archive_entry_set_symlink(entry, row->target);
	if (row->type == 'h')
		archive_entry_set_hardlink(entry, row->target);
	if (row->xattr)
		archive_entry_xattr_add_entry(entry, row->xattr, "v", 1);
	assert_true(archive_write_header(a, entry) >= ARCHIVE_WARN);
	for (uint64_t left = row->size; left;) {
		size_t n = left < sizeof(zeros) ? (size_t)left : sizeof(zeros);

		assert_int_equal(archive_write_data(a, zeros, n), (la_ssize_t)n);
		left -= n;
	}
	archive_entry_free(entry);
}

/* A layer archive of the rows up to one without a path. */
static int make_layer(const struct row *rows, size_t count)
{
	struct archive *a = archive_write_new();
	int fd = memfd_create("layer", MFD_CLOEXEC);

	archive_write_set_format_pax_restricted(a);
	assert_int_equal(archive_write_open_fd(a, fd), ARCHIVE_OK);
	for (size_t i = 0; i < count && rows[i].path; i++)
		add_row(a, &rows[i]);
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
	return fd;
}

/* What comes, one line an entry: "d0755 5 path -> target [xattrs] size". */
static int note_entry(void *ctx, const struct entry *entry, struct err *e)
{
	static const char letters[] = {
		[ENTRY_DIR] = 'd',  [ENTRY_FILE] = '-', [ENTRY_SYMLINK] = 'l', [ENTRY_HARDLINK] = 'h',
		[ENTRY_CHAR] = 'c', [ENTRY_BLOCK] = 'b', [ENTRY_FIFO] = 'p',
	};

	(void)e;
	buf_addf(ctx, "%c%o %u %s", letters[entry->kind], entry->mode, entry->uid, entry->path);
	if (*entry->target)
		buf_addf(ctx, " -> %s", entry->target);
	for (size_t i = 0; i < entry->xattr_count; i++)
		buf_addf(ctx, " [%s]", entry->xattrs[i].name);
	if (entry->size_bytes)
		buf_addf(ctx, " %llu", (unsigned long long)entry->size_bytes);
	buf_addc(ctx, '\n');
	return 0;
}

static int note_data(void *ctx, const void *data, size_t len, struct err *e)
{
	(void)ctx;
	(void)data;
	(void)len;
	(void)e;
	return 0;
}

static int unpack_rows(struct tree *tree, int number, const struct row *rows, size_t count,
		       const struct sink *sink, struct err *e)
{
	autoclose int fd = make_layer(rows, count);
	char digest[REF_DIGEST_MAX];
	struct layer layer = { .fd = fd, .digest = digest, .diff_id = digest, .tree = tree,
			       .number = number, .sink = sink };
	struct layer_result result;

	assert_int_equal(stream_blob_digest(fd, digest), 0);
	return layer_unpack(&layer, &result, e);
}

static const struct {
	struct row lower[4], upper[6];
	const char *lines;    /* of the upper layer, or, without '\n', part of the refusal */
} cases[] = {
	{ { { 0 } }, { { 0 } }, "d755 0 \n" },
	{ { { 0 } }, { { 'd', "./", NULL, 0700, 3, NULL, 0 } }, "d700 3 \n" },
	{ { { 0 } }, { { '-', "a", NULL, 04755, 1000, "user.x", 5 } },
	  "d755 0 \n-4755 1000 a [user.x] 5\n" },
	{ { { 0 } }, { { '-', "a", NULL, 0, 0, "trusted.overlay.opaque", 0 } }, "d755 0 \n-644 0 a\n" },
	{ { { 0 } }, { { '-', "a", NULL, 0, 0, "security.selinux", 0 } }, "d755 0 \n-644 0 a\n" },
	/* An unreadable capability (here one byte) is none. */
	{ { { 0 } }, { { '-', "a", NULL, 0, 0, "security.capability", 0 } }, "d755 0 \n-644 0 a\n" },
	{ { { 0 } }, { { 'p', "f", NULL, 0, 0, NULL, 0 }, { 'c', "null", NULL, 0, 0, NULL, 0 } },
	  "d755 0 \np644 0 f\nc644 0 null\n" },
	{ { { 0 } }, { { 'l', "out", "/../../etc/shadow", 0, 0, NULL, 0 } },
	  "d755 0 \nl644 0 out -> /../../etc/shadow\n" },
	{ { { 0 } }, { { '-', "a", NULL, 0, 0, NULL, 0 }, { 'h', "b", "./a", 0, 0, NULL, 0 } },
	  "d755 0 \n-644 0 a\nh644 0 b -> a\n" },
	{ { { 0 } }, { { '-', "a", NULL, 0, 0, NULL, 0 }, { 'h', "b", "/a", 0, 0, NULL, 0 } },
	  "d755 0 \n-644 0 a\nh644 0 b -> a\n" },
	{ { { '-', "a", NULL, 0, 0, NULL, 0 } }, { { 'h', "b", "a", 0, 0, NULL, 0 } },
	  "no file of the same layer" },
	{ { { 0 } }, { { 'h', "b", "../a", 0, 0, NULL, 0 } }, "outside the layer" },
	{ { { 0 } }, { { '-', "a", NULL, 0, 0, NULL, 0 }, { 'h', "b", "a", 0, 0, NULL, 0 },
		       { '-', "a", NULL, 0, 0, NULL, 1 } }, "replaces later" },
	{ { { 0 } }, { { '-', "../a", NULL, 0, 0, NULL, 0 } }, "\"..\" in its path" },
	{ { { 0 } }, { { '-', "/a", NULL, 0, 0, NULL, 0 } }, "absolute path" },
	{ { { 'd', "d", NULL, 01777, 7, NULL, 0 } }, { { '-', "d/f", NULL, 0, 0, NULL, 0 } },
	  "d755 0 \nd1777 7 d\n-644 0 d/f\n" },
	{ { { '-', "d/f", NULL, 0, 0, NULL, 0 } }, { { '-', "d/.wh.f", NULL, 0, 0, NULL, 0 } },
	  "d755 0 \nd755 0 d\nc0 0 d/f\n" },
	{ { { '-', "d/f", NULL, 0, 0, NULL, 0 } }, { { '-', "d/.wh..wh..opq", NULL, 0, 0, NULL, 0 } },
	  "d755 0 \nd755 0 d [trusted.overlay.opaque]\n" },
	{ { { '-', "d/f", NULL, 0, 0, NULL, 0 } },
	  { { '-', "d/g", NULL, 0, 0, NULL, 0 }, { '-', ".wh.d", NULL, 0, 0, NULL, 0 } },
	  "d755 0 \nd755 0 d [trusted.overlay.opaque]\n-644 0 d/g\n" },
	{ { { 0 } }, { { '-', ".wh..wh.plnk", NULL, 0, 0, NULL, 0 } }, "d755 0 \n" },
	{ { { 0 } }, { { '-', ".wh...", NULL, 0, 0, NULL, 0 } }, "whiteout of no name" },
	{ { { 0 } }, { { '-', "a/.wh..", NULL, 0, 0, NULL, 0 } }, "whiteout of no name" },
	{ { { 0 } }, { { '-', ".wh..wh..opq", NULL, 0, 0, NULL, 0 } }, "hides the whole root" },
	{ { { 0 } }, { { '-', ".", NULL, 0, 0, NULL, 0 } }, "is the root and not a directory" },
};

static void checks_entries(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		autobuf struct buf lines = { 0 };
		struct sink sink = { note_entry, note_data, &lines };
		struct err e = { 0 };
		struct tree *tree;
		int rc;

		assert_int_equal(tree_new(&tree), 0);
		assert_int_equal(unpack_rows(tree, 0, cases[i].lower, 4, NULL, &e), 0);
		rc = unpack_rows(tree, 1, cases[i].upper, 6, &sink, &e);
		if (strchr(cases[i].lines, '\n')) {
			if (rc < 0)
				fail_msg("case %zu: %s", i, e.text);
			assert_string_equal(buf_text(&lines), cases[i].lines);
		} else if (!rc || !strstr(e.text, cases[i].lines)) {
			fail_msg("case %zu: %d, \"%s\"", i, rc, e.text);
		}
		tree_free(tree);
	}
}

static void digests_must_match(void **state)
{
	static const char other[] =
		"sha256:0000000000000000000000000000000000000000000000000000000000000000";
	const struct row rows[] = { { '-', "a", NULL, 0, 0, NULL, 9 } };
	autoclose int fd = make_layer(rows, 1);
	struct layer layer = { .fd = fd };
	struct layer_result result;
	struct err e = { 0 };
	char digest[REF_DIGEST_MAX];

	(void)state;
	assert_int_equal(stream_blob_digest(fd, digest), 0);
	assert_int_equal(tree_new(&layer.tree), 0);
	layer.digest = other;
	layer.diff_id = digest;
	assert_int_equal(layer_unpack(&layer, &result, &e), -EBADMSG);
	assert_non_null(strstr(e.text, "its content has the digest"));
	layer.digest = digest;
	layer.diff_id = other;
	assert_int_equal(layer_unpack(&layer, &result, &e), -EBADMSG);
	assert_non_null(strstr(e.text, "it unpacks to diff id"));
	layer.diff_id = digest;
	assert_int_equal(layer_unpack(&layer, &result, &e), 0);
	assert_int_equal(result.files_bytes, 9);
	tree_free(layer.tree);
}

static int change_the_blob(void *ctx, const struct entry *entry, struct err *e)
{
	(void)entry;
	(void)e;
	assert_int_equal(pwrite(*(int *)ctx, "x", 1, 900000), 1);
	return 0;
}

/* As who downloaded it could, between the two readings. */
static void a_change_after_the_check_is_found(void **state)
{
	const struct row rows[] = { { '-', "a", NULL, 0, 0, NULL, 1000000 } };
	autoclose int fd = make_layer(rows, 1);
	struct sink sink = { change_the_blob, note_data, &fd };
	struct layer layer = { .fd = fd, .sink = &sink };
	struct layer_result result;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(tree_new(&layer.tree), 0);
	assert_int_equal(layer_unpack(&layer, &result, &e), -EBADMSG);
	assert_string_equal(e.text, "the layer changed while it was read");
	tree_free(layer.tree);
}

/* Everything that ustar cannot say, written and read back. */
static void tar_round_trip(void **state)
{
	autoclose int fd = memfd_create("out", MFD_CLOEXEC);
	struct entry *entry = calloc(1, sizeof(*entry));
	struct archive *a = archive_read_new();
	struct archive_entry *back;
	const char *name;
	const void *value;
	size_t len;
	struct tarout *t;
	struct sink sink;

	(void)state;
	assert_int_equal(tarout_new(&t, fd, NULL), 0);
	assert_int_equal(tarout_prefix(t, "pre/fix"), 0);
	sink = tarout_sink(t);
	entry->kind = ENTRY_FILE;
	memset(entry->path, 'p', 240);
	entry->mode = 06751;
	entry->uid = 4000000000u;
	entry->gid = 3;
	entry->mtime = 1700000000;
	entry->mtime_nsec = 123456789;
	entry->size_bytes = 3;
	assert_int_equal(entry_add_xattr(entry, "user.bytes", "\0\n\xff=", 4), 0);
	assert_int_equal(sink.entry(sink.ctx, entry, NULL), 0);
	assert_int_equal(sink.data(sink.ctx, "ab", 2, NULL), 0);
	assert_int_equal(sink.data(sink.ctx, "c", 1, NULL), 0);
	assert_int_equal(sink.data(sink.ctx, "d", 1, NULL), -EINVAL);
	assert_int_equal(tarout_end(t, NULL), 0);
	tarout_free(t);
	lseek(fd, 0, SEEK_SET);
	archive_read_support_format_tar(a);
	assert_int_equal(archive_read_open_fd(a, fd, 512), ARCHIVE_OK);
	assert_int_equal(archive_read_next_header(a, &back), ARCHIVE_OK);
	assert_int_equal(strlen(archive_entry_pathname(back)), 248);
	assert_int_equal(archive_entry_perm(back), 06751);
	assert_int_equal(archive_entry_uid(back), 4000000000u);
	assert_int_equal(archive_entry_mtime(back), 1700000000);
	assert_int_equal(archive_entry_mtime_nsec(back), 123456789);
	assert_int_equal(archive_entry_size(back), 3);
	archive_entry_xattr_reset(back);
	assert_int_equal(archive_entry_xattr_next(back, &name, &value, &len), 0);
	assert_string_equal(name, "user.bytes");
	assert_int_equal(len, 4);
	assert_memory_equal(value, "\0\n\xff=", 4);
	assert_int_equal(archive_read_next_header(a, &back), ARCHIVE_EOF);
	archive_read_free(a);
	free(entry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_entries),
		cmocka_unit_test(digests_must_match),
		cmocka_unit_test(a_change_after_the_check_is_found),
		cmocka_unit_test(tar_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
