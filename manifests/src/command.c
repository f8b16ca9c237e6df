/*
 * The rows: see command.h.
 */
#include "command.h"

#include "run.h"

#define CONDITION (COMMAND_CONDITION | COMMAND_SHARED | ARG_POLICY)

/* clang-format off */
static const struct lsuit_command_row COMMANDS[] = {
  /* code                            kind                               needs           who does it */
  { LSUIT_COND_VENDOR_IDENTIFIER,    CONDITION,                         PARAM_VENDOR,   lsuit_do_identifier },
  { LSUIT_COND_CLASS_IDENTIFIER,     CONDITION,                         PARAM_CLASS,    lsuit_do_identifier },
  { LSUIT_COND_IMAGE_MATCH,          CONDITION,                         PARAM_DIGEST,   lsuit_do_image_match },
  { LSUIT_COND_COMPONENT_SLOT,       CONDITION,                         PARAM_SLOT,     lsuit_do_slot },
  { LSUIT_COND_ABORT,                CONDITION,                         PARAM_NONE,     lsuit_do_abort },
  { LSUIT_DIR_SET_COMPONENT_INDEX,   ARG_INDEX | COMMAND_SHARED,        PARAM_NONE,     NULL },
  { LSUIT_DIR_TRY_EACH,              ARG_SEQUENCES | COMMAND_SHARED,    PARAM_NONE,     NULL },
  { LSUIT_DIR_OVERRIDE_PARAMETERS,   ARG_PARAMETERS | COMMAND_SHARED,   PARAM_NONE,     NULL },
  { LSUIT_DIR_RUN_SEQUENCE,          ARG_SEQUENCES | COMMAND_SHARED,    PARAM_NONE,     NULL },
  { LSUIT_DIR_FETCH,                 ARG_POLICY,                        PARAM_URI,      lsuit_do_fetch },
  { LSUIT_DIR_COPY,                  ARG_POLICY,                        PARAM_SOURCE,   lsuit_do_copy },
  { LSUIT_DIR_INVOKE,                ARG_POLICY,                        PARAM_NONE,     lsuit_do_invoke },
#if LSUIT_WITH_OPTIONAL
  { LSUIT_COND_CHECK_CONTENT,        CONDITION,                         PARAM_CONTENT,  lsuit_do_check_content },
  { LSUIT_COND_DEVICE_IDENTIFIER,    CONDITION,                         PARAM_DEVICE,   lsuit_do_identifier },
  { LSUIT_DIR_WRITE,                 ARG_POLICY,                        PARAM_CONTENT,  lsuit_do_write },
  { LSUIT_DIR_SWAP,                  ARG_POLICY,                        PARAM_SOURCE,   lsuit_do_swap },
#endif
#if LSUIT_WITH_OPTIONAL || LSUIT_WITH_DEPENDENCIES
  { LSUIT_DIR_SET_PARAMETERS,        ARG_PARAMETERS,                    PARAM_NONE,     NULL },
#endif
#if LSUIT_WITH_DEPENDENCIES
  { LSUIT_COND_DEPENDENCY_INTEGRITY, CONDITION,                         PARAM_NONE,     lsuit_do_dependency_integrity },
  { LSUIT_COND_IS_DEPENDENCY,        CONDITION,                         PARAM_NONE,     lsuit_do_is_dependency },
  { LSUIT_DIR_PROCESS_DEPENDENCY,    ARG_POLICY,                        PARAM_NONE,     lsuit_do_process_dependency },
  { LSUIT_DIR_UNLINK,                ARG_POLICY,                        PARAM_NONE,     lsuit_do_unlink },
#endif
#if LSUIT_WITH_UPDATE_MANAGEMENT
  { LSUIT_COND_USE_BEFORE,           CONDITION,                         PARAM_USE_BEFORE, lsuit_do_use_before },
  { LSUIT_COND_IMAGE_NOT_MATCH,      CONDITION,                         PARAM_DIGEST,   lsuit_do_image_match },
  { LSUIT_COND_MINIMUM_BATTERY,      CONDITION,                         PARAM_BATTERY,  lsuit_do_minimum_battery },
  { LSUIT_COND_UPDATE_AUTHORIZED,    CONDITION,                         PARAM_PRIORITY, lsuit_do_update_authorized },
  { LSUIT_COND_VERSION,              CONDITION,                         PARAM_VERSION,  lsuit_do_version },
  { LSUIT_DIR_WAIT,                  ARG_POLICY,                        PARAM_WAIT_INFO, lsuit_do_wait },
  { LSUIT_DIR_OVERRIDE_MULTIPLE,     ARG_MULTIPLE,                      PARAM_NONE,     NULL },
  { LSUIT_DIR_COPY_PARAMS,           ARG_COPY,                          PARAM_NONE,     NULL },
#endif
};

