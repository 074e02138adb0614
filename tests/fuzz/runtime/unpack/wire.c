/* What the jailed reader of an archive may say to the process that writes the files, once it was
 * taken over: no fault, and no entry that could lie outside of the layer or carry an attribute that
 * speaks to the host. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unpack/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_path(const char *path)
{
	char clean[TREE_PATH_MAX];

	if (tree_clean(path, clean, NULL) < 0 || strcmp(path, clean) != 0)
		abort();
}

static void check_entry(const struct entry *entry)
{
	check_path(entry->path);
	if (entry->kind == ENTRY_HARDLINK)
		check_path(entry->target);
	if (entry->kind >= ENTRY_WHITEOUT || entry->mode > 07777 || entry->xattr_count > XATTRS_MAX)
		abort();
	for (size_t i = 0; i < entry->xattr_count; i++) {
		const struct xattr *x = &entry->xattrs[i];
		unsigned char *copy = malloc(x->len + 1);

		/* Reads all of the value, which lies in the wire's memory. */
		if (copy)
			memcpy(copy, x->value, x->len);
		free(copy);
		if (strncmp(x->name, "user.", 5) && strcmp(x->name, "security.capability") &&
		    strcmp(x->name, "trusted.overlay.opaque"))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static int fd = -1;
	struct wire_record *record = malloc(sizeof(*record));
	struct wire *w;

	if (fd < 0)
		fd = memfd_create("wire", MFD_CLOEXEC);
	w = wire_new(fd);
	if (!w || !record || ftruncate(fd, 0) < 0 || pwrite(fd, data, len, 0) != (ssize_t)len ||
	    lseek(fd, 0, SEEK_SET) < 0)
		abort();
	while (wire_get(w, record, NULL) == 0)
		if (record->kind == WIRE_ENTRY)
			check_entry(&record->entry);
	wire_free(w);
	free(record);
	return 0;
}
