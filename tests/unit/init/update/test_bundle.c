/* Bundles as image-build makes them and the stock minisign signs them: installed into two files
 * that stand for a slot's partitions; and everything that is wrong with one, a row each. */
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

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "update/bundle.h"
#include "update/device.h"
#include "update/install.h"

#include "shell.h"

enum { MIB = 1 << 20, SLOT_BYTES = 4 * MIB };

static char work[64];

/* boot: mostly zeros; root: what does not shrink, then text; a hash tree behind it. */
static int make_bundle(void **unused)
{
	(void)unused;
	strcpy(work, "/tmp/berth-bundle-XXXXXX");
	if (!mkdtemp(work))
		return -1;
	shell("cd %s && head -c 300000 /dev/urandom >root && seq 90000 >>root && truncate -s 900K root &&"
	      " seq 20000 >boot && truncate -s 1M boot", work);
	shell("cd %s && /usr/sbin/veritysetup format --no-superblock --hash=sha256 --salt=0badcafe"
	      " --data-block-size=4096 --hash-block-size=4096 --data-blocks=225 --hash-offset=921600"
	      " root root | sed -n 's/^Root hash:[[:space:]]*//p' >hash", work);
	shell("cd %s && echo '{\"data_blocks\": 225, \"hash_start_block\": 225, \"salt\": \"0badcafe\","
	      " \"root_hash\": \"'$(cat hash)'\"}' >verity.json", work);
	shell("image-build/bundle/make-keys %s/keys >/dev/null && image-build/bundle/make-keys %s/others"
	      " >/dev/null", work, work);
	shell("image-build/bundle/make-bundle --boot %s/boot --root %s/root --verity %s/verity.json"
	      " --version 1.2.3+t --from 1.0 --keys %s/keys --out %s/bundle >/dev/null",
	      work, work, work, work, work);
	return 0;
}

static int clean(void **unused)
{
	(void)unused;
	shell("rm -rf %s", work);
	return 0;
}

static int open_in_work(const char *name, int flags)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", work, name);
	return open(path, flags | O_CLOEXEC, 0600);
}

static void load_keys(const char *folder, struct keyring *k)
{
	char path[128];
	struct err e = { 0 };

	snprintf(path, sizeof(path), "%s/%s", work, folder);
	if (keyring_load(k, path, &e) < 0)
		fail_msg("%s", e.text);
}

/* ---- installing ---- */

struct stream {
	int fd;
	char *stored;
};

static int next_chunk(void *arg, const struct image *image, uint32_t i, void *out, struct err *e)
{
	struct stream *s = arg;

	return bundle_read_chunk(s->fd, image, i, s->stored, out, e);
}

/* Each phase goes up to its end, and not beyond. */
static void follow(void *arg, const struct install_progress *p)
{
	struct install_progress *last = arg;

	assert_true(p->done <= p->total);
	if (last->doing && strcmp(last->doing, p->doing) != 0)
		assert_int_equal(last->done, last->total);
	else
		assert_true(p->done >= last->done);
	*last = *p;
}

/* A slot full of what an older version left. */
static void make_slot(uint64_t root_bytes)
{
	shell("cd %s && head -c %d /dev/zero | tr '\\0' x >slot-boot && cp slot-boot slot-root &&"
	      " truncate -s %llu slot-root", work, SLOT_BYTES, (unsigned long long)root_bytes);
}

