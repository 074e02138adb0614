#include "netup/state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yyjson.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "netup/manager.h"
#include "netup/netup.h"
#include "netup/resolver.h"

/* ---- files ---- */
static int write_file(const char *folder, const char *name, const char *text, struct err *e)
{
	autoclose int dir = -1;
	int code = path_mkdirs(folder, 0755, e);

	if (code < 0)
		return code;
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? err_sys(e, "open \"%s\"", folder) :
			 file_replace_at(dir, name, text, strlen(text), 0644, e);
}

/* Takes `text`. What could not be written is tried again in the next round. */
static void write_if_new(const char *folder, const char *name, char **before, char *text)
{
	struct err e = { "" };

	if (!text || (*before && strcmp(*before, text) == 0)) {
		free(text);
		return;
	}
	if (write_file(folder, name, text, &e) < 0) {
		log_error("%s", e.text);
		free(text);
		return;
	}
	free(*before);
	*before = text;
}

void state_remove(const char *run, const char *link)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/net/%s.json", run, link) < (int)sizeof(path))
		unlink(path);
}

/* ---- one link ---- */
static bool is_local(const struct netlink_addr *a)
{
	return a->family == AF_INET ? a->bytes[0] == 169 && a->bytes[1] == 254 :
				      a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

/* IFA_PROTO's numbers; linux/if_addr.h of an old kernel lacks the kernel's own. */
static const char *origin(const struct netlink_addr *a, uint8_t protocol)
{
	enum { KERNEL_RA = 2, KERNEL_LL = 3 };
	bool ipv6 = a->family == AF_INET6;

	switch (protocol) {
	case NETUP_STATIC:
		return "static";
	case NETUP_DHCP:
		return ipv6 ? "dhcp6" : "dhcp4";
	case KERNEL_RA:
		return "ra";
	case KERNEL_LL:
		return "link-local";
	default:
		return is_local(a) ? "link-local" : "other";
	}
}

static void note_address(int index, const struct netlink_addr *a, uint8_t protocol, void *arg)
{
	struct port *p = port_by_index(arg, index);
	char text[NETLINK_ADDR_TEXT_MAX];

	if (!p)
		return;
	buf_addf(&p->addresses, "%s{\"address\":\"%s\",\"from\":\"%s\"}", p->addresses.len ? "," : "",
		 netlink_addr_text(a, text), origin(a, protocol));
	if (is_local(a))
		return;
	buf_addf(&p->words, "%s%s (%s)", p->words.len ? ", " : "", text, origin(a, protocol));
	p->ready = p->ready || p->is.carrier;
}

static void look_at_addresses(struct manager *m)
{
	struct err e = { "" };

	for (size_t i = 0; i < m->count; i++) {
		buf_reset(&m->ports[i]->addresses);
		buf_reset(&m->ports[i]->words);
		m->ports[i]->ready = false;
	}
	if (netlink_addrs(m->list, 0, AF_INET, note_address, m, &e) < 0 ||
	    netlink_addrs(m->list, 0, AF_INET6, note_address, m, &e) < 0)
		log_error("%s", e.text);
}

static const char *state_of(const struct port *p)
{
	if (strcmp(plan_text(p->plan, "activation-mode"), "off") == 0)
		return "off";
	if (p->master)
		return p->is.carrier ? "member" : "no-carrier";
	if (!p->is.carrier)
		return "no-carrier";
	if (p->lease4.valid || p->lease6.valid)
		return "bound";
	if (p->ready && yyjson_arr_size(yyjson_obj_get(p->plan, "addresses")))
		return "static";
	if (!p->dhcp4.loop && !p->dhcp6.loop)
		return p->ready ? "ready" : "up";
	return p->lease4.state == LEASE_NO_ANSWER ? "no-answer" : "asking";
}

static void add_host(yyjson_mut_doc *doc, yyjson_mut_val *list, const struct netlink_addr *a)
{
	char text[NETLINK_ADDR_TEXT_MAX];

	netlink_addr_text(a, text);
	text[strcspn(text, "/")] = '\0';
	yyjson_mut_arr_add_strcpy(doc, list, text);
}

static void add_lease(yyjson_mut_doc *doc, yyjson_mut_val *o, const struct lease *l)
{
	yyjson_mut_val *dns = yyjson_mut_obj_add_arr(doc, o, "dns");
	yyjson_mut_val *ntp = yyjson_mut_obj_add_arr(doc, o, "ntp");
	yyjson_mut_val *search = yyjson_mut_obj_add_arr(doc, o, "search");
	char text[NETLINK_ADDR_TEXT_MAX];

	if (l->address.family)
		yyjson_mut_obj_add_strcpy(doc, o, "address", netlink_addr_text(&l->address, text));
	for (size_t i = 0; i < l->dns_count; i++)
		add_host(doc, dns, &l->dns[i]);
	for (size_t i = 0; i < l->ntp_count; i++)
		add_host(doc, ntp, &l->ntp[i]);
	for (size_t i = 0; i < l->search_count; i++)
		yyjson_mut_arr_add_str(doc, search, l->search[i]);
	if (l->seconds)
		yyjson_mut_obj_add_uint(doc, o, "lease_s", l->seconds);
}

/* The first address that is neither link-local nor for the next one to take. */
static void add_first_address(yyjson_mut_doc *doc, yyjson_mut_val *o, yyjson_mut_val *addresses)
{
	yyjson_mut_val *one;
	size_t i, max;

	yyjson_mut_arr_foreach(addresses, i, max, one) {
		if (yyjson_mut_equals_str(yyjson_mut_obj_get(one, "from"), "link-local"))
			continue;
		yyjson_mut_obj_add_val(doc, o, "address",
				       yyjson_mut_val_mut_copy(doc, yyjson_mut_obj_get(one, "address")));
		return;
	}
}

static char *link_text(const struct port *p)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *o = yyjson_mut_obj(doc), *addresses;
	autobuf struct buf list = { 0 };
	yyjson_doc *parsed;
	char *json;

	buf_addf(&list, "[%s]", buf_text(&p->addresses));
	parsed = yyjson_read(buf_text(&list), list.len, 0);
	addresses = yyjson_val_mut_copy(doc, yyjson_doc_get_root(parsed));
	yyjson_doc_free(parsed);
	yyjson_mut_doc_set_root(doc, o);
	yyjson_mut_obj_add_str(doc, o, "link", p->is.name);
	yyjson_mut_obj_add_str(doc, o, "state", state_of(p));
	yyjson_mut_obj_add_strcpy(doc, o, "kind", p->card ? "ethernet" : plan_text(p->plan, "kind"));
	if (p->master)
		yyjson_mut_obj_add_strcpy(doc, o, "master", plan_text(p->master, "name"));
	yyjson_mut_obj_add_bool(doc, o, "carrier", p->is.carrier);
	yyjson_mut_obj_add_bool(doc, o, "ready", p->ready);
	add_first_address(doc, o, addresses);
	yyjson_mut_obj_add_val(doc, o, "addresses", addresses);
	yyjson_mut_obj_add_uint(doc, o, "mtu", p->is.mtu);
	if (p->lease4.valid)
		add_lease(doc, yyjson_mut_obj_add_obj(doc, o, "dhcp4"), &p->lease4.lease);
	if (p->lease6.valid)
		add_lease(doc, yyjson_mut_obj_add_obj(doc, o, "dhcp6"), &p->lease6.lease);
	if (p->router.valid)
		add_lease(doc, yyjson_mut_obj_add_obj(doc, o, "ra"), &p->router.lease);
	if (p->problem[0])
		yyjson_mut_obj_add_str(doc, o, "problem", p->problem);
	json = yyjson_mut_write(doc, YYJSON_WRITE_NEWLINE_AT_END, NULL);
	yyjson_mut_doc_free(doc);
	return json;
}

