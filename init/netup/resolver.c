#include "netup/resolver.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/initctl.h"
#include "base/log.h"
#include "netup/plan.h"

/* musl looks at three name servers and at 255 bytes of search domains. */
enum { SERVERS_MAX = 3, SEARCH_MAX = 240, NTP_CONF_MAX = 65536 };

static const char pool[] = "server pool.ntp.org\n"; /* as init/bootcfg writes it */

static bool has_word(const struct buf *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = buf_text(text); (p = strstr(p, word)); p += len)
		if ((p == text->data || p[-1] == ' ') && (!p[len] || strchr(" \n", p[len])))
			return true;
	return false;
}

static void add_server(struct resolver *r, const char *address)
{
	if (r->server_count == SERVERS_MAX || has_word(&r->servers, address))
		return;
	buf_addf(&r->servers, "nameserver %s\n", address);
	r->server_count++;
}

static void add_search(struct resolver *r, const char *name)
{
	if (!has_word(&r->search, name) && r->search.len + strlen(name) < SEARCH_MAX)
		buf_addf(&r->search, " %s", name);
}

void resolver_add_plan(struct resolver *r, yyjson_val *link)
{
	yyjson_val *servers = yyjson_obj_get(link, "nameservers"), *v;
	size_t i, max;

	yyjson_arr_foreach(yyjson_obj_get(servers, "addresses"), i, max, v) {
		if (yyjson_is_str(v))
			add_server(r, yyjson_get_str(v));
	}
	yyjson_arr_foreach(yyjson_obj_get(servers, "search"), i, max, v) {
		if (yyjson_is_str(v))
			add_search(r, yyjson_get_str(v));
	}
}

static const char *host_text(const struct netlink_addr *a, char out[NETLINK_ADDR_TEXT_MAX])
{
	netlink_addr_text(a, out);
	out[strcspn(out, "/")] = '\0';
	return out;
}

void resolver_add_lease(struct resolver *r, const struct lease_file *f, yyjson_val *overrides)
{
	const struct lease *l = &f->lease;
	char text[NETLINK_ADDR_TEXT_MAX];

	if (!f->valid)
		return;
	for (size_t i = 0; i < l->dns_count && plan_bool(overrides, "use-dns", true); i++)
		add_server(r, host_text(&l->dns[i], text));
	for (size_t i = 0; i < l->search_count && plan_bool(overrides, "use-domains", true); i++)
		add_search(r, l->search[i]);
	for (size_t i = 0; i < l->ntp_count && plan_bool(overrides, "use-ntp", true); i++)
		if (!has_word(&r->time, host_text(&l->ntp[i], text)))
			buf_addf(&r->time, "server %s\n", text);
}

char *resolver_text(const struct resolver *r)
{
	struct buf text = { 0 };

	buf_adds(&text, buf_text(&r->servers));
	if (r->search.len)
		buf_addf(&text, "search%s\n", buf_text(&r->search));
	if (!text.len)
		buf_adds(&text, "# no name server is known\n");
	return buf_take(&text);
}

void resolver_write_time(const struct resolver *r)
{
	const char *text = r->time.len ? buf_text(&r->time) : pool;
	autobuf struct buf before = { 0 }, answer = { 0 };
	autoclose int etc = open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err e = { "" };

	/* No file: the service is off, which is not ours to change. */
	if (etc < 0 || file_read_at(etc, "ntp.conf", NTP_CONF_MAX, &before, NULL) < 0 ||
	    strcmp(buf_text(&before), text) == 0)
		return;
	if (file_replace_at(etc, "ntp.conf", text, strlen(text), 0644, &e) < 0 ||
	    initctl_ask("restart time", &answer, &e) < 0)
		log_warn("the time servers cannot be changed: %s", e.text);
}

void resolver_free(struct resolver *r)
{
	buf_free(&r->servers);
	buf_free(&r->search);
	buf_free(&r->time);
}
