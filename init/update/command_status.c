/* status: the slots, automatic updates, what is refused, the last boots; for people, or as JSON. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <yyjson.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "update/auto_report.h"
#include "update/boots.h"
#include "update/command.h"
#include "update/lookback.h"
#include "update/store.h"
#include "update/trust.h"

enum { BOOTS_SHOWN = 5, DATE_CHARS = 19, DIGEST_CHARS = 12, REPORT_BYTES_MAX = 16 * 1024 };

struct page {
	struct machine machine;
	struct trust self;
	struct refusals refused;
	struct slot_record record[SLOT_COUNT];
	bool recorded[SLOT_COUNT];
	int boots;
	struct buf automatic; /* the service's report, empty: off */
};

static const char *version_of(const struct page *p, enum slot s)
{
	if (s == p->machine.slots.running)
		return p->self.running;
	return p->recorded[s] ? p->record[s].version : "";
}

static void state_words(const struct page *p, enum slot s, char out[64])
{
	const struct bootstate *b = &p->machine.state;

	if (b->slot[s].good)
		snprintf(out, 64, "confirmed");
	else if (s == p->machine.slots.running)
		snprintf(out, 64, "on trial, %u more boots", b->slot[s].tries);
	else if (b->slot[s].tries)
		snprintf(out, 64, "to be tried, %u boots", b->slot[s].tries);
	else
		snprintf(out, 64, "not bootable");
}

/* ---- for people ---- */

static void print_slots(const struct page *p)
{
	printf("SLOT  VERSION                     STATE\n");
	for (enum slot s = SLOT_A; s < SLOT_COUNT; s++) {
		char words[64];

		state_words(p, s, words);
		printf("%c     %-27s %s%s%s\n", slot_letter(s), *version_of(p, s) ? version_of(p, s) : "-", words,
		       s == p->machine.slots.running ? ", running" : "",
		       s == p->machine.state.prefer ? ", boots next" : "");
		if (p->recorded[s] && p->record[s].result == RESULT_FAILED)
			printf("      failed: %s\n", p->record[s].reason);
	}
}

static void print_refused(const struct page *p)
{
	if (p->refused.count)
		printf("\nREFUSED       VERSION                     WHY\n");
	for (unsigned i = 0; i < p->refused.count; i++)
		printf("%.*s  %-27s %s\n", DIGEST_CHARS, p->refused.rows[i].digest, p->refused.rows[i].version,
		       p->refused.rows[i].reason);
}

static void print_boot(void *arg, unsigned number, const char *json, size_t len)
{
	yyjson_doc *doc = yyjson_read(json, len, 0);
	yyjson_val *root = yyjson_doc_get_root(doc);
	const char *slot = yyjson_get_str(yyjson_obj_get(root, "slot"));
	const char *why = yyjson_get_str(yyjson_obj_get(root, "why"));
	const char *version = yyjson_get_str(yyjson_obj_get(root, "version"));
	const char *outcome = yyjson_get_str(yyjson_obj_get(root, "outcome"));
	const char *reason = yyjson_get_str(yyjson_obj_get(root, "reason"));
	char date[CLOCK_RFC3339_MAX];

	(void)arg;
	if (slot && why && version && outcome && reason)
		printf("%-5u %.*s  %s     %-27s %-11s %s%s%s\n", number, DATE_CHARS,
		       clock_rfc3339(yyjson_get_sint(yyjson_obj_get(root, "time_ns")), date), slot, version,
		       why, outcome, *reason ? ": " : "", reason);
	yyjson_doc_free(doc);
}

static void print_page(const struct page *p)
{
	print_slots(p);
	putchar('\n');
	auto_report_print(buf_text(&p->automatic), p->automatic.len, clock_wall_ns() / 1000000000, stdout);
	print_refused(p);
	if (p->boots < 0)
		return;
	printf("\nBOOT  TIME (UTC)           SLOT  VERSION                     CHOSEN AS   OUTCOME\n");
	boots_each(p->boots, BOOTS_SHOWN, print_boot, NULL, NULL);
	printf("\nLogs of boots on trial: " BOOTS_PATH "/NUMBER.logs\n");
}

