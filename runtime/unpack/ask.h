/* search, login: a question to a registry through fetch, and its answer to standard output. */
#pragma once

#include "base/err.h"

struct ask {
	const char *command;            /* fetch's: "search", "login" */
	const char *ref;                /* REGISTRY/TERM, or any name of the registry */
	const char *limit;              /* of results; NULL: a login, which prints nothing */
	const char *fetch, *registries;
};

/* Standard input (the credentials) is fetch's. 0 or -errno. */
int ask_registry(const struct ask *ask, struct err *e);