/* What a person wants to see in the log: that a link got its first address, and what fails. */
static void tell(struct port *p, bool was_ready)
{
	if (p->ready && !was_ready)
		log_info("%s: ready, %s", p->is.name, buf_text(&p->words));
	if (strcmp(p->problem, p->told) == 0)
		return;
	if (p->problem[0])
		log_error("%s: %s", p->is.name, p->problem);
	memcpy(p->told, p->problem, sizeof(p->told));
}

/* ---- all of it ---- */
static bool is_required(yyjson_val *link)
{
	return !plan_bool(link, "optional", false) && !yyjson_obj_get(link, "activation-mode");
}

/* Whether a link that is defined can have an address of its own at all. */
static bool expects_address(const struct manager *m, yyjson_val *link)
{
	return !plan_master(&m->plan, plan_text(link, "name")) &&
	       (plan_dhcp4(link) || plan_dhcp6(link) == DHCP6_ON ||
		yyjson_arr_size(yyjson_obj_get(link, "addresses")));
}

static size_t list_waiting(const struct manager *m, yyjson_mut_doc *doc, yyjson_mut_val *waiting)
{
	yyjson_val *link;
	size_t i, max;

	yyjson_arr_foreach(m->plan.links, i, max, link) {
		struct port *p = port_by_plan(m, link);

		if (is_required(link) && expects_address(m, link) && !(p && p->ready))
			yyjson_mut_arr_add_strcpy(doc, waiting, plan_text(link, "name"));
	}
	return yyjson_mut_arr_size(waiting);
}