static int install(const char *bundle, const char *keys, uint64_t root_bytes, struct err *e)
{
	autoclose int fd = open_in_work(bundle, O_RDONLY);
	autofree char *stored = malloc(CHUNK_BYTES);
	struct stream s = { fd, stored };
	automanifest struct manifest m = { 0 };
	struct keyring k = { 0 };
	char boot[128], root[128], comment[SIGNATURE_COMMENT_MAX];
	struct install_progress last = { 0 };
	struct install in = { .manifest = &m, .boot = boot, .root = root, .progress = follow,
			      .progress_arg = &last, .chunk = next_chunk, .chunk_arg = &s };
	int rc;

	assert_true(fd >= 0);
	make_slot(root_bytes);
	snprintf(boot, sizeof(boot), "%s/slot-boot", work);
	snprintf(root, sizeof(root), "%s/slot-root", work);
	load_keys(keys, &k);
	rc = bundle_read_start(fd, &k, &m, comment, e);
	if (!rc)
		assert_string_equal(comment, "Berth 1.2.3+t for x86_64");
	if (!rc)
		rc = install_check_room(&in, e);
	if (!rc)
		rc = install_write(&in, e);
	if (!rc)
		assert_int_equal(last.done, last.total);
	last.done = 0;
	if (!rc)
		rc = install_verify(&in, e);
	return rc;
}

static char first_byte(void)
{
	autoclose int fd = open_in_work("slot-boot", O_RDONLY);
	char c = '?';

	assert_int_equal(read(fd, &c, 1), 1);
	return c;
}

static void test_a_whole_bundle_is_installed(void **unused)
{
	struct err e = { 0 };

	(void)unused;
	if (install("bundle", "keys", SLOT_BYTES, &e) < 0)
		fail_msg("%s", e.text);
	shell("cd %s && cmp -n $(stat -c %%s boot) boot slot-boot &&"
	      " cmp -n $(stat -c %%s root) root slot-root", work);
}

static void test_the_manifest_says_what_was_packed(void **unused)
{
	autoclose int fd = open_in_work("bundle", O_RDONLY);
	automanifest struct manifest m = { 0 };
	struct keyring k = { 0 };
	struct err e = { 0 };
	int raw = 0;

	(void)unused;
	load_keys("keys", &k);
	assert_int_equal(bundle_read_start(fd, &k, &m, NULL, &e), 0);
	assert_string_equal(m.version, "1.2.3+t");
	assert_string_equal(m.from, "1.0");
	assert_string_equal(m.arch, "x86_64");
	assert_int_equal(m.boot.bytes, MIB);
	assert_int_equal(m.verity.data_blocks, 225);
	for (uint32_t i = 0; i < m.root.chunk_count; i++)
		raw += m.root.chunks[i].stored_bytes == image_chunk_bytes(&m.root, i);
	assert_in_range(raw, 4, 6); /* noise does not shrink, numbers do */
	assert_int_equal(lseek(fd, 0, SEEK_CUR) % BUNDLE_ALIGN, 0);
}

/* The stock tool takes the bundle, and the manifest by itself. */
static void test_minisign_verifies_it_too(void **unused)
{
	(void)unused;
	shell("cd %s && minisign -Vqm bundle -p keys/development.pub", work);
	shell("cd %s && python3 -c \"import struct; d = open('bundle', 'rb').read();"
	      " m, s = struct.unpack('<II', d[12:20]); open('m', 'wb').write(d[32:32+m]);"
	      " open('m.minisig', 'wb').write(d[32+m:32+m+s])\" &&"
	      " minisign -Vqm m -p keys/development.pub", work);
}

static void test_what_is_already_known_to_be_different_is_noticed(void **unused)
{
	autoclose int fd = -1;
	struct err e = { 0 };
	struct device_reader r = { 0 };

	(void)unused;
	assert_int_equal(install("bundle", "keys", SLOT_BYTES, &e), 0);
	fd = open_in_work("slot-root", O_RDWR);
	assert_int_equal(pwrite(fd, "!", 1, 500000), 1);
	{
		autoclose int bundle = open_in_work("bundle", O_RDONLY);
		automanifest struct manifest m = { 0 };
		struct keyring k = { 0 };

		load_keys("keys", &k);
		assert_int_equal(bundle_read_start(bundle, &k, &m, NULL, &e), 0);
		r = (struct device_reader){ .fd = fd, .bytes = m.root.bytes,
					    .held = device_buffer(DEVICE_AHEAD_BYTES) };
		assert_int_equal(verity_check(&m.verity, device_read_block, &r, &e), -EBADMSG);
		assert_string_equal(e.text, "block 122 of the root is not what its hash tree says");
		free(r.held);
	}
}

