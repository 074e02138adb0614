/* Runs a libFuzzer target as a unit test: its seeds, and some thousand changed copies of them. No
 * substitute for the fuzzer (`make fuzz`), which looks at what the code does with them; this keeps
 * the targets built, and finds again what was found once, for a seed stays in the corpus. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"

enum { SEEDS_MAX = 256, SEED_BYTES_MAX = 1 << 20, RUNS = 3000, RUN_MS = 4000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct buf seeds[SEEDS_MAX];
static size_t seed_count;
static uint64_t random_state = 0x9e3779b97f4a7c15;

/* What JSON's readers stumble over, and what fields of passwd and config.json are made of. */
static const char *const words[] = {
	"-1", "4294967295", "9223372036854775808", "18446744073709551615", "1e999", "\"\"", "null",
	"[]", "{}", "true", ":", ",", "\n", "/", "..", "\\u0000", "\xff", "-0", "0", "\"",
};

static size_t random_below(size_t bound)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return bound ? (size_t)(random_state % bound) : 0;
}

static void insert(struct buf *b, size_t at, const char *data, size_t len)
{
	autobuf struct buf made = { 0 };

	buf_add(&made, b->data, at);
	buf_add(&made, data, len);
	buf_add(&made, b->data + at, b->len - at);
	buf_reset(b);
	buf_add(b, made.data, made.len);
}

static void cut(struct buf *b, size_t at, size_t len)
{
	memmove(b->data + at, b->data + at + len, b->len - at - len);
	b->len -= len;
}

static void change(struct buf *b)
{
	const struct buf *other = &seeds[random_below(seed_count)];
	size_t at = random_below(b->len), len = random_below(b->len - at < 64 ? b->len - at : 64);
	const char *word = words[random_below(ARRAY_LEN(words))];
	char copy[64];

	if (!b->len)
		return;
	switch (random_below(5)) {
	case 0:
		b->data[at] = (char)random_below(256);
		break;
	case 1:
		cut(b, at, len);
		break;
	case 2:
		memcpy(copy, b->data + at, len);
		insert(b, random_below(b->len), copy, len);
		break;
	case 3:
		insert(b, at, word, strlen(word));
		break;
	case 4:
		len = random_below(other->len < 64 ? other->len : 64);
		if (len)
			insert(b, at, other->data + random_below(other->len - len), len);
		break;
	}
}

/* A copy of its own size, so that the sanitizer sees a read past the end. */
static void feed(const struct buf *b)
{
	autofree uint8_t *copy = malloc(b->len ? b->len : 1);

	if (copy && b->len)
		memcpy(copy, b->data, b->len);
	if (copy)
		LLVMFuzzerTestOneInput(copy, b->len);
}

static void test_seeds(void **state)
{
	(void)state;
	for (size_t i = 0; i < seed_count; i++)
		feed(&seeds[i]);
}

static void test_changed_seeds(void **state)
{
	int64_t until_ms = clock_boot_ms() + RUN_MS;
	autobuf struct buf b = { 0 };

	(void)state;
	for (int run = 0; run < RUNS && clock_boot_ms() < until_ms; run++) {
		const struct buf *seed = &seeds[random_below(seed_count)];

		buf_reset(&b);
		buf_add(&b, seed->data, seed->len);
		for (size_t k = 1 + random_below(3); k > 0; k--)
			change(&b);
		feed(&b);
	}
}

static void load_seeds(const char *folder)
{
	autodir DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) && seed_count < SEEDS_MAX)
		if (entry->d_name[0] != '.' &&
		    !file_read_at(dirfd(dir), entry->d_name, SEED_BYTES_MAX, &seeds[seed_count], NULL))
			seed_count++;
	if (!seed_count) /* a target without a corpus is fed noise that grows from this */
		buf_adds(&seeds[seed_count++], "{\"\":0}");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_seeds),
					    cmocka_unit_test(test_changed_seeds) };
	const char *target = strstr(argv[0], "/fuzz/");
	char folder[4096];
	int rc;

	(void)argc;
	snprintf(folder, sizeof(folder), "tests/fuzz/corpus/%s", target ? target + 6 : "");
	load_seeds(folder);
	rc = cmocka_run_group_tests_name(target ? target + 1 : "fuzz", tests, NULL, NULL);
	for (size_t i = 0; i < seed_count; i++)
		buf_free(&seeds[i]);
	return rc;
}
