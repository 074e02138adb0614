/* berth.api: Docker's API over TCP (runtime/tls). */
#include "base/cleanup.h"
#include "bootcfg/read.h"
#include "bootcfg/types.h"

static const struct type port = {
	SCALAR(read_int), .name = "TCP port", .min = 1, .max = 65535,
	.expected = "a port between 1 and 65535",
};
static const struct type private_key = {
	SCALAR(read_text), .name = "private key", .check = check_private_key, .secret = true,
	.expected = "a private key in PEM format",
};
static const struct key api_keys[] = {
	{ .name = "port", .type = &port, .normal = "2376", .example = "2376",
	  .help = "Where it listens, on every address of the host; the firewall lets it in." },
	{ .name = "from", .type = &type_networks, .normal = "everybody", .example = "[192.0.2.0/24]",
	  .help = "Whom the firewall lets in there." },
	{ .name = "client_ca_certs", .type = &type_certificates, .required = true,
	  .example = "\"-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----\\n\"",
	  .help = "Who has a certificate of one of these authorities is root on this machine. Take "
		  "one that signs nothing else." },
	{ .name = "certificate", .type = &type_certificates, .required = true,
	  .example = "\"-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----\\n\"",
	  .help = "The machine's own, which clients check; with those between it and its authority." },
	{ .name = "key", .type = &private_key, .required = true,
	  .example = "\"-----BEGIN PRIVATE KEY-----\\nMIIB\\n-----END PRIVATE KEY-----\\n\"",
	  .help = "The certificate's private key." },
};

static void finish_api(struct walk *w, const struct node *n, yyjson_mut_val *api)
{
	(void)n;
	if (!yyjson_mut_obj_get(api, "port"))
		yyjson_mut_obj_add_sint(w->doc, api, "port", 2376);
}

const struct type type_api = {
	OBJECT(api_keys), .name = "API settings", .finish = finish_api, .atomic = true,
	.expected = "a mapping with \"client_ca_certs\", \"certificate\" and \"key\"",
};
