/* A layer that lies unpacked in a store already, told to the process that reads the layers above
 * it: they may go through its symlinks and take over its directories' owners. */
#pragma once

#include "base/err.h"
#include "unpack/tree.h"
#include "unpack/wire.h"

/* Writes the names of the layer at `dir` as records, without any data, and WIRE_END; `bytes` gets
 * the sum of its files' sizes. 0 or -errno. */
int known_send(int dir, struct wire *w, uint64_t *bytes, struct err *e);

/* The reading end: takes the layer into the tree as `number`. 0 or -errno. */
int known_receive(struct wire *w, struct tree *tree, int number, struct err *e);
