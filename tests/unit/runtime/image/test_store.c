/* Stores on disk: what is found by which name, what damage costs. */
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
#include "base/sha256.h"
#include "image/store.h"

static char top[] = "/tmp/berth-store-XXXXXX";
static char first[64], second[64];
static char app_id[REF_DIGEST_MAX], app_digest[REF_DIGEST_MAX], other_id[REF_DIGEST_MAX];

static void put(const char *store, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", store, name);
	assert_int_equal(file_replace_at(AT_FDCWD, path, text, strlen(text), 0644, NULL), 0);
}

static void put_blob(const char *store, const char *text, char digest[REF_DIGEST_MAX])
{
	char hex[SHA256_HEX_MAX], name[128];

	snprintf(digest, REF_DIGEST_MAX, "sha256:%s", sha256_hex(text, strlen(text), hex));
	snprintf(name, sizeof(name), "blobs/sha256/%s", hex);
	put(store, name, text);
}

/* An image of one layer, whose diff id is the digit repeated. Gives manifest digest and id. */
static void put_image(const char *store, char digit, char digest[REF_DIGEST_MAX],
		      char id[REF_DIGEST_MAX])
{
	char diff[REF_DIGEST_MAX] = "sha256:", text[1024], dir[128];

	memset(diff + 7, digit, 64);
	snprintf(text, sizeof(text), "{\"rootfs\":{\"diff_ids\":[\"%s\"]}}", diff);
	put_blob(store, text, id);
	snprintf(text, sizeof(text),
		 "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"x\",\"digest\":\"%s\",\"size\":1},"
		 "\"layers\":[{\"mediaType\":\"x\",\"digest\":\"%s\",\"size\":1}]}", id, diff);
	put_blob(store, text, digest);
	snprintf(dir, sizeof(dir), "%s/layers/%s", store, diff + 7);
	assert_int_equal(mkdir(dir, 0755), 0);
}

static void add_entry(struct buf *index, const char *digest, const char *ref)
{
	buf_addf(index, "%s{\"mediaType\":\"x\",\"digest\":\"%s\",\"size\":1,\"annotations\":"
		 "{\"org.opencontainers.image.ref.name\":\"%s\",\"berth.layer-sizes\":\"1234\"}}",
		 index->len > 20 ? "," : "{\"manifests\":[", digest, ref);
}

static void make_dirs(char out[64], const char *name)
{
	char path[128];

	snprintf(out, 64, "%s/%s", top, name);
	snprintf(path, sizeof(path), "%s/blobs/sha256", out);
	assert_int_equal(path_mkdirs(path, 0755, NULL), 0);
	snprintf(path, sizeof(path), "%s/layers", out);
	assert_int_equal(path_mkdirs(path, 0755, NULL), 0);
}

/* First: app under two names, broken (a blob that is not what its name says), lost (no blob).
 * Second: another image under one of app's names and a name of its own. */
static int setup(void **state)
{
	autobuf struct buf a = { 0 }, b = { 0 };
	char digest[REF_DIGEST_MAX], id[REF_DIGEST_MAX], name[128];

	(void)state;
	if (!mkdtemp(top))
		return -1;
	make_dirs(first, "first");
	make_dirs(second, "second");
	put_image(first, 'a', app_digest, app_id);
	add_entry(&a, app_digest, "docker.io/library/app:1");
	add_entry(&a, app_digest, "docker.io/library/app:latest");
	put_image(first, 'b', digest, id);
	snprintf(name, sizeof(name), "blobs/sha256/%s", digest_hex(id));
	put(first, name, "{}");
	add_entry(&a, digest, "docker.io/library/broken:latest");
	add_entry(&a, "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc",
		  "docker.io/library/lost:latest");
	buf_adds(&a, "]}");
	put(first, "index.json", buf_text(&a));
	put_image(second, 'd', digest, other_id);
	add_entry(&b, digest, "docker.io/library/app:1");
	add_entry(&b, digest, "reg.example/other:2");
	buf_adds(&b, "]}");
	put(second, "index.json", buf_text(&b));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return path_remove_tree(AT_FDCWD, top, NULL);
}

static struct store *open_both(void)
{
	const char *dirs[] = { first, "/nowhere/store", second };
	struct store *s = NULL;
	struct err e = { 0 };

