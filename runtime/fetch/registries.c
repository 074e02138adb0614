#include "fetch/registries.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "base/cleanup.h"

static void free_doc(yyjson_doc **doc)
{
	yyjson_doc_free(*doc);
}

void endpoints_free(struct endpoints *all)
{
	for (size_t i = 0; i < all->count; i++) {
		free(all->all[i].ca);
		credentials_free(&all->all[i].credentials);
	}
	all->count = 0;
}

/* "localhost", "localhost:5000", 127.0.0.0/8 and [::1]: docker's insecure ones by default. A name
 * such as 127.example.com is somewhere else. */
static bool is_local(const char *domain)
{
	size_t n = *domain == '[' ? strcspn(domain, "]") + 1 : strcspn(domain, ":");
	char host[INET_ADDRSTRLEN] = "";
	struct in_addr address;

	if (n < sizeof(host))
		memcpy(host, domain, n);
	return !strcmp(host, "localhost") || !strcmp(host, "[::1]") ||
	       (inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127);
}

static char *copy(yyjson_val *obj, const char *key)
{
	const char *text = yyjson_get_str(yyjson_obj_get(obj, key));

	return text && *text ? strdup(text) : NULL;
}

static void set_url(struct endpoint *at, const char *url)
{
	size_t n = strlen(url);

	while (n && url[n - 1] == '/')
		n--;
	snprintf(at->url, sizeof(at->url), "%s%.*s", strstr(url, "://") ? "" : "https://", (int)n,
		 url);
}

static void add(struct endpoints *all, yyjson_val *settings, const char *url, bool mirror,
		bool local)
{
	struct endpoint *at = &all->all[all->count++];

	*at = (struct endpoint){ .mirror = mirror };
	set_url(at, url);
	at->ca = copy(settings, "ca_certs");
	at->plain_too = local || yyjson_get_bool(yyjson_obj_get(settings, "insecure"));
	at->credentials.user = copy(settings, "username");
	at->credentials.password = copy(settings, "password");
}

static const char *host_of(const char *url)
{
	const char *at = strstr(url, "://");

	return at ? at + 3 : url;
}

/* The entry of that host in the list, or NULL. */
static yyjson_val *settings_of(yyjson_val *registries, const char *host)
{
	yyjson_val *one;
	size_t i, n;

	yyjson_arr_foreach(registries, i, n, one)
		if (yyjson_equals_str(yyjson_obj_get(one, "host"), host))
			return one;
	return NULL;
}

/* A mirror has its own settings under its own name, and none of the registry's. */
static void add_mirrors(struct endpoints *all, yyjson_val *registries, yyjson_val *settings)
{
	yyjson_val *list = yyjson_obj_get(settings, "mirrors"), *one;
	size_t i, n;

	yyjson_arr_foreach(list, i, n, one) {
		const char *url = yyjson_get_str(one);
		char host[ENDPOINT_URL_MAX];

		if (!url || all->count == ENDPOINTS_MAX - 1)
			continue;
		snprintf(host, sizeof(host), "%.*s", (int)strcspn(host_of(url), "/"), host_of(url));
		add(all, settings_of(registries, host), url, true, is_local(host));
	}
}

int endpoints_find(const char *json, size_t len, const char *domain, struct endpoints *out,
		   struct err *e)
{
	__attribute__((cleanup(free_doc))) yyjson_doc *doc = NULL;
	yyjson_val *registries, *settings;
	bool hub = !strcmp(domain, "docker.io");

	*out = (struct endpoints){ .count = 0 };
	if (json) {
		doc = yyjson_read(json, len, 0);
		if (!doc)
			return err_set(e, -EINVAL, "the configuration is damaged");
	}
	registries = yyjson_obj_get(yyjson_obj_get(yyjson_doc_get_root(doc), "berth"), "registries");
	settings = settings_of(registries, domain);
	add_mirrors(out, registries, settings);
	add(out, settings, hub ? "https://registry-1.docker.io" : domain, false, is_local(domain));
	return 0;
}
