#include "unpack/tarin.h"

#include <archive.h>
#include <errno.h>
#include <stdlib.h>

/* umoci insert ends its tars without the padding after the last file's data; Go's reader, so
 * docker, takes them. The diff id still says whether anything that should be there is missing. */
static la_ssize_t pad_end(struct tarin *t, const void **data)
{
	static const char zeros[512];
	size_t n = (sizeof(zeros) - t->tar_bytes % sizeof(zeros)) % sizeof(zeros);

	t->tar_bytes += n;
	*data = zeros;
	return (la_ssize_t)n;
}

static la_ssize_t read_stream(struct archive *a, void *ctx, const void **data)
{
	struct tarin *t = ctx;
	ssize_t n = stream_read(t->stream, data, t->e);

	if (n == 0)
		return pad_end(t, data);
	if (n > 0)
		t->tar_bytes += (uint64_t)n;

	if (n < 0) {
		t->told = true;
		archive_set_error(a, EIO, "read failed");
	}
	return n;
}

static int archive_fault(struct tarin *t)
{
	if (t->told)
		return -EBADMSG;
	return err_set(t->e, -EBADMSG, "the tar is damaged after entry %llu: %s",
		       (unsigned long long)t->entries, archive_error_string(t->archive));
}

int tarin_open(struct tarin *t, int fd, uint64_t max_bytes)
{
	t->archive = archive_read_new();
	if (!t->archive || archive_read_support_format_tar(t->archive) != ARCHIVE_OK)
		return err_set(t->e, -ENOMEM, "out of memory");
	t->tar_bytes = t->entries = 0;
	archive_read_support_format_empty(t->archive);
	if (stream_open(&t->stream, fd, max_bytes, t->e) < 0)
		return -EIO;
	if (archive_read_open(t->archive, t, NULL, read_stream, NULL) != ARCHIVE_OK)
		return archive_fault(t);
	return 0;
}

void tarin_close(struct tarin *t)
{
	archive_read_free(t->archive);
	stream_close(t->stream);
	t->archive = NULL;
	t->stream = NULL;
}

int tarin_next(struct tarin *t, struct entry *entry)
{
	struct archive_entry *from;
	int rc = archive_read_next_header(t->archive, &from);
	const char *name;

	if (rc == ARCHIVE_EOF)
		return 0;
	if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
		return archive_fault(t);
	rc = entry_read(entry, from, t->layer, t->e);
	if (rc < 0) {
		name = archive_entry_pathname(from);
		err_prefix(t->e, "entry \"%.200s\"", name ? name : "");
		return rc;
	}
	t->entries++;
	return 1;
}

static int put_zeros(struct tarin *t, const struct sink *sink, uint64_t len)
{
	static const char zeros[16384];
	int rc = 0;

	while (len && !rc) {
		size_t n = len < sizeof(zeros) ? (size_t)len : sizeof(zeros);

		rc = sink->data(sink->ctx, zeros, n, t->e);
		len -= n;
	}
	return rc;
}

/* A sparse file comes as pieces with their offsets. */
int tarin_data(struct tarin *t, const struct entry *entry, const struct sink *sink)
{
	uint64_t at = 0, size = entry->size_bytes;

	for (;;) {
		const void *data;
		size_t len;
		la_int64_t offset;
		int rc = archive_read_data_block(t->archive, &data, &len, &offset);

		if (rc == ARCHIVE_EOF)
			break;
		if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
			return archive_fault(t);
		if (offset < 0 || (uint64_t)offset < at || (uint64_t)offset > size ||
		    len > size - (uint64_t)offset)
			return err_set(t->e, -EINVAL, "entry \"%.200s\": its data does not fit its "
				       "size", entry->path);
		rc = put_zeros(t, sink, (uint64_t)offset - at);
		if (!rc)
			rc = sink->data(sink->ctx, data, len, t->e);
		if (rc < 0)
			return rc;
		at = (uint64_t)offset + len;
	}
	return put_zeros(t, sink, size - at);
}

static int read_entries(struct tarin *t, struct entry *entry, const struct sink *sink)
{
	int rc;

	while ((rc = tarin_next(t, entry)) > 0) {
		if (t->entries > LAYER_ENTRIES_MAX)
			return err_set(t->e, -EFBIG, "the archive has more than %d entries",
				       LAYER_ENTRIES_MAX);
		rc = sink->entry(sink->ctx, entry, t->e);
		if (!rc && entry->kind == ENTRY_FILE)
			rc = tarin_data(t, entry, sink);
		if (rc < 0)
			return rc;
	}
	return rc;
}

int tarin_all(int fd, uint64_t max_bytes, const struct sink *sink, struct err *e)
{
	struct tarin t = { .e = e };
	struct entry *entry = malloc(sizeof(*entry));
	struct stream_sums sums;
	int rc = entry ? tarin_open(&t, fd, max_bytes) : err_set(e, -ENOMEM, "out of memory");

	if (!rc)
		rc = read_entries(&t, entry, sink);
	if (!rc)
		rc = stream_finish(t.stream, &sums, e);
	tarin_close(&t);
	free(entry);
	return rc;
}
