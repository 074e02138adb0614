/* The written store's index: names that move, names that go, and what is collected then. */
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

#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "base/sha256.h"
#include "image/keep.h"
#include "image/store.h"

static char top[] = "/tmp/berth-keep-XXXXXX";
static char one[REF_DIGEST_MAX], two[REF_DIGEST_MAX];

static void put_blob(const char *text, char digest[REF_DIGEST_MAX])
{
	char hex[SHA256_HEX_MAX], path[256];

	snprintf(digest, REF_DIGEST_MAX, "sha256:%s", sha256_hex(text, strlen(text), hex));
	snprintf(path, sizeof(path), "%s/blobs/sha256/%s", top, hex);
	assert_int_equal(file_replace_at(AT_FDCWD, path, text, strlen(text), 0600, NULL), 0);
}

/* An image of one layer, whose diff id and digest are the digit repeated. */
static void put_image(char digit, char digest[REF_DIGEST_MAX])
{
	char id[REF_DIGEST_MAX], diff[REF_DIGEST_MAX] = "sha256:", text[1024];

	memset(diff + 7, digit, 64);
	snprintf(text, sizeof(text), "{\"rootfs\":{\"diff_ids\":[\"%s\"]}}", diff);
	put_blob(text, id);
	snprintf(text, sizeof(text),
		 "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"x\",\"digest\":\"%s\",\"size\":1},"
		 "\"layers\":[{\"mediaType\":\"x\",\"digest\":\"%s\",\"size\":1}]}", id, diff);
	put_blob(text, digest);
	snprintf(text, sizeof(text), "%s/layers/%s", top, diff + 7);
	assert_int_equal(mkdir(text, 0755), 0);
	strcat(text, "/file");
	assert_int_equal(file_replace_at(AT_FDCWD, text, "x", 1, 0644, NULL), 0);
}

static int name(const char *digest, const char *ref)
{
	struct keep_image image = { .digest = digest, .media_type = "t", .size_bytes = 1,
				    .layer_sizes = "7" };

	return keep_name(top, &image, ref, NULL);
}

/* "REF REF; REF": the images by their first names, nameless ones as "-". */
static const char *listed(void)
{
	static char text[512];
	const char *dir = top;
	struct store *s;

	assert_int_equal(store_open(&s, &dir, 1, NULL), 0);
	*text = '\0';
	for (size_t i = 0; i < store_count(s); i++) {
		const struct image *image = store_image(s, i);

		strcat(text, i ? "; " : "");
		strcat(text, image->ref_count ? image->refs[0] : "-");
		for (size_t k = 1; k < image->ref_count; k++)
			strcat(strcat(text, " "), image->refs[k]);
		assert_null(image->fault);
		assert_int_equal(image->size_bytes, 7);
	}
	store_close(s);
	return text;
}

static size_t count(const char *part)
{
	char command[128];
	autofile FILE *f = NULL;
	size_t n = 0;

	snprintf(command, sizeof(command), "ls %s/%s", top, part);
	f = popen(command, "r");
	for (int c; (c = fgetc(f)) != EOF;)
		n += c == '\n';
	return n;
}

static void names_move_and_go(void **state)
{
	(void)state;
	assert_string_equal(listed(), "");
	assert_int_equal(name(one, "localhost/a:1"), 0);
	assert_int_equal(name(one, "localhost/a:1"), 1);
	assert_int_equal(name(one, "localhost/b:1"), 0);
	assert_string_equal(listed(), "localhost/a:1 localhost/b:1");
	assert_int_equal(name(two, "localhost/a:1"), 0);
	assert_string_equal(listed(), "localhost/a:1; localhost/b:1");
	/* The one that loses its last name stays until somebody prunes. */
	assert_int_equal(name(two, "localhost/b:1"), 0);
	assert_string_equal(listed(), "localhost/a:1 localhost/b:1; -");
	assert_int_equal(name(one, NULL), 0);
	assert_string_equal(listed(), "localhost/a:1 localhost/b:1; -");
	assert_int_equal(keep_unname(top, "localhost/none:1", NULL), -ENOENT);
	assert_int_equal(keep_unname(top, "localhost/b:1", NULL), 0);
	assert_string_equal(listed(), "localhost/a:1; -");
}

static void collects_what_nobody_needs(void **state)
{
	(void)state;
	assert_int_equal(keep_collect(top, NULL), 0);
	assert_int_equal(count("layers"), 2);
	assert_int_equal(count("tmp"), 0);
	assert_int_equal(keep_forget(top, one, NULL), 0);
	assert_string_equal(listed(), "localhost/a:1");
	assert_int_equal(keep_collect(top, NULL), 0);
	assert_int_equal(count("layers"), 1);
	assert_int_equal(count("blobs/sha256"), 2);
	assert_int_equal(count("tmp"), 3);
	assert_string_equal(listed(), "localhost/a:1");
}

static void damage_is_not_written_over(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/index.json", top);
	assert_int_equal(file_replace_at(AT_FDCWD, path, "{", 1, 0600, NULL), 0);
	assert_true(name(one, "localhost/a:1") < 0);
	assert_true(keep_collect(top, NULL) < 0);
	assert_int_equal(count("layers"), 1);
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(top) || keep_prepare(top, NULL) < 0)
		return -1;
	put_image('1', one);
	put_image('2', two);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return path_remove_tree(AT_FDCWD, top, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_move_and_go),
		cmocka_unit_test(collects_what_nobody_needs),
		cmocka_unit_test(damage_is_not_written_over),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
