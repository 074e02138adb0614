#include "netup/manager.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "netup/netup.h"

enum { AGAIN_FIRST_MS = 1000, AGAIN_MOST_MS = 30000, ROUNDS_MAX = 8 };

/* ---- DHCP ---- */
static bool has_carrier(const struct port *p)
{
	return p->is.carrier && (p->is.flags & IFF_UP);
}

/* A cable that comes back may lead elsewhere: the client asks whether its lease still holds. */
static void see_carrier(struct port *p)
{
	bool carrier = has_carrier(p), changed = p->is.carrier_changes != p->carrier_changes;

	if (carrier && (!p->had_carrier || changed)) {
		client_renew(&p->dhcp4);
		client_renew(&p->dhcp6);
	}
	if (!carrier && p->had_carrier)
		log_warn("%s: no carrier (is the cable in?)", p->is.name);
	p->had_carrier = carrier;
	p->carrier_changes = p->is.carrier_changes;
}

static const char *hostname_of(yyjson_val *overrides)
{
	const char *name = plan_text(overrides, "hostname");

	if (!plan_bool(overrides, "send-hostname", true))
		return "";
	return *name ? name : NULL;
}

/* A client is started with the first carrier and stays until it is not wanted any more. */
static void see_client(struct manager *m, struct port *p, struct client *c, int family, bool wanted,
		       bool stateless)
{
	yyjson_val *overrides = plan_overrides(p->plan, family);
	struct client_wish wish = { .link = p->is.name, .family = family, .stateless = stateless,
				    .hostname = hostname_of(overrides) };

	if (!wanted)
		client_drop(c);
	else if (c->loop || has_carrier(p))
		client_want(c, m->loop, &wish);
}

static void see_dhcp(struct manager *m, struct port *p)
{
	enum plan_dhcp6 dhcp6 = plan_dhcp6(p->plan);
	bool asked = p->is.asks_managed || p->is.asks_other, carries = port_carries(p);

	see_client(m, p, &p->dhcp4, AF_INET, carries && plan_dhcp4(p->plan), false);
	see_client(m, p, &p->dhcp6, AF_INET6,
		   carries && (dhcp6 == DHCP6_ON || (dhcp6 == DHCP6_IF_ASKED && asked)),
		   p->is.asks_other && !p->is.asks_managed);
	lease_load(NETUP_LEASES, p->is.name, AF_INET, &p->lease4);
	lease_load(NETUP_LEASES, p->is.name, AF_INET6, &p->lease6);
	/* A file of a client that is gone. */
	p->lease4.valid = p->lease4.valid && p->dhcp4.loop;
	p->lease6.valid = p->lease6.valid && p->dhcp6.loop;
}

/* ---- routers ---- */
static bool hears_routers(const struct port *p)
{
	return port_carries(p) &&
	       (plan_bool(p->plan, "accept-ra", true) || plan_bool(p->plan, "faulty", false));
}

bool manager_hears(struct manager *m, int index, const uint8_t *option, size_t size)
{
	struct port *p = port_by_index(m, index);

	return p && hears_routers(p) && advert_note(&p->adverts, option, size, clock_boot_ms());
}

static void see_adverts(struct port *p)
{
	if (!hears_routers(p))
		advert_free(&p->adverts);
	advert_collect(&p->adverts, p->is.name, clock_boot_ms(), &p->router);
}

/* ---- rounds ---- */
static void on_again(struct loop *l, void *arg)
{
	struct manager *m = arg;

	(void)l;
	m->again = NULL;
	manager_settle(m);
}

/* The next time that a lease runs out, in ms from now; -1: none does. */
static int64_t next_end(const struct manager *m)
{
	int64_t now = clock_boot_ms(), soonest = -1;

	for (size_t i = 0; i < m->count; i++) {
		const struct port *p = m->ports[i];
		const struct lease_file *files[] = { &p->lease4, &p->lease6, &p->router };

		for (size_t k = 0; k < ARRAY_LEN(files); k++) {
			int64_t left = files[k]->until_ms - now;

			if (files[k]->valid && files[k]->until_ms &&
			    (soonest < 0 || left < soonest))
				soonest = left < 0 ? 0 : left;
		}
	}
	return soonest;
}

static void plan_next_round(struct manager *m)
{
	int64_t end = next_end(m), ms = -1;

	loop_remove(m->loop, take_ptr(m->again));
	if (m->unsettled) {
		m->again_ms = m->again_ms * 2 > AGAIN_MOST_MS ? AGAIN_MOST_MS : m->again_ms * 2;
		ms = m->again_ms;
	} else {
		m->again_ms = AGAIN_FIRST_MS / 2;
	}
	if (end >= 0 && (ms < 0 || end < ms))
		ms = end;
	if (ms >= 0)
		m->again = loop_timer(m->loop, ms + 1, on_again, m);
}

/* A link that was made may carry others, so until nothing is missing. */
static int make_all(struct manager *m)
{
	int rounds = 0, code = links_look(m);

	while (code == 0 && make_links(m) && ++rounds < ROUNDS_MAX)
		code = links_look(m);
	return code;
}

static void bring(struct manager *m, struct wanted *w)
{
	firewall_apply(m);
	shape_links(m);
	for (size_t i = 0; i < m->count; i++) {
		see_carrier(m->ports[i]);
		see_dhcp(m, m->ports[i]);
		see_adverts(m->ports[i]);
	}
	wanted_collect(m, w);
	apply_wanted(m, w);
	state_report(m);
}

void manager_settle(struct manager *m)
{
	autofree struct wanted *w = calloc(1, sizeof(*w));

	if (!w) {
		log_error("there is not enough memory to set up the network");
		return;
	}
	m->unsettled = false;
	if (make_all(m) == 0)
		bring(m, w);
	plan_next_round(m);
}

int manager_load(struct manager *m, struct err *e)
{
	struct plan plan;
	int code = plan_load(NETUP_CONFIG, &plan, e);

	for (size_t i = 0; i < m->count; i++)
		m->ports[i]->plan = m->ports[i]->master = NULL;
	plan_free(&m->plan);
	m->plan = plan;
	m->plan_number++;
	m->again_ms = AGAIN_FIRST_MS / 2;
	manager_settle(m);
	return code;
}

void manager_free(struct manager *m)
{
	for (size_t i = 0; i < m->count; i++) {
		struct port *p = m->ports[i];

		client_stop(&p->dhcp4);
		client_stop(&p->dhcp6);
		advert_free(&p->adverts);
		buf_free(&p->addresses);
		buf_free(&p->words);
		free(p->state_text);
		free(p);
	}
	if (m->loop)
		loop_remove(m->loop, take_ptr(m->again));
	plan_free(&m->plan);
	buf_free(&m->made);
	buf_free(&m->guarded);
	free(m->network_text);
	free(m->resolver_text);
	free(m->firewall_text);
}
