/* Names of an image's files: cleaning, symlinks as parents, layers, whiteouts. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "unpack/tree.h"

static const struct {
	const char *raw, *clean; /* clean NULL: refused with `expected` */
	const char *expected;
} names[] = {
	{ "a", "a", NULL },
	{ "./a/b", "a/b", NULL },
	{ "a//b/./c/", "a/b/c", NULL },
	{ ".", "", NULL },
	{ "./", "", NULL },
	{ "", "", NULL },
	{ "..a/b..", "..a/b..", NULL },
	{ "...", "...", NULL },
	{ "/a", NULL, "absolute path" },
	{ "..", NULL, "\"..\" in its path" },
	{ "a/..", NULL, "\"..\" in its path" },
	{ "a/../b", NULL, "\"..\" in its path" },
	{ "./../b", NULL, "\"..\" in its path" },
};

static void cleans_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char out[TREE_PATH_MAX];
		struct err e = { 0 };
		int rc = tree_clean(names[i].raw, out, &e);

		if ((rc < 0) != !names[i].clean)
			fail_msg("\"%s\": %d", names[i].raw, rc);
		if (names[i].clean)
			assert_string_equal(out, names[i].clean);
		else
			assert_non_null(strstr(e.text, names[i].expected));
	}
}

static void bounds_names(void **state)
{
	static char text[3 * TREE_PATH_MAX], out[TREE_PATH_MAX];

	(void)state;
	memset(text, 'n', 255);
	assert_int_equal(tree_clean(text, out, NULL), 0);
	text[255] = 'n';
	assert_int_equal(tree_clean(text, out, NULL), -ENAMETOOLONG);
	for (size_t i = 0; i < 255; i++)
		memcpy(text + 2 * i, "d/", 2);
	strcpy(text + 510, "f");
	assert_int_equal(tree_clean(text, out, NULL), 0);
	strcpy(text + 510, "d/f");
	assert_int_equal(tree_clean(text, out, NULL), -ENAMETOOLONG);
	memset(text, 0, sizeof(text));
	for (size_t i = 0; i < 20; i++) {
		memset(text + 251 * i, 'n', 250);
		text[251 * i + 250] = '/';
	}
	assert_int_equal(tree_clean(text, out, NULL), -ENAMETOOLONG);
}

/* What a tree is made of in these tests: a program of rows. */
enum verb { DIRECTORY, FILE_, LINK, HIDE, OPAQUE };

struct step {
	int layer;
	enum verb verb;
	const char *path, *target;
};

static int apply(struct tree *t, const struct step *s)
{
	static const enum node_kind kinds[] = { NODE_DIR, NODE_FILE, NODE_SYMLINK };
	struct node *n;
	int rc;

	if (s->verb == HIDE)
		return tree_hide(t, s->path, s->layer, 0, &n, NULL);
	rc = tree_touch(t, s->path, s->verb == OPAQUE ? NODE_DIR : kinds[s->verb], s->layer, &n, NULL);
	if (rc < 0)
		return rc;
	n->entry = s->verb == OPAQUE ? n->entry : 0;
	if (s->verb == LINK)
		n->target = strdup(s->target);
	if (s->verb == OPAQUE) {
		n->opaque = true;
		tree_hide_below(n, s->layer);
	}
	return 0;
}

