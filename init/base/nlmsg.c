#include "base/nlmsg.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int nlmsg_socket(int protocol, int flags, uint32_t groups, uint32_t *port)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
	socklen_t size = sizeof(address);
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, protocol);

	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&address, size) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) < 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	*port = address.nl_pid;
	return fd;
}

ssize_t nlmsg_send(int fd, const struct nlmsghdr *message)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	return sendto(fd, message, message->nlmsg_len, 0, (struct sockaddr *)&kernel,
		      sizeof(kernel));
}

ssize_t nlmsg_receive(int fd, void *bytes, size_t size)
{
	struct sockaddr_nl from = {0};
	struct iovec part = {.iov_base = bytes, .iov_len = size};
	struct msghdr envelope = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &part, .msg_iovlen = 1};

	for (;;) {
		ssize_t n = recvmsg(fd, &envelope, 0);

		if (n < 0)
			return -1;
		if (envelope.msg_flags & MSG_TRUNC) {
			errno = ENOSPC;
			return -1;
		}
		if (from.nl_pid == 0)
			return n;
		envelope.msg_namelen = sizeof(from);
	}
}

static int read_status(const struct nlmsghdr *message)
{
	int code;

	if (nlmsg_payload_bytes(message) < sizeof(code)) {
		errno = EBADMSG;
		return NLREAD_ERROR;
	}
	memcpy(&code, nlmsg_payload(message), sizeof(code));
	if (code == 0)
		return NLREAD_STOP;
	errno = code < 0 ? -code : code;
	return NLREAD_ERROR;
}

static int read_message(const struct nlmsghdr *message, nlmsg_fn *fn, void *arg)
{
	switch (message->nlmsg_type) {
	case NLMSG_NOOP:
		return NLREAD_NEXT;
	case NLMSG_ERROR:
		return read_status(message);
	case NLMSG_DONE:
		return NLREAD_STOP;
	case NLMSG_OVERRUN:
		errno = ENOBUFS;
		return NLREAD_ERROR;
	default:
		return fn ? fn(message, arg) : NLREAD_NEXT;
	}
}

int nlmsg_each(const void *bytes, size_t size, uint32_t sequence, uint32_t port, nlmsg_fn *fn,
	       void *arg)
{
	const struct nlmsghdr *message = bytes;
	int state = NLREAD_NEXT;

	while (state == NLREAD_NEXT && size >= sizeof(*message)) {
		size_t step;

		if (message->nlmsg_len < sizeof(*message) || message->nlmsg_len > size)
			break;
		/* An older request's answer, left behind when its reader stopped early. */
		if ((!sequence || !message->nlmsg_seq || message->nlmsg_seq == sequence) &&
		    (!port || !message->nlmsg_pid || message->nlmsg_pid == port))
			state = read_message(message, fn, arg);
		step = NLMSG_ALIGN(message->nlmsg_len);
		size -= step < size ? step : size;
		message = (const void *)((const char *)message + step);
	}
	return state;
}

struct nlmsghdr *nlmsg_begin(void *bytes)
{
	struct nlmsghdr *message = bytes;

	memset(message, 0, sizeof(*message));
	message->nlmsg_len = NLMSG_HDRLEN;
	return message;
}

void *nlmsg_extend(struct nlmsghdr *message, size_t size)
{
	char *end = (char *)message + NLMSG_ALIGN(message->nlmsg_len);

	memset(end, 0, NLMSG_ALIGN(size));
	message->nlmsg_len = NLMSG_ALIGN(message->nlmsg_len) + (uint32_t)NLMSG_ALIGN(size);
	return end;
}

const void *nlmsg_payload(const struct nlmsghdr *message)
{
	return (const char *)message + NLMSG_HDRLEN;
}

size_t nlmsg_payload_bytes(const struct nlmsghdr *message)
{
	return message->nlmsg_len - NLMSG_HDRLEN;
}

void nlattr_put(struct nlmsghdr *message, uint16_t type, size_t size, const void *data)
{
	struct nlattr *attr = nlmsg_extend(message, NLA_HDRLEN + size);

	attr->nla_type = type;
	attr->nla_len = (uint16_t)(NLA_HDRLEN + size);
	memcpy((char *)attr + NLA_HDRLEN, data, size);
}

void nlattr_put_u32(struct nlmsghdr *message, uint16_t type, uint32_t value)
{
	nlattr_put(message, type, sizeof(value), &value);
}

void nlattr_put_text(struct nlmsghdr *message, uint16_t type, const char *text)
{
	nlattr_put(message, type, strlen(text) + 1, text);
}

struct nlattr *nlattr_nest(struct nlmsghdr *message, uint16_t type)
{
	struct nlattr *nest = nlmsg_extend(message, NLA_HDRLEN);

	nest->nla_type = NLA_F_NESTED | type;
	return nest;
}

void nlattr_nest_end(struct nlmsghdr *message, struct nlattr *nest)
{
	nest->nla_len = (uint16_t)((char *)message + message->nlmsg_len - (char *)nest);
}

static int each_attr(const char *at, size_t size, nlattr_fn *fn, void *arg)
{
	int state = NLREAD_NEXT;

	while (state == NLREAD_NEXT && size >= sizeof(struct nlattr)) {
		const struct nlattr *attr = (const void *)at;
		size_t step = NLA_ALIGN((size_t)attr->nla_len);

		if (attr->nla_len < sizeof(*attr) || attr->nla_len > size)
			break;
		state = fn(attr, arg);
		size -= step < size ? step : size;
		at += step;
	}
	return state;
}

int nlattr_each(const struct nlmsghdr *message, size_t offset, nlattr_fn *fn, void *arg)
{
	size_t size = nlmsg_payload_bytes(message);

	offset = NLMSG_ALIGN(offset);
	if (offset > size)
		return NLREAD_NEXT;
	return each_attr((const char *)nlmsg_payload(message) + offset, size - offset, fn, arg);
}

int nlattr_each_nested(const struct nlattr *nest, nlattr_fn *fn, void *arg)
{
	return each_attr(nlattr_data(nest), nlattr_bytes(nest), fn, arg);
}

uint16_t nlattr_type(const struct nlattr *attr)
{
	return attr->nla_type & NLA_TYPE_MASK;
}

const void *nlattr_data(const struct nlattr *attr)
{
	return (const char *)attr + NLA_HDRLEN;
}

size_t nlattr_bytes(const struct nlattr *attr)
{
	return attr->nla_len - (size_t)NLA_HDRLEN;
}

uint32_t nlattr_u32(const struct nlattr *attr)
{
	uint32_t value = 0;

	if (nlattr_bytes(attr) >= sizeof(value))
		memcpy(&value, nlattr_data(attr), sizeof(value));
	return value;
}

uint8_t nlattr_u8(const struct nlattr *attr)
{
	return nlattr_bytes(attr) >= 1 ? *(const uint8_t *)nlattr_data(attr) : 0;
}
