/* A text that holds the network alone. */
#include "bootcfg/network.h"

static const struct type *const schemas[] = {
	[NETWORK_NETPLAN] = &schema_network_file,
	[NETWORK_OPENSTACK] = &schema_network_data,
};

void network_read(enum network_format format, const char *file, const char *text, size_t len,
		  yyjson_mut_doc *config, struct faults *faults)
{
	struct config_text in = { .schema = schemas[format], .file = file, .text = text, .len = len };
	yyjson_mut_val *root = yyjson_mut_doc_get_root(config), *network;
	yyjson_mut_doc *doc = NULL;

	if (yyjson_mut_obj_get(root, "network")) {
		fault_add(faults, FAULT_WARNING, file, 0, 0, "",
			  "this is not read: the user-data has a \"network\" of its own");
		return;
	}
	if (config_parse(&in, &doc, faults) < 0) {
		network = yyjson_mut_obj(config);
		yyjson_mut_obj_add_arr(config, network, "links");
		yyjson_mut_obj_add_bool(config, network, "faulty", true);
	} else {
		network = yyjson_mut_val_mut_copy(config, yyjson_mut_doc_get_root(doc));
		yyjson_mut_obj_remove_key(network, "dropped");
		yyjson_mut_obj_remove_key(network, "origins");
		origins_add(config, doc, "network.");
	}
	yyjson_mut_doc_free(doc);
	yyjson_mut_obj_add_val(config, root, "network", network);
}
