/* What image-build/disk/grub.cfg does, function by function, on two sectors in memory; the machine
 * test tests/update/test_loader.py holds the real one to the same rows. GRUB knows text only, so
 * values stay characters here; '\0' is a variable that is not set. */
#pragma once

#include <stdbool.h>
#include <string.h>

enum { MODEL_SECTOR = 512 };

static const char model_head[] = "# GRUB Environment Block\n";

struct model_values {
	char seq, prefer, a_good, a_tries, b_good, b_tries, end;
};

struct model_boot {
	char slot, other; /* tried in this order */
	const char *why;
	bool writes;      /* a try is counted: `sector` to copy `copy` before the kernel is loaded */
	int copy;
	char sector[MODEL_SECTOR];
};

static inline char model_get(const char *sector, const char *key)
{
	char text[MODEL_SECTOR + 1];
	size_t len = strlen(key);

	memcpy(text, sector, MODEL_SECTOR);
	text[MODEL_SECTOR] = '\0';
	for (char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (!strncmp(line, key, len) && line[len] == '=')
			return line[len + 1];
	return '\0';
}

static inline bool model_signed(const char *sector)
{
	return !memcmp(sector, model_head, sizeof(model_head) - 1);
}

static inline struct model_values model_load(const char *sector)
{
	if (!model_signed(sector)) /* load_env refuses it: nothing is set */
		return (struct model_values){ 0 };
	return (struct model_values){
		model_get(sector, "seq"),     model_get(sector, "prefer"),
		model_get(sector, "a_good"),  model_get(sector, "a_tries"),
		model_get(sector, "b_good"),  model_get(sector, "b_tries"),
		model_get(sector, "end"),
	};
}

static inline char model_successor(char seq)
{
	return seq == '0' ? '1' : seq == '1' ? '2' : seq == '2' ? '3' : '0';
}

static inline void model_save(const struct model_values *v, char out[MODEL_SECTOR])
{
	static const char *const keys[] = { "seq", "prefer", "a_good", "a_tries",
					    "b_good", "b_tries", "end" };
	const char values[] = { v->seq, v->prefer, v->a_good, v->a_tries, v->b_good, v->b_tries, v->end };
	char *p = out + sizeof(model_head) - 1;

	memset(out, '#', MODEL_SECTOR);
	memcpy(out, model_head, sizeof(model_head) - 1);
	for (size_t i = 0; i < sizeof(values); i++) {
		size_t len = strlen(keys[i]);

		memcpy(p, keys[i], len);
		p += len;
		*p++ = '=';
		*p++ = values[i];
		*p++ = '\n';
	}
}

static inline bool model_usable(const struct model_values *v, char slot, const bool kernel[2])
{
	char good = slot == 'b' ? v->b_good : v->a_good;
	char tries = slot == 'b' ? v->b_tries : v->a_tries;

	return (good == '1' || tries == '3' || tries == '2' || tries == '1') && kernel[slot == 'b'];
}

/* load_state, choose_slot and count_try. `tried`: what each slot remembers of boots without a state. */
static inline struct model_boot model_run(char copies[2][MODEL_SECTOR], const bool kernel[2],
					  bool tried[2])
{
	struct model_values v[2] = { model_load(copies[0]), model_load(copies[1]) }, s;
	bool whole[2] = { v[0].seq && v[0].end == v[0].seq, v[1].seq && v[1].end == v[1].seq };
	bool lost = !whole[0] && !whole[1];
	int older = 0;
	struct model_boot b = { .why = "preferred" };
	char *good, *tries;

	if (whole[0] && (!whole[1] || model_successor(v[0].seq) != v[1].seq))
		older = 1;
	s = v[1 - older];
	if (lost)
		s.prefer = tried[0] && !tried[1] ? 'b' : 'a', s.a_good = s.b_good = '1';
	b.slot = s.prefer == 'b' ? 'b' : 'a';
	b.other = b.slot == 'a' ? 'b' : 'a';
	if (!model_usable(&s, b.slot, kernel)) {
		b.why = "last-resort";
		if (model_usable(&s, b.other, kernel)) {
			b.why = "fallback";
			b.other = b.slot;
			b.slot = b.slot == 'a' ? 'b' : 'a';
		}
	}
	if (lost) {
		b.why = "state-lost";
		tried[b.slot == 'b'] = kernel[b.slot == 'b'];
		tried[b.slot != 'b'] = false;
	}
	good = b.slot == 'b' ? &s.b_good : &s.a_good;
	tries = b.slot == 'b' ? &s.b_tries : &s.a_tries;
	if (*good != '1' && !lost) {
		*tries = *tries == '3' ? '2' : *tries == '2' ? '1' : '0';
		s.seq = s.end = model_successor(s.seq);
		b.writes = true;
		/* save_env does not write where its signature is gone. */
		b.copy = model_signed(copies[older]) ? older : 1 - older;
		model_save(&s, b.sector);
	}
	return b;
}
