/*
 * A manifest template: what a maker writes about a release in JSON, and the SUIT manifest it
 * becomes. Templates: manifests/templates/; their fields: tools/README.md.
 */
#ifndef TOOLS_TEMPLATE_H
#define TOOLS_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lsuit/bytes.h"
#include "lsuit/crypto.h"
#include "lsuit/suit.h"

#define TEMPLATE_FILE_MAX 65536
#define TEMPLATE_TEXT_MAX 2048
#define TEMPLATE_LANGUAGES 8
#define TEMPLATE_PATH_MAX 1024
/* Largest payload inside an envelope, bytes. */
#define TEMPLATE_INTEGRATED_MAX (16 << 20)

/* Longest encryption info that is made here. */
#define TEMPLATE_INFO_MAX 512

/* One image: a payload file, or its digest and size when the file is elsewhere. */
struct template_image {
    char path[TEMPLATE_PATH_MAX];
    uint8_t sha256[LSUIT_SHA256_LEN];
    uint64_t size;
    bool integrated;
    char uri[512]; /* "#name", "../payloads/<digest>", or as given */
};

/* What a component of the manifest is there for. */
enum template_role {
    TEMPLATE_IMAGE,     /* what is installed */
    TEMPLATE_SOURCE,    /* fetched first, then copied into an image: staged, encrypted or a patch */
    TEMPLATE_BASE,      /* must be there already, for a patch to fit */
    TEMPLATE_DEPENDENCY /* another author's manifest */
};

/* How the source of an image becomes its ciphertext. */
struct template_encryption {
    int32_t alg;                     /* of the content; 0: not encrypted */
    char to[TEMPLATE_PATH_MAX];      /* file: the device's public key, or a key-encryption key */
    char kid[64];                    /* empty: none */
    uint8_t info[TEMPLATE_INFO_MAX]; /* COSE_Encrypt, made by template_measure */
    size_t info_n;
};

#define TEMPLATE_NO_COMPONENT SIZE_MAX

struct template_component {
    enum template_role role;
    uint8_t id[128]; /* encoded SUIT_Component_Identifier */
    size_t id_n;
    struct template_image image[2]; /* [1] only for A/B: one for each slot */
    size_t images;
    size_t source, base; /* of an image: their components, or TEMPLATE_NO_COMPONENT */
    struct template_encryption encryption; /* of an image with a source */
    uint8_t digest[LSUIT_SHA256_LEN];      /* of a dependency: that of its manifest */
};

struct template_language {
    char tag[36];
    char description[TEMPLATE_TEXT_MAX], changes[TEMPLATE_TEXT_MAX], risks[TEMPLATE_TEXT_MAX];
    char version[128], vendor_name[256], model_name[256];
    char advisory[16][64];
    size_t advisories;
    bool has_downtime, has_disrupts, disrupts;
    uint32_t downtime_s;
};

struct template
{
    uint8_t vendor_id[16], class_id[16];
    uint64_t sequence; /* 0: not given */
    bool has_priority;
    int64_t priority;
    bool invoke;
    uint8_t manifest_component_id[128];
    size_t manifest_component_id_n;
    struct template_component component[LSUIT_MAX_COMPONENTS];
    size_t components;
    struct template_language language[TEMPLATE_LANGUAGES];
    size_t languages;
};

/*
 * Read a template. Payload paths in it are relative to the template's folder.
 *
 * Prints what is wrong, naming the field ("components[1].payload: ..."), and returns CLI_FAILED.
 */
int template_read(const char *path, struct template *t_out);

/*
 * Make the ciphertexts, hash and measure the payloads, and settle their URIs.
 *
 *   allow_absolute  URIs may have other forms than lapel's two
 *   replace         the file of a ciphertext may exist
 */
int template_measure(struct template *t, bool allow_absolute, bool replace);

/*
 * Write the unsigned envelope. The same template and payloads give the same bytes, but for what
 * is encrypted: content keys are never used twice.
 *
 *   sever_text  the text stands in the envelope, its digest in the manifest
 */
int template_write(const struct template *t, bool sever_text, uint8_t *buf, size_t cap,
                   struct lsuit_bytes *doc_out);

#endif
