/* libFuzzer: an option of a router's advertisement. Its words are one line of printable characters,
 * whatever came in. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "netup/advert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autobuf struct buf words = { 0 }, ignored = { 0 };
	char *environment[2] = { NULL };
	struct lease l = { 0 };

	if (advert_read(data, size, &words) < 0)
		return 0;
	for (const char *p = buf_text(&words); *p; p++)
		if (*p < ' ' || *p > '~')
			abort();
	if (strlen(buf_text(&words)) != words.len)
		abort();
	environment[0] = (char *)buf_text(&words);
	lease_add_names(environment, &l, &ignored);
	return 0;
}
