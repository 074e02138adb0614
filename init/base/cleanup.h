/* Cleanup attributes: what a variable owns is released when it leaves scope. Ownership leaves
 * by an explicit take_fd() or take_ptr(). */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

/* Keeps errno: a cleanup runs between a failed call and the caller's look at it. */
static inline void cleanup_fd(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void cleanup_dir(DIR **d)
{
	int saved = errno;

	if (*d)
		closedir(*d);
	errno = saved;
}

static inline void cleanup_file(FILE **f)
{
	int saved = errno;

	if (*f)
		fclose(*f);
	errno = saved;
}

#define autofree __attribute__((cleanup(cleanup_free)))
#define autoclose __attribute__((cleanup(cleanup_fd)))
#define autodir __attribute__((cleanup(cleanup_dir)))
#define autofile __attribute__((cleanup(cleanup_file)))

static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define take_ptr(p)                 \
	({                          \
		__auto_type t_ = (p); \
		(p) = NULL;         \
		t_;                 \
	})

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
