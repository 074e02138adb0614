#include "dns/names.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

enum { WORDS = 3, DNS_PORT = 53 };

struct name {
	char *name;
	uint32_t ip;
};

struct name_list {
	struct name *items;
	size_t count;
};

struct network {
	char id[NAMES_ID_MAX];
	char *name;
	struct name_list names;
};

struct names_view {
	char id[NAMES_ID_MAX];
	bool forward;
	size_t *networks;       /* their places in the list */
	size_t network_count;
	struct name_list links;
	struct servers servers;
};

struct names {
	struct network *networks;
	size_t network_count;
	struct names_view *views;
	size_t view_count;
	struct servers upstream;
};

static void free_names(struct name_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].name);
	free(list->items);
}

void names_free(struct names *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->network_count; i++) {
		free_names(&n->networks[i].names);
		free(n->networks[i].name);
	}
	for (size_t i = 0; i < n->view_count; i++) {
		free_names(&n->views[i].links);
		free(n->views[i].networks);
	}
	free(n->networks);
	free(n->views);
	free(n);
}

/* ---- reading ---- */

/* A zeroed item at the end of an array, whose room is a power of two. NULL: out of memory. */
static void *grow(void *array, size_t *count, size_t size)
{
	void **items = array;
	char *grown = *items;

	if ((*count & (*count - 1)) == 0) {
		grown = reallocarray(*items, *count ? *count * 2 : 1, size);
		if (!grown)
			return NULL;
		*items = grown;
	}
	return memset(grown + (*count)++ * size, 0, size);
}

static int add_server(struct servers *list, const char *text)
{
	char address[INET6_ADDRSTRLEN + 16];
	char *scope;
	union server *s = &list->items[list->count];

	if (list->count == NAMES_SERVERS_MAX)
		return 0; /* the first ones do */
	memset(s, 0, sizeof(*s));
	s->v4.sin_family = AF_INET;
	s->v4.sin_port = htons(DNS_PORT);
	if (inet_pton(AF_INET, text, &s->v4.sin_addr) == 1) {
		list->count++;
		return 0;
	}
	snprintf(address, sizeof(address), "%s", text);
	scope = strchr(address, '%');
	if (scope)
		*scope++ = '\0';
	memset(s, 0, sizeof(*s));
	s->v6.sin6_family = AF_INET6;
	s->v6.sin6_port = htons(DNS_PORT);
	s->v6.sin6_scope_id = scope ? (uint32_t)strtoul(scope, NULL, 10) : 0;
	if (inet_pton(AF_INET6, address, &s->v6.sin6_addr) != 1)
		return -EINVAL;
	list->count++;
	return 0;
}

