/* Netlink's wire format: messages and attributes, written into a caller's buffer and read from a
 * datagram (include/uapi/linux/netlink.h). In place of libmnl, whose source is not on every mirror
 * that the rest of the image comes from. Inside of netlink_*.c.
 *
 * Writers do not check the buffer's size: a request's attributes are known when it is written.
 * Readers trust no length that is in the datagram. */
#pragma once

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a reader says: go on, enough, or an error with errno set. */
enum { NLREAD_ERROR = -1, NLREAD_STOP = 0, NLREAD_NEXT = 1 };

typedef int nlmsg_fn(const struct nlmsghdr *message, void *arg);
typedef int nlattr_fn(const struct nlattr *attr, void *arg);

/* A bound socket, close-on-exec, or -1 with errno. *port: the address that the kernel gave it. */
int nlmsg_socket(int protocol, int flags, uint32_t groups, uint32_t *port);
ssize_t nlmsg_send(int fd, const struct nlmsghdr *message);

/* A datagram from the kernel; what another process sent is passed over. -1 with errno; ENOSPC if
 * it did not fit. */
ssize_t nlmsg_receive(int fd, void *bytes, size_t size);

/* Gives each message to `fn` (may be NULL). NLREAD_NEXT: more datagrams follow; NLREAD_STOP: the
 * answer is complete; NLREAD_ERROR: errno says what the kernel said. Sequence or port 0: any. */
int nlmsg_each(const void *bytes, size_t size, uint32_t sequence, uint32_t port, nlmsg_fn *fn,
	       void *arg);

struct nlmsghdr *nlmsg_begin(void *bytes);
/* Cleared room of `size` bytes at the message's end. */
void *nlmsg_extend(struct nlmsghdr *message, size_t size);
const void *nlmsg_payload(const struct nlmsghdr *message);
size_t nlmsg_payload_bytes(const struct nlmsghdr *message);

void nlattr_put(struct nlmsghdr *message, uint16_t type, size_t size, const void *data);
void nlattr_put_u32(struct nlmsghdr *message, uint16_t type, uint32_t value);
void nlattr_put_text(struct nlmsghdr *message, uint16_t type, const char *text);
struct nlattr *nlattr_nest(struct nlmsghdr *message, uint16_t type);
void nlattr_nest_end(struct nlmsghdr *message, struct nlattr *nest);

/* Each attribute after a family header of `offset` bytes, or within another attribute. */
int nlattr_each(const struct nlmsghdr *message, size_t offset, nlattr_fn *fn, void *arg);
int nlattr_each_nested(const struct nlattr *nest, nlattr_fn *fn, void *arg);
uint16_t nlattr_type(const struct nlattr *attr);
const void *nlattr_data(const struct nlattr *attr);
size_t nlattr_bytes(const struct nlattr *attr);
/* 0 if the attribute is too short. */
uint32_t nlattr_u32(const struct nlattr *attr);
uint8_t nlattr_u8(const struct nlattr *attr);
