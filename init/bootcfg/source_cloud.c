/* Clouds: the metadata service of the provider that the firmware names, or ds=NAME on the kernel
 * command line. Sources: each provider's reference, see meta.c; "Use IMDSv2",
 * docs.aws.amazon.com. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "bootcfg/ask.h"
#include "bootcfg/azure.h"
#include "bootcfg/dmi.h"
#include "bootcfg/meta.h"
#include "bootcfg/source.h"

#define LINK_LOCAL "http://169.254.169.254"

enum { EC2_KEYS_MAX = 32, EC2_TOKEN_MAX = 1024, EC2_LOST_MAX = 3 };

/* Whether it answers a question without a token: `needs_token`, or as version 1 does. */
static bool ec2_is_version_1(struct ask *a, bool *needs_token)
{
	const struct ask_words id = { .method = "GET", .path = "/latest/meta-data/instance-id" };
	autobuf struct buf unused = { 0 };
	int status = ask_try(a, &id, &unused, NULL);

	*needs_token |= status == 401;
	return status == 200;
}

/* IMDSv2: a token first, which goes with each question. A service without it (403, 404, 405:
 * version 1 alone) is asked as it is. So is one whose answers to PUT do not arrive, but those to
 * GET do: the token has a hop limit, and where a router stands before this machine (it is a guest
 * of an instance) it is lost on its way. */
static int ec2_token(struct ask *a, struct source *s, struct err *e)
{
	const struct ask_words words = { .method = "PUT", .path = "/latest/api/token",
					 .headers = "X-aws-ec2-metadata-token-ttl-seconds: 600\n" };
	int64_t end = clock_boot_ms() + ASK_WAIT_MS;
	autobuf struct buf token = { 0 };
	bool needs_token = false;
	int status, lost = 0; /* one may be, while the service starts */

	while ((status = ask_try(a, &words, &token, e)) < 0 && clock_boot_ms() < end) {
		if (status != -EAGAIN && ec2_is_version_1(a, &needs_token) &&
		    ++lost == EC2_LOST_MAX) {
			buf_adds(&s->notes, "the token of IMDSv2 does not arrive (the instance's metadata hop "
				 "limit?); it was asked as version 1\n");
			return 0;
		}
		usleep(ASK_AGAIN_MS * 1000);
	}
	if (status < 0 && needs_token)
		return err_set(e, status, "it answers within %d s, but not with the token that it demands: is "
			       "the instance's metadata hop limit too small?", ASK_WAIT_MS / 1000);
	if (status < 0) {
		err_prefix(e, "no answer within %d s", ASK_WAIT_MS / 1000);
		return status;
	}
	if (status != 200 || token.len == 0 || token.len > EC2_TOKEN_MAX ||
	    strpbrk(token.data, "\r\n"))
		return 0;
	snprintf(a->headers, sizeof(a->headers), "X-aws-ec2-metadata-token: %s\n", token.data);
	return 0;
}

/* The list has lines "0=name"; each number has a key. */
static int ec2_keys(struct ask *a, struct buf *keys, struct err *e)
{
	autobuf struct buf list = { 0 };
	int code = ask_maybe(a, "/latest/meta-data/public-keys/", &list, e);
	int count = 0;

	for (const char *at = buf_text(&list); *at && code == 0 && count < EC2_KEYS_MAX; count++) {
		autobuf struct buf key = { 0 };
		char path[80];

		snprintf(path, sizeof(path), "/latest/meta-data/public-keys/%d/openssh-key", atoi(at));
		code = ask_maybe(a, path, &key, e);
		buf_addf(keys, "%s\n", buf_text(&key));
		at += strcspn(at, "\n");
		at += *at == '\n';
	}
	return code;
}

static int fetch_ec2(struct ask *a, struct source *s, struct err *e)
{
	autobuf struct buf id = { 0 }, host = { 0 }, keys = { 0 };
	int code = ec2_token(a, s, e);

	if (code == 0)
		code = ask_need(a, "/latest/meta-data/instance-id", &id, e);
	if (code == 0)
		code = ask_maybe(a, "/latest/meta-data/local-hostname", &host, e);
	if (code == 0)
		code = ec2_keys(a, &keys, e);
	if (code == 0)
		code = ask_maybe(a, "/latest/user-data", &s->user_data, e);
	if (code == 0)
		meta_write(&(struct meta_facts){ buf_text(&host), buf_text(&id), buf_text(&keys) },
			   &s->meta_data);
	return code;
}

static int fetch_openstack(struct ask *a, struct source *s, struct err *e)
{
	autobuf struct buf meta = { 0 }, vendor = { 0 };
	int code = ask_need(a, "/openstack/latest/meta_data.json", &meta, e);

	if (code == 0)
		code = ask_maybe(a, "/openstack/latest/user_data", &s->user_data, e);
	if (code == 0)
		code = ask_maybe(a, "/openstack/latest/vendor_data.json", &vendor, e);
	if (code == 0)
		code = ask_maybe(a, "/openstack/latest/network_data.json", &s->network, e);
	s->openstack_network = true;
	return code < 0 ? code : meta_convert(META_OPENSTACK, &meta, &vendor, s, e);
}