static const struct {
	struct step steps[8];
	const char *ask;
	const char *found; /* its path; NULL: nothing, or a whiteout */
	int rc;            /* of the last step */
} rows[] = {
	{ { { 0, FILE_, "a/b/c", NULL } }, "a/b/c", "a/b/c", 0 },
	{ { { 0, FILE_, "a/b/c", NULL } }, "a/b", "a/b", 0 },
	{ { { 0, FILE_, "a", NULL } }, "a/b", NULL, 0 },
	{ { { 0, FILE_, "a", NULL }, { 0, FILE_, "a/b", NULL } }, "a/b", NULL, -ENOTDIR },
	/* Symlinks as parents, absolute, relative, upwards, outwards, in circles. */
	{ { { 0, DIRECTORY, "usr/lib", NULL }, { 0, LINK, "lib", "usr/lib" }, 
	    { 1, FILE_, "lib/x", NULL } },
	  "usr/lib/x", "usr/lib/x", 0 },
	{ { { 0, LINK, "lib", "/usr/lib" }, { 1, FILE_, "lib/x", NULL } }, "usr/lib/x", "usr/lib/x", 0 },
	{ { { 0, LINK, "a/b", "../c" }, { 0, FILE_, "a/b/x", NULL } }, "c/x", "c/x", 0 },
	{ { { 0, LINK, "a", "../../../../etc" }, { 0, FILE_, "a/x", NULL } }, "etc/x", "etc/x", 0 },
	{ { { 0, LINK, "a", "b" }, { 0, LINK, "b", "a" }, { 0, FILE_, "a/x", NULL } }, "x", NULL, -ELOOP },
	{ { { 0, LINK, "a", "a" }, { 0, FILE_, "a/x", NULL } }, "x", NULL, -ELOOP },
	{ { { 0, LINK, "a", "a/a" }, { 0, FILE_, "a/x", NULL } }, "x", NULL, -ELOOP },
	{ { { 0, LINK, "a", "f" }, { 0, FILE_, "f", NULL }, { 0, FILE_, "a/x", NULL } }, "f/x", NULL,
	  -ENOTDIR },
	/* The last component is the entry itself, never what it points to. */
	{ { { 0, LINK, "a", "b" }, { 1, FILE_, "a", NULL } }, "a", "a", 0 },
	/* Replacing. */
	{ { { 0, FILE_, "d/x", NULL }, { 1, FILE_, "d", NULL } }, "d/x", NULL, 0 },
	{ { { 0, FILE_, "d", NULL }, { 1, DIRECTORY, "d", NULL }, { 1, FILE_, "d/x", NULL } },
	  "d/x", "d/x", 0 },
	{ { { 0, FILE_, "d/x", NULL }, { 1, DIRECTORY, "d", NULL } }, "d/x", "d/x", 0 },
	/* Whiteouts. */
	{ { { 0, FILE_, "d/x", NULL }, { 1, HIDE, "d/x", NULL } }, "d/x", NULL, 0 },
	{ { { 0, FILE_, "d/x", NULL }, { 1, HIDE, "d", NULL } }, "d/x", NULL, 0 },
	{ { { 0, FILE_, "d/x", NULL }, { 1, HIDE, "d", NULL }, { 2, FILE_, "d/y", NULL } },
	  "d/y", "d/y", 0 },
	{ { { 0, FILE_, "d/x", NULL }, { 1, HIDE, "d", NULL }, { 2, FILE_, "d/y", NULL } },
	  "d/x", NULL, 0 },
	{ { { 0, FILE_, "d/x", NULL }, { 1, FILE_, "d/y", NULL }, { 1, HIDE, "d", NULL } },
	  "d/y", "d/y", 0 },
	{ { { 0, FILE_, "d/x", NULL }, { 1, FILE_, "d/y", NULL }, { 1, HIDE, "d", NULL } },
	  "d/x", NULL, 0 },
	{ { { 0, FILE_, "d/x", NULL }, { 1, OPAQUE, "d", NULL } }, "d/x", NULL, 0 },
	{ { { 0, FILE_, "d/e/x", NULL }, { 1, FILE_, "d/e/y", NULL }, { 1, OPAQUE, "d", NULL } },
	  "d/e/y", "d/e/y", 0 },
	{ { { 0, FILE_, "d/e/x", NULL }, { 1, FILE_, "d/e/y", NULL }, { 1, OPAQUE, "d", NULL } },
	  "d/e/x", NULL, 0 },
	{ { { 1, HIDE, "nothing/there", NULL } }, "nothing", "nothing", 0 },
};

static void follows_layers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char path[TREE_PATH_MAX];
		struct tree *t;
		struct node *n;
		int rc = 0;

		assert_int_equal(tree_new(&t), 0);
		for (size_t k = 0; !rc && k < 8 && rows[i].steps[k].path; k++)
			rc = apply(t, &rows[i].steps[k]);
		if (rc != rows[i].rc)
			fail_msg("row %zu: %d", i, rc);
		n = tree_find(t, rows[i].ask);
		if (n && n->kind == NODE_WHITEOUT)
			n = NULL;
		if (!n != !rows[i].found)
			fail_msg("row %zu: \"%s\" is %s", i, rows[i].ask, n ? "there" : "not there");
		if (n) {
			assert_int_equal(tree_path(n, path), 0);
			assert_string_equal(path, rows[i].found);
		}
		tree_free(t);
	}
}

/* More names than the first table has room for. */
static void grows(void **state)
{
	struct tree *t;
	struct node *n;
	char path[64];

	(void)state;
	assert_int_equal(tree_new(&t), 0);
	for (int i = 0; i < 20000; i++) {
		snprintf(path, sizeof(path), "d%d/f%d", i % 100, i);
		assert_int_equal(tree_touch(t, path, NODE_FILE, 0, &n, NULL), 0);
	}
	for (int i = 0; i < 20000; i++) {
		snprintf(path, sizeof(path), "d%d/f%d", i % 100, i);
		assert_non_null(tree_find(t, path));
	}
	tree_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cleans_names),
		cmocka_unit_test(bounds_names),
		cmocka_unit_test(follows_layers),
		cmocka_unit_test(grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
