#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/schedule.h"
#include "bootcfg/read.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool only(const char *text, const char *allowed)
{
	return text[strspn(text, allowed)] == '\0';
}

const char *check_not_empty(const char *text)
{
	return *text ? NULL : "it is empty";
}

const char *check_no_blank(const char *text)
{
	if (!*text)
		return "it is empty";
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return "it holds a blank or a control character";
	return NULL;
}

/* RFC 1123, section 2.1. */
const char *check_hostname(const char *text)
{
	size_t label = 0;

	if (!*text || strlen(text) > 64)
		return "it must have 1 to 64 characters";
	for (const char *p = text; *p; p++) {
		if (*p == '.' ? label == 0 : !strchr(LETTERS DIGITS "-", *p))
			return "only letters, digits, \"-\" and single \".\" are allowed";
		if (*p == '-' && (label == 0 || !p[1] || p[1] == '.'))
			return "no part of it may begin or end with \"-\"";
		label = *p == '.' ? 0 : label + 1;
		if (label > 63)
			return "a part between dots is longer than 63 characters";
	}
	return text[strlen(text) - 1] == '.' ? "it ends with a dot" : NULL;
}

const char *check_address(const char *text)
{
	unsigned char bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1)
		return NULL;
	return "it is no IP address";
}

const char *check_host_or_address(const char *text)
{
	return check_address(text) ? check_hostname(text) : NULL;
}

const char *check_container_name(const char *text)
{
	if (strlen(text) < 2 || strlen(text) > 64)
		return "it must have 2 to 64 characters";
	if (!strchr(LETTERS DIGITS, *text))
		return "it must begin with a letter or a digit";
	return only(text, LETTERS DIGITS "_.-") ? NULL :
		"only letters, digits, \"_\", \".\" and \"-\" are allowed";
}

/* The shape alone; runtime/image/ref.c knows the rest. */
const char *check_image(const char *text)
{
	if (!*text || strlen(text) > 1023)
		return "it must have 1 to 1023 characters";
	if (!strchr(LETTERS DIGITS, *text))
		return "it must begin with a letter or a digit";
	return only(text, LETTERS DIGITS "_.-/:@[]") ? NULL :
		"only letters, digits and any of \"_.-/:@\" are allowed";
}

const char *check_absolute_path(const char *text)
{
	if (*text != '/')
		return "it must begin with \"/\"";
	if (strlen(text) > 4000)
		return "it is too long";
	return NULL;
}

const char *check_env_name(const char *text)
{
	if (!*text || strchr(text, '='))
		return "a variable's name is not empty and holds no \"=\"";
	return NULL;
}

const char *check_label_name(const char *text)
{
	return *text ? NULL : "it is empty";
}

const char *check_capability(const char *text)
{
	return *text && only(text, LETTERS "_" DIGITS) ? NULL :
		"only letters, digits and \"_\" are allowed";
}

const char *check_signal(const char *text)
{
	if (only(text, DIGITS))
		return strlen(text) > 0 && strlen(text) < 3 ? NULL : "there is no such signal";
	return only(text, LETTERS DIGITS "+-") ? NULL : "there is no such signal";
}

const char *check_sysctl(const char *text)
{
	return *text && only(text, LETTERS DIGITS "_.-/") && !strstr(text, "..") ? NULL :
		"a sysctl is written like \"net.core.somaxconn\"";
}

const char *check_cpuset(const char *text)
{
	return *text && only(text, DIGITS ",-") ? NULL : "only digits, \",\" and \"-\" are allowed";
}

const char *check_schedule(const char *text)
{
	static struct err why; /* outlives the call, as the other checks' sentences do */
	struct schedule s;

	return schedule_parse(text, &s, &why) < 0 ? why.text : NULL;
}

const char *check_user(const char *text)
{
	const char *colon = strchr(text, ':');

	if (!*text || *text == ':' || (colon && (!colon[1] || strchr(colon + 1, ':'))))
		return "it is USER or USER:GROUP";
	return check_no_blank(text);
}

const char *check_owner(const char *text)
{
	return check_user(text);
}

const char *check_ulimit_name(const char *text)
{
	static const char *const names[] = {
		"core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice",
		"nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack", "as",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], text) == 0)
			return NULL;
	return "there is no such limit; nofile, nproc, memlock, core, stack are some";
}

/* An authorized_keys line: [options] TYPE BASE64 [comment], and the key's bytes begin with its
 * type's name (RFC 4253, section 6.6). */
static const char *const key_types[] = {
	"ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
	"ecdsa-sha2-nistp521", "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
};

/* Where TYPE and a blank stand, outside the quoted options; NULL: nowhere. */
static const char *find_key_type(const char *text, size_t *type_len)
{
	bool quoted = false, start = true;

	for (const char *p = text; *p; p++) {
		for (size_t i = 0; start && !quoted && i < ARRAY_LEN(key_types); i++) {
			*type_len = strlen(key_types[i]);
			if (strncmp(p, key_types[i], *type_len) == 0 && p[*type_len] == ' ')
				return p;
		}
		quoted ^= *p == '"';
		start = *p == ' ';
	}
	return NULL;
}

const char *check_ssh_key(const char *text)
{
	unsigned char bytes[4096];
	size_t type_len = 0, blob_len, len;
	const char *type = find_key_type(text, &type_len);
	const char *blob;

	if (strpbrk(text, "\r\n"))
		return "a key is one line";
	if (strstr(text, "PRIVATE KEY"))
		return "this is a private key; keep it secret, and put the .pub file's line here";
	if (!type)
		return "no known key type (ssh-ed25519, ssh-rsa, ecdsa-sha2-...) stands in it";
	blob = type + type_len + strspn(type + type_len, " ");
	blob_len = strcspn(blob, " \t");
	if (base64_decode(blob, blob_len, bytes, sizeof(bytes), &len) < 0)
		return "the key's base64 text is damaged";
	if (len < type_len + 4 + 32 || bytes[0] || bytes[1] || bytes[2] ||
	    bytes[3] != type_len || memcmp(bytes + 4, type, type_len) != 0)
		return "the key is cut off or is of another type than its line says";
	return NULL;
}

const char *check_web_address(const char *text)
{
	if (strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0)
		return "it must begin with \"http://\" or \"https://\"";
	if (strlen(text) > 1000)
		return "it is too long";
	return only(text, LETTERS DIGITS "-._~:/?#[]@!$&'()*+,;=%") ? NULL :
		"only the characters of a web address are allowed";
}

static int compare_zone(const void *name, const void *row)
{
	return strcmp(name, *(const char *const *)row);
}

/* The list comes from the tzdata that is in the image, so this says the same on every machine. */
const char *check_time_zone(const char *text)
{
	static const char *const zones[] = {
#include <zone_names.h>
	};

	return bsearch(text, zones, ARRAY_LEN(zones), sizeof(zones[0]), compare_zone) ? NULL :
		"there is no such time zone; \"Europe/Berlin\" and \"UTC\" are some";
}
