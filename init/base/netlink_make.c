/* Links of any kind, made and changed. */
#include <errno.h>
#include <linux/if_link.h>
#include <string.h>

#include "base/netlink_wire.h"

static void put_option(struct nlmsghdr *h, const struct netlink_option *o)
{
	uint8_t u8 = (uint8_t)o->value;
	uint16_t u16 = (uint16_t)o->value;
	uint32_t u32 = (uint32_t)o->value;
	const void *bytes = o->size == 1 ? (void *)&u8 : o->size == 2 ? (void *)&u16 :
			    o->size == 4 ? (void *)&u32 : (const void *)&o->value;

	nlattr_put(h, o->type, o->size, bytes);
}

static void put_options(struct nlmsghdr *h, const struct netlink_option *options, size_t count)
{
	for (size_t i = 0; i < count;) {
		uint16_t nest = options[i].nest;
		struct nlattr *inner = nest ? nlattr_nest(h, nest) : NULL;

		do {
			put_option(h, &options[i++]);
		} while (nest && i < count && options[i].nest == nest);
		if (inner)
			nlattr_nest_end(h, inner);
	}
}

static void put_info(struct nlmsghdr *h, const char *kind, const struct netlink_option *options,
		     size_t count)
{
	struct nlattr *info = nlattr_nest(h, IFLA_LINKINFO), *data;

	nlattr_put_text(h, IFLA_INFO_KIND, kind);
	if (count) {
		data = nlattr_nest(h, IFLA_INFO_DATA);
		put_options(h, options, count);
		nlattr_nest_end(h, data);
	}
	nlattr_nest_end(h, info);
}

int netlink_link_make(struct netlink *nl, const struct netlink_make *make, struct err *e)
{
	struct netlink_request rq;
	struct nlmsghdr *h = &rq.u.header;
	int code;

	if (strlen(make->name) == 0 || strlen(make->name) >= IFNAMSIZ)
		return err_set(e, -EINVAL, "\"%.40s\" is no name for a network link", make->name);
	netlink_begin(&rq, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	nlattr_put_text(h, IFLA_IFNAME, make->name);
	if (make->lower)
		nlattr_put_u32(h, IFLA_LINK, (uint32_t)make->lower);
	if (make->mac)
		nlattr_put(h, IFLA_ADDRESS, 6, make->mac);
	put_info(h, make->kind, make->options, make->option_count);
	code = netlink_talk(nl, &rq, NULL, NULL);
	return code < 0 ? err_code(e, code, "cannot make the %s \"%s\"", make->kind, make->name) : 0;
}

int netlink_link_set(struct netlink *nl, int index, const char *kind,
		     const struct netlink_option *options, size_t count, struct err *e)
{
	struct netlink_request rq;
	struct ifinfomsg *info = netlink_begin(&rq, RTM_NEWLINK, 0, sizeof(*info));
	int code;

	info->ifi_index = index;
	put_info(&rq.u.header, kind, options, count);
	code = netlink_talk(nl, &rq, NULL, NULL);
	return code < 0 ? err_code(e, code, "cannot set the %s's parameters", kind) : 0;
}

int netlink_port_set(struct netlink *nl, int index, const struct netlink_option *options,
		     size_t count, struct err *e)
{
	struct netlink_request rq;
	struct ifinfomsg *info = netlink_begin(&rq, RTM_SETLINK, 0, sizeof(*info));
	struct nlattr *port = nlattr_nest(&rq.u.header, IFLA_PROTINFO);
	int code;

	info->ifi_family = AF_BRIDGE;
	info->ifi_index = index;
	put_options(&rq.u.header, options, count);
	nlattr_nest_end(&rq.u.header, port);
	code = netlink_talk(nl, &rq, NULL, NULL);
	return code < 0 ? err_code(e, code, "cannot set the bridge port's parameters") : 0;
}