const struct lsuit_parameter_row lsuit_parameters[PARAM_NONE] = {
  /* row                    key                             value             type */
  [PARAM_VENDOR]       = { LSUIT_PARAM_VENDOR_IDENTIFIER,  VALUE_VENDOR,     LSUIT_CBOR_BSTR },
  [PARAM_CLASS]        = { LSUIT_PARAM_CLASS_IDENTIFIER,   VALUE_UUID,       LSUIT_CBOR_BSTR },
  [PARAM_DIGEST]       = { LSUIT_PARAM_IMAGE_DIGEST,       VALUE_DIGEST,     LSUIT_CBOR_BSTR },
  [PARAM_SLOT]         = { LSUIT_PARAM_COMPONENT_SLOT,     VALUE_UINT,       LSUIT_CBOR_UINT },
  [PARAM_SIZE]         = { LSUIT_PARAM_IMAGE_SIZE,         VALUE_UINT,       LSUIT_CBOR_UINT },
  [PARAM_URI]          = { LSUIT_PARAM_URI,                VALUE_URI,        LSUIT_CBOR_TSTR },
  [PARAM_SOURCE]       = { LSUIT_PARAM_SOURCE_COMPONENT,   VALUE_INDEX,      LSUIT_CBOR_UINT },
  [PARAM_INVOKE_ARGS]  = { LSUIT_PARAM_INVOKE_ARGS,        VALUE_BYTES,      LSUIT_CBOR_BSTR },
  [PARAM_FETCH_ARGS]   = { LSUIT_PARAM_FETCH_ARGUMENTS,    VALUE_BYTES,      LSUIT_CBOR_BSTR },
  [PARAM_PRIORITY]     = { LSUIT_PARAM_UPDATE_PRIORITY,    VALUE_INT,        LSUIT_CBOR_UINT },
#if LSUIT_WITH_OPTIONAL
  [PARAM_CONTENT]      = { LSUIT_PARAM_CONTENT,            VALUE_BYTES,      LSUIT_CBOR_BSTR },
  [PARAM_DEVICE]       = { LSUIT_PARAM_DEVICE_IDENTIFIER,  VALUE_UUID,       LSUIT_CBOR_BSTR },
#endif
#if LSUIT_WITH_UPDATE_MANAGEMENT
  [PARAM_USE_BEFORE]   = { LSUIT_PARAM_USE_BEFORE,         VALUE_UINT,       LSUIT_CBOR_UINT },
  [PARAM_BATTERY]      = { LSUIT_PARAM_MINIMUM_BATTERY,    VALUE_UINT,       LSUIT_CBOR_UINT },
  [PARAM_VERSION]      = { LSUIT_PARAM_VERSION,            VALUE_VERSION,    LSUIT_CBOR_BSTR },
  [PARAM_WAIT_INFO]    = { LSUIT_PARAM_WAIT_INFO,          VALUE_WAIT_INFO,  LSUIT_CBOR_BSTR },
  [PARAM_METADATA]     = { LSUIT_PARAM_COMPONENT_METADATA, VALUE_METADATA,   LSUIT_CBOR_BSTR },
#endif
#if LSUIT_WITH_ENCRYPTION
  [PARAM_ENCRYPTION]   = { LSUIT_PARAM_ENCRYPTION_INFO,    VALUE_ENCRYPTION, LSUIT_CBOR_BSTR },
#endif
  [PARAM_STRICT_ORDER] = { LSUIT_PARAM_STRICT_ORDER,       VALUE_BOOL,       LSUIT_CBOR_SIMPLE },
  [PARAM_SOFT_FAILURE] = { LSUIT_PARAM_SOFT_FAILURE,       VALUE_BOOL,       LSUIT_CBOR_SIMPLE },
};
/* clang-format on */

const struct lsuit_command_row *lsuit_command_find(int32_t code)
{
    for (size_t i = 0; i < sizeof COMMANDS / sizeof COMMANDS[0]; i++) {
        if (COMMANDS[i].code == code)
            return &COMMANDS[i];
    }
    return NULL;
}

enum lsuit_param_row lsuit_parameter_find(int32_t key)
{
    int row = 0;

    while (row < PARAM_NONE && lsuit_parameters[row].key != key)
        row++;
    return (enum lsuit_param_row)row;
}
