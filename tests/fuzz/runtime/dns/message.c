/* A packet as a container may send it: no fault; a question that is read is one name, whose answers are
 * well-formed, and no answer is longer than the room that there is. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "dns/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_answer(const struct buf *answer, const uint8_t *query, size_t len, size_t room)
{
	if (answer->len > room || !dns_belongs((const uint8_t *)answer->data, answer->len, query, len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint32_t ips[100] = { 1, 2, 3 };
	autobuf struct buf empty = { 0 }, addresses = { 0 }, name = { 0 };
	struct dns_query q;
	uint32_t ip;

	if (dns_query_read(data, len, &q) != DNS_OK)
		return 0;
	if (strlen(q.name) >= DNS_NAME_MAX || q.question_end > len)
		abort();
	dns_answer_empty(&empty, data, &q, DNS_SERVER_FAILURE);
	check_answer(&empty, data, len, DNS_UDP_LEAST);
	dns_answer_addresses(&addresses, data, &q, ips, 100, q.answer_room);
	check_answer(&addresses, data, len, q.answer_room);
	dns_answer_name(&name, data, &q, "web.blue");
	check_answer(&name, data, len, DNS_UDP_LEAST + 64);
	dns_reverse(q.name, &ip);
	return 0;
}
