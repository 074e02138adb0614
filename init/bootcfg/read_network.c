/* Values of a network's configuration. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/base64.h"
#include "bootcfg/network.h"
#include "bootcfg/read.h"

enum { TEXT_MAX = 64, WG_KEY_BYTES = 32 };

int address_family(const char *text)
{
	unsigned char bytes[16];
	char host[TEXT_MAX];
	size_t len = strcspn(text, "/");

	if (len >= sizeof(host))
		return 0;
	memcpy(host, text, len);
	host[len] = '\0';
	return inet_pton(AF_INET, host, bytes) == 1  ? AF_INET :
	       inet_pton(AF_INET6, host, bytes) == 1 ? AF_INET6 : 0;
}

const struct node *node_value(const struct node *n, const char *key)
{
	if (!n || n->kind != NODE_MAP)
		return NULL;
	for (size_t i = 0; i < n->count; i++)
		if (strcmp(n->pairs[i].key->text, key) == 0)
			return n->pairs[i].value;
	return NULL;
}

const char *check_ipv4(const char *text)
{
	return address_family(text) == AF_INET && !strchr(text, '/') ? NULL :
		"it is no IPv4 address";
}

/* Bits after the slash that the family has, at most two or three digits. */
static bool prefix_fits(const char *digits, int family)
{
	int64_t bits;

	return strlen(digits) < 4 && *digits >= '0' && *digits <= '9' &&
	       parse_int(digits, 0, family == AF_INET ? 32 : 128, &bits) == 0;
}

const char *check_cidr(const char *text)
{
	const char *slash = strchr(text, '/');
	int family = address_family(text);

	if (!family)
		return "it is no IP address";
	if (!slash)
		return "the network's size is missing, such as \"/24\" behind the address";
	return prefix_fits(slash + 1, family) ? NULL : "the number behind the \"/\" is no prefix";
}

const char *check_network(const char *text)
{
	return strchr(text, '/') ? check_cidr(text) : check_address(text);
}

const char *check_mac(const char *text)
{
	unsigned first = 0;

	for (size_t i = 0; i < 17; i++)
		if (i % 3 == 2 ? text[i] != ':' && text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return "a MAC address is six pairs of hexadecimal digits";
	if (text[17])
		return "a MAC address is six pairs of hexadecimal digits";
	sscanf(text, "%2x", &first);
	return first & 1 ? "the address is that of a group, no card has it" : NULL;
}

yyjson_mut_val *read_mac(struct walk *w, const struct type *t, const struct node *n,
			 struct err *why)
{
	const char *reason = check_mac(n->text);
	char mac[18];

	(void)t;
	if (reason) {
		err_set(why, -EINVAL, "%s", reason);
		return NULL;
	}
	for (size_t i = 0; i < sizeof(mac); i++)
		mac[i] = n->text[i] == '-' ? ':' : (char)tolower((unsigned char)n->text[i]);
	return walk_text(w, mac, sizeof(mac) - 1);
}

/* As the kernel's dev_valid_name, without what nobody can type. */
const char *check_link_name(const char *text)
{
	if (strlen(text) == 0 || strlen(text) > 15)
		return "a link's name has 1 to 15 characters";
	if (*text == '.' || *text == '-')
		return "a link's name does not begin with \".\" or \"-\"";
	if (strcmp(text, "lo") == 0)
		return "\"lo\" is the host's own";
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("._-@", *text))
			return "a link's name holds letters, digits and \"._-@\"";
	return NULL;
}

const char *check_label(const char *text)
{
	return strlen(text) > 15 ? "a label has at most 15 characters" : check_no_blank(text);
}

const char *check_link_id(const char *text)
{
	return strlen(text) > 64 ? "it is too long" : check_no_blank(text);
}

const char *check_wg_key(const char *text)
{
	unsigned char bytes[WG_KEY_BYTES + 1];
	size_t len = 0;

	if (strlen(text) != 44 || base64_decode(text, 44, bytes, sizeof(bytes), &len) < 0 ||
	    len != WG_KEY_BYTES)
		return "a WireGuard key is 44 characters of base64, as \"wg genkey\" prints it";
	return NULL;
}

const char *check_wg_private(const char *text)
{
	return *text == '/' ? check_absolute_path(text) : check_wg_key(text);
}

/* "192.0.2.1:51820", "[2001:db8::1]:51820" */
const char *check_wg_endpoint(const char *text)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;
	bool brackets = *text == '[';
	char host[TEXT_MAX];
	int64_t port;

	if (!colon || parse_int(colon + 1, 1, 65535, &port) < 0)
		return "the port is missing, such as \":51820\" behind the address";
	if (brackets && (len < 2 || text[len - 1] != ']'))
		return "the \"]\" behind the IPv6 address is missing";
	text += brackets;
	len -= brackets ? 2 : 0;
	if (len < sizeof(host)) {
		memcpy(host, text, len);
		host[len] = '\0';
		if (address_family(host) == (brackets ? AF_INET6 : AF_INET) && !strchr(host, '/'))
			return NULL;
	}
	return "it must be an IP address: there may be no name server when the tunnel is made";
}

yyjson_mut_val *read_cidr_item(struct walk *w, const struct type *t, const struct node *n,
			       struct err *why)
{
	const char *reason = check_cidr(n->text);
	yyjson_mut_val *o, *list;

	(void)t;
	if (reason) {
		err_set(why, -EINVAL, "%s", reason);
		return NULL;
	}
	list = yyjson_mut_arr(w->doc);
	o = yyjson_mut_arr_add_obj(w->doc, list);
	yyjson_mut_obj_add_val(w->doc, o, "address", walk_text(w, n->text, n->len));
	return list;
}

/* "default" stays; every way to write a whole family becomes one. */
yyjson_mut_val *read_destination(struct walk *w, const struct type *t, const struct node *n,
				 struct err *why)
{
	const char *reason;

	(void)t;
	if (strcmp(n->text, "default") == 0)
		return yyjson_mut_str(w->doc, "default");
	if (strcmp(n->text, "0/0") == 0)
		return yyjson_mut_str(w->doc, "0.0.0.0/0");
	reason = check_network(n->text);
	if (!reason)
		return walk_text(w, n->text, n->len);
	err_set(why, -EINVAL, "%s", reason);
	return NULL;
}

yyjson_mut_val *read_interval(struct walk *w, const struct type *t, const struct node *n,
			      struct err *why)
{
	static const struct {
		const char *suffix;
		int64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "min", 60000 } };
	size_t digits = strspn(n->text, "0123456789");
	int64_t unit = n->text[digits] ? 0 : t->min, value;
	char number[16];

	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (strcmp(n->text + digits, units[i].suffix) == 0)
			unit = units[i].ms;
	if (!unit || !digits || digits >= sizeof(number) - 1)
		return NULL;
	memcpy(number, n->text, digits);
	number[digits] = '\0';
	value = strtoll(number, NULL, 10) * unit;
	if (value <= t->max)
		return yyjson_mut_sint(w->doc, value);
	err_set(why, -ERANGE, "it is too long");
	return NULL;
}
