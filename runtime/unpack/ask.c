#include "unpack/ask.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "unpack/fetcher.h"

enum { ANSWER_MAX = 1 << 20 };

int ask_registry(const struct ask *ask, struct err *e)
{
	const char *const argv[] = { ask->fetch, ask->command, "--registries", ask->registries,
				     "--limit", ask->limit ? ask->limit : "0", ask->ref, NULL };
	autofree char *text = NULL;
	struct fetcher f;
	size_t len = 0;
	int rc = fetcher_start(&f, argv, e);

	if (!rc)
		rc = fetcher_hear(&f, e);
	if (rc == 1)
		rc = fetcher_document(&f, ANSWER_MAX, &text, &len, e);
	else if (!rc)
		rc = err_set(e, -EIO, "fetch ended without an answer");
	/* A login's answer says nothing more than that there was one. */
	if (!rc && ask->limit && file_write_all(STDOUT_FILENO, text, len) < 0)
		rc = err_set(e, -EPIPE, "nobody waits for the answer");
	fetcher_end(&f);
	return rc;
}
