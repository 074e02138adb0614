#include "netup/event.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "netup/lease.h"

/* The client's clock and ours differ by the time that it takes to start this program. */
enum { EARLY_MS = 2000 };

struct event {
	const char *dir, *link;
	int family;
	char *const *environment;
	struct lease_file before;
};

static const char *value_of(char *const *environment, const char *name)
{
	size_t len = strlen(name);

	for (; *environment; environment++)
		if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
			return *environment + len + 1;
	return "";
}

static void tell_ignored(const struct event *ev, const struct buf *ignored)
{
	const char *line = buf_text(ignored), *end;

	for (; (end = strchr(line, '\n')); line = end + 1)
		log_warn("%s: %.*s", ev->link, (int)(end - line), line);
}

/* A lease: new, or the same again. */
static int on_lease(struct event *ev, struct err *e)
{
	autobuf struct buf ignored = { 0 };
	struct lease_file f = { .state = LEASE_BOUND, .valid = true };
	int code = lease_read(ev->environment, ev->family, &f.lease, &ignored, e);

	if (code < 0)
		return code;
	if (ev->before.state != LEASE_BOUND)
		tell_ignored(ev, &ignored);
	/* All ones is "for ever" (RFC 2131, section 3.3). */
	if (f.lease.seconds && f.lease.seconds != UINT32_MAX)
		f.until_ms = clock_boot_ms() + (int64_t)f.lease.seconds * 1000 - EARLY_MS;
	return lease_save(ev->dir, ev->link, ev->family, &f, e);
}

/* The client begins, or its lease has run out: only its time tells which. */
static int on_start(struct event *ev, struct err *e)
{
	struct lease_file f = ev->before;

	if (f.state == LEASE_BOUND && !f.valid)
		log_warn("%s: the lease has run out, asking for a new one", ev->link);
	f.state = LEASE_ASKING;
	return lease_save(ev->dir, ev->link, ev->family, &f, e);
}

/* The server takes the lease back. */
static int on_refusal(struct event *ev, struct err *e)
{
	struct lease_file f = { .state = LEASE_ASKING };

	if (ev->before.valid)
		log_warn("%s: the server refuses the address, asking for another", ev->link);
	return lease_save(ev->dir, ev->link, ev->family, &f, e);
}

static int on_no_answer(struct event *ev, struct err *e)
{
	struct lease_file f = ev->before;

	if (f.state == LEASE_NO_ANSWER)
		return 0;
	f.state = LEASE_NO_ANSWER;
	log_warn("%s: no %s server answers; asking on", ev->link,
		 ev->family == AF_INET ? "DHCP" : "DHCPv6");
	return lease_save(ev->dir, ev->link, ev->family, &f, e);
}

static const struct {
	const char *name;
	int (*handle)(struct event *ev, struct err *e);
} events[] = {
	{ "bound", on_lease },    { "renew", on_lease },          { "deconfig", on_start },
	{ "nak", on_refusal },    { "leasefail", on_no_answer },
};

int event_handle(const char *dir, const char *name, char *const *environment)
{
	struct event ev = {
		.dir = dir,
		.link = value_of(environment, "interface"),
		.family = strcmp(value_of(environment, "BERTH_DHCP"), "6") == 0 ? AF_INET6 : AF_INET,
		.environment = environment,
	};
	struct err e = { "" };

	if (!lease_is_link_name(ev.link)) {
		log_error("the DHCP client named no network link");
		return 1;
	}
	lease_load(dir, ev.link, ev.family, &ev.before);
	for (size_t i = 0; i < ARRAY_LEN(events); i++) {
		if (strcmp(events[i].name, name) != 0)
			continue;
		if (events[i].handle(&ev, &e) == 0)
			return 0;
		log_error("%s: %s", ev.link, e.text);
		return 1;
	}
	return 0;
}
