/* What the stages run (stage.c). */
#pragma once

#include <yyjson.h>

/* The list of commands under this key, in one shell. Exit code: 1 if it could not be run. */
int stage_commands(yyjson_val *config, const char *name);

/* A program with its arguments; its exit code, or -errno after a line in the log. */
int stage_program(yyjson_val *words, const char *instance_id);

/* The instance's id, "iid-berth" where no source says one: then the machine is the instance. */
const char *stage_instance(yyjson_val *config);