	if (store_open(&s, dirs, ARRAY_LEN(dirs), &e) < 0)
		fail_msg("%s", e.text);
	return s;
}

static void finds_by_name_and_id(void **state)
{
	struct store *s = open_both();
	char pinned[160], short_id[16];
	struct {
		const char *name, *id; /* id NULL: `expected` is in the message */
		int rc;
		const char *expected;
	} rows[] = {
		{ "app", app_id, 0, NULL },
		{ "app:1", app_id, 0, NULL },
		{ "docker.io/library/app:latest", app_id, 0, NULL },
		{ "reg.example/other:2", other_id, 0, NULL },
		{ app_id, app_id, 0, NULL },
		{ app_digest, app_id, 0, NULL },
		{ digest_hex(app_id), app_id, 0, NULL },
		{ short_id, app_id, 0, NULL },
		{ pinned, app_id, 0, NULL },
		{ "app:2", NULL, -ENOENT, "No such image: app:2" },
		{ "nothing", NULL, -ENOENT, "No such image: nothing:latest" },
		{ "reg.example/other", NULL, -ENOENT, "No such image: reg.example/other:latest" },
		{ "NO", NULL, -EINVAL, "invalid image reference \"NO\"" },
		{ "", NULL, -EINVAL, "invalid image reference" },
		{ "broken", NULL, -EBADMSG, "is damaged: blob sha256:" },
		{ "lost", NULL, -EBADMSG, "No such file" },
	};

	(void)state;
	snprintf(short_id, sizeof(short_id), "%.12s", digest_hex(app_id));
	snprintf(pinned, sizeof(pinned), "app@%s", app_digest);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct image *image = NULL;
		struct err e = { 0 };
		int rc = store_find(s, rows[i].name, &image, &e);

		if (rc != rows[i].rc)
			fail_msg("\"%s\": %d, %s", rows[i].name, rc, e.text);
		if (rows[i].id)
			assert_string_equal(image->id, rows[i].id);
		else if (!strstr(e.text, rows[i].expected))
			fail_msg("\"%s\": \"%s\"", rows[i].name, e.text);
	}
	store_close(s);
}

static void lists_and_reads(void **state)
{
	struct store *s = open_both();
	const struct image *image = NULL;
	char *text, *dir, expected[160];
	size_t len;

	(void)state;
	assert_int_equal(store_count(s), 4);
	image = store_image(s, 0);
	assert_int_equal(image->ref_count, 2);
	assert_string_equal(image->refs[0], "docker.io/library/app:1");
	assert_int_equal(image->size_bytes, 1234);
	assert_int_equal(image_config(s, image, &text, &len, NULL), 0);
	assert_int_equal(len, strlen(text));
	assert_non_null(strstr(text, "diff_ids"));
	free(text);
	assert_int_equal(image_layer_dir(s, image, 0, &dir, NULL), 0);
	snprintf(expected, sizeof(expected), "%s/layers/%s", first,
		 digest_hex(image->layers[0].diff_id));
	assert_string_equal(dir, expected);
	free(dir);
	assert_int_equal(rmdir(expected), 0);
	assert_int_equal(image_layer_dir(s, image, 0, &dir, NULL), -ENOENT);
	assert_int_equal(mkdir(expected, 0755), 0);
	store_close(s);
}

static void ambiguous_ids_are_refused(void **state)
{
	const struct image *image;
	struct store *s = open_both();
	struct err e = { 0 };
	char digit[2] = { *digest_hex(app_id), '\0' };
	int same = 0;

	(void)state;
	for (size_t i = 0; i < store_count(s); i++)
		same += *digest_hex(store_image(s, i)->id) == *digit;
	assert_int_equal(store_find(s, digit, &image, &e), same > 1 ? -EINVAL : 0);
	store_close(s);
}

static void a_broken_index_is_an_error(void **state)
{
	const char *dirs[] = { top };
	struct store *s = NULL;
	struct err e = { 0 };

	(void)state;
	put(top, "index.json", "{\"manifests\":");
	assert_true(store_open(&s, dirs, 1, &e) < 0);
	assert_null(s);
	assert_non_null(strstr(e.text, "is not JSON"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_by_name_and_id),
		cmocka_unit_test(lists_and_reads),
		cmocka_unit_test(ambiguous_ids_are_refused),
		cmocka_unit_test(a_broken_index_is_an_error),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
