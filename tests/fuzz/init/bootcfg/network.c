/* libFuzzer: a network's text of its own. The first byte says the form: "{" OpenStack's, anything
 * else netplan's or version 1. Whatever comes in, what goes out is JSON in which names are there
 * once and every member and carrier is defined: netup relies on it. */
#include "answer.h"
#include "bootcfg/network.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count(yyjson_val *links, const char *name)
{
	yyjson_val *link;
	size_t i, max, n = 0;

	yyjson_arr_foreach(links, i, max, link) {
		n += yyjson_equals_str(yyjson_obj_get(link, "name"), name);
	}
	return n;
}

static void check_name(yyjson_val *links, yyjson_val *name)
{
	if (!yyjson_is_str(name) || count(links, yyjson_get_str(name)) != 1)
		abort();
}

static void check_links(yyjson_val *links)
{
	yyjson_val *link, *member;
	size_t i, j, max, members;

	yyjson_arr_foreach(links, i, max, link) {
		check_name(links, yyjson_obj_get(link, "name"));
		if (!yyjson_is_str(yyjson_obj_get(link, "kind")))
			abort();
		if (yyjson_equals_str(yyjson_obj_get(link, "kind"), "vlan"))
			check_name(links, yyjson_obj_get(link, "link"));
		yyjson_arr_foreach(yyjson_obj_get(link, "interfaces"), j, members, member) {
			check_name(links, member);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool is_openstack = size && *data == '{';
	yyjson_doc *doc = answer_of(data, size,
				    is_openstack ? &schema_network_data : &schema_network_file);

	check_links(yyjson_obj_get(yyjson_obj_get(yyjson_doc_get_root(doc), "config"), "links"));
	yyjson_doc_free(doc);
	return 0;
}