/* ---- hostile bundles ---- */

/* What is done to a copy of the bundle (a Python statement about the bytearray d; m and s are the
 * sizes of manifest and signature), and what is said. Bundles of rows that begin with "sign" get a
 * new signature by the right key afterwards: a signer who lies. */
static const struct {
	const char *name, *change, *said;
} hostile[] = {
	{ "empty", "del d[:]", "the bundle ends too early" },
	{ "no bundle", "d[0:8] = b'something'[:8]", "this is not an update bundle of Berth" },
	{ "format of the future", "d[8] = 9", "the bundle's format is 9, this version reads 1" },
	{ "huge manifest", "d[12:16] = b'\\xff' * 4", "the bundle's head names impossible sizes" },
	{ "no manifest", "d[12:16] = b'\\0' * 4", "the bundle's head names impossible sizes" },
	{ "manifest longer than said", "d[12] ^= 1", "not in minisign's format" },
	{ "changed manifest", "d[60] ^= 1", "does not hold: it was made over other data" },
	{ "changed signature", "d[32+m+80] = ord('A') if d[32+m+80] != ord('A') else ord('B')",
	  "the signature by key" },
	{ "changed trusted comment",
	  "i = d.rindex(b'trusted comment: Berth', 0, 32+m+s); d[i+17] = ord('b')", "does not hold" },
	{ "no signature", "d[32+m:32+m+s] = b'x' * s", "not in minisign's format" },
	{ "cut in the manifest", "del d[100:]", "the bundle ends too early" },
	{ "cut in the boot image", "del d[(32+m+s+4095)//4096*4096+10:]", "the bundle ends too early" },
	{ "cut at the end", "del d[-1:]", "the bundle ends too early" },
	{ "changed boot chunk", "d[(32+m+s+4095)//4096*4096+100] ^= 1",
	  "chunk 0 of the bundle is not what its manifest says" },
	{ "right manifest with wrong images", "d[p:] = bytes(len(d) - p)",
	  "chunk 0 of the bundle is not what its manifest says" },
	{ "changed last byte", "d[-1] ^= 1", "is not what its manifest says" },
	{ "sign: not JSON", "j = None", "the manifest is not a JSON object" },
	{ "sign: other format", "j['format'] = 'x-1'", "the bundle has the format \"x-1\"" },
	{ "sign: version that draws on the terminal", "j['version'] = '1\\x1b[2J'", "\"version\"" },
	{ "sign: sizes that lie", "j['boot']['bytes'] = 4096", "the manifest's \"chunks\"" },
	{ "sign: endless image", "j['root']['bytes'] = 1 << 60", "the manifest's \"bytes\"" },
	{ "sign: crooked size", "j['root']['bytes'] -= 1", "the manifest's \"bytes\"" },
	{ "sign: chunk larger than its image", "j['boot']['chunks'][0] = 1 << 30", "\"chunks\"" },
	{ "sign: chunk of nothing", "j['boot']['chunks'][0] = 0", "the manifest's \"chunks\"" },
	{ "sign: tree that leaves a part out", "j['verity']['data_blocks'] = 1", "hash_start_block" },
	{ "sign: other root hash", "j['verity']['root_hash'] = '0' * 64",
	  "is not what its hash tree says" },
	{ "sign: right manifest with wrong images", "j['boot']['sha256'] = '0' * 64",
	  "the bundle's images are not those that its manifest names" },
	{ "sign: decompression bomb", "bomb(d, j)", "a chunk of the bundle does not unpack to its size" },
	{ "sign: garbage for a frame", "junk(d, j)", "a chunk of the bundle does not unpack to its size" },
};