static int add_name(struct name_list *list, const char *name, const char *address)
{
	struct in_addr ip;
	struct name *made;

	if (inet_pton(AF_INET, address, &ip) != 1)
		return -EINVAL;
	made = grow(&list->items, &list->count, sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->ip = ntohl(ip.s_addr);
	made->name = strdup(name);
	return made->name ? 0 : -ENOMEM;
}

static int take_id(char out[NAMES_ID_MAX], const char *id)
{
	if (strlen(id) >= NAMES_ID_MAX)
		return -EINVAL;
	strcpy(out, id);
	return 0;
}

static int read_upstream(struct names *n, char *words[WORDS])
{
	return add_server(&n->upstream, words[1]);
}

static int read_network(struct names *n, char *words[WORDS])
{
	struct network *made = grow(&n->networks, &n->network_count, sizeof(*made));

	if (!made)
		return -ENOMEM;
	made->name = strdup(words[2]);
	return made->name ? take_id(made->id, words[1]) : -ENOMEM;
}

static int read_name(struct names *n, char *words[WORDS])
{
	return n->network_count ? add_name(&n->networks[n->network_count - 1].names, words[1], words[2]) :
				  -EINVAL;
}

static int read_container(struct names *n, char *words[WORDS])
{
	struct names_view *made = grow(&n->views, &n->view_count, sizeof(*made));

	if (!made)
		return -ENOMEM;
	made->forward = !strcmp(words[2], "forward");
	return take_id(made->id, words[1]);
}

static struct names_view *last_view(struct names *n)
{
	return n->view_count ? &n->views[n->view_count - 1] : NULL;
}

static int read_on(struct names *n, char *words[WORDS])
{
	struct names_view *v = last_view(n);
	size_t *made;

	for (size_t i = 0; v && i < n->network_count; i++) {
		if (strcmp(n->networks[i].id, words[1]))
			continue;
		made = grow(&v->networks, &v->network_count, sizeof(*made));
		if (made)
			*made = i;
		return made ? 0 : -ENOMEM;
	}
	return -EINVAL;
}

static int read_link(struct names *n, char *words[WORDS])
{
	return last_view(n) ? add_name(&last_view(n)->links, words[1], words[2]) : -EINVAL;
}

static int read_server(struct names *n, char *words[WORDS])
{
	return last_view(n) ? add_server(&last_view(n)->servers, words[1]) : -EINVAL;
}

static const struct {
	const char *word;
	size_t words;
	int (*read)(struct names *n, char *words[WORDS]);
} kinds[] = {
	{ "upstream", 2, read_upstream },   { "network", 3, read_network }, { "name", 3, read_name },
	{ "container", 3, read_container }, { "on", 2, read_on },	    { "link", 3, read_link },
	{ "server", 2, read_server },
};

static int read_line(struct names *n, char *line)
{
	char *words[WORDS], *save = NULL;
	size_t count = 0;

	for (char *w = strtok_r(line, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		if (count == WORDS)
			return -EINVAL;
		words[count++] = w;
	}
	for (size_t i = 0; count && i < ARRAY_LEN(kinds); i++)
		if (!strcmp(kinds[i].word, words[0]))
			return kinds[i].words == count ? kinds[i].read(n, words) : -EINVAL;
	return -EINVAL;
}

int names_parse(const char *text, struct names **out, struct err *e)
{
	autofree char *copy = strdup(text);
	struct names *n = calloc(1, sizeof(*n));
	char *save = NULL;
	size_t number = 0;
	int rc = copy && n ? 0 : -ENOMEM;

	for (char *line = rc ? NULL : strtok_r(copy, "\n", &save); !rc && line;
	     line = strtok_r(NULL, "\n", &save)) {
		number++;
		rc = read_line(n, line);
	}
	if (rc < 0) {
		names_free(n);
		return err_set(e, rc, "line %zu of the names makes no sense", number);
	}
	*out = n;
	return 0;
}

/* ---- asking ---- */

const struct names_view *names_view(const struct names *n, const char *container)
{
	for (size_t i = 0; n && i < n->view_count; i++)
		if (!strcmp(n->views[i].id, container))
			return &n->views[i];
	return NULL;
}

struct found {
	uint32_t *ips;
	size_t count;
};

static void add_found(struct found *f, uint32_t ip)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->ips[i] == ip)
			return;
	if (f->count < NAMES_ADDRESSES_MAX)
		f->ips[f->count++] = ip;
}

static void find_in(const struct name_list *list, const char *name, size_t len, struct found *f)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strncasecmp(list->items[i].name, name, len) && !list->items[i].name[len])
			add_found(f, list->items[i].ip);
}

size_t names_addresses(const struct names *n, const struct names_view *v, const char *name,
		       uint32_t out[NAMES_ADDRESSES_MAX])
{
	struct found f = { .ips = out };
	size_t len = strlen(name);

	find_in(&v->links, name, len, &f);
	for (size_t i = 0; !f.count && i < v->network_count; i++) {
		const struct network *net = &n->networks[v->networks[i]];
		size_t tail = strlen(net->name);

		find_in(&net->names, name, len, &f);
		/* "web.blue": on that network alone. */
		if (!f.count && len > tail + 1 && name[len - tail - 1] == '.' &&
		    !strcasecmp(name + len - tail, net->name))
			find_in(&net->names, name, len - tail - 1, &f);
	}
	return f.count;
}

bool names_of_address(const struct names *n, const struct names_view *v, uint32_t ip, char *out,
		      size_t size)
{
	for (size_t i = 0; i < v->network_count; i++) {
		const struct network *net = &n->networks[v->networks[i]];

		for (size_t k = 0; k < net->names.count; k++) {
			if (net->names.items[k].ip != ip)
				continue;
			snprintf(out, size, "%s.%s", net->names.items[k].name, net->name);
			return true;
		}
	}
	return false;
}

const struct servers *names_servers(const struct names *n, const struct names_view *v)
{
	static const struct servers none;

	if (!v->forward)
		return &none;
	return v->servers.count ? &v->servers : &n->upstream;
}
