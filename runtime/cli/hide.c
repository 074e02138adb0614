#include "cli/hide.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include <yyjson.h>

#include "base/cleanup.h"

#define HIDDEN "[hidden]"

enum { DEPTH_MOST = 64, HASH_METHOD_MAX = 6 };

/* A name that has one of these in it is followed by a secret. */
static const char *const telling[] = {
	"password", "passwd",  "passphrase",  "secret",        "token",        "credential",
	"apikey",   "api_key", "api-key",     "private_key",   "privatekey",   "presharedkey",
	"authorization", "berth.config",
};

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

static bool is_end_of_value(char c)
{
	return isspace((unsigned char)c) || c == '"' || c == '\'' || c == ',' || c == ';' || c == '&';
}

static bool is_telling(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(telling); i++) {
		size_t n = strlen(telling[i]);

		for (size_t at = 0; at + n <= len; at++)
			if (!strncasecmp(name + at, telling[i], n))
				return true;
	}
	return false;
}

static bool is_header(const char *name, size_t len)
{
	return len >= 13 && !strncasecmp(name + len - 13, "authorization", 13);
}

/* Past one quote; JSON inside of a JSON text has its quotes behind backslashes. */
static const char *skip_quote(const char *p, const char *end, char *quote)
{
	const char *q = p;

	while (q < end && *q == '\\')
		q++;
	if (q == end || (*q != '"' && *q != '\''))
		return p;
	*quote = *q;
	return q + 1;
}

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

/* `p` is behind the telling `name`. The value that follows after "=" or ":", or is the next word of
 * an option, is passed over; the rest of the line where several words make it one. Returns where it
 * ends, or NULL when there is none. */
static const char *value_end(const char *name, const char *p, const char *end, const char **from)
{
	bool whole_line = is_header(name, (size_t)(p - name)), option = *name == '-';
	char quote = 0;

	p = skip_blanks(skip_quote(p, end, &quote), end);
	if (p == end || (*p != '=' && *p != ':' && (!option || quote || *p == '-')))
		return NULL;
	quote = 0;
	p += *p == '=' || *p == ':';
	p = skip_quote(skip_blanks(p, end), end, &quote);
	*from = p;
	while (p < end && (whole_line || (quote ? *p != quote : !is_end_of_value(*p))))
		p++;
	return p > *from ? p : NULL;
}

/* "$6$salt$hash", "$2y$10$...": from `p` on, which is a '$'. */
static size_t hash_len(const char *p, const char *end)
{
	const char *q = p + 1;

	while (q < end && isalnum((unsigned char)*q))
		q++;
	if (q == p + 1 || q - p > HASH_METHOD_MAX || q == end || *q != '$')
		return 0;
	while (q < end && !is_end_of_value(*q) && *q != ':')
		q++;
	return (size_t)(q - p) > 12 ? (size_t)(q - p) : 0;
}

/* "USER:PASSWORD" before the last @ (a password may have one itself), behind "://". */
static size_t userinfo_len(const char *p, const char *end)
{
	size_t len = 0;

	for (const char *q = p; q < end && *q != '/' && !is_end_of_value(*q); q++)
		if (*q == '@')
			len = (size_t)(q - p);
	return len;
}

static void hide_line(const char *p, const char *end, struct buf *out)
{
	while (p < end) {
		const char *name = p, *from = NULL, *to;
		size_t len;

		while (p < end && is_name(*p))
			p++;
		if (p > name) {
			buf_add(out, name, (size_t)(p - name));
			to = is_telling(name, (size_t)(p - name)) ? value_end(name, p, end, &from) : NULL;
			if (!to)
				continue;
			buf_add(out, p, (size_t)(from - p));
			buf_adds(out, HIDDEN);
			p = to;
			continue;
		}
		len = *p == '$' ? hash_len(p, end) : 0;
		if (len) {
			buf_adds(out, HIDDEN);
			p += len;
			continue;
		}
		buf_addc(out, *p++);
		if (out->len >= 3 && !memcmp(out->data + out->len - 3, "://", 3) &&
		    (len = userinfo_len(p, end)) > 0) {
			buf_adds(out, HIDDEN);
			p += len;
		}
	}
}

