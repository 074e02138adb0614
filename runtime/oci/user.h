/* Users and groups by the image's own /etc/passwd and /etc/group. Both are written by whoever made
 * the image or ran in it: regular files only, opened inside the root and without waiting, lines
 * and total bounded; no C library function that would look anywhere else (CVE-2019-14271). */
#pragma once

#include <stdint.h>

#include "base/err.h"

enum { USER_GROUPS_MAX = 1024, USER_HOME_MAX = 4096 };

struct user {
	uint32_t uid, gid;
	uint32_t groups[USER_GROUPS_MAX];
	int group_count;
	char home[USER_HOME_MAX]; /* of the uid; "/" if it is not listed */
};

/* `wish` is docker's: "name", "uid", "name:group", "uid:gid" or a mix. Group only by number does
 * not need to be listed. Supplementary groups are those that list the user's name, unless the
 * wish names a group. Errors are docker's: "unable to find user x: no matching entries in passwd
 * file". */
int user_resolve(int root, const char *wish, struct user *out, struct err *e);

/* Adds the groups in "audio,44". */
int user_add_groups(int root, const char *list, struct user *out, struct err *e);

/* Fills only `home`, for a uid that is given by number. */
void user_find_home(int root, struct user *out);
