/* Nobody is locked out: the SSH keys of a text that is no YAML any more. */
#pragma once

#include <stddef.h>
#include <yyjson.h>

/* The valid public keys in the lines that follow a line "ssh_authorized_keys:" at the left margin,
 * up to the next line that begins there with anything but "-", "#" or a blank. Only there: a key
 * elsewhere in the text may be meant for somebody else. Never NULL unless out of memory. */
yyjson_mut_val *salvage_ssh_keys(yyjson_mut_doc *doc, const char *text, size_t len);
