/* Readers and checks of cloud-init's values: users, commands, names. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "bootcfg/read.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool only(const char *text, const char *allowed)
{
	return text[strspn(text, allowed)] == '\0';
}

/* ---- users ---- */
const char *check_user_name(const char *text)
{
	if (!*text || strlen(text) > 32)
		return "it must have 1 to 32 characters";
	if (!strchr(LETTERS "_", *text))
		return "it must begin with a letter or \"_\"";
	return only(text, LETTERS DIGITS "_.-") ? NULL :
		"only letters, digits, \"_\", \".\" and \"-\" are allowed";
}

const char *check_one_line(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == ':' || *text == 0x7f)
			return "it holds a \":\" or a control character";
	return NULL;
}

const char *check_passwd_path(const char *text)
{
	const char *reason = check_absolute_path(text);

	if (!reason && strstr(text, "/.."))
		reason = "it must not hold \"..\"";
	return reason ? reason : check_one_line(text);
}

/* crypt(5): "$ID$...": what musl's crypt() knows. */
const char *check_password_hash(const char *text)
{
	static const char *const ids[] = { "$6$", "$5$", "$2a$", "$2b$", "$2y$" };

	if (!only(text, LETTERS DIGITS "./$=,-") || strlen(text) > 200)
		return "it is no hash of a password";
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		if (strncmp(text, ids[i], strlen(ids[i])) == 0)
			return strlen(text) > 30 ? NULL : "the hash is cut off";
	return *text == '$' ? "this kind of hash is not known; $6$, $5$ and $2b$ are" :
			      "it is no hash of a password";
}

/* "a, b" in cloud-init's short form: the items, each as `make` makes it. */
static yyjson_mut_val *split_commas(struct walk *w, const struct node *n, bool as_map,
				    struct err *why)
{
	autofree char *copy = strdup(n->text);
	yyjson_mut_val *list = yyjson_mut_arr(w->doc);
	char *save = NULL;

	for (char *name = copy ? strtok_r(copy, ", ", &save) : NULL; name;
	     name = strtok_r(NULL, ", ", &save)) {
		const char *reason = check_user_name(name);
		yyjson_mut_val *text = walk_text(w, name, strlen(name)), *map;

		if (reason) {
			err_set(why, -EINVAL, "\"%.60s\": %s", name, reason);
			return NULL;
		}
		if (as_map) {
			map = yyjson_mut_obj(w->doc);
			yyjson_mut_obj_add(map, text, yyjson_mut_arr(w->doc));
			text = map;
		}
		yyjson_mut_arr_append(list, text);
	}
	return yyjson_mut_arr_size(list) ? list : NULL;
}

yyjson_mut_val *read_comma_list(struct walk *w, const struct type *t, const struct node *n,
				struct err *why)
{
	(void)t;
	return split_commas(w, n, false, why);
}

yyjson_mut_val *read_comma_groups(struct walk *w, const struct type *t, const struct node *n,
				  struct err *why)
{
	(void)t;
	return split_commas(w, n, true, why);
}

yyjson_mut_val *read_group(struct walk *w, const struct type *t, const struct node *n,
			   struct err *why)
{
	const char *reason = check_user_name(n->text);
	yyjson_mut_val *group;

	(void)t;
	if (reason) {
		err_set(why, -EINVAL, "%s", reason);
		return NULL;
	}
	group = yyjson_mut_obj(w->doc);
	yyjson_mut_obj_add(group, walk_text(w, n->text, n->len), yyjson_mut_arr(w->doc));
	return group;
}

/* ---- passwords ---- */
static yyjson_mut_val *password_pair(struct walk *w, const char *line, size_t len, struct err *why)
{
	autofree char *copy = strndup(line, len);
	char *hash = copy ? strchr(copy, ':') : NULL;
	const char *reason;
	yyjson_mut_val *o;

	if (!hash) {
		err_set(why, -EINVAL, "a \":\" between user and hash is missing");
		return NULL;
	}
	*hash++ = '\0';
	reason = check_user_name(copy);
	if (!reason)
		reason = check_password_hash(hash);
	if (reason) {
		err_set(why, -EINVAL, "%s", reason);
		return NULL;
	}
	o = yyjson_mut_obj(w->doc);
	yyjson_mut_obj_add_strcpy(w->doc, o, "name", copy);
	yyjson_mut_obj_add_strcpy(w->doc, o, "password", hash);
	return o;
}

yyjson_mut_val *read_password_pair(struct walk *w, const struct type *t, const struct node *n,
				   struct err *why)
{
	(void)t;
	return password_pair(w, n->text, n->len, why);
}

yyjson_mut_val *read_password_lines(struct walk *w, const struct type *t, const struct node *n,
				    struct err *why)
{
	yyjson_mut_val *list = yyjson_mut_arr(w->doc), *pair;

	(void)t;
	for (const char *line = n->text; *line;) {
		size_t len = strcspn(line, "\n");

		if (len) {
			pair = password_pair(w, line, len, why);
			if (!pair)
				return NULL;
			yyjson_mut_arr_append(list, pair);
		}
		line += len + (line[len] == '\n');
	}
	return list;
}