static char *network_text(struct manager *m)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *o = yyjson_mut_obj(doc);
	yyjson_mut_val *ready = yyjson_mut_arr(doc), *waiting = yyjson_mut_arr(doc);
	size_t missing;
	char *json;

	for (size_t i = 0; i < m->count; i++)
		if (m->ports[i]->ready)
			yyjson_mut_arr_add_str(doc, ready, m->ports[i]->is.name);
	missing = list_waiting(m, doc, waiting);
	m->online = !yyjson_mut_arr_size(ready) ? "offline" : missing ? "partial" : "online";
	yyjson_mut_doc_set_root(doc, o);
	yyjson_mut_obj_add_str(doc, o, "state", m->online);
	yyjson_mut_obj_add_val(doc, o, "ready", ready);
	yyjson_mut_obj_add_val(doc, o, "waiting", waiting);
	yyjson_mut_obj_add_bool(doc, o, "faulty", m->plan.faulty);
	json = yyjson_mut_write(doc, YYJSON_WRITE_NEWLINE_AT_END, NULL);
	yyjson_mut_doc_free(doc);
	return json;
}

static int by_name(const void *a, const void *b)
{
	const struct port *const *x = a, *const *y = b;

	return strcmp((*x)->is.name, (*y)->is.name);
}

/* Links in the order of their names: which of them answered first decides nothing. */
static void write_resolver(struct manager *m)
{
	struct port *sorted[NETUP_LINKS_MAX];
	struct resolver r = { 0 };

	memcpy(sorted, m->ports, m->count * sizeof(sorted[0]));
	qsort(sorted, m->count, sizeof(sorted[0]), by_name);
	for (size_t i = 0; i < m->count; i++)
		resolver_add_plan(&r, sorted[i]->plan);
	for (size_t i = 0; i < m->count; i++) {
		yyjson_val *plan = sorted[i]->plan;

		resolver_add_lease(&r, &sorted[i]->lease4, plan_overrides(plan, AF_INET));
		resolver_add_lease(&r, &sorted[i]->lease6, plan_overrides(plan, AF_INET6));
		resolver_add_lease(&r, &sorted[i]->router, yyjson_obj_get(plan, "ra-overrides"));
	}
	write_if_new(NETUP_RUN, "resolv.conf", &m->resolver_text, resolver_text(&r));
	if (!m->plan.own_time)
		resolver_write_time(&r);
	resolver_free(&r);
}

void state_report(struct manager *m)
{
	bool was_ready[NETUP_LINKS_MAX];
	char name[IFNAMSIZ + 8];

	for (size_t i = 0; i < m->count; i++)
		was_ready[i] = m->ports[i]->ready;
	look_at_addresses(m);
	for (size_t i = 0; i < m->count; i++) {
		struct port *p = m->ports[i];

		tell(p, was_ready[i]);
		snprintf(name, sizeof(name), "%s.json", p->is.name);
		write_if_new(NETUP_RUN "/net", name, &p->state_text, link_text(p));
	}
	write_resolver(m);
	write_if_new(NETUP_RUN, "network.json", &m->network_text, network_text(m));
}
