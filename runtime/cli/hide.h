/* Takes secrets out of what leaves the machine for somebody else's eyes. A thing that only might be
 * one is hidden too: whoever helps can ask for it. What stands instead says "[hidden]". Pure. */
#pragma once

#include <stddef.h>

#include "base/buf.h"

/* Text of any kind, line by line: values of words such as "password", what stands before the @ of a
 * URL, password hashes, private keys in PEM, configurations on a command line. */
void hide_text(const char *text, size_t len, struct buf *out);

/* A JSON document, written anew with line breaks: the values of environments, commands, files'
 * contents and the like, by their keys; every other text as hide_text. 0, or -EINVAL when it is
 * no JSON: then nothing is added. */
int hide_json(const char *text, size_t len, struct buf *out);