/* ---- as JSON ---- */

static void add_text(struct buf *out, const char *key, const char *value)
{
	buf_addf(out, "\"%s\":", key);
	buf_add_json_string(out, value, strlen(value));
}

static void add_slot(struct buf *out, const struct page *p, enum slot s)
{
	const struct bootstate *b = &p->machine.state;

	buf_addf(out, "%s{\"slot\":\"%c\",\"running\":%s,\"preferred\":%s,\"confirmed\":%s,\"tries\":%u,",
		 s ? "," : "", slot_letter(s), s == p->machine.slots.running ? "true" : "false",
		 s == b->prefer ? "true" : "false", b->slot[s].good ? "true" : "false", b->slot[s].tries);
	add_text(out, "version", version_of(p, s));
	if (p->recorded[s]) {
		buf_addc(out, ',');
		add_text(out, "digest", p->record[s].digest);
		buf_addc(out, ',');
		add_text(out, "result", result_name(p->record[s].result));
		buf_addc(out, ',');
		add_text(out, "reason", p->record[s].reason);
		buf_addc(out, ',');
		add_text(out, "config", p->record[s].config);
	}
	buf_addc(out, '}');
}

static void add_boot(void *arg, unsigned number, const char *json, size_t len)
{
	struct buf *out = arg;

	(void)number;
	buf_addf(out, "%s", out->data && out->data[out->len - 1] == '[' ? "" : ",");
	buf_add(out, json, len && json[len - 1] == '\n' ? len - 1 : len);
}

static void print_json(const struct page *p)
{
	autobuf struct buf out = { 0 };

	buf_adds(&out, "{\"slots\":[");
	for (enum slot s = SLOT_A; s < SLOT_COUNT; s++)
		add_slot(&out, p, s);
	buf_addf(&out, "],\"automatic\":%s,\"refused\":[",
		 p->automatic.len ? buf_text(&p->automatic) : "{\"level\":\"off\"}");
	for (unsigned i = 0; i < p->refused.count; i++) {
		buf_adds(&out, i ? ",{" : "{");
		add_text(&out, "digest", p->refused.rows[i].digest);
		buf_addc(&out, ',');
		add_text(&out, "version", p->refused.rows[i].version);
		buf_addc(&out, ',');
		add_text(&out, "reason", p->refused.rows[i].reason);
		buf_addc(&out, '}');
	}
	buf_adds(&out, "],\"boots\":[");
	if (p->boots >= 0)
		boots_each(p->boots, BOOTS_KEPT, add_boot, &out, NULL);
	buf_adds(&out, "]}");
	puts(buf_text(&out));
}

/* A version that failed without a data partition left a note, which stays while there is none. */
static void read_slots(struct page *p)
{
	struct slot_record note;
	enum slot s;

	for (s = SLOT_A; s < SLOT_COUNT && p->machine.store >= 0; s++)
		p->recorded[s] = store_read_slot(p->machine.store, s, &p->record[s], NULL) == 0;
	if (lookback_note(&p->machine.slots, &s, &note, NULL) < 0 || p->recorded[s])
		return;
	p->record[s] = note;
	p->recorded[s] = true;
}

int command_status(int argc, char **argv)
{
	bool json = command_flag(&argc, argv, "--json");
	struct page p = { .machine = { .store = -1 }, .boots = -1 };
	struct err e = { "" };

	if (!command_words(argc, argv, 0, 0))
		return EXIT_USAGE;
	if (machine_open(&p.machine, &e) < 0 || trust_of_this_machine(&p.self, &e) < 0) {
		machine_close(&p.machine);
		return command_failed(&e);
	}
	if (p.machine.store >= 0)
		store_read_refusals(p.machine.store, &p.refused);
	read_slots(&p);
	file_read_at(AT_FDCWD, AUTO_REPORT_PATH, REPORT_BYTES_MAX, &p.automatic, NULL);
	p.boots = open(BOOTS_PATH, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (json)
		print_json(&p);
	else
		print_page(&p);
	if (p.boots >= 0)
		close(p.boots);
	buf_free(&p.automatic);
	machine_close(&p.machine);
	return EXIT_OK;
}
