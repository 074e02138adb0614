/* Compose's short forms (https://github.com/compose-spec/compose-spec, 05-services.md). Each gives
 * the JSON of the long form. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bootcfg/read.h"

enum { PORT_MAX = 65535, FIELDS_MAX = 4 };

/* Puts a copy of the text under a name; an empty one is left out. */
static void put_text(struct walk *w, yyjson_mut_val *o, const char *name, const char *text)
{
	if (text && *text)
		yyjson_mut_obj_add_strcpy(w->doc, o, name, text);
}

/* ---- ports ---- */
struct range {
	int64_t from, to;
};

static int parse_range(char *text, int64_t min, struct range *out, struct err *why)
{
	char *dash = strchr(text, '-');

	if (dash)
		*dash++ = '\0';
	if (parse_int(text, min, PORT_MAX, &out->from) < 0 ||
	    parse_int(dash ? dash : text, min, PORT_MAX, &out->to) < 0)
		return err_set(why, -EINVAL, "\"%s\" is no port number from %d to %d",
			       dash && parse_int(text, min, PORT_MAX, &out->from) == 0 ? dash : text,
			       (int)min, PORT_MAX);
	if (out->from > out->to)
		return err_set(why, -EINVAL, "the range %s-%s runs backwards", text, dash);
	return 0;
}

struct port {
	char *host_ip;
	bool has_published;
	struct range published, target;
	const char *protocol;
};

static int parse_protocol(char *text, struct port *p, struct err *why)
{
	char *slash = strrchr(text, '/');

	p->protocol = "tcp";
	if (!slash)
		return 0;
	*slash++ = '\0';
	if (strcmp(slash, "tcp") != 0 && strcmp(slash, "udp") != 0)
		return err_set(why, -EINVAL, "the protocol is \"tcp\" or \"udp\", not \"%s\"",
			       slash);
	p->protocol = slash;
	return 0;
}

/* [ADDRESS:][PUBLISHED:]TARGET, where an IPv6 ADDRESS stands in brackets; taken from the end. */
static int parse_port(char *text, struct port *p, struct err *why)
{
	char *target, *published;

	if (parse_protocol(text, p, why) < 0)
		return -EINVAL;
	target = strrchr(text, ':');
	if (!target)
		return parse_range(text, 1, &p->target, why);
	*target++ = '\0';
	published = strrchr(text, ':');
	if (published) {
		size_t len = (size_t)(published - text);

		*published++ = '\0';
		p->host_ip = text;
		if (len > 1 && text[0] == '[' && text[len - 1] == ']') {
			text[len - 1] = '\0';
			p->host_ip = text + 1;
		}
		if (check_address(p->host_ip))
			return err_set(why, -EINVAL, "\"%s\" is no IP address", p->host_ip);
	} else {
		published = text;
	}
	p->has_published = *published != '\0';
	if (p->has_published && parse_range(published, 1, &p->published, why) < 0)
		return -EINVAL;
	return parse_range(target, 1, &p->target, why);
}

yyjson_mut_val *read_ports(struct walk *w, const struct type *t, const struct node *n,
			   struct err *why)
{
	autofree char *text = text_without_dollars(n->text, why);
	yyjson_mut_val *list = yyjson_mut_arr(w->doc);
	struct port p = { 0 };
	int64_t count;

	(void)t;
	if (!text || parse_port(text, &p, why) < 0)
		return NULL;
	count = p.target.to - p.target.from;
	if (p.has_published && p.published.to - p.published.from != count) {
		err_set(why, -EINVAL, "the two ranges are of different length");
		return NULL;
	}
	for (int64_t i = 0; i <= count; i++) {
		yyjson_mut_val *o = yyjson_mut_arr_add_obj(w->doc, list);

		put_text(w, o, "host_ip", p.host_ip);
		if (p.has_published)
			yyjson_mut_obj_add_int(w->doc, o, "published", p.published.from + i);
		yyjson_mut_obj_add_int(w->doc, o, "target", p.target.from + i);
		put_text(w, o, "protocol", p.protocol);
	}
	return list;
}

