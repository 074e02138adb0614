/* The boot state, exhaustively: every state, every half written sector, and every way that an
 * update's life can go when the power may fail at each write, with a model of the loader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "update/bootstate.h"
#include "update/statefs.h"

#include "loader_model.h"
#include "shell.h"

enum { STATES = 2 * 2 * 4 * 2 * 4, TEXT_END = 112 };

static struct bootstate state_number(int n)
{
	return (struct bootstate){
		.prefer = n & 1 ? SLOT_B : SLOT_A,
		.slot = { { n >> 1 & 1, (unsigned)n >> 2 & 3 }, { n >> 4 & 1, (unsigned)n >> 5 & 3 } },
	};
}

static bool equal(const struct bootstate *a, const struct bootstate *b)
{
	return a->prefer == b->prefer && a->slot[0].good == b->slot[0].good &&
	       a->slot[0].tries == b->slot[0].tries && a->slot[1].good == b->slot[1].good &&
	       a->slot[1].tries == b->slot[1].tries;
}

static void test_every_state_is_read_as_it_was_written(void **unused)
{
	(void)unused;
	for (int n = 0; n < STATES; n++) {
		for (unsigned seq = 0; seq < 4; seq++) {
			struct bootstate in = state_number(n), out;
			char sector[BOOTSTATE_BYTES], by_grub[BOOTSTATE_BYTES];
			struct model_values v;
			unsigned back;

			bootstate_format(&in, seq, sector);
			assert_true(bootstate_parse(sector, &out, &back));
			assert_true(equal(&in, &out) && back == seq);
			v = model_load(sector);
			model_save(&v, by_grub);
			assert_memory_equal(sector, by_grub, sizeof(sector));
		}
	}
}

/* A copy is overwritten by the state two numbers on. What arrived in part: old, new, or nothing. */
static void test_a_half_written_copy_never_counts(void **unused)
{
	char old[BOOTSTATE_BYTES], new[BOOTSTATE_BYTES], torn[BOOTSTATE_BYTES];
	struct bootstate before, after, out;
	unsigned seq;

	(void)unused;
	for (int n = 0; n < STATES * STATES; n++) {
		before = state_number(n % STATES);
		after = state_number(n / STATES);
		bootstate_format(&before, (unsigned)n, old);
		bootstate_format(&after, (unsigned)n + 2, new);
		for (int cut = 0; cut <= TEXT_END; cut++) {
			memcpy(torn, new, (size_t)cut);
			memcpy(torn + cut, old + cut, sizeof(torn) - (size_t)cut);
			if (!bootstate_parse(torn, &out, &seq))
				continue;
			if (seq == (unsigned)n % 4)
				assert_true(equal(&out, &before));
			else
				assert_true(equal(&out, &after));
		}
	}
}

static void test_garbage_is_no_state(void **unused)
{
	static const char *const texts[] = {
		"", "seq=1\n", "# GRUB Environment Block\n",
		"# GRUB Environment Block\nseq=4\nprefer=a\na_good=1\na_tries=0\nb_good=0\nb_tries=0\nend=4\n",
		"# GRUB Environment Block\nseq=1\nprefer=c\na_good=1\na_tries=0\nb_good=0\nb_tries=0\nend=1\n",
		"# GRUB Environment Block\nseq=1\nprefer=a\na_good=2\na_tries=0\nb_good=0\nb_tries=0\nend=1\n",
		"# GRUB Environment Block\nseq=1\nprefer=a\na_good=1\na_tries=10\nb_good=0\nb_tries=0\nend=1\n",
		"# GRUB Environment Block\nprefer=a\nseq=1\na_good=1\na_tries=0\nb_good=0\nb_tries=0\nend=1\n",
	};
	struct bootstate out;
	unsigned seq;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		char sector[BOOTSTATE_BYTES];

		memset(sector, '#', sizeof(sector));
		memcpy(sector, texts[i], strlen(texts[i]));
		assert_false(bootstate_parse(sector, &out, &seq));
	}
}

