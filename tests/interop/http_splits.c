/*
 * Envelopes as a device receives them: an HTTP response whose body arrives in two pieces, split at
 * every point, and in two chunks, divided at every point. The verdict must be that on the file.
 *
 *     http_splits VECTORS
 *
 * Every *.suit of the folders in VECTORS; all keys of VECTORS/keys are trusted. The socket is
 * played; the client's HTTP/1.1 and the codec are the real ones.
 */
#include "check.h"
#include "core/http.h"
#include "suit_keys.h"

#include <dirent.h>
#include <psa/crypto.h>

#include "lsuit/suit.h"

enum { ENVELOPE_MAX = 8192, KEYS_MAX = 16 };

/* --- a peer that sends a response, and at most up to `split` in one piece --- */

static struct peer {
    uint8_t bytes[ENVELOPE_MAX + 512];
    size_t n, at, split;
    unsigned pieces;
    bool open;
} peer;

static int peer_connect(void *ctx, const char *host, uint16_t port, bool tls)
{
    (void)ctx, (void)host, (void)port, (void)tls;
    peer.open = true;
    return 1;
}

static int peer_send(void *ctx, const uint8_t *buf, size_t n)
{
    (void)ctx, (void)buf;
    return peer.open ? (int)n : LAPEL_NET_FAIL;
}

static int peer_recv(void *ctx, uint8_t *buf, size_t n)
{
    size_t end = peer.at < peer.split ? peer.split : peer.n;
    size_t left = end - peer.at;

    (void)ctx;
    if (!peer.open || left == 0)
        return LAPEL_NET_CLOSED;
    if (n > left)
        n = left;
    memcpy(buf, peer.bytes + peer.at, n);
    peer.at += n;
    peer.pieces++;
    return (int)n;
}

static void peer_close(void *ctx)
{
    (void)ctx;
    peer.open = false;
}

static const struct lapel_net NET = { sizeof NET, peer_connect, peer_send,
                                      peer_recv,  peer_close,   NULL };
static const struct lapel_origin ORIGIN = { "h.example", 443, true, false };

static void peer_says(const void *bytes, size_t n)
{
    memcpy(peer.bytes + peer.n, bytes, n);
    peer.n += n;
}

static void peer_says_text(const char *text)
{
    peer_says(text, strlen(text));
}

/* What the client has of the response's body; false when the exchange failed. */
static bool receive(uint8_t *body, size_t *n_out)
{
    static const struct lapel_request REQUEST = { .method = "GET", .path = "/v1/manifests/x" };
    static uint8_t io[ENVELOPE_MAX];
    struct lapel_http http;
    enum http_result r = HTTP_AGAIN;
    size_t n = 0;

    memset(&http, 0, sizeof http);
    lapel_http_init(&http, io, sizeof io, &NET, NULL, &ORIGIN);
    r = lapel_http_start(&http, &REQUEST);
    while (r >= 0 && r != HTTP_END) {
        r = lapel_http_step(&http, 1000);
        if ((r == HTTP_BODY || r == HTTP_END) && http.body_n > 0) {
            if (http.body_n > ENVELOPE_MAX - n)
                return false;
            memcpy(body + n, http.io, http.body_n);
            n += http.body_n;
            lapel_http_take(&http, http.body_n);
        }
    }
    *n_out = n;
    return r == HTTP_END && http.head.status == 200;
}

/* --- the verdict --- */

/*
 * PSA's table, with a memory of one verification: the same bytes are asked about at each split,
 * and a P-256 verification takes a thousand times as long as all else.
 */
static struct {
    bool known;
    uint8_t asked[1024];
    size_t asked_n;
    enum lsuit_err answer;
} memory[KEYS_MAX];
static struct lsuit_key keys[KEYS_MAX];
static struct suit_key key_files[KEYS_MAX];
static size_t keys_n;

static enum lsuit_err verify(void *ctx, const struct lsuit_key *key, int32_t alg,
                             const struct lsuit_bytes *parts, size_t parts_n,
                             struct lsuit_bytes signature)
{
    uint8_t asked[sizeof memory->asked];
    size_t n = 0, i = (size_t)(key - keys);

    for (size_t p = 0; p <= parts_n; p++) {
        struct lsuit_bytes part = p < parts_n ? parts[p] : signature;

        if (i >= keys_n || part.len > sizeof asked - n)
            return lsuit_crypto_psa.verify(ctx, key, alg, parts, parts_n, signature);
        if (part.len > 0)
            memcpy(asked + n, part.ptr, part.len);
        n += part.len;
    }
    if (!memory[i].known || memory[i].asked_n != n || memcmp(memory[i].asked, asked, n) != 0) {
        memory[i].known = true;
        memory[i].answer = lsuit_crypto_psa.verify(ctx, key, alg, parts, parts_n, signature);
        memcpy(memory[i].asked, asked, n);
        memory[i].asked_n = n;
    }
    return memory[i].answer;
}

static enum lsuit_err verdict(const uint8_t *bytes, size_t n, struct lsuit_fault *fault)
{
    struct lsuit_crypto crypto = lsuit_crypto_psa;
    struct lsuit_trust_keys trust = { keys, keys_n, 1 };
    struct lsuit_envelope envelope;
    struct lsuit_manifest manifest;
    enum lsuit_err e;

