/* What a person (or `berth config ...`) asks of this program. Each returns an exit code. */
#pragma once

#include "base/err.h"

int command_check(int count, char **files);   /* faults on stdout; 0: none but warnings */
int command_show(int count, char **files);    /* normalised JSON on stdout, faults on stderr */
int command_keep(int count, char **none);     /* trial.h: what becomes of the one on trial */
int command_refuse(int count, char **reason_and_version);
int command_give_back(int count, char **none);
int command_forget(int count, char **version);
int command_diff(int count, char **file);     /* against what is in force, a line for each key */
int command_apply(int count, char **file_and_seconds);
int command_edit(int count, char **seconds);   /* of what is installed, in $EDITOR */

/* A change that waits to be confirmed is confirmed. 0, also when none waits; or -errno. */
int change_confirm(struct err *e);

/* ---- explain.c ---- */
int command_explain(int count, char **keys);  /* what a key means; without keys: all of them */
int command_reference(int count, char **none); /* the same as a page of Markdown */

/* ---- schema_json.c ---- */
int command_schema(int count, char **none);   /* a JSON Schema, for editors */
