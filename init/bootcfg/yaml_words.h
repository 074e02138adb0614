/* What libyaml complains about, said to a person who has never read the YAML specification. */
#pragma once

#include <yaml.h>

/* The sentence for the parser's present error (a constant, or libyaml's own words for a rare
 * one) and the place where the person should look. */
const char *yaml_words(const yaml_parser_t *parser, const char *text, size_t len,
		       yaml_mark_t *at);
