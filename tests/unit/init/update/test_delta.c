/* A delta between two versions, made of files: what is fetched is counted, and the result is the new
 * version byte by byte. A program of three lines stands for the download (test_download.py has the
 * real one). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "update/bundle.h"
#include "update/delta.h"
#include "update/install.h"

#include "shell.h"

static char work[64], program[96];

static const char parts[] =
	"#!/usr/bin/env python3\n"
	"import os, sys\n"
	"data = open(sys.argv[-1], 'rb').read()\n"
	"if os.path.exists(sys.argv[0] + '.none'): sys.exit(3)\n"
	"for line in sys.stdin:\n"
	"    first, last = map(int, line.split())\n"
	"    sys.stdout.buffer.write(data[first:last + 1])\n";

/* A version: noise, text that shrinks, a hash tree. `change`: a shell command on its data. */
static void make_version(const char *name, const char *salt, const char *change)
{
	shell("cd %s && mkdir %s && cp data %s/root && cp kernel %s/boot && cd %s && %s", work, name, name,
	      name, name, change);
	shell("cd %s/%s && n=$(($(stat -c %%s root) / 4096)) && "
	      "h=$(/usr/sbin/veritysetup format --no-superblock --hash=sha256 --salt=%s"
	      " --data-block-size=4096 --hash-block-size=4096 --data-blocks=$n"
	      " --hash-offset=$((n * 4096)) root root | sed -n 's/^Root hash:[[:space:]]*//p') &&"
	      " echo \"{\\\"data_blocks\\\": $n, \\\"hash_start_block\\\": $n, \\\"salt\\\": \\\"%s\\\","
	      " \\\"root_hash\\\": \\\"$h\\\"}\" >verity.json &&"
	      " echo \"x dm-mod.create=\\\"berth-root,,,ro,0 9 verity 1 PARTUUID=a PARTUUID=a 4096 4096 $n $n"
	      " sha256 $h %s 1 restart_on_corruption\\\" y\" >cmdline", work, name, salt, salt, salt);
	shell("image-build/bundle/make-bundle --boot %s/%s/boot --root %s/%s/root --verity"
	      " %s/%s/verity.json --version 1.0 --keys %s/keys --level 1 --out %s/%s/bundle >/dev/null",
	      work, name, work, name, work, name, work, work, name);
}

static int make_versions(void **unused)
{
	(void)unused;
	strcpy(work, "/tmp/berth-delta-XXXXXX");
	if (!mkdtemp(work))
		return -1;
	snprintf(program, sizeof(program), "%s/parts", work);
	assert_int_equal(file_replace_at(AT_FDCWD, program, parts, strlen(parts), 0755, NULL), 0);
	fetch_program = program;
	shell("image-build/bundle/make-keys %s/keys >/dev/null", work);
	shell("cd %s && head -c 1200000 /dev/urandom >data && seq 60000 >>data && truncate -s 1600K data &&"
	      " head -c 1M /dev/urandom >kernel", work);
	make_version("old", "00ff", "true");
	make_version("same", "00ff", "true");
	make_version("page", "00ff", "printf hello | dd of=root bs=1 seek=500000 conv=notrunc status=none");
	make_version("moved", "00ff", "{ head -c 4096 /dev/urandom; cat root; } >r && mv r root");
	make_version("salted", "00aa", "true");
	make_version("linux", "00ff", "printf hello | dd of=boot bs=1 seek=300000 conv=notrunc status=none");
	return 0;
}

static int clean(void **unused)
{
	(void)unused;
	return path_remove_tree(AT_FDCWD, work, NULL);
}

struct result {
	int code;
	uint64_t fetched, whole;
	struct err e;
};

static void read_bundle(const char *path, struct manifest *m, uint64_t *offset)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct keyring k = { 0 };
	char keys[96];

	snprintf(keys, sizeof(keys), "%s/keys", work);
	assert_int_equal(keyring_load(&k, keys, NULL), 0);
	assert_int_equal(bundle_read_start(fd, &k, m, NULL, NULL), 0);
	*offset = (uint64_t)lseek(fd, 0, SEEK_CUR);
}

/* From "old", whose partitions are larger than their content, to the version `name`. */
static struct result update(const char *name)
{
	automanifest struct manifest m = { 0 };
	static const struct fetch_way way;
	autobuf struct buf cmdline = { 0 };
	struct result r = { 0 };
	char path[128], old_boot[128], old_root[128], boot[128], root[128];
	struct delta_source from = { .url = path, .way = &way, .manifest = &m, .boot = old_boot,
				     .root = old_root };
	struct delta *d = NULL;
	struct install in = { .manifest = &m, .boot = boot, .root = root, .chunk = delta_chunk };

