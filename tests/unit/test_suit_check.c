/*
 * The check of commands and parameters: what may stand where, and how the rest is named.
 */
#include "check.h"

#include "lsuit/suit.h"

#include "suit_make.h"

#define VENDOR "63af0877853a5c4cb5eeb649d6315671"
#define CLASS "50ff4e1212605cef84f682d49f893715"
#define DIGEST "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define TWO "82 81 41 00 81 41 01"
#define THREE "83 81 41 00 81 41 01 81 41 02"
#define SHARED 3
#define INSTALL 20

/* clang-format off */
static const struct {
    uint8_t section;
    const char *components; /* NULL: one */
    const char *content;
    uint32_t policy;
    enum lsuit_err want;
    const char *what; /* of the fault */
    const char *name;
} CASES[] = {
  /* the sequence itself */
  { INSTALL, NULL, "82 03 0f", 0, LSUIT_OK, NULL, "one command" },
  { INSTALL, NULL, "", 0, LSUIT_ERR_CBOR, "suit-install", "no bytes" },
  { INSTALL, NULL, "80", 0, LSUIT_ERR_CBOR, "suit-install", "an empty sequence" },
  { INSTALL, NULL, "81 03", 0, LSUIT_ERR_CBOR, "suit-install", "a command without its argument" },
  { INSTALL, NULL, "83 03 0f 03", 0, LSUIT_ERR_CBOR, "suit-install", "one and a half commands" },
  { INSTALL, NULL, "a1 03 0f", 0, LSUIT_ERR_CBOR, "suit-install", "a map" },
  { INSTALL, NULL, "9f 03 0f ff", 0, LSUIT_ERR_CBOR, "suit-install", "indefinite" },
  { INSTALL, NULL, "82 03 0f 00", 0, LSUIT_ERR_CBOR, "condition-image-match", "a byte after it" },
  { INSTALL, NULL, "84 03 0f 03", 0, LSUIT_ERR_CBOR, "suit-install", "fewer items than it says" },
  { INSTALL, NULL, "82 6133 0f", 0, LSUIT_ERR_CBOR, NULL, "a command of text" },
  { INSTALL, NULL, "82 1bffffffffffffffff 0f", 0, LSUIT_ERR_CBOR, NULL, "command 2^64-1" },
  { 7,  NULL, "82 03 63616263", 0, LSUIT_ERR_CBOR, "condition-image-match", "in validate" },
  { 8,  NULL, "82 18 63 0f", 0, LSUIT_ERR_COMMAND, NULL, "in load" },
  { 9,  NULL, "82 18 63 0f", 0, LSUIT_ERR_COMMAND, NULL, "in invoke" },
  { 16, NULL, "82 18 63 0f", 0, LSUIT_ERR_COMMAND, NULL, "in payload-fetch" },
  { 18, NULL, "82 18 63 0f", 0, LSUIT_ERR_COMMAND, NULL, "in candidate-verification" },
  { 23, NULL, "82 18 63 0f", 0, LSUIT_OK, NULL, "not in text, which is no sequence" },

  /* reporting policies */
  { INSTALL, NULL, "82 03 00", 0, LSUIT_OK, NULL, "policy 0" },
  { INSTALL, NULL, "82 03 10", 0, LSUIT_ERR_CBOR, "condition-image-match", "policy 16: a fifth bit" },
  { INSTALL, NULL, "82 03 20", 0, LSUIT_ERR_CBOR, "condition-image-match", "policy -1" },
  { INSTALL, NULL, "82 03 f6", 0, LSUIT_ERR_CBOR, "condition-image-match", "policy null" },
  { INSTALL, NULL, "82 15 6130", 0, LSUIT_ERR_CBOR, "directive-fetch", "a policy of text" },
  { INSTALL, NULL, "82 03 80", 0, LSUIT_ERR_CBOR, "condition-image-match", "a policy of an array" },

  /* commands of the base set, and what is not in it, by name */
  { INSTALL, NULL, "98 1a 01 0f 02 0f 03 0f 05 0f 06 0f 0c 00 0e 0f 12 0f 15 0f 16 0f 17 0f 18 18 0f 18 1f 0f", 0, LSUIT_OK, NULL, "all that take a policy, and an index" },
  { INSTALL, NULL, "8c 04 0f 18 19 0f 18 1a 0f 18 1b 0f 18 1c 0f 18 1d 0f", 0, LSUIT_OK, NULL, "update management" },
  { INSTALL, NULL, "88 07 0f 08 0f 0b 0f 18 21 0f", 0, LSUIT_OK, NULL, "trust domains" },
  { INSTALL, NULL, "82 00 0f", 0, LSUIT_ERR_COMMAND, NULL, "command 0" },
  { INSTALL, NULL, "82 18 63 0f", 0, LSUIT_ERR_COMMAND, NULL, "command 99" },
  { INSTALL, NULL, "82 19 0103 0f", 0, LSUIT_ERR_COMMAND, NULL, "command 259: 3 when cut to a byte" },
  { INSTALL, NULL, "82 39 012b 40", 0, LSUIT_ERR_COMMAND, "command-custom", "a custom command" },
  { INSTALL, NULL, "82 20 0f", 0, LSUIT_ERR_COMMAND, NULL, "command -1" },

  /* the shared sequence */
  { SHARED, NULL, "92 01 0f 02 0f 03 0f 05 0f 06 0f 0c 00 0e 0f 14 a1 0e 00 18 18 0f", 0, LSUIT_OK, NULL, "all that may be shared" },
  { SHARED, NULL, "8e 04 0f 07 0f 08 0f 18 19 0f 18 1a 0f 18 1b 0f 18 1c 0f", 0, LSUIT_OK, NULL, "conditions of the other drafts shared" },
  { SHARED, NULL, "82 0b 0f", 0, LSUIT_ERR_COMMAND, "directive-process-dependency", "process-dependency shared" },
  { SHARED, NULL, "82 18 1d 0f", 0, LSUIT_ERR_COMMAND, "directive-wait", "wait shared" },
  { SHARED, NULL, "82 18 21 0f", 0, LSUIT_ERR_COMMAND, "directive-unlink", "unlink shared" },
  { SHARED, NULL, "82 18 22 a1 00 a1 0e 00", 0, LSUIT_ERR_COMMAND, "directive-override-multiple", "override-multiple shared" },
  { SHARED, NULL, "82 18 23 a1 00 81 0e", 0, LSUIT_ERR_COMMAND, "directive-copy-params", "copy-params shared" },
  { SHARED, NULL, "82 12 0f", 0, LSUIT_ERR_COMMAND, "directive-write", "write shared" },
  { SHARED, NULL, "82 13 a1 0e 00", 0, LSUIT_ERR_COMMAND, "directive-set-parameters", "set-parameters shared" },
  { SHARED, NULL, "82 15 0f", 0, LSUIT_ERR_COMMAND, "directive-fetch", "fetch shared" },
  { SHARED, NULL, "82 16 0f", 0, LSUIT_ERR_COMMAND, "directive-copy", "copy shared" },
  { SHARED, NULL, "82 17 0f", 0, LSUIT_ERR_COMMAND, "directive-invoke", "invoke shared" },
  { SHARED, NULL, "82 18 1f 0f", 0, LSUIT_ERR_COMMAND, "directive-swap", "swap shared" },
  { SHARED, NULL, "82 39 012b 40", 0, LSUIT_ERR_COMMAND, "command-custom", "custom shared" },
  { SHARED, NULL, "82 18 20 43 82 15 0f", 0, LSUIT_ERR_COMMAND, "directive-fetch", "fetch in a run-sequence shared" },
  { SHARED, NULL, "82 0f 82 43 82 03 0f 43 82 15 0f", 0, LSUIT_ERR_COMMAND, "directive-fetch", "fetch in the second alternative shared" },

  /* component indices */
  { INSTALL, TWO, "84 0c 01 03 0f", 0, LSUIT_OK, NULL, "an index" },
  { INSTALL, TWO, "84 0c f5 03 0f", 0, LSUIT_OK, NULL, "index true" },
  { INSTALL, THREE, "84 0c 82 02 00 03 0f", 0, LSUIT_OK, NULL, "an index array in any order" },
  { INSTALL, NULL, "82 0c 01", 0, LSUIT_ERR_COMPONENT, "directive-set-component-index", "index 1 of 1" },
  { INSTALL, TWO, "82 0c 02", 0, LSUIT_ERR_COMPONENT, "directive-set-component-index", "index 2 of 2" },
  { INSTALL, NULL, "82 0c 18 20", 0, LSUIT_ERR_COMPONENT, NULL, "index 32: a shift too far" },
  { INSTALL, NULL, "82 0c 18 ff", 0, LSUIT_ERR_COMPONENT, NULL, "index 255" },
  { INSTALL, NULL, "82 0c 1b0000000100000000", 0, LSUIT_ERR_COMPONENT, NULL, "index 2^32" },
  { INSTALL, NULL, "82 0c 1bffffffffffffffff", 0, LSUIT_ERR_COMPONENT, NULL, "index 2^64-1" },
  { INSTALL, NULL, "82 0c 20", 0, LSUIT_ERR_COMPONENT, NULL, "index -1" },
  { INSTALL, NULL, "82 0c f4", 0, LSUIT_ERR_CBOR, NULL, "index false" },
  { INSTALL, NULL, "82 0c f6", 0, LSUIT_ERR_CBOR, NULL, "index null" },
  { INSTALL, NULL, "82 0c 80", 0, LSUIT_ERR_CBOR, NULL, "an empty index array" },
  { INSTALL, TWO, "82 0c 82 00 02", 0, LSUIT_ERR_COMPONENT, NULL, "2 of 2 in an array" },
  { INSTALL, TWO, "82 0c 82 00 00", 0, LSUIT_ERR_COMPONENT, NULL, "one index twice" },
  { INSTALL, TWO, "82 0c 81 f5", 0, LSUIT_ERR_CBOR, NULL, "true in an array" },
  { INSTALL, TWO, "82 0c 81 81 00", 0, LSUIT_ERR_CBOR, NULL, "an array in an array" },
  { INSTALL, TWO, "82 0c 6130", 0, LSUIT_ERR_CBOR, NULL, "an index of text" },
  { INSTALL, TWO, "82 03 0f", 0, LSUIT_ERR_CBOR, "condition-image-match", "two components, no index first" },
  { INSTALL, TWO, "82 0f 82 45 840c0003 0f 45 840c0103 0f", 0, LSUIT_ERR_CBOR, NULL, "an index in each alternative is not first" },
  { INSTALL, TWO, "84 0c 00 0f 82 43 82030f 43 82030f", 0, LSUIT_OK, NULL, "alternatives need none" },
  { SHARED,  TWO, "82 03 0f", 0, LSUIT_ERR_CBOR, NULL, "shared, two components, no index first" },

  /* try-each and run-sequence */
  { INSTALL, NULL, "82 0f 82 43 82030f 43 82030f", 0, LSUIT_OK, NULL, "two alternatives" },
  { INSTALL, NULL, "82 0f 83 43 82030f 43 82030f f6", 0, LSUIT_OK, NULL, "two alternatives and nil" },
  { INSTALL, NULL, "82 0f 80", 0, LSUIT_ERR_CBOR, "directive-try-each", "no alternative" },
  { INSTALL, NULL, "82 0f 81 43 82030f", 0, LSUIT_ERR_CBOR, "directive-try-each", "one alternative" },
  { INSTALL, NULL, "82 0f 81 f6", 0, LSUIT_ERR_CBOR, "directive-try-each", "nil alone" },
  { INSTALL, NULL, "82 0f 82 43 82030f f6", 0, LSUIT_ERR_CBOR, "directive-try-each", "one alternative and nil" },
  { INSTALL, NULL, "82 0f 83 43 82030f f6 43 82030f", 0, LSUIT_ERR_CBOR, NULL, "nil in the middle" },
  { INSTALL, NULL, "82 0f 83 43 82030f 43 82030f f5", 0, LSUIT_ERR_CBOR, NULL, "true for nil" },
  { INSTALL, NULL, "82 0f 83 43 82030f 43 82030f 80", 0, LSUIT_ERR_CBOR, NULL, "an array for an alternative" },
  { INSTALL, NULL, "82 0f 43 82030f", 0, LSUIT_ERR_CBOR, "directive-try-each", "not an array" },
  { INSTALL, NULL, "82 0f a1 00 43 82030f", 0, LSUIT_ERR_CBOR, "directive-try-each", "a map" },
  { INSTALL, NULL, "82 0f 82 43 82030f 41 80", 0, LSUIT_ERR_CBOR, NULL, "an empty alternative" },
  { INSTALL, NULL, "82 0f 82 43 82030f 40", 0, LSUIT_ERR_CBOR, NULL, "an alternative of no bytes" },
  { INSTALL, NULL, "82 0f 82 43 82030f 44 82186 30f", 0, LSUIT_ERR_COMMAND, NULL, "an unknown command in the second" },
  { INSTALL, NULL, "82 0f 82 43 82030f 43 8203ff", 0, LSUIT_ERR_CBOR, NULL, "bad CBOR in the second" },
  { INSTALL, NULL, "82 0f 82 43 82030f 44 82030f00", 0, LSUIT_ERR_CBOR, NULL, "a byte after the second" },
  { INSTALL, NULL, "84 0f 82 43 82030f 43 82030f 18 63 0f", 0, LSUIT_ERR_COMMAND, NULL, "an unknown command behind it" },
  { INSTALL, NULL, "82 18 20 43 82030f", 0, LSUIT_OK, NULL, "run-sequence" },
  { INSTALL, NULL, "82 18 20 82 030f", 0, LSUIT_ERR_CBOR, "directive-run-sequence", "run-sequence isn't wrapped" },
  { INSTALL, NULL, "82 18 20 40", 0, LSUIT_ERR_CBOR, NULL, "run-sequence of nothing" },
  { INSTALL, NULL, "82 18 20 4f 82 18 20 4b 82 18 20 47 82 18 20 43 82 03 0f", 0, LSUIT_OK, NULL, "five deep" },
  { INSTALL, NULL, "82 18 20 53 82 18 20 4f 82 18 20 4b 82 18 20 47 82 18 20 43 82 03 0f", 0, LSUIT_ERR_LIMIT, "directive-run-sequence", "six deep" },
  { INSTALL, NULL, "84 18 20 4f 82 18 20 4b 82 18 20 47 82 18 20 43 82 03 0f 18 20 43 82 03 0f", 0, LSUIT_OK, NULL, "five deep, and again from the top" },

  /* parameters: types, ranges, names */
  { INSTALL, NULL, "82 14 a1 01 50" VENDOR, 0, LSUIT_OK, NULL, "vendor" },
  { INSTALL, NULL, "82 14 a1 02 50" CLASS, 0, LSUIT_OK, NULL, "class" },
  { INSTALL, NULL, "82 14 a1 03 5824 82 2f 5820" DIGEST, 0, LSUIT_OK, NULL, "digest" },
  { INSTALL, NULL, "82 14 a1 05 1bffffffffffffffff", 0, LSUIT_OK, NULL, "slot" },
  { INSTALL, NULL, "82 14 a1 0c f4", 0, LSUIT_OK, NULL, "strict-order false" },
  { INSTALL, NULL, "82 14 a1 0c f5", 0, LSUIT_OK, NULL, "strict-order true" },
  { INSTALL, NULL, "82 14 a1 0e 1bffffffffffffffff", 0, LSUIT_OK, NULL, "size" },
  { INSTALL, NULL, "82 14 a1 12 40", 0, LSUIT_OK, NULL, "content" },
  { INSTALL, NULL, "82 14 a1 15 6161", 0, LSUIT_OK, NULL, "uri" },
  { INSTALL, TWO, "84 0c 00 14 a1 16 01", 0, LSUIT_OK, NULL, "source" },
  { INSTALL, NULL, "82 14 a1 17 40", 0, LSUIT_OK, NULL, "invoke-args" },
  { INSTALL, NULL, "82 14 a1 18 18 50" VENDOR, 0, LSUIT_OK, NULL, "device" },
  { INSTALL, NULL, "82 14 a1 18 19 40", 0, LSUIT_OK, NULL, "fetch-arguments" },
  { INSTALL, NULL, "82 14 a1 18 1b 18 64", 0, LSUIT_OK, NULL, "update-priority" },
  { INSTALL, NULL, "82 14 a1 18 1b 20", 0, LSUIT_OK, NULL, "update-priority below 0" },
  { INSTALL, NULL, "82 13 a1 15 6161", 0, LSUIT_OK, NULL, "set-parameters" },
  { INSTALL, NULL, "82 14 a2 0e 00 15 6161", 0, LSUIT_OK, NULL, "two parameters" },
  { INSTALL, NULL, "82 14 a0", 0, LSUIT_ERR_CBOR, "directive-override-parameters", "no parameter" },
  { INSTALL, NULL, "82 13 a0", 0, LSUIT_ERR_CBOR, "directive-set-parameters", "no parameter to set" },
  { INSTALL, NULL, "82 14 80", 0, LSUIT_ERR_CBOR, "directive-override-parameters", "an array" },
  { INSTALL, NULL, "82 14 a2 0e 00 0e 00", 0, LSUIT_ERR_CBOR, NULL, "one parameter twice" },
  { INSTALL, NULL, "82 14 a2 15 6161 0e 00", 0, LSUIT_ERR_CBOR, NULL, "parameters unsorted" },
  { INSTALL, NULL, "82 14 a1 6161 00", 0, LSUIT_ERR_CBOR, NULL, "a key of text" },
  { INSTALL, NULL, "82 14 a1 00 00", 0, LSUIT_ERR_PARAMETER, NULL, "parameter 0" },
  { INSTALL, NULL, "82 14 a1 18 4d 00", 0, LSUIT_ERR_PARAMETER, NULL, "parameter 77" },
  { INSTALL, NULL, "82 14 a1 19 010e 00", 0, LSUIT_ERR_PARAMETER, NULL, "parameter 270: 14 when cut to a byte" },
  { INSTALL, NULL, "82 14 a1 20 00", 0, LSUIT_ERR_PARAMETER, "parameter-custom", "a custom parameter" },
  { INSTALL, NULL, "82 14 a1 04 00", 0, LSUIT_OK, NULL, "use-before" },
  { INSTALL, NULL, "82 14 a1 04 20", 0, LSUIT_ERR_PARAMETER, "parameter-use-before", "use-before in 1969" },
  { INSTALL, NULL, "82 14 a1 18 1a 00", 0, LSUIT_OK, NULL, "battery" },
  { INSTALL, NULL, "82 14 a1 13 47 d860 84 40 a0 f6 80", 0, LSUIT_OK, NULL, "encryption-info" },
  { INSTALL, NULL, "82 14 a1 13 40", 0, LSUIT_ERR_CBOR, "parameter-encryption-info", "encryption-info of no bytes" },
  { INSTALL, NULL, "82 14 a1 13 45 84 40 a0 f6 80", 0, LSUIT_ERR_CBOR, "parameter-encryption-info", "encryption-info without its tag" },
  { INSTALL, NULL, "82 14 a1 13 46 d2 84 40 a0 f6 80", 0, LSUIT_ERR_CBOR, "parameter-encryption-info", "a signature for encryption-info" },
  /* a version: [comparison, [+ int]] */
  { INSTALL, NULL, "82 14 a1 18 1c 45 82 01 82 01 02", 0, LSUIT_OK, NULL, "a version" },
  { INSTALL, NULL, "82 14 a1 18 1c 45 82 05 82 01 20", 0, LSUIT_OK, NULL, "a release candidate" },
  { INSTALL, NULL, "82 14 a1 18 1c 45 82 00 82 01 02", 0, LSUIT_ERR_CBOR, "parameter-version", "comparison 0" },
  { INSTALL, NULL, "82 14 a1 18 1c 45 82 06 82 01 02", 0, LSUIT_ERR_CBOR, "parameter-version", "comparison 6" },
  { INSTALL, NULL, "82 14 a1 18 1c 43 82 01 80", 0, LSUIT_ERR_CBOR, "parameter-version", "no number" },
  { INSTALL, NULL, "82 14 a1 18 1c 44 82 01 81 20", 0, LSUIT_ERR_CBOR, "parameter-version", "a version that begins below 0" },
  { INSTALL, NULL, "82 14 a1 18 1c 44 83 01 81 01", 0, LSUIT_ERR_CBOR, "parameter-version", "three that are two" },
  { INSTALL, NULL, "82 14 a1 18 1c 45 83 01 81 01 00", 0, LSUIT_ERR_CBOR, "parameter-version", "something behind the version" },
  { INSTALL, NULL, "82 14 a1 18 1c 45 82 01 81 01 00", 0, LSUIT_ERR_CBOR, "parameter-version", "a byte behind the version" },
  { INSTALL, NULL, "82 14 a1 18 1c 40", 0, LSUIT_ERR_CBOR, "parameter-version", "a version of no bytes" },
  /* wait-info */
  { INSTALL, NULL, "82 14 a1 18 1d 53 a9 01 20 02 00 03 00 04 82 40 81 82 01 81 01 05 00 06 00", 0, LSUIT_ERR_CBOR, "parameter-wait-info", "nine events that are six" },
  { INSTALL, NULL, "82 14 a1 18 1d 59 0019 a9 01 20 02 00 03 00 04 82 40 81 82 01 81 01 05 00 06 00 07 00 08 00 09 00", 0, LSUIT_ERR_CBOR, NULL, "a length that isn't the shortest" },
  { INSTALL, NULL, "82 14 a1 18 1d 58 19 a9 01 20 02 00 03 00 04 82 40 81 82 01 81 01 05 00 06 00 07 00 08 00 09 00", 0, LSUIT_OK, NULL, "every event" },
  { INSTALL, NULL, "82 14 a1 18 1d 41 a0", 0, LSUIT_ERR_CBOR, "parameter-wait-info", "no event" },
  { INSTALL, NULL, "82 14 a1 18 1d 43 a1 00 00", 0, LSUIT_ERR_CBOR, "parameter-wait-info", "event 0" },
  { INSTALL, NULL, "82 14 a1 18 1d 43 a1 0a 00", 0, LSUIT_ERR_CBOR, "parameter-wait-info", "event 10" },
  { INSTALL, NULL, "82 14 a1 18 1d 43 a1 05 20", 0, LSUIT_ERR_CBOR, "parameter-wait-info", "a time below 0" },
  { INSTALL, NULL, "82 14 a1 18 1d 45 a1 04 82 40 80", 0, LSUIT_ERR_CBOR, "parameter-wait-info", "another device in no version" },
  /* component-metadata */
  { INSTALL, NULL, "82 14 a1 18 1e 58 1e a8 01 193fff 02 a1 00 01 03 a1 41 00 02 04 a1 61 61 04 05 03 06 c1 00 07 c1 00 08 20", 0, LSUIT_ERR_CBOR, NULL, "a length that is too long" },
  { INSTALL, NULL, "82 14 a1 18 1e 58 1d a8 01 193fff 02 a1 00 01 03 a1 41 00 02 04 a1 61 61 04 05 03 06 c1 00 07 c1 00 08 20", 0, LSUIT_OK, NULL, "all metadata" },
  { INSTALL, NULL, "82 14 a1 18 1e 55 a1 08 d825 50" VENDOR, 0, LSUIT_OK, NULL, "a UUID for the creator" },
  { INSTALL, NULL, "82 14 a1 18 1e 45 a1 08 d825 40", 0, LSUIT_ERR_CBOR, "parameter-component-metadata", "a UUID of no bytes" },
  { INSTALL, NULL, "82 14 a1 18 1e 45 a1 01 194000", 0, LSUIT_ERR_CBOR, "parameter-component-metadata", "permission 14" },
  { INSTALL, NULL, "82 14 a1 18 1e 43 a1 02 a0", 0, LSUIT_ERR_CBOR, "parameter-component-metadata", "nobody's permissions" },
  { INSTALL, NULL, "82 14 a1 18 1e 43 a1 05 00", 0, LSUIT_ERR_CBOR, "parameter-component-metadata", "file type 0" },
  { INSTALL, NULL, "82 14 a1 18 1e 43 a1 05 04", 0, LSUIT_ERR_CBOR, "parameter-component-metadata", "file type 4" },
  { INSTALL, NULL, "82 14 a1 18 1e 43 a1 06 00", 0, LSUIT_ERR_CBOR, "parameter-component-metadata", "a time without its tag" },
  { INSTALL, NULL, "82 14 a1 18 1e 44 a1 06 c0 00", 0, LSUIT_ERR_CBOR, "parameter-component-metadata", "a time of another tag" },
  { INSTALL, NULL, "82 14 a1 18 1e 43 a1 09 00", 0, LSUIT_ERR_CBOR, "parameter-component-metadata", "metadata 9" },
  /* override-multiple and copy-params */
  { INSTALL, TWO, "82 18 22 a2 00 a1 0e 00 01 a1 15 6161", 0, LSUIT_OK, NULL, "override-multiple sets the index itself" },
  { INSTALL, NULL, "82 18 22 a0", 0, LSUIT_ERR_CBOR, "directive-override-multiple", "override-multiple of nothing" },
  { INSTALL, NULL, "82 18 22 a1 00 a0", 0, LSUIT_ERR_CBOR, "directive-override-multiple", "no parameter for a component" },
  { INSTALL, NULL, "82 18 22 a1 01 a1 0e 00", 0, LSUIT_ERR_COMPONENT, "directive-override-multiple", "override-multiple of 1 of 1" },
  { INSTALL, NULL, "82 18 22 a1 20 a1 0e 00", 0, LSUIT_ERR_CBOR, "directive-override-multiple", "override-multiple of -1" },
  { INSTALL, NULL, "82 18 22 a1 1b0000000100000000 a1 0e 00", 0, LSUIT_ERR_COMPONENT, NULL, "override-multiple of 2^32" },
  { INSTALL, NULL, "82 18 22 a1 00 a1 0d f5", 0, LSUIT_ERR_PARAMETER, "parameter-soft-failure", "override-multiple of soft-failure" },
  { INSTALL, TWO, "84 0c 00 18 23 a1 01 82 0e 15", 0, LSUIT_OK, NULL, "copy-params" },
  { INSTALL, TWO, "82 18 23 a1 01 82 0e 15", 0, LSUIT_ERR_CBOR, "directive-copy-params", "copy-params without an index first" },
  { INSTALL, NULL, "82 18 23 a0", 0, LSUIT_ERR_CBOR, "directive-copy-params", "copy-params of nothing" },
  { INSTALL, NULL, "82 18 23 a1 00 80", 0, LSUIT_ERR_CBOR, "directive-copy-params", "no parameter to copy" },
  { INSTALL, NULL, "82 18 23 a1 01 81 0e", 0, LSUIT_ERR_COMPONENT, "directive-copy-params", "copy-params from 1 of 1" },
  { INSTALL, NULL, "82 18 23 a1 00 81 0d", 0, LSUIT_ERR_PARAMETER, "parameter-soft-failure", "copy-params of soft-failure" },
  { INSTALL, NULL, "82 18 23 a1 00 81 18 4d", 0, LSUIT_ERR_PARAMETER, NULL, "copy-params of 77" },
  { INSTALL, NULL, "82 14 a1 01 4f 63af0877853a5c4cb5eeb649d63156", 0, LSUIT_ERR_CBOR, "parameter-vendor-identifier", "a vendor of 15 bytes" },
  { INSTALL, NULL, "82 14 a1 01 40", 0, LSUIT_ERR_CBOR, "parameter-vendor-identifier", "a vendor of no bytes" },
  { INSTALL, NULL, "82 14 a1 02 51" CLASS "00", 0, LSUIT_ERR_CBOR, "parameter-class-identifier", "a class of 17 bytes" },
  { INSTALL, NULL, "82 14 a1 01 d870 41 00", 0, LSUIT_OK, NULL, "a vendor by enterprise number" },
  { INSTALL, NULL, "82 14 a1 01 d871 41 00", 0, LSUIT_ERR_CBOR, "parameter-vendor-identifier", "a vendor of another tag" },
  { INSTALL, NULL, "82 14 a1 02 d870 41 00", 0, LSUIT_ERR_PARAMETER, "parameter-class-identifier", "a class by enterprise number" },
  { INSTALL, NULL, "82 14 a1 18 18 40", 0, LSUIT_ERR_CBOR, "parameter-device-identifier", "a device of no bytes" },
  { INSTALL, NULL, "82 14 a1 0e 20", 0, LSUIT_ERR_PARAMETER, "parameter-image-size", "size -1" },
  { INSTALL, NULL, "82 14 a1 0e c2 41 01", 0, LSUIT_ERR_PARAMETER, "parameter-image-size", "a bignum size" },
  { INSTALL, NULL, "82 14 a1 05 6130", 0, LSUIT_ERR_PARAMETER, "parameter-component-slot", "a slot of text" },
  { INSTALL, NULL, "82 14 a1 0c 01", 0, LSUIT_ERR_PARAMETER, "parameter-strict-order", "strict-order 1" },
  { INSTALL, NULL, "82 14 a1 0c f6", 0, LSUIT_ERR_CBOR, "parameter-strict-order", "strict-order null" },
  { INSTALL, NULL, "82 14 a1 12 6161", 0, LSUIT_ERR_PARAMETER, "parameter-content", "content of text" },
  { INSTALL, NULL, "82 14 a1 15 4161", 0, LSUIT_ERR_PARAMETER, "parameter-uri", "a URI of bytes" },
  { INSTALL, NULL, "82 14 a1 15 61 80", 0, LSUIT_ERR_CBOR, "parameter-uri", "a URI that isn't UTF-8" },
  { INSTALL, NULL, "82 14 a1 16 01", 0, LSUIT_ERR_COMPONENT, "parameter-source-component", "source 1 of 1" },
  { INSTALL, NULL, "82 14 a1 16 1b0000000100000000", 0, LSUIT_ERR_COMPONENT, NULL, "source 2^32" },
  { INSTALL, NULL, "82 14 a1 16 20", 0, LSUIT_ERR_PARAMETER, "parameter-source-component", "source -1" },
  { INSTALL, NULL, "82 14 a1 18 1b f5", 0, LSUIT_ERR_PARAMETER, "parameter-update-priority", "priority true" },
  { INSTALL, NULL, "82 14 a1 18 1b 1bffffffffffffffff", 0, LSUIT_ERR_CBOR, "parameter-update-priority", "priority 2^64-1" },

  /* digests */
  { INSTALL, NULL, "82 14 a1 03 5834 82 382a 5830" DIGEST "000102030405060708090a0b0c0d0e0f", 0, LSUIT_ERR_CBOR, NULL, "SHA-384, one byte too many outside" },
  { INSTALL, NULL, "82 14 a1 03 5835 82 382a 5830" DIGEST "000102030405060708090a0b0c0d0e0f", 0, LSUIT_OK, NULL, "SHA-384" },
  { INSTALL, NULL, "82 14 a1 03 5835 82 382a 5830" DIGEST "000102030405060708090a0b0c0d0e0f", LSUIT_CHECK_SHA256, LSUIT_ERR_ALG, "parameter-image-digest", "SHA-384 where only SHA-256 is" },
  { INSTALL, NULL, "82 14 a1 03 5845 82 382b 5840" DIGEST DIGEST, 0, LSUIT_OK, NULL, "SHA-512" },
  { INSTALL, NULL, "82 14 a1 03 5824 82 31 5820" DIGEST, 0, LSUIT_ERR_ALG, "parameter-image-digest", "SHAKE128" },
  { INSTALL, NULL, "82 14 a1 03 5824 82 2e 5820" DIGEST, 0, LSUIT_ERR_ALG, NULL, "SHA-256/64" },
  { INSTALL, NULL, "82 14 a1 03 5824 82 02 5820" DIGEST, 0, LSUIT_ERR_ALG, NULL, "algorithm 2 of old drafts" },
  { INSTALL, NULL, "82 14 a1 03 43 82 2f 40", 0, LSUIT_ERR_CBOR, "parameter-image-digest", "an empty digest" },
  { INSTALL, NULL, "82 14 a1 03 44 82 2f 4100", 0, LSUIT_ERR_CBOR, "parameter-image-digest", "a digest of one byte" },
  { INSTALL, NULL, "82 14 a1 03 82 2f 5820" DIGEST, 0, LSUIT_ERR_PARAMETER, "parameter-image-digest", "a digest that isn't wrapped" },
  { INSTALL, NULL, "82 14 a1 03 5825 82 2f 5820" DIGEST "00", 0, LSUIT_ERR_CBOR, NULL, "a byte after the digest" },
  { INSTALL, NULL, "82 14 a1 03 40", 0, LSUIT_ERR_CBOR, NULL, "no digest at all" },
  { INSTALL, NULL, "82 13 a1 03 5824 82 2f 5820" DIGEST, 0, LSUIT_ERR_PARAMETER, "parameter-image-digest", "a digest by set-parameters" },

  /* soft-failure */
  { INSTALL, NULL, "82 14 a1 0d f5", 0, LSUIT_ERR_PARAMETER, "parameter-soft-failure", "soft-failure at the top" },
  { INSTALL, NULL, "82 13 a1 0d f4", 0, LSUIT_ERR_PARAMETER, "parameter-soft-failure", "set at the top" },
  { INSTALL, NULL, "82 18 20 45 82 14 a1 0d f5", 0, LSUIT_OK, NULL, "in a run-sequence" },
  { INSTALL, NULL, "82 0f 82 45 82 14 a1 0d f4 43 82 03 0f", 0, LSUIT_OK, NULL, "in a try-each" },
  { INSTALL, NULL, "84 18 20 43 82 03 0f 14 a1 0d f5", 0, LSUIT_ERR_PARAMETER, "parameter-soft-failure", "after a run-sequence" },
  { SHARED,  NULL, "82 14 a1 0d f5", 0, LSUIT_ERR_PARAMETER, "parameter-soft-failure", "at the top of the shared sequence" },

  /* policies of ours */
  { INSTALL, NULL, "82 14 a1 15 622361", LSUIT_CHECK_LAPEL_URI, LSUIT_OK, NULL, "a fragment" },
  { INSTALL, NULL, "82 14 a1 15 784c 2e2e2f7061796c6f6164732f 30313233343536373839616263646566 30313233343536373839616263646566 30313233343536373839616263646566 30313233343536373839616263646566", LSUIT_CHECK_LAPEL_URI, LSUIT_OK, NULL, "../payloads/ and 64 digits" },
  { INSTALL, NULL, "82 14 a1 15 784c 2e2e2f7061796c6f6164732f 30313233343536373839616263646546 30313233343536373839616263646566 30313233343536373839616263646566 30313233343536373839616263646566", LSUIT_CHECK_LAPEL_URI, LSUIT_ERR_PARAMETER, "parameter-uri", "a capital digit" },
  { INSTALL, NULL, "82 14 a1 15 784c 2e2e2f7061796c6f6164732f 3031323334353637383961626364652f 30313233343536373839616263646566 30313233343536373839616263646566 30313233343536373839616263646566", LSUIT_CHECK_LAPEL_URI, LSUIT_ERR_PARAMETER, "parameter-uri", "a slash in the digits" },
  { INSTALL, NULL, "82 14 a1 15 784c 2e2e2f7061796c6f6164732f 3031323334353637383961626364657f 30313233343536373839616263646566 30313233343536373839616263646566 30313233343536373839616263646566", LSUIT_CHECK_LAPEL_URI, LSUIT_ERR_PARAMETER, "parameter-uri", "a byte above the letters" },
  { INSTALL, NULL, "82 14 a1 15 784b 2e2e2f7061796c6f6164732f 303132333435363738396162636465 30313233343536373839616263646566 30313233343536373839616263646566 30313233343536373839616263646566", LSUIT_CHECK_LAPEL_URI, LSUIT_ERR_PARAMETER, "parameter-uri", "63 digits" },
  { INSTALL, NULL, "82 14 a1 15 784c 2e2e2f7061796c6f6164732e 30313233343536373839616263646566 30313233343536373839616263646566 30313233343536373839616263646566 30313233343536373839616263646566", LSUIT_CHECK_LAPEL_URI, LSUIT_ERR_PARAMETER, "parameter-uri", "another folder" },
  { INSTALL, NULL, "82 14 a1 15 6123", LSUIT_CHECK_LAPEL_URI, LSUIT_ERR_PARAMETER, "parameter-uri", "an empty fragment" },
  { INSTALL, NULL, "82 14 a1 15 60", LSUIT_CHECK_LAPEL_URI, LSUIT_ERR_PARAMETER, "parameter-uri", "an empty URI" },
  { INSTALL, NULL, "82 14 a1 15 6a 687474703a2f2f612f62", LSUIT_CHECK_LAPEL_URI, LSUIT_ERR_PARAMETER, "parameter-uri", "an absolute URI" },
  { INSTALL, NULL, "82 14 a1 15 6a 687474703a2f2f612f62", 0, LSUIT_OK, NULL, "which SUIT allows" },
  { SHARED,  NULL, "84 01 0f 02 0f", LSUIT_CHECK_IDENTITY, LSUIT_OK, NULL, "vendor and class condition" },
  { SHARED,  NULL, "82 01 0f", LSUIT_CHECK_IDENTITY, LSUIT_ERR_CONDITION, "suit-shared-sequence", "vendor alone" },
  { SHARED,  NULL, "82 02 0f", LSUIT_CHECK_IDENTITY, LSUIT_ERR_CONDITION, "suit-shared-sequence", "class alone" },
  { INSTALL, NULL, "84 01 0f 02 0f", LSUIT_CHECK_IDENTITY, LSUIT_ERR_CONDITION, "suit-shared-sequence", "conditions outside the shared sequence" },
  { SHARED,  NULL, "84 01 0f 18 20 43 82 02 0f", LSUIT_CHECK_IDENTITY, LSUIT_ERR_CONDITION, "suit-shared-sequence", "class in a run-sequence, which may be soft" },
  { SHARED,  NULL, "84 01 0f 0f 82 43 82 02 0f 43 82 03 0f", LSUIT_CHECK_IDENTITY, LSUIT_ERR_CONDITION, "suit-shared-sequence", "class in one alternative" },
};
/* clang-format on */

