#include "fetch/auth.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yyjson.h>

#include "base/cleanup.h"

enum { HEADER_MAX = 64 * 1024, TOKEN_MAX = 64 * 1024 };

void credentials_free(struct credentials *c)
{
	free(c->user);
	free(c->password);
	free(c->identity_token);
	free(c->registry_token);
	*c = (struct credentials){ 0 };
}

static int base64_value(char c)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	const char *at = c ? strchr(plain, c) : NULL;

	if (at)
		return (int)(at - plain);
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

int base64_read(const char *text, size_t len, struct buf *out)
{
	unsigned bits = 0;
	int have = 0;

	while (len && text[len - 1] == '=')
		len--;
	if (len % 4 == 1)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		int value = base64_value(text[i]);

		if (value < 0)
			return -EINVAL;
		bits = bits << 6 | (unsigned)value;
		have += 6;
		if (have >= 8) {
			have -= 8;
			buf_addc(out, (char)(bits >> have & 0xff));
		}
	}
	return buf_ok(out) ? 0 : -ENOMEM;
}

static void free_doc(yyjson_doc **doc)
{
	yyjson_doc_free(*doc);
}

#define autodoc __attribute__((cleanup(free_doc)))

/* A member that is text without a line's end or NUL; else NULL. */
static char *copy_text(yyjson_val *obj, const char *key)
{
	const char *text = yyjson_get_str(yyjson_obj_get(obj, key));

	if (!text || !*text || strlen(text) != yyjson_get_len(yyjson_obj_get(obj, key)) ||
	    strpbrk(text, "\r\n"))
		return NULL;
	return strdup(text);
}

/* "auth" is base64 of "user:password", as in docker's config.json. */
static int read_auth(yyjson_val *root, struct credentials *c)
{
	autofree char *text = copy_text(root, "auth");
	autobuf struct buf plain = { 0 };
	char *colon;

	if (!text || c->user)
		return 0;
	if (base64_read(text, strlen(text), &plain) < 0)
		return -EINVAL;
	colon = strchr(buf_text(&plain), ':');
	if (!colon)
		return -EINVAL;
	c->user = strndup(plain.data, (size_t)(colon - plain.data));
	c->password = strdup(colon + 1);
	return 0;
}

int credentials_parse(const char *header, struct credentials *out, struct err *e)
{
	static const char expected[] = "X-Registry-Auth: expected base64 of a JSON object with "
				       "username and password";
	autobuf struct buf json = { 0 };
	autodoc yyjson_doc *doc = NULL;
	struct credentials c = { 0 };
	yyjson_val *root;

	if (!*header)
		return 0;
	if (*header == '{')
		buf_adds(&json, header);
	else if (strlen(header) > HEADER_MAX || base64_read(header, strlen(header), &json) < 0)
		return err_set(e, -EINVAL, "%s", expected);
	doc = yyjson_read(buf_text(&json), json.len, 0);
	root = yyjson_doc_get_root(doc);
	/* Some clients send the word null for none. */
	if (!root || (!yyjson_is_obj(root) && !yyjson_is_null(root)))
		return err_set(e, -EINVAL, "%s", expected);
	c.user = copy_text(root, "username");
	c.password = copy_text(root, "password");
	c.identity_token = copy_text(root, "identitytoken");
	c.registry_token = copy_text(root, "registrytoken");
	if (read_auth(root, &c) < 0) {
		credentials_free(&c);
		return err_set(e, -EINVAL, "%s", expected);
	}
	*out = c;
	return 0;
}

/* token = quoted-string or token (RFC 7235, section 2.1). Returns where it ends, NULL: damaged. */
static const char *read_value(const char *p, char *out, size_t room)
{
	size_t n = 0;
	bool quoted = *p == '"';

	if (quoted)
		p++;
	for (; *p && (quoted ? *p != '"' : !strchr(", \t", *p)); p++) {
		if (quoted && *p == '\\' && p[1])
			p++;
		if (n + 1 >= room || iscntrl((unsigned char)*p))
			return NULL;
		out[n++] = *p;
	}
	out[n] = '\0';
	if (!quoted)
		return p;
	return *p == '"' ? p + 1 : NULL;
}

static const char *skip_blank(const char *p)
{
	return p + strspn(p, " \t,");
}

static bool read_parameters(const char *p, struct challenge *out)
{
	char value[CHALLENGE_TEXT_MAX];

	for (p = skip_blank(p); *p; p = skip_blank(p)) {
		const char *name = p;
		size_t n = strcspn(p, "= \t,");
		char *slot = NULL;

		if (!n || p[n] != '=')
			return p[n] == ' '; /* another scheme begins here; the first is what counts */
		p = read_value(p + n + 1, value, sizeof(value));
		if (!p)
			return false;
		if (n == 5 && !strncasecmp(name, "realm", n))
			slot = out->realm;
		else if (n == 7 && !strncasecmp(name, "service", n))
			slot = out->service;
		else if (n == 5 && !strncasecmp(name, "scope", n))
			slot = out->scope;
		if (slot)
			strcpy(slot, value);
	}
	return true;
}

bool challenge_parse(const char *value, struct challenge *out)
{
	struct challenge c = *out;

	value += strspn(value, " \t");
	if (!strncasecmp(value, "Basic", 5) && (!value[5] || value[5] == ' ')) {
		out->basic = true;
		return true;
	}
	if (strncasecmp(value, "Bearer ", 7) != 0)
		return false;
	c.bearer = true;
	if (!read_parameters(value + 7, &c) || !*c.realm)
		return false;
	*out = c;
	return true;
}

void url_escape(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (isalnum((unsigned char)*text) || strchr("-._~", *text))
			buf_addc(out, *text);
		else
			buf_addf(out, "%%%02X", (unsigned char)*text);
	}
}

int challenge_url(const struct challenge *c, const char *scope, struct buf *out)
{
	/* Never a password to where it can be read on the way, or to another protocol. */
	if (strncmp(c->realm, "https://", 8) && strncmp(c->realm, "http://", 7))
		return -EINVAL;
	buf_adds(out, c->realm);
	buf_adds(out, strchr(c->realm, '?') ? "&" : "?");
	buf_adds(out, "service=");
	url_escape(out, c->service);
	for (const char *rest = scope ? scope : ""; *rest; rest += strspn(rest, " ")) {
		autofree char *one = strndup(rest, strcspn(rest, " "));

		if (!one)
			return -ENOMEM;
		buf_adds(out, "&scope=");
		url_escape(out, one);
		rest += strlen(one);
	}
	return buf_ok(out) ? 0 : -ENOMEM;
}

char *token_of(const char *json, size_t len)
{
	autodoc yyjson_doc *doc = NULL;
	yyjson_val *root;
	char *token;

	if (len > TOKEN_MAX)
		return NULL;
	doc = yyjson_read(json, len, 0);
	root = yyjson_doc_get_root(doc);
	token = copy_text(root, "token");
	return token ? token : copy_text(root, "access_token");
}
