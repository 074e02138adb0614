/* The networks of containers: docker's "network COMMAND". */
#pragma once

/* argv[0] is the word after "network". Returns the exit code. */
int networks_command(int argc, char **argv);
