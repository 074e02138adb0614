#include "bootcfg/read.h"
#include "bootcfg/types.h"

const struct type type_text = {
	.kind = TYPE_SCALAR, .name = "text", .expected = "a text", .read = read_text,
	.dollars = true,
};
const struct type type_bool = {
	.kind = TYPE_SCALAR, .name = "true or false", .expected = "true or false",
	.read = read_bool,
};
const struct type type_duration = {
	.kind = TYPE_SCALAR, .name = "duration", .read = read_duration,
	.expected = "a duration such as \"10s\" or \"1m30s\"",
};
const struct type type_bytes = {
	.kind = TYPE_SCALAR, .name = "byte size", .read = read_bytes, .min = 1,
	.expected = "a byte size such as \"64m\" or \"1.5g\"",
};
const struct type type_bytes_unlimited = {
	.kind = TYPE_SCALAR, .name = "byte size", .read = read_bytes_or_unlimited, .min = 1,
	.expected = "a byte size such as \"64m\", or -1 for no limit",
};
const struct type type_texts = {
	.kind = TYPE_LIST, .name = "list of texts", .expected = "a list of texts",
	.item = &type_text,
};
const struct type type_path = {
	.kind = TYPE_SCALAR, .name = "path", .read = read_text, .check = check_absolute_path,
	.expected = "an absolute path", .dollars = true,
};
const struct type type_hostname = {
	.kind = TYPE_SCALAR, .name = "host name", .read = read_text, .check = check_hostname,
	.expected = "a host name such as \"web-1\"",
};
/* Not shown: what stands there by mistake is a private key. */
const struct type type_certificates = {
	.kind = TYPE_SCALAR, .name = "certificates", .read = read_text, .check = check_certificate,
	.secret = true, .expected = "certificates in PEM format",
};
static const struct type type_address = {
	.kind = TYPE_SCALAR, .name = "IP address", .read = read_text, .check = check_address,
	.expected = "an IP address such as \"192.0.2.1\"",
};
const struct type type_address_list = {
	.kind = TYPE_LIST, .name = "list of IP addresses", .item = &type_address, .single = true,
	.expected = "a list of IP addresses",
};