	shell("cd %s && cp old/boot oldboot && cp old/root oldroot && truncate -s 4M oldboot oldroot &&"
	      " rm -f newboot newroot && truncate -s 4M newboot newroot", work);
	snprintf(path, sizeof(path), "%s/old/cmdline", work);
	assert_int_equal(file_read_at(AT_FDCWD, path, 4096, &cmdline, NULL), 0);
	assert_int_equal(delta_running_tree(buf_text(&cmdline), &from.running), 0);
	snprintf(path, sizeof(path), "%s/%s/bundle", work, name);
	snprintf(old_boot, sizeof(old_boot), "%s/oldboot", work);
	snprintf(old_root, sizeof(old_root), "%s/oldroot", work);
	snprintf(boot, sizeof(boot), "%s/newboot", work);
	snprintf(root, sizeof(root), "%s/newroot", work);
	read_bundle(path, &m, &from.payload_offset);
	r.code = delta_open(&from, &d, &r.e);
	if (r.code < 0)
		return r;
	in.chunk_arg = d;
	r.code = install_write(&in, &r.e);
	if (!r.code)
		r.code = delta_close(d, &r.fetched, &r.whole, &r.e);
	else
		delta_close(d, NULL, NULL, NULL);
	if (!r.code)
		shell("cd %s && cmp -n $(stat -c %%s %s/boot) %s/boot newboot &&"
		      " cmp -n $(stat -c %%s %s/root) %s/root newroot", work, name, name, name, name);
	return r;
}

enum { CHUNK = 64 * 1024, BLOCK = 4096 };

/* What may be fetched at most besides the tree, in bytes. */
static const struct {
	const char *name;
	uint64_t at_least, at_most;
} rows[] = {
	{ "same", 0, 0 },
	{ "page", BLOCK, BLOCK },
	{ "moved", BLOCK, 2 * BLOCK },
	{ "salted", 1 << 20, UINT64_MAX / 2 }, /* nothing of the root is known, the kernel is */
	{ "linux", CHUNK, CHUNK },
};

static void test_what_is_here_is_not_fetched(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct result r = update(rows[i].name);

		if (r.code < 0)
			fail_msg("%s: %s", rows[i].name, r.e.text);
		print_message("delta: %s, %llu of %llu bytes\n", rows[i].name,
			      (unsigned long long)r.fetched, (unsigned long long)r.whole);
		assert_true(r.fetched >= rows[i].at_least);
		/* The tree lies in a chunk that may be stored as a frame, which is fetched whole. */
		assert_true(r.fetched <= rows[i].at_most + 2 * CHUNK);
		assert_true(r.fetched < r.whole);
	}
}

/* The block that is damaged is one that would be copied. */
static void test_a_damaged_running_slot_is_noticed(void **unused)
{
	struct result r;

	(void)unused;
	shell("cd %s && cp old/root good && printf x | dd of=old/root bs=1 seek=9000 conv=notrunc"
	      " status=none", work);
	r = update("page");
	shell("cd %s && mv good old/root", work);
	assert_int_equal(r.code, -EBADMSG);
	assert_string_equal(r.e.text, "block 2 of the root is not what its hash tree says");
}

static void test_a_server_without_parts_is_told_apart(void **unused)
{
	struct result r;

	(void)unused;
	shell("touch %s.none", program);
	r = update("page");
	shell("rm %s.none", program);
	assert_int_equal(r.code, -ENOTSUP);
}

static void test_the_running_tree_is_on_the_command_line(void **unused)
{
	struct verity v;

	(void)unused;
	assert_int_equal(delta_running_tree("root=/dev/vda1", &v), -EINVAL);
	assert_int_equal(delta_running_tree("a verity 1 x y 512 4096 1 1 sha256 00 00", &v), -EINVAL);
	assert_int_equal(delta_running_tree("a verity 1 x y 4096 4096 7 9 sha256 "
					    "ff00000000000000000000000000000000000000000000000000000000000001"
					    " 0bad 1", &v), 0);
	assert_int_equal(v.data_blocks, 7);
	assert_int_equal(v.hash_start_block, 9);
	assert_int_equal(v.root_hash[0], 0xff);
	assert_int_equal(v.root_hash[31], 1);
	assert_int_equal(v.salt_bytes, 2);
	assert_int_equal(v.salt[1], 0xad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_here_is_not_fetched),
		cmocka_unit_test(test_a_damaged_running_slot_is_noticed),
		cmocka_unit_test(test_a_server_without_parts_is_told_apart),
		cmocka_unit_test(test_the_running_tree_is_on_the_command_line),
	};

	return cmocka_run_group_tests(tests, make_versions, clean);
}