/* ---- the partition ---- */

static const off_t offsets[] = BOOTSTATE_OFFSETS;

static int partition(void)
{
	char path[] = "/tmp/berth-state-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	return fd;
}

static void test_the_older_copy_is_overwritten(void **unused)
{
	autoclose int fd = partition();
	struct bootstate b = state_number(17), out;
	char before[BOOTSTATE_BYTES], after[BOOTSTATE_BYTES];
	struct err e = { 0 };

	(void)unused;
	assert_int_equal(bootstate_read(fd, &out, &e), -EBADMSG);
	assert_non_null(strstr(e.text, "both copies of the boot state are damaged"));
	assert_int_equal(bootstate_write(fd, &b, &e), 0);
	for (int i = 0; i < 9; i++) {
		int kept = i % 2 ? 0 : 1; /* made anew, copy 1 is the newer */

		assert_int_equal(pread(fd, before, sizeof(before), offsets[kept]), sizeof(before));
		b = state_number(i * 13);
		assert_int_equal(bootstate_write(fd, &b, &e), 0);
		assert_int_equal(pread(fd, after, sizeof(after), offsets[kept]), sizeof(after));
		assert_memory_equal(before, after, sizeof(after));
		assert_int_equal(bootstate_read(fd, &out, &e), 0);
		assert_true(equal(&b, &out));
	}
}

static void test_a_damaged_copy_is_the_one_written(void **unused)
{
	(void)unused;
	for (int damaged = 0; damaged < 2; damaged++) {
		autoclose int fd = partition();
		struct bootstate b = state_number(3), out;
		struct err e = { 0 };

		assert_int_equal(bootstate_write(fd, &b, &e), 0);
		assert_int_equal(pwrite(fd, "garbage", 7, offsets[damaged]), 7);
		assert_int_equal(bootstate_read(fd, &out, &e), 0);
		assert_true(equal(&b, &out));
		b = state_number(99);
		assert_int_equal(bootstate_write(fd, &b, &e), 0);
		assert_int_equal(pwrite(fd, "garbage", 7, offsets[1 - damaged]), 7);
		assert_int_equal(bootstate_read(fd, &out, &e), 0);
		assert_true(equal(&b, &out));
	}
}