/* ---- volumes, tmpfs, devices: fields between colons ---- */

/* Splits in place. Returns the number of fields, 0 if there are more than FIELDS_MAX. */
static size_t split_fields(char *text, char *fields[FIELDS_MAX])
{
	size_t n = 0;
	char *save = NULL;

	for (char *f = strtok_r(text, ":", &save); f; f = strtok_r(NULL, ":", &save)) {
		if (n == FIELDS_MAX)
			return 0;
		fields[n++] = f;
	}
	return n;
}

static bool is_propagation(const char *word)
{
	static const char *const words[] = { "private", "rprivate", "shared", "rshared", "slave",
					     "rslave" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(words[i], word) == 0)
			return true;
	return false;
}

static int put_volume_options(struct walk *w, yyjson_mut_val *o, char *options, struct err *why)
{
	char *save = NULL;

	for (char *word = strtok_r(options, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		if (strcmp(word, "ro") == 0)
			yyjson_mut_obj_add_bool(w->doc, o, "read_only", true);
		else if (strcmp(word, "nocopy") == 0)
			yyjson_mut_obj_add_bool(w->doc, o, "nocopy", true);
		else if (is_propagation(word))
			yyjson_mut_obj_add_strcpy(w->doc, o, "bind_propagation", word);
		else if (strcmp(word, "rw") != 0 && strcmp(word, "z") != 0 && strcmp(word, "Z") != 0)
			return err_set(why, -EINVAL, "there is no option \"%s\"", word);
	}
	return 0;
}

yyjson_mut_val *read_volume(struct walk *w, const struct type *t, const struct node *n,
			    struct err *why)
{
	autofree char *text = text_without_dollars(n->text, why);
	yyjson_mut_val *o = yyjson_mut_obj(w->doc);
	char *fields[FIELDS_MAX] = { NULL };
	size_t count = text ? split_fields(text, fields) : 0;
	const char *source = count > 1 ? fields[0] : NULL, *target = fields[count > 1];
	bool is_bind = source && *source == '/';

	(void)t;
	if (count < 1 || count > 3)
		return NULL;
	if (source && (*source == '.' || *source == '~')) {
		err_set(why, -EINVAL, "a host path must begin with \"/\", there is no current folder");
		return NULL;
	}
	if (*target != '/') {
		err_set(why, -EINVAL, "the path in the container, \"%s\", must begin with \"/\"",
			target);
		return NULL;
	}
	if (source && !is_bind && check_container_name(source)) {
		err_set(why, -EINVAL, "\"%s\" is no name for a volume", source);
		return NULL;
	}
	put_text(w, o, "type", is_bind ? "bind" : "volume");
	put_text(w, o, "source", source);
	put_text(w, o, "target", target);
	return count == 3 && put_volume_options(w, o, fields[2], why) < 0 ? NULL : o;
}

static int put_tmpfs_option(struct walk *w, yyjson_mut_val *o, char *word, struct err *why)
{
	char *value = strchr(word, '=');
	char *end;
	int64_t number;

	if (value && strncmp(word, "size=", 5) == 0 && parse_bytes(value + 1, &number) == 0)
		yyjson_mut_obj_add_int(w->doc, o, "tmpfs_size", number);
	else if (value && strncmp(word, "mode=", 5) == 0 && value[1] &&
		 (number = strtol(value + 1, &end, 8), !*end) && number >= 0 && number <= 07777)
		yyjson_mut_obj_add_int(w->doc, o, "tmpfs_mode", number);
	else if (strcmp(word, "ro") == 0)
		yyjson_mut_obj_add_bool(w->doc, o, "read_only", true);
	else if (strcmp(word, "rw") != 0 && strcmp(word, "nosuid") != 0 &&
		 strcmp(word, "nodev") != 0 && strcmp(word, "noexec") != 0)
		return err_set(why, -EINVAL, "\"%s\" is no option that is known here", word);
	return 0;
}

yyjson_mut_val *read_tmpfs(struct walk *w, const struct type *t, const struct node *n,
			   struct err *why)
{
	autofree char *text = text_without_dollars(n->text, why);
	yyjson_mut_val *o = yyjson_mut_obj(w->doc);
	char *options = text ? strchr(text, ':') : NULL, *save = NULL;

	(void)t;
	if (options)
		*options++ = '\0';
	if (!text || *text != '/')
		return NULL;
	put_text(w, o, "type", "tmpfs");
	put_text(w, o, "target", text);
	for (char *word = options ? strtok_r(options, ",", &save) : NULL; word;
	     word = strtok_r(NULL, ",", &save))
		if (put_tmpfs_option(w, o, word, why) < 0)
			return NULL;
	return o;
}

yyjson_mut_val *read_device(struct walk *w, const struct type *t, const struct node *n,
			    struct err *why)
{
	autofree char *text = text_without_dollars(n->text, why);
	yyjson_mut_val *o = yyjson_mut_obj(w->doc);
	char *fields[FIELDS_MAX] = { NULL };
	size_t count = text ? split_fields(text, fields) : 0;
	const char *rights = count == 3 ? fields[2] : NULL;

	(void)t;
	if (count < 1 || count > 3 || *fields[0] != '/' || (count > 1 && *fields[1] != '/'))
		return NULL;
	if (rights && (!*rights || rights[strspn(rights, "rwm")])) {
		err_set(why, -EINVAL, "rights are of \"r\", \"w\" and \"m\", not \"%s\"", rights);
		return NULL;
	}
	put_text(w, o, "source", fields[0]);
	put_text(w, o, "target", count > 1 ? fields[1] : NULL);
	put_text(w, o, "permissions", rights);
	return o;
}

/* ---- command ---- */

/* One word of a shell's line, quotes and backslashes taken away. Moves `at` behind it. False: a
 * quotation mark is open. */
static bool shell_word(const char **at, struct buf *word)
{
	char quote = 0;

	for (const char *p = *at;; p++) {
		if (!*p || (!quote && strchr(" \t\n", *p))) {
			*at = p;
			return !quote;
		}
		if (!quote && (*p == '\'' || *p == '"')) {
			quote = *p;
		} else if (*p == quote) {
			quote = 0;
		} else if (*p == '\\' && quote != '\'' && p[1] &&
			   (!quote || strchr("\"\\$`\n", p[1]))) {
			buf_addc(word, *++p);
		} else {
			buf_addc(word, *p);
		}
	}
}

yyjson_mut_val *read_command(struct walk *w, const struct type *t, const struct node *n,
			     struct err *why)
{
	autofree char *text = text_without_dollars(n->text, why);
	yyjson_mut_val *list = yyjson_mut_arr(w->doc);
	const char *at = text;

	(void)t;
	if (!text)
		return NULL;
	for (;;) {
		autobuf struct buf word = { 0 };

		at += strspn(at, " \t\n");
		if (!*at)
			return list;
		if (!shell_word(&at, &word)) {
			err_set(why, -EINVAL, "a quotation mark in it is not closed");
			return NULL;
		}
		yyjson_mut_arr_append(list, walk_text(w, buf_text(&word), word.len));
	}
}

/* ---- small ones ---- */
yyjson_mut_val *read_ulimit(struct walk *w, const struct type *t, const struct node *n,
			    struct err *why)
{
	yyjson_mut_val *o = yyjson_mut_obj(w->doc);
	int64_t value;

	(void)t, (void)why;
	if (parse_int(n->text, -1, INT64_MAX, &value) < 0)
		return NULL;
	yyjson_mut_obj_add_int(w->doc, o, "soft", value);
	yyjson_mut_obj_add_int(w->doc, o, "hard", value);
	return o;
}

yyjson_mut_val *read_restart(struct walk *w, const struct type *t, const struct node *n,
			     struct err *why)
{
	static const char *const policies[] = { "no", "always", "on-failure", "unless-stopped" };
	yyjson_mut_val *o = yyjson_mut_obj(w->doc);
	const char *colon = strchr(n->text, ':');
	size_t len = strcspn(n->text, ":");
	int64_t retries = 0;

	(void)t;
	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		if (strlen(policies[i]) != len || strncmp(policies[i], n->text, len) != 0)
			continue;
		if (colon && (strcmp(policies[i], "on-failure") != 0 ||
			      parse_int(colon + 1, 1, 1000000, &retries) < 0)) {
			err_set(why, -EINVAL, "a number of tries goes with \"on-failure\" only");
			return NULL;
		}
		put_text(w, o, "policy", policies[i]);
		if (retries)
			yyjson_mut_obj_add_int(w->doc, o, "max_retries", retries);
		return o;
	}
	return NULL;
}

