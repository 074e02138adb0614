#include "api/image_names.h"

#include <string.h>

static bool digest_of(const struct image *image, size_t i, char text[REF_TEXT_MAX])
{
	struct ref ref, other;

	if (ref_parse(&ref, image->refs[i], NULL) < 0)
		return false;
	*ref.tag = '\0';
	for (size_t k = 0; !*ref.digest && k < image->ref_count; k++)
		if (!ref_parse(&other, image->refs[k], NULL) && *other.digest &&
		    !strcmp(other.domain, ref.domain) && !strcmp(other.path, ref.path))
			strcpy(ref.digest, other.digest);
	if (!*ref.digest)
		strcpy(ref.digest, image->digest);
	ref_familiar(&ref, text);
	return true;
}

bool image_repo_digest(const struct image *image, size_t i, char text[REF_TEXT_MAX])
{
	char earlier[REF_TEXT_MAX];

	if (!digest_of(image, i, text))
		return false;
	for (size_t k = 0; k < i; k++)
		if (digest_of(image, k, earlier) && !strcmp(earlier, text))
			return false;
	return true;
}
