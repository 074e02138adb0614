#include "pid1/cmdline.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

static bool is_on(const char *value)
{
	return !*value || !strcmp(value, "1") || !strcmp(value, "yes") || !strcmp(value, "on");
}

static void set_console(struct boot_options *o, const char *value)
{
	o->console_shell = !strcmp(value, "shell");
}

static void set_rescue(struct boot_options *o, const char *value)
{
	o->rescue = is_on(value);
}

static void set_slot(struct boot_options *o, const char *value)
{
	snprintf(o->slot, sizeof(o->slot), "%s", value);
}

static void set_why(struct boot_options *o, const char *value)
{
	o->state_lost = !strcmp(value, "state-lost");
}

static const struct {
	const char *name;
	void (*set)(struct boot_options *o, const char *value);
} options[] = {
	{ "berth.console", set_console },
	{ "berth.rescue", set_rescue },
	{ "berth.slot", set_slot },
	{ "berth.why", set_why },
};

static void take_word(struct boot_options *o, const char *word)
{
	size_t name_len = strcspn(word, "=");
	const char *value = word[name_len] ? word + name_len + 1 : "";

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (strlen(options[i].name) == name_len &&
		    !strncmp(options[i].name, word, name_len))
			options[i].set(o, value);
}

/* Copies the next word without its quotes; a word that is too long is cut, it is none of ours.
 * Returns where the next one begins, NULL at the end. */
static const char *next_word(const char *p, char *word, size_t room)
{
	size_t len = 0;
	bool quoted = false;

	p += strspn(p, " \t\n");
	if (!*p)
		return NULL;
	for (; *p && (quoted || !strchr(" \t\n", *p)); p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (len + 1 < room)
			word[len++] = *p;
	}
	word[len] = '\0';
	return p;
}

void cmdline_parse(const char *text, struct boot_options *out)
{
	char word[128];

	*out = (struct boot_options){ 0 };
	while ((text = next_word(text, word, sizeof(word)))) {
		if (!strcmp(word, "--"))
			return;
		take_word(out, word);
	}
}
