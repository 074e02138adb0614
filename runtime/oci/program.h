/* The program to run: found as runc and docker's users know it, with their words for what goes
 * wrong, from which docker's exit codes 126 and 127 are told. */
#pragma once

#include "base/err.h"

/* The value of `name` in "NAME=value" strings, or NULL. */
const char *program_env(char *const *env, const char *name);

/* Malloc'ed path of the executable. With a slash it is taken as it is, otherwise looked for in
 * `path`. Errors: exec: "x": executable file not found in $PATH; exec: "/x": stat /x: no such file
 * or directory; exec: "/x": permission denied; exec: "/x": is a directory. */
int program_find(const char *name, const char *path, char **out, struct err *e);

/* What execve said: "exec /x: exec format error". Returns `code`. */
int program_exec_error(const char *name, int code, struct err *e);