/* One "KEY=VALUE" of a map written as a list. */
static bool put_pair(struct walk *w, const struct type *t, const struct node *n,
		     yyjson_mut_val *into, struct err *why)
{
	autofree char *text = NULL;
	char *equals;
	const char *reason;

	if (n->kind != NODE_TEXT || !strchr(n->text, '='))
		return err_set(why, -EINVAL, "found %s, expected \"KEY=VALUE\"",
			       n->kind == NODE_TEXT ? "no \"=\"" : "a list or a mapping") == 0;
	text = text_without_dollars(n->text, why);
	if (!text)
		return false;
	equals = strchr(text, '=');
	*equals++ = '\0';
	reason = t->check ? t->check(text) : NULL;
	if (reason)
		return err_set(why, -EINVAL, "%s", reason) == 0;
	yyjson_mut_obj_remove_key(into, text);
	yyjson_mut_obj_add(into, walk_text(w, text, strlen(text)),
			   walk_text(w, equals, strlen(equals)));
	return true;
}

yyjson_mut_val *read_pairs(struct walk *w, const struct type *t, const struct node *n,
			   struct err *why)
{
	yyjson_mut_val *into = yyjson_mut_obj(w->doc);

	(void)why;
	for (size_t i = 0; i < n->count; i++) {
		struct err reason = { "" };

		if (!put_pair(w, t, n->items[i], into, &reason))
			walk_fault(w, FAULT_ERROR, n->items[i], "item %zu of this list: %s", i + 1,
				   reason.text);
	}
	return into;
}