/* By its path: where it is no device, a file will do. */
static void test_a_lost_partition_is_made_anew(void **unused)
{
	char path[] = "/tmp/berth-state-XXXXXX";
	autoclose int fd = mkstemp(path);
	struct bootstate b = state_number(17), out;
	struct err e = { 0 };

	(void)unused;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	if (statefs_make(path, &b, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(bootstate_read(fd, &out, &e), 0);
	assert_true(equal(&b, &out));
	shell("for i in 0 1; do debugfs -R \"cat copy-$i\" %s 2>/dev/null | grep -q ^prefer=b || exit 1; done",
	      path);
	unlink(path);
}

/* ---- what Linux does to it ---- */

static void test_a_slot_that_is_written_is_not_booted(void **unused)
{
	struct bootstate b = { .prefer = SLOT_B, .slot = { { true, 0 }, { false, 2 } } };

	(void)unused;
	assert_int_equal(bootstate_disarm(&b, SLOT_B, NULL), 0);
	assert_int_equal(b.prefer, SLOT_A);
	assert_false(b.slot[SLOT_B].good);
	assert_int_equal(b.slot[SLOT_B].tries, 0);
	bootstate_arm(&b, SLOT_B);
	assert_int_equal(b.prefer, SLOT_B);
	assert_int_equal(b.slot[SLOT_B].tries, BOOTSTATE_TRIES);
}

static void test_only_beside_a_confirmed_slot(void **unused)
{
	struct bootstate b = { .prefer = SLOT_B, .slot = { { true, 0 }, { false, 2 } } };
	struct err e = { 0 };

	(void)unused;
	assert_int_equal(bootstate_disarm(&b, SLOT_A, &e), -EPERM);
	assert_non_null(strstr(e.text, "slot b, which is running, is not confirmed yet"));
	b = (struct bootstate){ .prefer = SLOT_A, .slot = { { false, 0 }, { false, 2 } } };
	assert_int_equal(bootstate_give_up(&b, SLOT_B, &e), -EPERM);
	assert_string_equal(e.text, "slot a holds no version that could be booted");
}

static void test_a_fallback_becomes_the_preferred(void **unused)
{
	struct bootstate b = { .prefer = SLOT_B, .slot = { { true, 0 }, { false, 1 } } };

	(void)unused;
	assert_false(bootstate_settle(&b, SLOT_A)); /* B still has a try */
	assert_int_equal(bootstate_give_up(&b, SLOT_B, NULL), 0);
	assert_int_equal(b.prefer, SLOT_B);
	assert_true(bootstate_settle(&b, SLOT_A));
	assert_int_equal(b.prefer, SLOT_A);
	assert_false(bootstate_settle(&b, SLOT_A));
}

static void test_a_try_is_given_back_up_to_three(void **unused)
{
	struct bootstate b = { .prefer = SLOT_B, .slot = { { true, 0 }, { false, 2 } } };

	(void)unused;
	assert_true(bootstate_give_back(&b, SLOT_B));
	assert_int_equal(b.slot[SLOT_B].tries, 3);
	assert_false(bootstate_give_back(&b, SLOT_B));
	assert_false(bootstate_give_back(&b, SLOT_A));
	assert_int_equal(b.slot[SLOT_A].tries, 0);
}

/* ---- a life with power cuts ---- */

/* What a slot holds. A version that CRASHES never reaches user space, one that is SICK boots and
 * fails its gate. */
enum content { NOTHING, HALF, SOUND, CRASHES, SICK };

/* What Linux is about to do in the running slot; OFF: the loader is next. */
enum doing { OFF, IDLE, FILLING, FILLED, RESCUE };

struct world {
	char copies[2][BOOTSTATE_BYTES];
	unsigned char content[2];
	unsigned char incoming; /* the version that is being installed */
	unsigned char running, doing;
	bool tried[2];          /* what the slots remember of boots without a state */
	unsigned char garbled;  /* sectors that a cut has left unreadable so far */
};

enum { GARBLED_MAX = 2 };

struct explorer {
	struct world *seen;
	size_t count, room, next;
	uint32_t *table; /* open hashing: index + 1 */
	size_t table_size;
	size_t boots;
};

static size_t hash(const struct world *w)
{
	const unsigned char *p = (const unsigned char *)w;
	uint64_t h = 14695981039346656037ULL;

	for (size_t i = 0; i < sizeof(*w); i++)
		h = (h ^ p[i]) * 1099511628211ULL;
	return (size_t)(h ^ h >> 29);
}

static void visit(struct explorer *x, const struct world *w)
{
	size_t i = hash(w) % x->table_size;

	for (; x->table[i]; i = (i + 1) % x->table_size)
		if (!memcmp(&x->seen[x->table[i] - 1], w, sizeof(*w)))
			return;
	assert_true(x->count < x->room);
	x->seen[x->count] = *w;
	x->table[i] = (uint32_t)++x->count;
}

static void cut(struct explorer *x, struct world w)
{
	w.doing = OFF;
	w.running = 0;
	w.incoming = NOTHING;
	visit(x, &w);
}

/* The sector arrives not at all, in half, as garbage, or whole with the power failing right after.
 * The caller goes on with it whole. Half: the new front and the old back, which keeps the signature.
 * Garbage twice can cost both copies. */
static void write_sector(struct explorer *x, struct world *w, int copy, const char *sector)
{
	struct world torn = *w;

	cut(x, *w);
	memcpy(torn.copies[copy], sector, 60);
	cut(x, torn);
	if (w->garbled < GARBLED_MAX) {
		memset(torn.copies[copy], '?', BOOTSTATE_BYTES);
		torn.garbled++;
		cut(x, torn);
	}
	memcpy(w->copies[copy], sector, BOOTSTATE_BYTES);
	cut(x, *w);
}

static struct bootstate state_of(const struct world *w)
{
	struct bootstate s[2];
	bool valid[2];
	unsigned seq[2];

	for (int i = 0; i < 2; i++)
		valid[i] = bootstate_parse(w->copies[i], &s[i], &seq[i]);
	assert_true(bootstate_newer(valid, seq) >= 0);
	return s[bootstate_newer(valid, seq)];
}

/* As bootstate_write does it on a disk. */
static void write_state(struct explorer *x, struct world *w, const struct bootstate *b)
{
	struct bootstate unused;
	char sector[BOOTSTATE_BYTES];
	bool valid[2];
	unsigned seq[2];
	int newer;

	for (int i = 0; i < 2; i++)
		valid[i] = bootstate_parse(w->copies[i], &unused, &seq[i]);
	newer = bootstate_newer(valid, seq);
	bootstate_format(b, seq[newer] + 1, sector);
	write_sector(x, w, 1 - newer, sector);
}

static void has_kernels(const struct world *w, bool kernel[2])
{
	/* The boot partition's first block is written last: half a slot shows no kernel. */
	for (int i = 0; i < 2; i++)
		kernel[i] = w->content[i] > HALF;
}

static void boot(struct explorer *x, struct world w)
{
	struct model_boot b;
	bool kernel[2], lost;

	has_kernels(&w, kernel);
	b = model_run(w.copies, kernel, w.tried);
	x->boots++;
	lost = !strcmp(b.why, "state-lost");
	assert_string_not_equal(b.why, "last-resort");
	assert_false(lost && !w.garbled);
	if (b.writes)
		write_sector(x, &w, b.copy, b.sector);
	w.running = b.slot == 'b';
	assert_true(w.content[w.running] > HALF);
	if (w.content[w.running] == CRASHES) {
		cut(x, w);
		return;
	}
	w.doing = lost ? RESCUE : IDLE;
	visit(x, &w);
}

/* As statefs_make does it. */
static void confirm_in_rescue(struct explorer *x, struct world w)
{
	char sector[BOOTSTATE_BYTES] = "";
	struct bootstate b = { 0 };

	bootstate_confirm(&b, w.running);
	for (int i = 0; i < 2; i++)
		write_sector(x, &w, i, sector);
	for (int i = 0; i < 2; i++) {
		bootstate_format(&b, (unsigned)i, sector);
		write_sector(x, &w, i, sector);
	}
	w.doing = IDLE;
	visit(x, &w);
}

static void clean_reboot(struct explorer *x, struct world w)
{
	struct bootstate b = state_of(&w);

	if (bootstate_give_back(&b, w.running))
		write_state(x, &w, &b);
	cut(x, w);
}

static void settle(struct explorer *x, struct world w)
{
	struct bootstate b = state_of(&w);

	if (!bootstate_settle(&b, w.running))
		return;
	write_state(x, &w, &b);
	visit(x, &w);
}

static void begin_install(struct explorer *x, struct world w, enum content version)
{
	struct bootstate b = state_of(&w);

	if (bootstate_disarm(&b, !w.running, NULL) < 0)
		return;
	write_state(x, &w, &b);
	w.incoming = (unsigned char)version;
	w.doing = FILLING;
	visit(x, &w);
}

static void judge(struct explorer *x, struct world w)
{
	struct bootstate b = state_of(&w);

	if (w.content[w.running] == SOUND) {
		bootstate_confirm(&b, w.running);
		write_state(x, &w, &b);
		visit(x, &w);
	} else if (bootstate_give_up(&b, w.running, NULL) == 0) {
		write_state(x, &w, &b);
		cut(x, w);
	}
}

static void go_on(struct explorer *x, struct world w)
{
	struct bootstate b;

	switch (w.doing) {
	case OFF:
		boot(x, w);
		return;
	case IDLE:
		cut(x, w);
		settle(x, w);
		judge(x, w);
		clean_reboot(x, w);
		for (enum content c = SOUND; c <= SICK; c++)
			begin_install(x, w, c);
		return;
	case RESCUE:
		cut(x, w);
		if (w.content[w.running] == SOUND)
			confirm_in_rescue(x, w);
		return;
	case FILLING:
		w.content[!w.running] = HALF;
		cut(x, w);
		w.doing = FILLED;
		visit(x, &w);
		return;
	case FILLED:
		w.content[!w.running] = w.incoming;
		cut(x, w);
		b = state_of(&w);
		bootstate_arm(&b, !w.running);
		write_state(x, &w, &b);
		w.doing = IDLE;
		w.incoming = NOTHING;
		visit(x, &w);
	}
}

/* From here the power never fails and nobody confirms: a sound version comes within the tries. */
static void comes_back(struct world w)
{
	for (int i = 0; i <= BOOTSTATE_TRIES; i++) {
		struct model_boot b;
		bool kernel[2];

		has_kernels(&w, kernel);
		b = model_run(w.copies, kernel, w.tried);
		if (b.writes)
			memcpy(w.copies[b.copy], b.sector, BOOTSTATE_BYTES);
		if (w.content[b.slot == 'b'] == SOUND)
			return;
	}
	fail_msg("no sound version within %d boots", BOOTSTATE_TRIES + 1);
}

static void test_no_cut_leaves_it_without_a_sound_version(void **unused)
{
	enum { ROOM = 1 << 18 };
	struct explorer x = { .room = ROOM, .table_size = ROOM * 4 };
	struct bootstate fresh = { .prefer = SLOT_A, .slot = { { true, 0 }, { false, 0 } } };
	struct world w = { .content = { SOUND, NOTHING } };

	(void)unused;
	x.seen = malloc(ROOM * sizeof(*x.seen));
	x.table = calloc(x.table_size, sizeof(*x.table));
	assert_true(x.seen && x.table);
	bootstate_format(&fresh, 0, w.copies[0]);
	bootstate_format(&fresh, 1, w.copies[1]);
	visit(&x, &w);
	for (; x.next < x.count; x.next++) {
		w = x.seen[x.next];
		comes_back(w);
		go_on(&x, w);
	}
	print_message("boot state: %zu states, %zu boots\n", x.count, x.boots);
	assert_true(x.count > 10000);
	free(x.seen);
	free(x.table);
}

/* Both copies gone: nothing half written is booted, and no slot that does not come up for ever. */
static void test_without_any_state_whole_slots_are_booted_in_turn(void **unused)
{
	static const struct {
		bool kernel[2];
		const char *slots; /* of one boot after the other */
	} rows[] = {
		{ { true, false }, "aaa" }, { { false, true }, "bbb" }, { { true, true }, "ababa" },
	};
	char copies[2][BOOTSTATE_BYTES] = { "", "" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool tried[2] = { false, false };

		for (const char *slot = rows[i].slots; *slot; slot++) {
			struct model_boot b = model_run(copies, rows[i].kernel, tried);

			assert_string_equal(b.why, "state-lost");
			assert_int_equal(b.slot, *slot);
			assert_false(b.writes);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_state_is_read_as_it_was_written),
		cmocka_unit_test(test_a_half_written_copy_never_counts),
		cmocka_unit_test(test_garbage_is_no_state),
		cmocka_unit_test(test_the_older_copy_is_overwritten),
		cmocka_unit_test(test_a_damaged_copy_is_the_one_written),
		cmocka_unit_test(test_a_lost_partition_is_made_anew),
		cmocka_unit_test(test_a_slot_that_is_written_is_not_booted),
		cmocka_unit_test(test_only_beside_a_confirmed_slot),
		cmocka_unit_test(test_a_fallback_becomes_the_preferred),
		cmocka_unit_test(test_a_try_is_given_back_up_to_three),
		cmocka_unit_test(test_no_cut_leaves_it_without_a_sound_version),
		cmocka_unit_test(test_without_any_state_whole_slots_are_booted_in_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
