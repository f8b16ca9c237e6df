/* Addresses: where to listen, and which peers may speak for others. Private to http/. */
#ifndef HTTP_ADDRESS_H
#define HTTP_ADDRESS_H

#include "http/http.h"

struct sockaddr;

enum { PROXIES_MAX = 32 };

struct prefix {
    struct http_address address;
    unsigned bits; /* 0 to 128 */
};

struct proxies {
    struct prefix prefix[PROXIES_MAX];
    unsigned count;
};

/* The address of a socket; all zero when it is neither IPv4 nor IPv6. */
struct http_address address_of(const struct sockaddr *sa);

/* Read a numeric address of n characters, IPv4 or IPv6, brackets and a port allowed. */
bool address_parse(const char *text, size_t n, struct http_address *address_out);

/* Read "10.0.0.0/8, ::1". False names nothing: the text is wrong. NULL is an empty list. */
bool proxies_parse(const char *text, struct proxies *proxies_out);
bool proxies_has(const struct proxies *proxies, const struct http_address *address);

/*
 * Split "host:port", "[v6]:port" or "*:port". The host of "*" is empty.
 *   host_out  at least 256 bytes
 */
bool address_split(const char *text, char host_out[256], unsigned *port_out);

/* Open a listening socket. ERR_CONFIG: no such address. ERR_IO: it can't be bound. Logged. */
enum err address_listen(const char *text, int *fd_out, unsigned *port_out);

#endif