    crypto.verify = verify;
    memset(fault, 0, sizeof *fault);
    e = lsuit_envelope_read((struct lsuit_bytes){ bytes, n }, &envelope, fault);
    if (e == LSUIT_OK)
        e = lsuit_envelope_verify(&envelope, &crypto, &trust, NULL, fault);
    if (e == LSUIT_OK)
        e = lsuit_manifest_read(&envelope, &crypto, &manifest, fault);
    if (e == LSUIT_OK)
        e = lsuit_manifest_check(&manifest, 0, fault);
    return e;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* --- one envelope, split everywhere --- */

struct envelope_file {
    uint8_t bytes[ENVELOPE_MAX];
    size_t n;
    enum lsuit_err verdict;
    struct lsuit_fault fault;
};

static bool as_the_file(const struct envelope_file *f)
{
    uint8_t body[ENVELOPE_MAX];
    struct lsuit_fault fault;
    size_t n = 0;

    return receive(body, &n) && n == f->n && verdict(body, n, &fault) == f->verdict &&
           same_text(fault.what, f->fault.what) && same_text(fault.why, f->fault.why);
}

/* One response with a Content-Length: cut anywhere in its head and body. */
static void in_two_pieces(const struct envelope_file *f)
{
    char head[80];
    unsigned wrong = 0, whole = 0;

    memset(&peer, 0, sizeof peer);
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", f->n);
    peer_says_text(head);
    peer_says(f->bytes, f->n);
    for (size_t split = 1; split < peer.n; split++) {
        peer.at = peer.pieces = 0;
        peer.split = split;
        wrong += !as_the_file(f);
        whole += peer.pieces < 2;
    }
    CHECK_UINT(wrong, 0);
    CHECK_UINT(whole, 0); /* each was really split */
}

static void in_two_chunks(const struct envelope_file *f)
{
    char size[80];
    unsigned wrong = 0;

    for (size_t split = 1; split < f->n; split++) {
        memset(&peer, 0, sizeof peer);
        snprintf(size, sizeof size, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n",
                 split);
        peer_says_text(size);
        peer_says(f->bytes, split);
        snprintf(size, sizeof size, "\r\n%zx\r\n", f->n - split);
        peer_says_text(size);
        peer_says(f->bytes + split, f->n - split);
        peer_says_text("\r\n0\r\n\r\n");
        wrong += !as_the_file(f);
    }
    CHECK_UINT(wrong, 0);
}

/* --- the files --- */

static bool ends_in(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);

    return n > m && strcmp(name + n - m, end) == 0;
}

static void keys_read(const char *folder)
{
    char path[512];
    struct dirent *entry;
    DIR *d;

    snprintf(path, sizeof path, "%s/keys", folder);
    d = opendir(path);
    keys_n = 0;
    memset(memory, 0, sizeof memory);
    while (d != NULL && (entry = readdir(d)) != NULL && keys_n < KEYS_MAX) {
        bool public = ends_in(entry->d_name, ".pub.pem") || ends_in(entry->d_name, ".hex");

        snprintf(path, sizeof path, "%s/keys/%.200s", folder, entry->d_name);
        if (public && suit_key_read(path, &key_files[keys_n])) {
            keys[keys_n] = key_files[keys_n].key;
            keys_n++;
        }
    }
    if (d != NULL)
        closedir(d);
}

static size_t file_read(const char *path, uint8_t *out, size_t cap)
{
    FILE *f = fopen(path, "rb");
    size_t n = f != NULL ? fread(out, 1, cap, f) : 0;

    if (f != NULL)
        fclose(f);
    return n;
}

/* Every *.suit of a folder; how many of them are accepted. */
static unsigned folder_run(const char *folder)
{
    static struct envelope_file f;
    char path[640], name[128];
    unsigned good = 0;
    struct dirent *entry;
    DIR *d = opendir(folder);

    while (d != NULL && (entry = readdir(d)) != NULL) {
        if (!ends_in(entry->d_name, ".suit"))
            continue;
        snprintf(path, sizeof path, "%s/%.120s", folder, entry->d_name);
        snprintf(name, sizeof name, "%.120s", entry->d_name);
        check_case(name);
        f.n = file_read(path, f.bytes, sizeof f.bytes);
        f.verdict = verdict(f.bytes, f.n, &f.fault);
        good += f.verdict == LSUIT_OK;
        CHECK(f.n < sizeof f.bytes);
        in_two_pieces(&f);
        in_two_chunks(&f);
    }
    if (d != NULL)
        closedir(d);
    return good;
}

int main(int argc, char **argv)
{
    unsigned good = 0;
    char path[512];

    if (psa_crypto_init() != PSA_SUCCESS || argc != 2)
        return 2;
    keys_read(argv[1]);
    struct dirent *entry;
    DIR *d = opendir(argv[1]);
    while (d != NULL && (entry = readdir(d)) != NULL) {
        snprintf(path, sizeof path, "%.300s/%.120s", argv[1], entry->d_name);
        if (entry->d_name[0] != '.')
            good += folder_run(path);
    }
    if (d != NULL)
        closedir(d);
    check_case("the keys are found, and there is something to accept");
    CHECK(good > 0);
    return check_done();
}
