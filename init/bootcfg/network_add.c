/* Puts addresses, routes and name servers into a link: what version 1 and OpenStack's form, which
 * have masks and lists of their own, become. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "bootcfg/network.h"
#include "bootcfg/read.h"

enum { CIDR_MAX = 64 };

int mask_bits(const char *text)
{
	unsigned char bytes[16];
	size_t size = inet_pton(AF_INET, text, bytes) == 1  ? 4 :
		      inet_pton(AF_INET6, text, bytes) == 1 ? 16 : 0;
	int64_t number;
	int bits = 0;

	if (!size)
		return parse_int(text, 0, 128, &number) == 0 ? (int)number : -1;
	while (bits < (int)size * 8 && bytes[bits / 8] & (0x80 >> bits % 8))
		bits++;
	for (int i = bits; i < (int)size * 8; i++)
		if (bytes[i / 8] & (0x80 >> i % 8))
			return -1;
	return bits;
}

bool network_contains(const char *cidr_text, const char *host)
{
	int family = address_family(host), bits;
	unsigned char a[16], b[16];
	char text[CIDR_MAX];
	size_t len = strcspn(cidr_text, "/");

	if (!family || address_family(cidr_text) != family || check_cidr(cidr_text))
		return false;
	memcpy(text, cidr_text, len);
	text[len] = '\0';
	bits = mask_bits(cidr_text + len + 1);
	inet_pton(family, text, a);
	inet_pton(family, host, b);
	for (int i = 0; i < bits; i++)
		if ((a[i / 8] ^ b[i / 8]) & (0x80 >> i % 8))
			return false;
	return true;
}

yyjson_mut_val *network_list(struct walk *w, yyjson_mut_val *object, const char *key)
{
	yyjson_mut_val *list = yyjson_mut_obj_get(object, key);

	return list ? list : yyjson_mut_obj_add_arr(w->doc, object, key);
}

/* "10.0.0.1" and "255.0.0.0": "10.0.0.1/8". NULL: no address, or no mask. */
static yyjson_mut_val *cidr(struct walk *w, const char *address, const char *mask)
{
	char text[CIDR_MAX];
	int bits = mask ? mask_bits(mask) : -1;

	if (mask && bits < 0)
		return NULL;
	if (strchr(address, '/') || !mask)
		snprintf(text, sizeof(text), "%s", address);
	else
		snprintf(text, sizeof(text), "%s/%d", address, bits);
	return check_cidr(text) ? NULL : walk_text(w, text, strlen(text));
}

bool network_add_address(struct walk *w, yyjson_mut_val *link, const char *address,
			 const char *mask)
{
	yyjson_mut_val *text = cidr(w, address, mask), *o;

	if (!text)
		return false;
	o = yyjson_mut_arr_add_obj(w->doc, network_list(w, link, "addresses"));
	return yyjson_mut_obj_add_val(w->doc, o, "address", text);
}

bool network_add_route(struct walk *w, yyjson_mut_val *link, const char *to, const char *mask,
		       const char *via, yyjson_mut_val *metric)
{
	bool whole = strcmp(to, "default") == 0;
	yyjson_mut_val *text, *o;

	if (whole)
		to = via && address_family(via) == AF_INET6 ? "::/0" : "0.0.0.0/0";
	text = !whole && !mask && !strchr(to, '/') && !check_address(to) ?
		walk_text(w, to, strlen(to)) : cidr(w, to, whole ? NULL : mask);
	if (!text || (via && address_family(via) != address_family(to)))
		return false;
	o = yyjson_mut_arr_add_obj(w->doc, network_list(w, link, "routes"));
	yyjson_mut_obj_add_val(w->doc, o, "to", text);
	if (via)
		yyjson_mut_obj_add_strcpy(w->doc, o, "via", via);
	if (metric)
		yyjson_mut_obj_add_val(w->doc, o, "metric", yyjson_mut_val_mut_copy(w->doc, metric));
	return true;
}

void network_add_names(struct walk *w, yyjson_mut_val *link, const char *list,
		       yyjson_mut_val *items)
{
	yyjson_mut_val *servers = yyjson_mut_obj_get(link, "nameservers"), *into, *item;
	size_t i, max;

	if (yyjson_mut_arr_size(items) == 0)
		return;
	if (!servers)
		servers = yyjson_mut_obj_add_obj(w->doc, link, "nameservers");
	into = network_list(w, servers, list);
	yyjson_mut_arr_foreach(items, i, max, item) {
		yyjson_mut_arr_add_strcpy(w->doc, into, yyjson_mut_get_str(item));
	}
}
