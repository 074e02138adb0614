/* libFuzzer: user-data in its wrappings (base64, gzip, MIME, archive, include), in this process.
 * Each part that comes out goes through the configuration's parser too. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bootcfg/config.h"
#include "bootcfg/parts.h"
#include "bootcfg/section.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_config(const struct section *s)
{
	autobuf struct buf text = { 0 }, answer = { 0 };
	struct config_text in = { .file = "fuzz" };

	buf_add(&text, s->data, s->len);
	in.text = buf_text(&text);
	in.len = text.len;
	config_read(&in, &answer, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autobuf struct buf raw = { 0 }, sections = { 0 };
	struct section s;
	size_t at = 0;

	buf_add(&raw, data, size);
	if (parts_split(&raw, &sections, NULL) < 0)
		return 0;
	while (section_next(&sections, &at, &s))
		if (strcmp(s.name, "config") == 0 && s.len < 4096)
			read_config(&s);
	/* What the child writes, the parent reads to its end. */
	if (at != sections.len)
		abort();
	return 0;
}
