/* Signals by name or number, as docker takes them: "SIGTERM", "term", "15", "RTMIN+3". */
#pragma once

/* The number, or -EINVAL. */
int signal_number(const char *text);