yyjson_mut_val *read_false(struct walk *w, const struct type *t, const struct node *n,
			   struct err *why)
{
	yyjson_mut_val *value = read_bool(w, t, n, why);

	return yyjson_mut_is_false(value) ? value : NULL;
}

yyjson_mut_val *read_true(struct walk *w, const struct type *t, const struct node *n,
			  struct err *why)
{
	yyjson_mut_val *value = read_bool(w, t, n, why);

	return yyjson_mut_is_true(value) ? value : NULL;
}

/* ---- commands ---- */
yyjson_mut_val *read_all_posted(struct walk *w, const struct type *t, const struct node *n,
				struct err *why)
{
	static const char *const all[] = { "pub_key_rsa", "pub_key_ecdsa", "pub_key_ed25519",
					   "instance_id", "hostname", "fqdn" };
	yyjson_mut_val *list;

	(void)t, (void)why;
	if (strcmp(n->text, "all") != 0)
		return NULL;
	list = yyjson_mut_arr(w->doc);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		yyjson_mut_arr_add_str(w->doc, list, all[i]);
	return list;
}

yyjson_mut_val *read_delay(struct walk *w, const struct type *t, const struct node *n,
			   struct err *why)
{
	int64_t minutes = 0;

	(void)t, (void)why;
	if (strcmp(n->text, "now") != 0 && parse_int(n->text, 0, 525600, &minutes) < 0)
		return NULL;
	return yyjson_mut_sint(w->doc, minutes);
}

/* true and false are programs that say so. */
yyjson_mut_val *read_condition(struct walk *w, const struct type *t, const struct node *n,
			       struct err *why)
{
	yyjson_mut_val *answer = read_bool(w, t, n, why), *list = yyjson_mut_arr(w->doc);

	if (answer) {
		yyjson_mut_arr_add_str(w->doc, list,
				       yyjson_mut_get_bool(answer) ? "/bin/true" : "/bin/false");
		return list;
	}
	yyjson_mut_arr_add_str(w->doc, list, "/bin/sh");
	yyjson_mut_arr_add_str(w->doc, list, "-c");
	yyjson_mut_arr_append(list, walk_text(w, n->text, n->len));
	return list;
}

/* ---- names, authorities ---- */
yyjson_mut_val *read_manage_hosts(struct walk *w, const struct type *t, const struct node *n,
				  struct err *why)
{
	yyjson_mut_val *answer = read_bool(w, t, n, why);

	if (!answer && strcmp(n->text, "localhost") == 0)
		return yyjson_mut_bool(w->doc, true);
	if (!answer && strcmp(n->text, "template") == 0)
		err_set(why, -EINVAL, "there are no templates; write true");
	return answer;
}

const char *check_certificate(const char *text)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----";
	static const char end[] = "-----END CERTIFICATE-----";
	const char *start = strstr(text, begin);

	if (strstr(text, "PRIVATE KEY"))
		return "this is a private key; keep it secret";
	if (!start)
		return "a line \"-----BEGIN CERTIFICATE-----\" is missing in it";
	return strstr(start, end) ? NULL : "a line \"-----END CERTIFICATE-----\" is missing in it";
}

const char *check_private_key(const char *text)
{
	const char *start = strstr(text, "-----BEGIN ");

	if (!start || !strstr(start, "PRIVATE KEY-----"))
		return "a line \"-----BEGIN PRIVATE KEY-----\" is missing in it";
	if (strstr(start, "ENCRYPTED"))
		return "it is protected by a password, and nobody is there to type it";
	return strstr(start, "-----END ") ? NULL : "a line \"-----END PRIVATE KEY-----\" is missing in it";
}

/* ---- berth ---- */

/* As an image's name begins: HOST or HOST:PORT. */
const char *check_registry(const char *text)
{
	const char *colon = strrchr(text, ':');
	autofree char *host = strndup(text, colon ? (size_t)(colon - text) : strlen(text));
	int64_t port;

	if (!host || (colon && parse_int(colon + 1, 1, 65535, &port) < 0))
		return "behind the \":\" stands a port";
	return check_host_or_address(host);
}

const char *check_no_proxy(const char *text)
{
	return *text && only(text, LETTERS DIGITS ".-:/*") ? NULL :
		"it is a host, a domain that begins with a dot, or ADDRESS/BITS";
}

yyjson_mut_val *read_zram(struct walk *w, const struct type *t, const struct node *n,
			  struct err *why)
{
	autofree char *number = strndup(n->text, n->len ? n->len - 1 : 0);
	int64_t value;

	(void)t;
	if (!number || !n->len || n->text[n->len - 1] != '%') {
		if (parse_bytes(n->text, &value) < 0)
			return NULL;
		if (value >= 1024 * 1024)
			return yyjson_mut_sint(w->doc, value);
		err_set(why, -ERANGE, "it is a megabyte at least");
		return NULL;
	}
	if (parse_int(number, 1, 400, &value) == 0)
		return walk_text(w, n->text, n->len);
	err_set(why, -ERANGE, "1%% to 400%% are possible");
	return NULL;
}
