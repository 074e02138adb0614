/* What a registry and a client may put into headers and tokens: no fault; a challenge that was taken
 * has a realm, and its address stays http. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void try_challenge(const char *text)
{
	struct challenge c = { .basic = false };
	struct buf url = { 0 };

	if (!challenge_parse(text, &c))
		return;
	if (c.bearer && !*c.realm)
		abort();
	if (c.bearer && challenge_url(&c, c.scope, &url) == 0 && strncmp(url.data, "http", 4))
		abort();
	buf_free(&url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = strndup((const char *)data, len);
	struct credentials c = { 0 };

	if (!text)
		return 0;
	try_challenge(text);
	if (credentials_parse(text, &c, NULL) == 0)
		credentials_free(&c);
	free(token_of((const char *)data, len));
	free(text);
	return 0;
}
