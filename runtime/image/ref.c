#include "image/ref.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char default_domain[] = "docker.io";
static const char digest_prefix[] = "sha256:";
enum { HEX_LEN = 64 };

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_hex(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
			return false;
	return true;
}

static bool looks_like_id(const char *name)
{
	return strlen(name) == HEX_LEN && is_hex(name, HEX_LEN);
}

bool digest_valid(const char *text)
{
	size_t prefix = sizeof(digest_prefix) - 1;

	return strlen(text) == prefix + HEX_LEN && !memcmp(text, digest_prefix, prefix) &&
	       is_hex(text + prefix, HEX_LEN);
}

const char *digest_hex(const char *digest)
{
	return digest + sizeof(digest_prefix) - 1;
}

/* [a-z0-9]+ with one of ".", "_", "__" or any number of "-" in between. Returns its length. */
static size_t path_component(const char *p)
{
	size_t i = 0;

	for (;;) {
		size_t word = i, sep;

		while (is_lower_alnum(p[i]))
			i++;
		if (i == word)
			return 0;
		sep = i;
		if (p[i] == '.')
			i++;
		else if (p[i] == '_')
			i += p[i + 1] == '_' ? 2 : 1;
		else
			i += strspn(p + i, "-");
		if (i == sep)
			return i;
	}
}

static bool path_valid(const char *path)
{
	for (const char *p = path;; p++) {
		size_t n = path_component(p);

		if (!n)
			return false;
		p += n;
		if (!*p)
			return true;
		if (*p != '/')
			return false;
	}
}

/* Labels of letters, digits and inner hyphens, or a bracketed IPv6 address. Returns the length. */
static size_t host_length(const char *p)
{
	size_t i = 0;

	if (*p == '[') {
		i = 1 + strspn(p + 1, "0123456789abcdefABCDEF:");
		return i > 1 && p[i] == ']' ? i + 1 : 0;
	}
	for (;;) {
		size_t label = i;

		while (isalnum((unsigned char)p[i]) || p[i] == '-')
			i++;
		if (i == label || p[label] == '-' || p[i - 1] == '-')
			return 0;
		if (p[i] != '.')
			return i;
		i++;
	}
}

static bool domain_valid(const char *domain)
{
	size_t n = host_length(domain);

	if (!n)
		return false;
	if (!domain[n])
		return true;
	return domain[n] == ':' && domain[n + 1] &&
	       strspn(domain + n + 1, "0123456789") == strlen(domain + n + 1);
}

static bool tag_valid(const char *tag)
{
	if (!*tag || *tag == '.' || *tag == '-' || strlen(tag) >= REF_TAG_MAX)
		return false;
	for (; *tag; tag++)
		if (!isalnum((unsigned char)*tag) && !strchr("_.-", *tag))
			return false;
	return true;
}

/* Docker's rule: the first component names a registry only if nothing else could. */
static bool looks_like_domain(const char *name, size_t len)
{
	if (len == strlen("localhost") && !memcmp(name, "localhost", len))
		return true;
	for (size_t i = 0; i < len; i++)
		if (name[i] == '.' || name[i] == ':' || isupper((unsigned char)name[i]))
			return true;
	return false;
}

static int split_domain(struct ref *r, const char *name)
{
	const char *slash = strchr(name, '/');
	int n;

	if (slash && looks_like_domain(name, (size_t)(slash - name))) {
		snprintf(r->domain, sizeof(r->domain), "%.*s", (int)(slash - name), name);
		name = slash + 1;
		if (!domain_valid(r->domain))
			return -EINVAL;
	}
	if (!*r->domain || !strcmp(r->domain, "index.docker.io")) {
		/* No rest of a longer name: references are compared as bytes. */
		memset(r->domain, 0, sizeof(r->domain));
		strcpy(r->domain, default_domain);
	}
	if (!strcmp(r->domain, default_domain) && !strchr(name, '/'))
		n = snprintf(r->path, sizeof(r->path), "library/%s", name);
	else
		n = snprintf(r->path, sizeof(r->path), "%s", name);
	if (n < 0 || strlen(r->domain) + 1 + (size_t)n >= REF_NAME_MAX)
		return -ENAMETOOLONG;
	return path_valid(r->path) ? 0 : -EINVAL;
}

int ref_parse(struct ref *out, const char *text, struct err *e)
{
	struct ref r = { 0 };
	char name[REF_TEXT_MAX];
	char *at, *colon;

	if (strlen(text) >= sizeof(name))
		return err_set(e, -EINVAL, "invalid image reference: longer than %d bytes",
			       REF_TEXT_MAX - 1);
	strcpy(name, text);
	at = strchr(name, '@');
	if (at) {
		*at++ = '\0';
		if (!digest_valid(at))
			return err_set(e, -EINVAL, "invalid image reference \"%s\": the digest must be "
				       "\"sha256:\" and 64 lower-case hex digits", text);
		strcpy(r.digest, at);
	}
	/* A colon before a slash is a registry's port. */
	colon = strrchr(name, ':');
	if (colon && !strchr(colon, '/')) {
		*colon++ = '\0';
		if (!tag_valid(colon))
			return err_set(e, -EINVAL, "invalid image reference \"%s\": a tag is up to 128 "
				       "letters, digits, \"_\", \".\", \"-\"", text);
		strcpy(r.tag, colon);
	} else if (!*r.digest) {
		strcpy(r.tag, "latest");
	}
	if (looks_like_id(name))
		return err_set(e, -EINVAL, "invalid image reference \"%s\": a name cannot be 64 hex "
			       "digits, that is an image ID", text);
	if (split_domain(&r, name) < 0)
		return err_set(e, -EINVAL, "invalid image reference \"%s\": expected "
			       "[REGISTRY/]NAME[:TAG][@DIGEST] with a lower-case name", text);
	*out = r;
	return 0;
}

static char *join(const char *domain, const char *path, const struct ref *r, char out[REF_TEXT_MAX])
{
	snprintf(out, REF_TEXT_MAX, "%s%s%s%s%s%s%s", domain, *domain ? "/" : "", path,
		 *r->tag ? ":" : "", r->tag, *r->digest ? "@" : "", r->digest);
	return out;
}

char *ref_full(const struct ref *r, char out[REF_TEXT_MAX])
{
	return join(r->domain, r->path, r, out);
}

char *ref_familiar(const struct ref *r, char out[REF_TEXT_MAX])
{
	static const char library[] = "library/";
	const char *path = r->path;

	/* Without the registry "a.b/c" would be read back as c of the registry a.b. */
	if (strcmp(r->domain, default_domain) != 0 || looks_like_domain(path, strcspn(path, "/")))
		return ref_full(r, out);
	/* "library/a/b" would be read back as another name, 64 hex digits as an ID. */
	if (!strncmp(path, library, sizeof(library) - 1) && !strchr(path + sizeof(library) - 1, '/') &&
	    !looks_like_id(path + sizeof(library) - 1))
		path += sizeof(library) - 1;
	return join("", path, r, out);
}