int main(void)
{
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct make_manifest made = { .components = CASES[i].components };
        uint8_t buf[1024];
        struct lsuit_envelope e = { .examined = true };
        struct lsuit_manifest m;
        struct lsuit_fault fault = { 0 };
        uint8_t section = CASES[i].section;

        check_case(CASES[i].name);
        if (section == SHARED)
            made.shared = CASES[i].content;
        else
            made.section[0] = (struct make_section){ section, CASES[i].content, false };
        e.whole = e.manifest = make_manifest(&made, buf, sizeof buf);
        if (!CHECK_INT(lsuit_manifest_read(&e, &lsuit_crypto_psa, &m, &fault), LSUIT_OK))
            continue;
        CHECK_INT(lsuit_manifest_check(&m, CASES[i].policy, &fault), CASES[i].want);
        CHECK_INT(lsuit_manifest_check(&m, CASES[i].policy, NULL), CASES[i].want);
        CHECK_INT(fault.err, CASES[i].want);
        if (CASES[i].what != NULL)
            CHECK_STR(fault.what, CASES[i].what);
        CHECK(fault.offset <= e.whole.len);
        if (CASES[i].want != LSUIT_OK) {
            CHECK(fault.why != NULL);
            CHECK(CASES[i].want == LSUIT_ERR_CONDITION || fault.section == section);
        }
    }
    check_case("what was not read isn't checked");
    CHECK_INT(lsuit_manifest_check(&(struct lsuit_manifest){ 0 }, 0, NULL), LSUIT_ERR_USAGE);
    return check_done();
}
