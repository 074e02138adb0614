/* A router's option into words. Runs in a jail. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "netup/advert.h"

enum { HEAD = 8, NAME_SERVERS = 25, SEARCH_DOMAINS = 31, LABEL_MAX = 63 };

static bool is_link_local(const uint8_t *address)
{
	return address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

/* A link-local address says nothing without its link, which resolv.conf's readers do not all take:
 * the others in the option are good all the same. */
static int read_servers(const uint8_t *p, const uint8_t *end, struct buf *out)
{
	char text[INET6_ADDRSTRLEN];

	if (end == p || (end - p) % 16)
		return -EINVAL;
	buf_adds(out, "dns=");
	for (const uint8_t *first = p; p < end; p += 16)
		if (!is_link_local(p))
			buf_addf(out, "%s%s", p > first && buf_text(out)[out->len - 1] != '=' ? " " : "",
				 inet_ntop(AF_INET6, p, text, sizeof(text)));
	return 0;
}

/* One name; *p goes behind it. What a name may be made of is checked later: here it is kept from
 * looking like something else than one word. */
static int read_name(const uint8_t **p, const uint8_t *end, struct buf *out)
{
	size_t labels = 0;

	while (*p < end && **p) {
		size_t size = *(*p)++;

		if (size > LABEL_MAX || size > (size_t)(end - *p))
			return -EINVAL;
		buf_adds(out, labels++ ? "." : " ");
		for (; size; size--, (*p)++) {
			if (**p <= ' ' || **p >= 0x7f || **p == '.')
				return -EINVAL;
			buf_addc(out, (char)**p);
		}
	}
	if (*p == end || !labels)
		return -EINVAL;
	(*p)++;
	return 0;
}

/* Zeros fill the last eight bytes. */
static int read_domains(const uint8_t *p, const uint8_t *end, struct buf *out)
{
	int code = p == end ? -EINVAL : 0;

	buf_adds(out, "search=");
	while (code == 0 && p < end && *p)
		code = read_name(&p, end, out);
	for (; code == 0 && p < end; p++)
		code = *p ? -EINVAL : 0;
	return code;
}

int advert_read(const uint8_t *option, size_t size, struct buf *out)
{
	if (size < HEAD || size != option[1] * 8U)
		return -EINVAL;
	switch (option[0]) {
	case NAME_SERVERS:
		return read_servers(option + HEAD, option + size, out);
	case SEARCH_DOMAINS:
		return read_domains(option + HEAD, option + size, out);
	default:
		return -EINVAL;
	}
}
