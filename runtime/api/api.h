/* Docker's Engine API on a unix socket, in the engine's event loop. README.md lists what is
 * answered. */
#pragma once

#include "base/err.h"

struct api;
struct engine;

int api_open(struct api **out, struct engine *engine, struct err *e);
void api_close(struct api *api); /* NULL is fine */
