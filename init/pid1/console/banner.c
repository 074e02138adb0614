#include "pid1/console/banner.h"

#include <stdio.h>
#include <string.h>

enum { VALUE_MAX = 256, MOTD_MAX_BYTES = 2048 };

/* Nothing that comes from elsewhere may move the cursor or colour the screen. */
static void add_clean(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		buf_addc(out, (c < 0x20 && c != '\n') || c == 0x7f ? '?' : (char)c);
	}
}

static void add_row(struct buf *out, const char *name, const char *text, size_t len)
{
	buf_addf(out, "  %-10s", name);
	add_clean(out, text, len);
	buf_addc(out, '\n');
}

/* Calls for each line of `text` that begins with "KEY "; with the key taken off. */
static void add_rows_of(struct buf *out, const char *text, const char *key, const char *name)
{
	size_t key_len = strlen(key);

	while (*text) {
		size_t len = strcspn(text, "\n");

		if (len > key_len && !strncmp(text, key, key_len) && text[key_len] == ' ')
			add_row(out, name, text + key_len + 1, len - key_len - 1);
		text += len + (text[len] == '\n');
	}
}

static void value_of(const char *text, const char *key, char out[VALUE_MAX])
{
	autobuf struct buf row = { 0 };

	add_rows_of(&row, text, key, "");
	snprintf(out, VALUE_MAX, "%s", row.len > 12 ? row.data + 12 : "");
	out[strcspn(out, "\n")] = '\0';
}

static void add_addresses(struct buf *out, const struct banner *b)
{
	const char *line = b->addresses, *name = "address";
	const char *address = strchr(line, ' ');

	for (; *line; name = "") {
		size_t len = strcspn(line, "\n");

		add_row(out, name, line, len);
		line += len + (line[len] == '\n');
	}
	if (!address)
		add_row(out, "address", "none yet", strlen("none yet"));
	else if (b->mode != BANNER_RESCUE)
		buf_addf(out, "  %-10sssh root@%.*s\n", "login", (int)strcspn(address + 1, "/\n"),
			 address + 1);
}

void banner_format(const struct banner *b, struct buf *out)
{
	static const char *const prompts[] = {
		[BANNER_STATUS] = "Press Enter for the menu.",
		[BANNER_SHELL] = "Press Enter for a root shell.",
		[BANNER_RESCUE] = "Press Enter for a root shell; \"reboot\" tries again.",
	};
	char version[VALUE_MAX], slot[VALUE_MAX], state[VALUE_MAX];

	value_of(b->summary, "version", version);
	value_of(b->summary, "slot", slot);
	value_of(b->summary, "state", state);
	buf_addf(out, "\nBerth %s", version);
	if (*slot && strcmp(slot, "-"))
		buf_addf(out, ", slot %s", slot);
	buf_addf(out, ", Linux %s\n\n", b->kernel);
	if (b->mode == BANNER_RESCUE) {
		add_row(out, "RESCUE", b->reason, strlen(b->reason));
		buf_addf(out, "  %-10sthe configuration was not read and no container runs\n", "");
	}
	add_row(out, "host", b->hostname, strlen(b->hostname));
	add_addresses(out, b);
	if (*state && b->mode != BANNER_RESCUE)
		add_row(out, "state", state, strlen(state));
	if (b->mode != BANNER_RESCUE)
		add_rows_of(out, b->summary, "fault", "fault");
	if (*b->motd) {
		buf_addc(out, '\n');
		add_clean(out, b->motd, strnlen(b->motd, MOTD_MAX_BYTES));
	}
	buf_addf(out, "\n%s\n", prompts[b->mode]);
}