yyjson_mut_val *read_exposed(struct walk *w, const struct type *t, const struct node *n,
			     struct err *why)
{
	autofree char *text = text_without_dollars(n->text, why);
	yyjson_mut_val *list = yyjson_mut_arr(w->doc);
	struct port p = { 0 };

	(void)t;
	if (!text || parse_protocol(text, &p, why) < 0 || parse_range(text, 1, &p.target, why) < 0)
		return NULL;
	for (int64_t port = p.target.from; port <= p.target.to; port++) {
		char one[32];

		snprintf(one, sizeof(one), "%d/%s", (int)port, p.protocol);
		yyjson_mut_arr_add_strcpy(w->doc, list, one);
	}
	return list;
}

/* Kept as Docker's "name:address"; Compose also writes "name=address". */
yyjson_mut_val *read_extra_host(struct walk *w, const struct type *t, const struct node *n,
				struct err *why)
{
	autofree char *text = text_without_dollars(n->text, why);
	char *separator = text ? text + strcspn(text, "=:") : NULL;
	const char *reason;

	(void)t;
	if (!text || !*separator)
		return NULL;
	*separator = '\0';
	reason = check_hostname(text);
	if (!reason && strcmp(separator + 1, "host-gateway") != 0)
		reason = check_address(separator + 1);
	if (reason) {
		err_set(why, -EINVAL, "%s", reason);
		return NULL;
	}
	*separator = ':';
	return walk_text(w, text, strlen(text));
}