void hide_text(const char *text, size_t len, struct buf *out)
{
	const char *end = text + len;
	bool key = false;

	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((stop ? stop : end) - text);

		if (memmem(text, n, "-----BEGIN ", 11) && memmem(text, n, "PRIVATE KEY", 11)) {
			key = true;
			buf_adds(out, "[hidden: a private key]");
		} else if (key) {
			key = !memmem(text, n, "-----END ", 9);
			text += n + (stop != NULL);
			continue;
		} else {
			hide_line(text, text + n, out);
		}
		if (stop)
			buf_addc(out, '\n');
		text += n + (stop != NULL);
	}
}

/* ---- JSON ---- */

enum treatment { AS_TEXT, AS_ENVIRONMENT, AS_SECRET };

/* Case does not count: docker writes "Env", a configuration "environment". */
static enum treatment treatment_of(const char *key)
{
	static const char *const environments[] = { "env", "environment", "labels", "buildargs" };
	static const char *const secrets[] = {
		"content", "contents", "content_base64", "dropbear_base64",
		"command", "cmd",  "entrypoint", "args",    "arguments", "argv",
		"path_args", "test",   "runcmd",  "bootcmd", "auth",    "ssh_keys", "options", "output",
		"driver_opts", "headers", "key", "shared", /* a tunnel's */
	};

	for (size_t i = 0; i < ARRAY_LEN(environments); i++)
		if (!strcasecmp(key, environments[i]))
			return AS_ENVIRONMENT;
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
		if (!strcasecmp(key, secrets[i]))
			return AS_SECRET;
	return is_telling(key, strlen(key)) ? AS_SECRET : AS_TEXT;
}

static yyjson_mut_val *hide_string(yyjson_mut_doc *doc, yyjson_val *v, enum treatment how)
{
	const char *text = yyjson_get_str(v);
	size_t len = yyjson_get_len(v);
	autobuf struct buf out = { 0 };

	if (how == AS_SECRET) {
		buf_adds(&out, len ? HIDDEN : "");
	} else if (how == AS_ENVIRONMENT) {
		const char *equals = memchr(text, '=', len);

		if (equals)
			buf_add(&out, text, (size_t)(equals - text) + 1);
		buf_adds(&out, len ? HIDDEN : "");
	} else {
		hide_text(text, len, &out);
	}
	return yyjson_mut_strncpy(doc, buf_text(&out), out.len);
}

static yyjson_mut_val *hide_value(yyjson_mut_doc *doc, yyjson_val *v, enum treatment how, int depth)
{
	yyjson_mut_val *out;
	yyjson_val *key, *item;
	size_t i, max;

	if (depth > DEPTH_MOST)
		return yyjson_mut_str(doc, HIDDEN);
	if (yyjson_is_str(v))
		return hide_string(doc, v, how);
	if (yyjson_is_arr(v)) {
		out = yyjson_mut_arr(doc);
		yyjson_arr_foreach(v, i, max, item)
			yyjson_mut_arr_append(out, hide_value(doc, item, how, depth + 1));
		return out;
	}
	if (yyjson_is_obj(v)) {
		out = yyjson_mut_obj(doc);
		yyjson_obj_foreach(v, i, max, key, item) {
			enum treatment below = how != AS_TEXT ? AS_SECRET : treatment_of(yyjson_get_str(key));

			yyjson_mut_obj_add(out, yyjson_val_mut_copy(doc, key),
					   hide_value(doc, item, below, depth + 1));
		}
		return out;
	}
	if (how == AS_SECRET && yyjson_is_num(v))
		return yyjson_mut_str(doc, HIDDEN);
	return yyjson_val_mut_copy(doc, v);
}

int hide_json(const char *text, size_t len, struct buf *out)
{
	yyjson_doc *doc = yyjson_read(text, len, 0);
	yyjson_mut_doc *hidden = doc ? yyjson_mut_doc_new(NULL) : NULL;
	autofree char *written = NULL;

	if (hidden) {
		yyjson_mut_doc_set_root(hidden, hide_value(hidden, yyjson_doc_get_root(doc), AS_TEXT, 0));
		written = yyjson_mut_write(hidden, YYJSON_WRITE_PRETTY, NULL);
	}
	yyjson_mut_doc_free(hidden);
	yyjson_doc_free(doc);
	if (!written)
		return -EINVAL;
	buf_adds(out, written);
	buf_addc(out, '\n');
	return 0;
}