static const char spoil[] =
	"import json, hashlib, struct, subprocess, sys\n"
	"change, again = sys.argv[1], sys.argv[2] == '1'\n"
	"d = bytearray(open('bundle', 'rb').read())\n"
	"m, s = struct.unpack('<II', d[12:20])\n"
	"p = (32 + m + s + 4095) // 4096 * 4096\n"
	"def first(d, j, stored):\n"
	"    d[p:p + j['boot']['chunks'][0]] = stored\n"
	"    j['boot']['chunks'][0:2] = [len(stored), hashlib.sha256(stored).hexdigest()]\n"
	"def bomb(d, j):\n"
	"    first(d, j, subprocess.run(['zstd', '-q', '-c'], input=bytes(1 << 28),\n"
	"                               stdout=subprocess.PIPE).stdout)\n"
	"def junk(d, j): first(d, j, b'junk' * 25)\n"
	"j = json.loads(d[32:32 + m])\n"
	"exec(change)\n"
	"if again:\n"
	"    open('m', 'w').write(json.dumps(j) if j else 'hello')\n"
	"    subprocess.run(['minisign', '-SWm', 'm', '-s', 'keys/signing.sec', '-t',\n"
	"                    'Berth 1.2.3+t for x86_64'], check=True, stdout=subprocess.DEVNULL)\n"
	"    a, b = open('m', 'rb').read(), open('m.minisig', 'rb').read()\n"
	"    head = struct.pack('<8sIII12x', b'berthupd', 1, len(a), len(b)) + a + b\n"
	"    d = head + bytes(-len(head) % 4096) + d[p:]\n"
	"open('spoilt', 'wb').write(d)\n";

static void test_hostile_bundles_are_refused(void **unused)
{
	char path[128];

	(void)unused;
	snprintf(path, sizeof(path), "%s/spoil.py", work);
	assert_int_equal(file_replace_at(AT_FDCWD, path, spoil, strlen(spoil), 0644, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
		struct err e = { 0 };
		int rc;

		shell("cd %s && python3 spoil.py \"%s\" %d", work, hostile[i].change,
		      !strncmp(hostile[i].name, "sign", 4));
		rc = install("spoilt", "keys", SLOT_BYTES, &e);
		if (rc >= 0 || !strstr(e.text, hostile[i].said))
			fail_msg("%s: %d, \"%s\"", hostile[i].name, rc, e.text);
		/* What was begun is no slot that could be booted. */
		if (first_byte() != 'x' && first_byte() != '\0')
			fail_msg("%s: the slot looks whole", hostile[i].name);
	}
}

/* Wherever the stream ends, it is noticed, and no slot looks whole. */
static void test_a_bundle_that_ends_anywhere_is_refused(void **unused)
{
	enum { CUTS = 64 };
	off_t size;

	(void)unused;
	{
		autoclose int fd = open_in_work("bundle", O_RDONLY);

		size = lseek(fd, 0, SEEK_END);
	}
	for (int i = 0; i < CUTS; i++) {
		/* Closely within the head and the texts, then over all of it. */
		off_t length = i < CUTS / 2 ? i * 40 : size * (i - CUTS / 2) / (CUTS / 2);
		struct err e = { 0 };

		shell("cd %s && head -c %lld bundle >spoilt", work, (long long)length);
		if (install("spoilt", "keys", SLOT_BYTES, &e) >= 0 ||
		    !strstr(e.text, "the bundle ends too early"))
			fail_msg("cut after %lld bytes: \"%s\"", (long long)length, e.text);
		if (first_byte() != 'x' && first_byte() != '\0')
			fail_msg("cut after %lld bytes: the slot looks whole", (long long)length);
	}
}

static void test_a_stranger_is_refused(void **unused)
{
	struct err e = { 0 };

	(void)unused;
	assert_int_equal(install("bundle", "others", SLOT_BYTES, &e), -ENOKEY);
	assert_non_null(strstr(e.text, "which this machine does not know"));
	assert_int_equal(first_byte(), 'x');
}

static void test_a_disk_that_is_too_small_is_left_alone(void **unused)
{
	struct err e = { 0 };

	(void)unused;
	assert_int_equal(install("bundle", "keys", MIB / 2, &e), -ENOSPC);
	assert_string_equal(e.text, "the bundle's root image has 0 MiB, the disk's partition 0 MiB");
	assert_int_equal(first_byte(), 'x');
}

/* Two keys in the image while one is being replaced by the other. */
static void test_any_key_of_the_ring_will_do(void **unused)
{
	struct err e = { 0 };

	(void)unused;
	shell("cd %s && cp others/development.pub keys/a-new-one.pub", work);
	assert_int_equal(install("bundle", "keys", SLOT_BYTES, &e), 0);
	shell("cd %s && rm keys/a-new-one.pub", work);
}

/* ---- texts that are not signatures or keys ---- */

static void test_keys_and_signatures_have_one_shape(void **unused)
{
	static const char *const texts[] = {
		"", "\n\n\n\n", "untrusted comment: x\n", "untrusted comment: x\nRWQ=\n",
		"untrusted comment: x\nRUQ????\ntrusted comment: y\nAAAA\n",
	};
	struct keyring k = { 0 };
	struct signature s;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(keyring_add(&k, texts[i], strlen(texts[i]), NULL), -EINVAL);
		assert_int_equal(signature_parse(texts[i], strlen(texts[i]), &s, NULL), -EBADMSG);
	}
	assert_int_equal(k.count, 0);
}

