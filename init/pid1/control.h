/* /run/berth/init.sock: one line in (pid1/request.h), one answer out, closed. Root only. A client
 * that is slow or silent costs a slot for some seconds and never the loop. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "pid1/request.h"

/* Puts the answer into `out`. */
typedef void control_fn(const struct request *r, struct buf *out, void *arg);

/* Listens; lasts for the life of the machine. */
int control_listen(struct loop *l, const char *path, control_fn *answer, void *arg, struct err *e);
