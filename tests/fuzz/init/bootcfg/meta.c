/* libFuzzer: providers' metadata. The first byte chooses the format; a line of "%%" parts the
 * two texts. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bootcfg/meta.h"
#include "bootcfg/node.h"
#include "bootcfg/section.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is written as meta-data is YAML, whatever came in. */
static void check_meta(const struct section *s)
{
	autobuf struct buf text = { 0 };
	const struct node *root;
	struct node_error error;
	struct node_tree *tree;

	buf_add(&text, s->data, s->len);
	if (node_parse(buf_text(&text), text.len, &tree, &root, &error) < 0)
		abort();
	node_tree_free(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autobuf struct buf text = { 0 }, more = { 0 }, sections = { 0 };
	struct meta_input in = { .text = &text, .more = &more, .now = "2026-11-23T23:15:00" };
	const uint8_t *part;
	struct section s;
	size_t at = 0;

	if (size == 0)
		return 0;
	in.format = (enum meta_format)(*data % (META_AZURE_GOAL + 1));
	data++;
	size--;
	part = memmem(data, size, "\n%%\n", 4);
	buf_add(&text, data, part ? (size_t)(part - data) : size);
	if (part)
		buf_add(&more, part + 4, size - (size_t)(part - data) - 4);
	if (meta_read(&in, &sections, NULL) < 0)
		return 0;
	while (section_next(&sections, &at, &s))
		if (strcmp(s.name, "meta-data") == 0)
			check_meta(&s);
	if (at != sections.len)
		abort();
	return 0;
}
