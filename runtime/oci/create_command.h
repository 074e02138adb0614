/* The options that "create" and "run" share. */
#pragma once

#include "oci/args.h"
#include "oci/create.h"

struct create_options {
	const char *preserve_fds;
	bool no_pivot;
};

/* Rows for args_parse; `c`: struct create *, `x`: struct create_options *. */
#define CREATE_ARGS(c, x)                                                                        \
	ARG_TEXT("bundle", 'b', &(c)->bundle_option, "the bundle's folder (.)"),                 \
	ARG_TEXT("console-socket", 0, &(c)->console_socket,                                      \
		 "unix socket that gets the terminal's other end"),                              \
	ARG_TEXT("pid-file", 0, &(c)->pid_file, "write the first process's number there"),       \
	ARG_TEXT("pidfd-socket", 0, &(c)->pidfd_socket, "unix socket that gets its pidfd"),      \
	ARG_TEXT("preserve-fds", 0, &(x)->preserve_fds, "hand on so many fds, from 3"),          \
	ARG_FLAG("no-new-keyring", 0, &(c)->no_new_keyring, "keep the caller's session keyring"), \
	ARG_FLAG("no-pivot", 0, &(x)->no_pivot, "refused, for it is not safe")

/* Takes the id and checks the options. */
int create_take_options(struct create *c, const struct create_options *x, int argc, char **argv,
			int next, struct err *e);
