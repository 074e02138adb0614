#include "update/channel.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "base/buf.h"
#include "base/file.h"

#define FORMAT "berth-channel-1"

enum { TRIES = 3, REDIRECTS = 5 };
enum { SERIAL_BYTES_MAX = 64, SERIAL_NAME_MAX = MANIFEST_TEXT_MAX + 16 };

static bool get_word(yyjson_val *from, const char *key, const char *allowed, char *out, size_t room)
{
	const char *text = yyjson_get_str(yyjson_obj_get(from, key));

	if (!text || !*text || strlen(text) >= room || strspn(text, allowed) != strlen(text))
		return false;
	strcpy(out, text);
	return true;
}

static bool get_number(yyjson_val *from, const char *key, uint64_t *out)
{
	yyjson_val *v = yyjson_obj_get(from, key);

	*out = yyjson_get_uint(v);
	return yyjson_is_uint(v) && *out > 0;
}

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define HEX DIGITS "abcdef"
#define WORD LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "+-._"

/* It may be left out; half of one is no roll-out. */
static bool read_rollout(yyjson_val *rollout, struct rollout *out)
{
	uint64_t begin, length;

	if (!rollout)
		return true;
	if (!get_number(rollout, "begin", &begin) || begin > INT64_MAX / 2 ||
	    !get_number(rollout, "seconds", &length) || length > ROLLOUT_LENGTH_MAX_S)
		return false;
	*out = (struct rollout){ .begin_s = (int64_t)begin, .length_s = (int64_t)length };
	return true;
}

static bool read_fields(yyjson_val *root, const char *url, struct channel *c)
{
	char format[32], file[256];
	const char *slash = strrchr(url, '/');
	int len;

	if (!get_word(root, "format", WORD, format, sizeof(format)) || strcmp(format, FORMAT) != 0 ||
	    !get_word(root, "channel", LOWER DIGITS "-", c->name, sizeof(c->name)) ||
	    !get_word(root, "version", WORD, c->version, sizeof(c->version)) ||
	    version_check(c->version) < 0 ||
	    !get_word(root, "digest", HEX, c->digest, sizeof(c->digest)) ||
	    !get_word(root, "bundle", WORD, file, sizeof(file)) ||
	    !get_number(root, "serial", &c->serial) || !get_number(root, "bytes", &c->bytes) ||
	    !read_rollout(yyjson_obj_get(root, "rollout"), &c->rollout))
		return false;
	len = snprintf(c->bundle, sizeof(c->bundle), "%.*s/%s", slash ? (int)(slash - url) : 0, url, file);
	return len > 0 && (size_t)len < sizeof(c->bundle);
}

int channel_open_texts(const void *text, size_t len, const void *signature, size_t signature_len,
		       const struct keyring *keys, const char *url, struct channel *out,
		       struct err *e)
{
	struct signature s;
	struct channel c = { 0 };
	yyjson_doc *doc;
	bool good;
	int rc = signature_parse(signature, signature_len, &s, e);

	if (!rc)
		rc = signature_check(&s, keys, text, len, e);
	if (rc < 0)
		return rc;
	doc = yyjson_read(text, len, 0);
	good = read_fields(yyjson_doc_get_root(doc), url, &c);
	yyjson_doc_free(doc);
	if (!good)
		return err_set(e, -EBADMSG, "the channel's text is not in the format \"" FORMAT "\"");
	*out = c;
	return 0;
}

int channel_check_serial(int store, const struct channel *c, struct err *e)
{
	autobuf struct buf text = { 0 };
	char name[SERIAL_NAME_MAX], now[SERIAL_BYTES_MAX];
	uint64_t last = 0;

	snprintf(name, sizeof(name), "channel-%s", c->name);
	if (file_read_at(store, name, SERIAL_BYTES_MAX, &text, NULL) == 0)
		last = strtoull(buf_text(&text), NULL, 10);
	if (c->serial < last)
		return err_set(e, -EPERM, "the server's text of channel \"%s\" is older than one that was "
			       "seen before (number %llu after %llu): somebody replays it, or the server "
			       "was put back", c->name, (unsigned long long)c->serial,
			       (unsigned long long)last);
	if (c->serial == last)
		return 0;
	snprintf(now, sizeof(now), "%llu\n", (unsigned long long)c->serial);
	return file_replace_at(store, name, now, strlen(now), 0644, e);
}

/* One answer, whole: what went wrong is one sentence, also when it goes wrong every hour. */
static int ask(const char *url, const struct fetch_way *way, size_t max, struct buf *out,
	       struct err *e)
{
	const struct fetch_ask request = { .url = url, .way = way, .max = max, .tries = TRIES,
					   .redirects = REDIRECTS };
	autoanswer struct fetch_answer answer = { 0 };
	int rc = fetch_ask(&request, &answer, e);

	if (rc < 0)
		return rc;
	if (answer.status != 200)
		return err_set(e, -EIO, "\"%s\": the server answers with status %d", url, answer.status);
	buf_add(out, buf_text(&answer.body), answer.body.len);
	return buf_ok(out) ? 0 : err_set(e, -ENOMEM, "\"%s\": out of memory", url);
}

int channel_fetch(const char *url, const struct fetch_way *way, const struct keyring *keys,
		  int store, struct channel *out, struct err *e)
{
	autobuf struct buf text = { 0 }, signature = { 0 };
	char beside[URL_BYTES_MAX];
	int rc;

	if (snprintf(beside, sizeof(beside), "%s.minisig", url) >= (int)sizeof(beside))
		return err_set(e, -ENAMETOOLONG, "the channel's address is too long");
	rc = ask(url, way, CHANNEL_BYTES_MAX, &text, e);
	if (!rc)
		rc = ask(beside, way, SIGNATURE_TEXT_MAX, &signature, e);
	if (!rc)
		rc = channel_open_texts(buf_text(&text), text.len, buf_text(&signature), signature.len, keys,
					url, out, e);
	return rc < 0 || store < 0 ? rc : channel_check_serial(store, out, e);
}