static int fetch_gcp(struct ask *a, struct source *s, struct err *e)
{
	autobuf struct buf instance = { 0 }, project = { 0 };
	int code = ask_need(a, "/computeMetadata/v1/instance/?recursive=true", &instance, e);

	if (code == 0)
		code = ask_maybe(a, "/computeMetadata/v1/project/attributes/?recursive=true", &project, e);
	return code < 0 ? code : meta_convert(META_GCP, &instance, &project, s, e);
}

static int fetch_digitalocean(struct ask *a, struct source *s, struct err *e)
{
	autobuf struct buf meta = { 0 };
	int code = ask_need(a, "/metadata/v1.json", &meta, e);

	return code < 0 ? code : meta_convert(META_DIGITALOCEAN, &meta, NULL, s, e);
}

static int fetch_hetzner(struct ask *a, struct source *s, struct err *e)
{
	autobuf struct buf meta = { 0 };
	int code = ask_need(a, "/hetzner/v1/metadata", &meta, e);

	if (code == 0)
		code = ask_maybe(a, "/hetzner/v1/userdata", &s->user_data, e);
	return code < 0 ? code : meta_convert(META_HETZNER, &meta, NULL, s, e);
}

/* User data is in the JSON of today's service, and at EC2's address since ever. */
static int fetch_vultr(struct ask *a, struct source *s, struct err *e)
{
	autobuf struct buf meta = { 0 };
	int code = ask_need(a, "/v1.json", &meta, e);

	if (code == 0)
		code = ask_maybe(a, "/latest/user-data", &s->user_data, e);
	return code < 0 ? code : meta_convert(META_VULTR, &meta, NULL, s, e);
}

static const struct cloud {
	const char *kind;
	const char *name;
	enum platform platform;
	int (*fetch)(struct ask *a, struct source *s, struct err *e);
	const char *headers;
} clouds[] = {
	{ "ec2", "EC2", PLATFORM_EC2, fetch_ec2, "" },
	{ "openstack", "OpenStack", PLATFORM_OPENSTACK, fetch_openstack, "" },
	{ "gcp", "Google", PLATFORM_GCP, fetch_gcp, "Metadata-Flavor: Google\n" },
	{ "azure", "Azure", PLATFORM_AZURE, azure_fetch, "Metadata: true\n" },
	{ "digitalocean", "DigitalOcean", PLATFORM_DIGITALOCEAN, fetch_digitalocean, "" },
	{ "hetzner", "Hetzner", PLATFORM_HETZNER, fetch_hetzner, "" },
	{ "vultr", "Vultr", PLATFORM_VULTR, fetch_vultr, "Metadata-Token: berth\n" },
};

/* ds=ec2 for a cloud that speaks somebody else's language; ds=none for none. */
static const struct cloud *cloud_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(clouds); i++)
		if (strcasecmp(clouds[i].kind, name) == 0)
			return &clouds[i];
	return NULL;
}

static const struct cloud *cloud_of_machine(void)
{
	enum platform platform;
	struct dmi dmi;

	dmi_read(&dmi);
	platform = dmi_platform(&dmi);
	for (size_t i = 0; i < ARRAY_LEN(clouds); i++)
		if (clouds[i].platform == platform)
			return &clouds[i];
	return NULL;
}

int source_cloud(struct source *out, struct err *e)
{
	autobuf struct buf line = { 0 }, name = { 0 };
	const struct cloud *cloud;
	int code = cmdline_read(&line, e);

	if (code < 0)
		return code;
	if (cmdline_value(buf_text(&line), "ds", &name) && strncmp(buf_text(&name), "nocloud", 7) != 0) {
		cloud = cloud_named(buf_text(&name));
		if (!cloud && strcmp(buf_text(&name), "none") != 0)
			return err_set(e, -EINVAL, "ds=%.32s on the kernel command line: there is no such "
				       "source", buf_text(&name));
	} else {
		cloud = cloud_of_machine();
	}
	if (!cloud)
		return 0;
	*out = (struct source){ .kind = cloud->kind, .file = "user-data", .pending = true };
	snprintf(out->where, sizeof(out->where), "%s's metadata service", cloud->name);
	return 1;
}

int source_fetch_cloud(struct source *s, struct err *e)
{
	const struct cloud *cloud = cloud_named(s->kind);
	struct ask a = { .base = LINK_LOCAL };

	snprintf(a.headers, sizeof(a.headers), "%s", cloud->headers);
	return cloud->fetch(&a, s, e);
}
