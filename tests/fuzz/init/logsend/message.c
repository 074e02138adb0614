/* libFuzzer: a record of a log, of each kind, as a syslog message. What comes out fits one. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "logsend/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum record_kind kinds[] = { RECORD_KERNEL, RECORD_SERVICE, RECORD_CONTAINER };
	const struct message_of of = { .host = "host", .app = "app" };
	autobuf struct buf text = { 0 };
	char name[RECORD_NAME_MAX];

	buf_add(&text, data, size);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		autobuf struct buf message = { 0 };

		if (message_make(&of, kinds[i], buf_text(&text), text.len, &message) &&
		    (message.len > MESSAGE_MAX || message.data[0] != '<'))
			abort();
	}
	if (message_name(buf_text(&text), text.len, name) && strlen(name) >= sizeof(name))
		abort();
	return 0;
}
