#include "bootcfg/yaml_words.h"

#include <string.h>

#include "base/cleanup.h"

enum place {
	AT_PROBLEM, /* where the scanner stopped */
	AT_CONTEXT, /* where the thing began that was not ended */
};

/* libyaml 0.2.5's messages (scanner.c, parser.c, reader.c). An empty context matches any. */
static const struct {
	const char *problem, *context;
	enum place place;
	const char *sentence;
} words[] = {
	{ "found a tab character that violates indentation", "", AT_PROBLEM,
	  "a tab character is used for indentation; YAML wants spaces" },
	{ "found character that cannot start any token", "", AT_PROBLEM,
	  "this character cannot begin a value; a text that begins with @, ` or % needs quotes" },
	{ "mapping values are not allowed in this context", "", AT_PROBLEM,
	  "a \":\" stands where no key is expected; does the line above lack its \":\", is it "
	  "indented differently, or does a text with \": \" need quotes?" },
	{ "could not find expected ':'", "", AT_CONTEXT,
	  "a key is not followed by \": \" (colon and space)" },
	{ "did not find expected '-' indicator", "", AT_PROBLEM,
	  "an item of this list does not begin with \"- \" in the column of the others" },
	{ "did not find expected key", "", AT_PROBLEM,
	  "a key is expected here; this line is not indented like the keys of its mapping" },
	{ "did not find expected ',' or ']'", "", AT_CONTEXT,
	  "a \"[\" that begins here has no \"]\", or \",\" is missing in it" },
	{ "did not find expected ',' or '}'", "", AT_CONTEXT,
	  "a \"{\" that begins here has no \"}\", or \",\" is missing in it" },
	{ "found unexpected end of stream", "while scanning a quoted scalar", AT_CONTEXT,
	  "a quotation mark that opens here is never closed" },
	{ "found unexpected document indicator", "while scanning a quoted scalar", AT_CONTEXT,
	  "a quotation mark that opens here is never closed" },
	{ "found unknown escape character", "", AT_PROBLEM,
	  "an unknown \\ escape stands in a text in double quotes; single quotes have none" },
	{ "block sequence entries are not allowed in this context", "", AT_PROBLEM,
	  "a list item \"- \" cannot begin here; put it on a line of its own" },
	{ "block mapping entries are not allowed in this context", "", AT_PROBLEM,
	  "a key cannot begin here; put it on a line of its own" },
	{ "did not find expected <document start>", "", AT_PROBLEM,
	  "there is text after the end of the document; is this line indented less than the "
	  "first one?" },
	{ "found undefined tag handle", "", AT_PROBLEM,
	  "a tag (\"!...\") is used that YAML does not know; quote the text if it begins with !" },
	{ "found duplicate %YAML directive", "", AT_PROBLEM, "there are two %YAML lines" },
	{ "found incompatible YAML document", "", AT_PROBLEM,
	  "this is a version of YAML that is not supported; 1.1 and 1.2 are" },
	{ "control characters are not allowed", "", AT_PROBLEM,
	  "there is a control character that no YAML text may hold" },
	{ "invalid leading UTF-8 octet", "", AT_PROBLEM, "this is not UTF-8 text" },
	{ "invalid trailing UTF-8 octet", "", AT_PROBLEM, "this is not UTF-8 text" },
	{ "incomplete UTF-8 octet sequence", "", AT_PROBLEM, "this is not UTF-8 text" },
	{ "Maximum nesting level reached, set with yaml_set_max_nest_level())", "", AT_PROBLEM,
	  "values are nested too deeply" },
};

/* libyaml reports most tabs as "cannot start any token". */
static int tab_ahead(const yaml_parser_t *p)
{
	return p->buffer.pointer < p->buffer.last && *p->buffer.pointer == '\t';
}

/* The reader, which runs ahead, knows the byte's offset only. */
static yaml_mark_t offset_place(const char *text, size_t offset)
{
	yaml_mark_t at = { .index = offset };

	for (size_t i = 0; i < offset; i++) {
		at.column++;
		if ((text[i] & 0xc0) == 0x80)
			at.column--;
		if (text[i] == '\n') {
			at.line++;
			at.column = 0;
		}
	}
	return at;
}

const char *yaml_words(const yaml_parser_t *parser, const char *text, size_t len,
		       yaml_mark_t *at)
{
	const char *problem = parser->problem ? parser->problem : "";
	const char *context = parser->context ? parser->context : "";

	*at = parser->problem_mark;
	if (parser->error == YAML_READER_ERROR)
		*at = offset_place(text, parser->problem_offset < len ? parser->problem_offset : len);
	if (parser->error == YAML_MEMORY_ERROR)
		return "there is not enough memory for this text";
	if (parser->error == YAML_SCANNER_ERROR && tab_ahead(parser))
		return "a tab character is used for indentation; YAML wants spaces";
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i].problem, problem) != 0)
			continue;
		if (words[i].context[0] && strcmp(words[i].context, context) != 0)
			continue;
		if (words[i].place == AT_CONTEXT && context[0])
			*at = parser->context_mark;
		return words[i].sentence;
	}
	return problem[0] ? problem : "this is not YAML";
}
