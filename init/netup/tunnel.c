#include "netup/tunnel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/wireguard.h"
#include "netup/plan.h"

enum { PEERS_MAX = 64, ALLOWED_MAX = 64, KEY_FILE_MAX = 4096, KEY_TEXT = 44 };

struct peers {
	struct wireguard_peer items[PEERS_MAX];
	struct netlink_addr allowed[PEERS_MAX][ALLOWED_MAX];
};

static int digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* 43 digits of 6 bits and a "=": 32 bytes. */
static bool decode_key(const char *text, uint8_t out[WIREGUARD_KEY_BYTES])
{
	uint32_t bits = 0;
	size_t n = 0;

	for (int i = 0; i < KEY_TEXT - 1; i++) {
		int d = digit(text[i]);

		if (d < 0)
			return false;
		bits = bits << 6 | (uint32_t)d;
		if (i % 4 == 0)
			continue;
		out[n++] = (uint8_t)(bits >> (6 - i % 4 * 2));
		if (n == WIREGUARD_KEY_BYTES)
			break;
	}
	return true;
}

/* The key itself, or the path of the file that holds it. */
static int take_key(yyjson_val *object, const char *name, uint8_t out[WIREGUARD_KEY_BYTES],
		    struct err *e)
{
	const char *text = plan_text(object, name);
	autobuf struct buf file = { 0 };
	int code;

	if (*text == '/') {
		code = file_read_at(AT_FDCWD, text, KEY_FILE_MAX, &file, e);
		if (code < 0)
			return code;
		text = buf_text(&file);
	}
	if (strcspn(text, "=") != KEY_TEXT - 1 || !decode_key(text, out))
		return err_set(e, -EINVAL, "the tunnel's %s key is no WireGuard key", name);
	return 0;
}

/* "192.0.2.1:51820", "[2001:db8::1]:51820" */
static void take_endpoint(const char *text, struct wireguard_peer *p)
{
	const char *colon = strrchr(text, ':');
	char host[NETLINK_ADDR_TEXT_MAX];
	struct netlink_addr a;
	size_t len;

	text += *text == '[';
	len = strcspn(text, colon && colon > text && colon[-1] == ']' ? "]" : ":");
	if (!colon || len >= sizeof(host))
		return;
	memcpy(host, text, len);
	host[len] = '\0';
	if (netlink_addr_parse(host, &a) < 0)
		return;
	p->endpoint.any.sa_family = (sa_family_t)a.family;
	if (a.family == AF_INET) {
		memcpy(&p->endpoint.v4.sin_addr, a.bytes, 4);
		p->endpoint.v4.sin_port = htons((uint16_t)atoi(colon + 1));
	} else {
		memcpy(&p->endpoint.v6.sin6_addr, a.bytes, 16);
		p->endpoint.v6.sin6_port = htons((uint16_t)atoi(colon + 1));
	}
}

static int take_peer(yyjson_val *from, struct wireguard_peer *p, struct netlink_addr *allowed,
		     struct err *e)
{
	yyjson_val *keys = yyjson_obj_get(from, "keys"), *v;
	int code = take_key(keys, "public", p->public_key, e);
	size_t i, max;

	if (code == 0 && yyjson_obj_get(keys, "shared"))
		code = take_key(keys, "shared", p->shared_key, e);
	if (code < 0)
		return code;
	take_endpoint(plan_text(from, "endpoint"), p);
	p->keepalive_s = (uint16_t)plan_number(from, "keepalive", 0);
	p->allowed = allowed;
	yyjson_arr_foreach(yyjson_obj_get(from, "allowed-ips"), i, max, v) {
		if (p->allowed_count < ALLOWED_MAX && yyjson_is_str(v) &&
		    netlink_addr_parse(yyjson_get_str(v), &allowed[p->allowed_count]) == 0)
			p->allowed_count++;
	}
	return 0;
}

int tunnel_set(yyjson_val *link, struct err *e)
{
	autofree struct peers *peers = calloc(1, sizeof(*peers));
	struct wireguard w = { .port = (uint16_t)plan_number(link, "port", 0),
			       .mark = (uint32_t)plan_number(link, "mark", 0) };
	yyjson_val *one;
	size_t i, max;
	int code = peers ? take_key(link, "key", w.private_key, e) :
			   err_set(e, -ENOMEM, "there is not enough memory for the tunnel's peers");

	yyjson_arr_foreach(yyjson_obj_get(link, "peers"), i, max, one) {
		if (code == 0 && i < PEERS_MAX)
			code = take_peer(one, &peers->items[w.peer_count++], peers->allowed[i], e);
	}
	if (code < 0)
		return code;
	w.peers = peers->items;
	return wireguard_set(plan_text(link, "name"), &w, e);
}