/* minisign's older way: over the data itself instead of its hash. */
static void test_signatures_without_a_hash_hold(void **unused)
{
	autobuf struct buf text = { 0 };
	char path[128];
	struct keyring k = { 0 };
	struct signature s;
	struct err e = { 0 };

	(void)unused;
	shell("cd %s && echo hello >old && minisign -SWlm old -s keys/signing.sec >/dev/null", work);
	snprintf(path, sizeof(path), "%s/old.minisig", work);
	assert_int_equal(file_read_at(AT_FDCWD, path, 4096, &text, &e), 0);
	load_keys("keys", &k);
	assert_int_equal(signature_parse(buf_text(&text), text.len, &s, &e), 0);
	assert_int_equal(s.algorithm, 'd');
	assert_int_equal(signature_check(&s, &k, "hello\n", 6, &e), 0);
	assert_int_equal(signature_check(&s, &k, "hellO\n", 6, &e), -EKEYREJECTED);
}

/* ---- versions ---- */

static void test_versions_are_numbers_between_dots(void **unused)
{
	static const struct {
		const char *a, *b;
		int order;
	} rows[] = {
		{ "1.0", "1.0", 0 },     { "1.0", "1", 0 },         { "1.0+a", "1.0+b", 0 },
		{ "1.9", "1.10", -1 },   { "2", "1.99.99", 1 },     { "0.1.0", "0.1.1+abc", -1 },
		{ "1.0.0.1", "1", 1 },
	};
	static const char *const bad[] = { "", "+", "a", "1.", ".1", "1..2", "1.x", "-1", "1 " };

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(version_check(rows[i].a), 0);
		assert_int_equal(version_compare(rows[i].a, rows[i].b), rows[i].order);
		assert_int_equal(version_compare(rows[i].b, rows[i].a), -rows[i].order);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(version_check(bad[i]), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_whole_bundle_is_installed),
		cmocka_unit_test(test_the_manifest_says_what_was_packed),
		cmocka_unit_test(test_minisign_verifies_it_too),
		cmocka_unit_test(test_what_is_already_known_to_be_different_is_noticed),
		cmocka_unit_test(test_hostile_bundles_are_refused),
		cmocka_unit_test(test_a_bundle_that_ends_anywhere_is_refused),
		cmocka_unit_test(test_a_stranger_is_refused),
		cmocka_unit_test(test_a_disk_that_is_too_small_is_left_alone),
		cmocka_unit_test(test_any_key_of_the_ring_will_do),
		cmocka_unit_test(test_keys_and_signatures_have_one_shape),
		cmocka_unit_test(test_signatures_without_a_hash_hold),
		cmocka_unit_test(test_versions_are_numbers_between_dots),
	};

	return cmocka_run_group_tests(tests, make_bundle, clean);
}
