#include "engine/container.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "engine/health.h"
#include "engine/saved.h"

bool container_is_live(const struct container *c)
{
	return c->state == STATE_STARTING || c->state == STATE_RUNNING ||
	       c->state == STATE_PAUSED || c->state == STATE_STOPPING;
}

static bool network_is(const struct container *c, const char *mode)
{
	return c->spec.network_mode && !strcmp(c->spec.network_mode, mode);
}

bool container_has_wires(const struct container *c)
{
	return !network_is(c, "host") && !network_is(c, "none") &&
	       (!c->spec.network_mode || strncmp(c->spec.network_mode, "container:", 10));
}

bool container_uses_host_network(const struct container *c)
{
	return network_is(c, "host");
}

const char *container_short_id(const struct container *c, char out[CONTAINER_SHORT_ID_LEN + 1])
{
	snprintf(out, CONTAINER_SHORT_ID_LEN + 1, "%.*s", CONTAINER_SHORT_ID_LEN, c->id);
	return out;
}

enum container_match container_matches(const struct container *c, const char *text)
{
	size_t len;

	if (*text == '/')
		text++;
	len = strlen(text);
	if (!len)
		return MATCH_NONE;
	if (!strcmp(text, c->id) || !strcmp(text, c->name))
		return MATCH_EXACT;
	return !strncmp(text, c->id, len) ? MATCH_PREFIX : MATCH_NONE;
}

bool container_name_valid(const char *name)
{
	if (!isalnum((unsigned char)*name) || !name[1] || strlen(name) > 255)
		return false;
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("_.-", *p))
			return false;
	return true;
}

struct container *container_new(struct engine *engine)
{
	struct container *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->engine = engine;
	c->pidfd = -1;
	c->shim_fd = -1;
	return c;
}

void strings_clear(struct string_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct string_list){ 0 };
}

void container_free(struct container *c)
{
	if (!c)
		return;
	if (c->pidfd >= 0)
		close(c->pidfd);
	if (c->shim_fd >= 0)
		close(c->shim_fd);
	health_free(c->health);
	timetable_free(c);
	container_spec_free(&c->spec);
	strings_clear(&c->argv);
	strings_clear(&c->chosen);
	for (size_t i = 0; i < c->endpoints.count; i++)
		endpoint_clear(&c->endpoints.items[i]);
	free(c->endpoints.items);
	free(c->published);
	free(c->name);
	free(c->declaration);
	free(c->image_id);
	free(c->error);
	free(c->boot_id);
	free(c);
}

int container_random_id(char out[CONTAINER_ID_LEN + 1])
{
	unsigned char bytes[CONTAINER_ID_LEN / 2];

	/* An id of digits alone would be read as a number by people's scripts: docker's rule. */
	for (bool letters = false; !letters;) {
		if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
			return -EIO;
		for (size_t i = 0; i < sizeof(bytes); i++)
			snprintf(out + 2 * i, 3, "%02x", bytes[i]);
		letters = strcspn(out, "abcdef") < CONTAINER_SHORT_ID_LEN;
	}
	return 0;
}
