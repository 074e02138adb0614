/* The lists of an archive of images, as the jail reads them: no fault; each line that comes of
 * them is a word and one printable text. */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "unpack/loadplan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_lines(const char *text)
{
	static const char *const words[] = { "image ", "layer ", "name ", "manifest ", "index " };

	while (*text) {
		size_t n = strcspn(text, "\n"), known = 0;

		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			known += !strncmp(text, words[i], strlen(words[i])) && n > strlen(words[i]);
		for (size_t i = 0; i < n; i++)
			if (iscntrl((unsigned char)text[i]))
				abort();
		if (!known || text[n] != '\n')
			abort();
		text += n + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *copy = malloc(len + 1);

	if (!copy)
		return 0;
	memcpy(copy, data, len);
	copy[len] = '\0';
	for (int way = 0; way < 3; way++) {
		struct buf out = { 0 };
		struct err e = { 0 };

		if (loadplan_lines(copy, len, "linux/amd64", way == 0, way == 1, &out, &e) == 0)
			check_lines(buf_text(&out));
		buf_free(&out);
	}
	free(copy);
	return 0;
}
