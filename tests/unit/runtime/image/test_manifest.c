/* Indexes, manifests and configs: what is read of them, and what is refused with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "image/manifest.h"

#define DIGEST(c) "sha256:" c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c \
	c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c
#define OCI "application/vnd.oci.image."
#define DESC(type, c) "{\"mediaType\":\"" type "\",\"digest\":\"" DIGEST(c) "\",\"size\":7}"
#define CONFIG DESC(OCI "config.v1+json", "a")

static void reads_a_manifest(void **state)
{
	static const char text[] =
		"{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":["
		DESC(OCI "layer.v1.tar+zstd", "b") ","
		DESC("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "c") ","
		DESC("text/plain", "d") "]}";
	static const enum media_kind kinds[] = { MEDIA_LAYER, MEDIA_LAYER_FOREIGN, MEDIA_UNKNOWN };
	struct manifest m;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(manifest_parse(&m, text, strlen(text), &e), 0);
	assert_int_equal(m.config.kind, MEDIA_CONFIG);
	assert_string_equal(m.config.digest, DIGEST("a"));
	assert_int_equal(m.layer_count, 3);
	for (size_t i = 0; i < m.layer_count; i++)
		assert_int_equal(m.layers[i].kind, kinds[i]);
	assert_int_equal(document_kind(text, strlen(text)), MEDIA_MANIFEST);
	manifest_free(&m);
}

static const struct {
	const char *text, *expected;
} bad_manifests[] = {
	{ "", "is not JSON" },
	{ "{", "is not JSON" },
	{ "[]", "is not a JSON object" },
	{ "null", "is not a JSON object" },
	{ "{}", "schemaVersion" },
	{ "{\"schemaVersion\":1,\"fsLayers\":[]}", "schema 1 is not supported" },
	{ "{\"schemaVersion\":2}", "descriptor that is not an object" },
	{ "{\"schemaVersion\":2,\"config\":{}}", "without a digest" },
	{ "{\"schemaVersion\":2,\"config\":{\"digest\":\"sha256:../../x\",\"size\":1}}",
	  "without a digest" },
	{ "{\"schemaVersion\":2,\"config\":{\"digest\":\"" DIGEST("a") "\"}}", "gives no size" },
	{ "{\"schemaVersion\":2,\"config\":{\"digest\":\"" DIGEST("a") "\",\"size\":-1}}",
	  "gives no size" },
	{ "{\"schemaVersion\":2,\"config\":{\"digest\":\"" DIGEST("a") "\",\"size\":99999999999}}",
	  "at most" },
	{ "{\"schemaVersion\":2,\"config\":" CONFIG "}", "has no list \"layers\"" },
	{ "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":{}}", "has no list \"layers\"" },
	{ "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[1]}", "not an object" },
};

static void refuses_manifests(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_manifests); i++) {
		struct manifest m;
		struct err e = { 0 };

		if (!manifest_parse(&m, bad_manifests[i].text, strlen(bad_manifests[i].text), &e))
			fail_msg("accepted row %zu", i);
		if (!strstr(e.text, bad_manifests[i].expected))
			fail_msg("row %zu: \"%s\"", i, e.text);
	}
}

#define PLATFORM(os, arch, variant, c) "{\"mediaType\":\"" OCI "manifest.v1+json\",\"digest\":\"" \
	DIGEST(c) "\",\"size\":7,\"platform\":{\"os\":\"" os "\",\"architecture\":\"" arch \
	"\",\"variant\":\"" variant "\"}}"

static const struct {
	const char *platform, *digest;
} picks[] = {
	{ "linux/amd64", DIGEST("a") },
	{ "linux/arm64", DIGEST("b") },
	{ "linux/arm64/v8", DIGEST("b") },
	{ "linux/arm/v6", DIGEST("c") },
	{ "linux/arm/v7", DIGEST("d") },
	{ "linux/arm", DIGEST("c") },
	{ "linux/am", NULL },
	{ "linux/amd64p32", NULL },
	{ "windows/amd64", NULL },
	{ "unknown/unknown", DIGEST("e") },
};

static void picks_platforms(void **state)
{
	static const char text[] =
		"{\"manifests\":[" PLATFORM("linux", "amd64", "", "a") ","
		PLATFORM("linux", "arm64", "v8", "b") "," PLATFORM("linux", "arm", "v6", "c") ","
		PLATFORM("linux", "arm", "v7", "d") "," PLATFORM("unknown", "unknown", "", "e") "]}";
	struct index index;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(index_parse(&index, text, strlen(text), &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(picks); i++) {
		const struct descriptor *d = index_pick(&index, picks[i].platform);

		if (!d != !picks[i].digest || (d && strcmp(d->digest, picks[i].digest) != 0))
			fail_msg("%s: picked %s", picks[i].platform, d ? d->digest : "nothing");
	}
	index_free(&index);
}

static void picks_the_only_one(void **state)
{
	static const char one[] = "{\"manifests\":[" DESC(OCI "manifest.v1+json", "a") "]}";
	static const char two[] = "{\"manifests\":[" DESC(OCI "manifest.v1+json", "a") ","
		DESC(OCI "manifest.v1+json", "b") "]}";
	struct index index;

	(void)state;
	assert_int_equal(index_parse(&index, one, strlen(one), NULL), 0);
	assert_non_null(index_pick(&index, "linux/amd64"));
	index_free(&index);
	assert_int_equal(index_parse(&index, two, strlen(two), NULL), 0);
	assert_null(index_pick(&index, "linux/amd64"));
	index_free(&index);
}

static const struct {
	const char *text;
	int count; /* -1: refused */
} diff_ids[] = {
	{ "{\"rootfs\":{\"diff_ids\":[]}}", 0 },
	{ "{\"rootfs\":{\"diff_ids\":[\"" DIGEST("a") "\",\"" DIGEST("b") "\"]}}", 2 },
	{ "{}", -1 },
	{ "{\"rootfs\":[]}", -1 },
	{ "{\"rootfs\":{\"diff_ids\":[\"sha256:x\"]}}", -1 },
	{ "{\"rootfs\":{\"diff_ids\":[7]}}", -1 },
	{ "{\"rootfs\":{\"diff_ids\":[\"" DIGEST("a") "\\u0000\"]}}", 1 },
};

static void reads_diff_ids(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(diff_ids); i++) {
		struct diff_ids d = { 0 };
		int rc = diff_ids_parse(&d, diff_ids[i].text, strlen(diff_ids[i].text), NULL);

		if ((rc < 0) != (diff_ids[i].count < 0))
			fail_msg("row %zu: %d", i, rc);
		if (!rc)
			assert_int_equal(d.count, diff_ids[i].count);
		diff_ids_free(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_manifest),
		cmocka_unit_test(refuses_manifests),
		cmocka_unit_test(picks_platforms),
		cmocka_unit_test(picks_the_only_one),
		cmocka_unit_test(reads_diff_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
