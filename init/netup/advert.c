#include "netup/advert.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/jail.h"
#include "base/log.h"

/* The time that an option holds stands in bytes 4 to 7, behind kind, size and two that are free. */
enum { HEAD = 8, TIME_AT = 4, NAME_SERVERS = 25, SEARCH_DOMAINS = 31 };
enum { WORDS_MAX = 8192, READ_MS = 5000 };

static void drop(struct adverts *a, size_t i)
{
	free(a->options[i].words);
	a->count--;
	memmove(&a->options[i], &a->options[i + 1], (a->count - i) * sizeof(a->options[0]));
}

static size_t find(const struct adverts *a, const uint8_t *option, size_t size)
{
	size_t i = 0;

	while (i < a->count && (a->options[i].size != size || a->options[i].bytes[0] != option[0] ||
				memcmp(a->options[i].bytes + HEAD, option + HEAD, size - HEAD) != 0))
		i++;
	return i;
}

static size_t ends_first(const struct adverts *a)
{
	size_t first = 0;

	for (size_t i = 1; i < a->count; i++)
		if (a->options[i].until_ms < a->options[first].until_ms)
			first = i;
	return first;
}

static void add(struct adverts *a, const uint8_t *option, size_t size, int64_t until_ms)
{
	struct advert_option *o;

	if (a->count == ADVERT_OPTIONS_MAX)
		drop(a, ends_first(a));
	o = &a->options[a->count++];
	*o = (struct advert_option){ .size = size, .until_ms = until_ms };
	memcpy(o->bytes, option, size);
}

bool advert_note(struct adverts *a, const uint8_t *option, size_t size, int64_t now_ms)
{
	uint32_t seconds;
	int64_t until_ms;
	size_t i;

	if (size < HEAD || size > ADVERT_BYTES_MAX ||
	    (option[0] != NAME_SERVERS && option[0] != SEARCH_DOMAINS))
		return false;
	memcpy(&seconds, option + TIME_AT, sizeof(seconds));
	seconds = ntohl(seconds);
	until_ms = seconds == UINT32_MAX ? INT64_MAX : now_ms + (int64_t)seconds * 1000;
	i = find(a, option, size);
	if (i < a->count && seconds) {
		a->options[i].until_ms = until_ms;
		return false;
	}
	if (i < a->count)
		drop(a, i);
	else if (seconds)
		add(a, option, size, until_ms);
	else
		return false;
	return true;
}

/* ---- what holds now ---- */
static int read_in_jail(void *arg, struct buf *out, struct err *e)
{
	const struct advert_option *o = arg;

	return advert_read(o->bytes, o->size, out) < 0 ?
		err_set(e, -EINVAL, "a router's option %u is malformed; it is ignored", o->bytes[0]) : 0;
}

static char *read_option(struct advert_option *o, const char *link)
{
	const struct jail_task task = { .jail = JAIL_PARSE, .fn = read_in_jail, .arg = o,
					.max_bytes = WORDS_MAX, .timeout_ms = READ_MS };
	autobuf struct buf words = { 0 };
	struct err e = { "" };

	if (jail_run(&task, &words, &e) == 0)
		return buf_take(&words);
	log_warn("%s: %s", link, e.text);
	return NULL;
}

static void drop_ended(struct adverts *a, int64_t now_ms)
{
	for (size_t i = 0; i < a->count;)
		if (a->options[i].until_ms <= now_ms)
			drop(a, i);
		else
			i++;
}


/* An option that says nonsense costs no other, and is told once. */
static void take(struct advert_option *o, const char *link, struct lease *l)
{
	autobuf struct buf ignored = { 0 };
	bool known = o->read;
	char *words[2] = { NULL };

	if (!known)
		o->words = read_option(o, link);
	o->read = true;
	words[0] = o->words;
	lease_add_names(words, l, &ignored);
	if (ignored.len && !known)
		log_warn("%s: a router's option %u holds nonsense; it is ignored", link, o->bytes[0]);
}

void advert_collect(struct adverts *a, const char *link, int64_t now_ms, struct lease_file *out)
{
	int64_t until_ms = INT64_MAX;

	*out = (struct lease_file){ .state = LEASE_BOUND };
	drop_ended(a, now_ms);
	for (size_t i = 0; i < a->count; i++) {
		take(&a->options[i], link, &out->lease);
		if (a->options[i].until_ms < until_ms)
			until_ms = a->options[i].until_ms;
	}
	out->valid = a->count > 0;
	out->until_ms = until_ms == INT64_MAX ? 0 : until_ms;
}

void advert_free(struct adverts *a)
{
	while (a->count)
		drop(a, a->count - 1);
}
