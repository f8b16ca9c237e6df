/* Every name below .example is this machine: getaddrinfo() for LD_PRELOAD. */
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **list)
{
    static const char OURS[] = ".example";
    size_t n = node != NULL ? strlen(node) : 0, tail = sizeof OURS - 1;
    union {
        void *object;
        int (*function)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    } real = { dlsym(RTLD_NEXT, "getaddrinfo") };

    if (n > tail && strcmp(node + n - tail, OURS) == 0)
        node = "127.0.0.1";
    return real.function(node, service, hints, list);
}
