/* Short forms for the rows of a record's table. Included by the .c files that hold one.
 * The JSON key is the member's name. */
#pragma once

#include "spec/record.h"

#define F_STR(s, m) { #m, RECORD_STRING, offsetof(struct s, m), NULL, false }
#define F_STR_REQ(s, m) { #m, RECORD_STRING, offsetof(struct s, m), NULL, true }
#define F_STRS(s, m) { #m, RECORD_STRINGS, offsetof(struct s, m), NULL, false }
#define F_KEYS(s, m) { #m, RECORD_KEYS, offsetof(struct s, m), NULL, false }
#define F_MAP(s, m) { #m, RECORD_MAP, offsetof(struct s, m), NULL, false }
#define F_BOOL(s, m) { #m, RECORD_BOOL, offsetof(struct s, m), NULL, false }
#define F_INT(s, m) { #m, RECORD_INT, offsetof(struct s, m), NULL, false }
#define F_INT_REQ(s, m) { #m, RECORD_INT, offsetof(struct s, m), NULL, true }
#define F_U64(s, m) { #m, RECORD_U64, offsetof(struct s, m), NULL, false }
#define F_U64_REQ(s, m) { #m, RECORD_U64, offsetof(struct s, m), NULL, true }
#define F_OPT(s, m) { #m, RECORD_OPT_INT, offsetof(struct s, m), NULL, false }
#define F_OBJ(s, m, t) { #m, RECORD_OBJECT, offsetof(struct s, m), t, false }
#define F_PTR(s, m, t) { #m, RECORD_POINTER, offsetof(struct s, m), t, false }
#define F_LIST(s, m, t) { #m, RECORD_LIST, offsetof(struct s, m), t, false }
/* An object of objects; the key of each becomes the member that F_NAME names. */
#define F_NAMED(s, m, t) { #m, RECORD_NAMED, offsetof(struct s, m), t, false }
#define F_NAME(s, m) { "", RECORD_NAME, offsetof(struct s, m), NULL, false }
#define F_RAW(s, m) { #m, RECORD_RAW, offsetof(struct s, m), NULL, false }
#define F_REFUSED(key) { key, RECORD_REFUSED, 0, NULL, false }
#define F_END { NULL, RECORD_STRING, 0, NULL, false }

#define RECORD_TYPE(name, s, fields) \
	static const struct record_type name = { sizeof(struct s), fields, false }
#define RECORD_TYPE_OR_STRING(name, s, fields) \
	static const struct record_type name = { sizeof(struct s), fields, true }
