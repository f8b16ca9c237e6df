/* The one table of routes: dispatch, permissions, limits and --routes derive from it. */

#include "api/call.h"

#define JSON "application/json"
#define CBOR "application/cbor"
#define PRODUCT "/api/v1/products/{product}"
#define DEVICE PRODUCT "/devices/{device}"
#define KIB *(int64_t)1024
#define GIB *(int64_t)1024 * 1024 * 1024

/* clang-format off */
const struct route ROUTES[] = {
  /* on                      method       path                                who             body     type          kind        handler               summary */
  { ON_DEVICE,               HTTP_POST,   "/v1/checkin",                      WHO_DEVICE,     8 KIB,   CBOR,         KIND_OWN,   checkin_call,          "report, ask for work", 0 },
  { ON_DEVICE,               HTTP_GET,    "/v1/manifests/{digest}",           WHO_DEVICE,     0,       NULL,         KIND_READ,  manifest_call,         "fetch an envelope", 0 },
  { ON_DEVICE,               HTTP_GET,    "/v1/manifests/{digest}/text",      WHO_DEVICE,     0,       NULL,         KIND_READ,  manifest_text_call,    "fetch its severed text", 0 },
  { ON_DEVICE,               HTTP_GET,    "/v1/payloads/{digest}",            WHO_DEVICE,     0,       NULL,         KIND_READ,  payload_call,          "fetch an image", ROUTE_IN_CLEAR },
  { ON_DEVICE,               HTTP_POST,   "/v1/reports",                      WHO_DEVICE,     8 KIB,   CBOR,         KIND_OWN,   report_call,           "say how an attempt ended", 0 },
  { ON_DEVICE,               HTTP_GET,    "/v1/trust/{version}",              WHO_NOBODY,     0,       NULL,         KIND_READ,  trust_call,            "fetch a trust set", 0 },
  { ON_DEVICE,               HTTP_DELETE, "/v1/device",                       WHO_DEVICE,     0,       NULL,         KIND_WRITE, device_delete_call,    "forget this device", 0 },

  { ON_OPERATOR,             HTTP_POST,   "/api/v1/bootstrap",                WHO_BOOTSTRAP,  64 KIB,  JSON,         KIND_WRITE, bootstrap_call,        "make the first admin token", 0 },
  { ON_OPERATOR,             HTTP_GET,    "/api/v1/tokens",                   WHO_ADMIN,      0,       NULL,         KIND_READ,  token_list_call,       "list tokens", ROUTE_ALL_PRODUCTS },
  { ON_OPERATOR,             HTTP_POST,   "/api/v1/tokens",                   WHO_ADMIN,      64 KIB,  JSON,         KIND_WRITE, token_make_call,       "make a token", ROUTE_ALL_PRODUCTS },
  { ON_OPERATOR,             HTTP_DELETE, "/api/v1/tokens/{id}",              WHO_ADMIN,      0,       NULL,         KIND_WRITE, token_revoke_call,     "revoke a token", ROUTE_ALL_PRODUCTS },

  { ON_OPERATOR,             HTTP_GET,    "/api/v1/trust",                    WHO_VIEWER,     0,       NULL,         KIND_READ,  trust_list_call,       "list trust sets", 0 },
  { ON_OPERATOR,             HTTP_POST,   "/api/v1/trust",                    WHO_PUBLISHER,  4 KIB,   CBOR,         KIND_WRITE, trust_publish_call,    "publish the next trust set", ROUTE_ALL_PRODUCTS },
  { ON_OPERATOR,             HTTP_GET,    "/api/v1/trust/{version}",          WHO_VIEWER,     0,       NULL,         KIND_READ,  trust_call,            "one trust set as devices get it", 0 },

  { ON_OPERATOR,             HTTP_GET,    "/api/v1/products",                 WHO_VIEWER,     0,       NULL,         KIND_READ,  product_list_call,     "list products", 0 },
  { ON_OPERATOR,             HTTP_PUT,    PRODUCT,                            WHO_OPERATOR,   64 KIB,  JSON,         KIND_WRITE, product_set_call,      "make or change a product", 0 },
  { ON_OPERATOR,             HTTP_GET,    PRODUCT,                            WHO_VIEWER,     0,       NULL,         KIND_READ,  product_show_call,     "show a product", 0 },

  { ON_OPERATOR,             HTTP_POST,   PRODUCT "/devices",                 WHO_OPERATOR,   512 KIB, JSON,         KIND_WRITE, device_add_call,       "add one device or many", 0 },
  { ON_OPERATOR,             HTTP_GET,    PRODUCT "/devices",                 WHO_VIEWER,     0,       NULL,         KIND_READ,  device_list_call,      "list devices", 0 },
  { ON_OPERATOR,             HTTP_GET,    DEVICE,                             WHO_VIEWER,     0,       NULL,         KIND_READ,  device_show_call,      "show a device", 0 },
  { ON_OPERATOR,             HTTP_GET,    DEVICE "/explain",                  WHO_VIEWER,     0,       NULL,         KIND_READ,  device_explain_call,      "why it gets what it gets", 0 },
  { ON_OPERATOR,             HTTP_POST,   DEVICE "/rotate",                   WHO_OPERATOR,   64 KIB,  JSON,         KIND_WRITE, device_rotate_call,    "give it a second token", 0 },
  { ON_OPERATOR,             HTTP_POST,   DEVICE "/revoke",                   WHO_OPERATOR,   64 KIB,  JSON,         KIND_WRITE, device_revoke_call,    "take its tokens away", 0 },
  { ON_OPERATOR,             HTTP_DELETE, DEVICE,                             WHO_OPERATOR,   0,       NULL,         KIND_WRITE, device_forget_call,    "forget a device", 0 },

  { ON_OPERATOR,             HTTP_PUT,    "/api/v1/payloads/{sha256}",        WHO_PUBLISHER,  16 GIB,  "application/octet-stream",      KIND_OWN,   upload_call,           "upload a payload", 0 },
  { ON_OPERATOR,             HTTP_GET,    "/api/v1/payloads/{sha256}",        WHO_PUBLISHER,  0,       NULL,         KIND_READ,  payload_ask_call,      "is a payload here", 0 },
  { ON_OPERATOR,             HTTP_GET,    "/api/v1/payloads/{sha256}/content", WHO_PUBLISHER, 0,       NULL,         KIND_READ,  payload_content_call,  "its bytes", ROUTE_ALL_PRODUCTS },
  { ON_OPERATOR,             HTTP_POST,   PRODUCT "/releases",                WHO_PUBLISHER,  64 KIB,  "application/suit-envelope+cose", KIND_WRITE, release_publish_call, "publish a release", 0 },
  { ON_OPERATOR,             HTTP_GET,    PRODUCT "/releases",                WHO_VIEWER,     0,       NULL,         KIND_READ,  release_list_call,     "list releases", 0 },
  { ON_OPERATOR,             HTTP_GET,    "/api/v1/releases/{id}",            WHO_VIEWER,     0,       NULL,         KIND_READ,  release_show_call,     "show a release", 0 },
  { ON_OPERATOR,             HTTP_GET,    "/api/v1/releases/{id}/envelope",   WHO_VIEWER,     0,       NULL,         KIND_READ,  release_envelope_call, "its envelope", 0 },
  { ON_OPERATOR,             HTTP_POST,   "/api/v1/releases/{id}/withdraw",   WHO_OPERATOR,   64 KIB,  JSON,         KIND_WRITE, release_withdraw_call, "withdraw it for good", ROUTE_URGENT },

  { ON_OPERATOR,             HTTP_POST,   "/api/v1/rollouts",                 WHO_OPERATOR,   64 KIB,  JSON,         KIND_WRITE, rollout_create_call,   "create a rollout", 0 },
  { ON_OPERATOR,             HTTP_GET,    "/api/v1/rollouts",                 WHO_VIEWER,     0,       NULL,         KIND_READ,  rollout_list_call,     "list rollouts", 0 },
  { ON_OPERATOR,             HTTP_GET,    "/api/v1/rollouts/{id}",            WHO_VIEWER,     0,       NULL,         KIND_READ,  rollout_show_call,     "show a rollout", 0 },
  { ON_OPERATOR,             HTTP_GET,    "/api/v1/rollouts/{id}/decisions",  WHO_VIEWER,     0,       NULL,         KIND_READ,  rollout_decisions_call, "what was decided, from what", 0 },
  { ON_OPERATOR,             HTTP_POST,   "/api/v1/rollouts/{id}/start",      WHO_OPERATOR,   64 KIB,  JSON,         KIND_WRITE, rollout_start_call,    "open the first wave", 0 },
  { ON_OPERATOR,             HTTP_POST,   "/api/v1/rollouts/{id}/pause",      WHO_OPERATOR,   64 KIB,  JSON,         KIND_WRITE, rollout_pause_call,    "stop handing it out", ROUTE_URGENT },
  { ON_OPERATOR,             HTTP_POST,   "/api/v1/rollouts/{id}/resume",     WHO_OPERATOR,   64 KIB,  JSON,         KIND_WRITE, rollout_resume_call,   "hand it out again", 0 },
  { ON_OPERATOR,             HTTP_POST,   "/api/v1/rollouts/{id}/halt",       WHO_OPERATOR,   64 KIB,  JSON,         KIND_WRITE, rollout_halt_call,     "stop it, downloads too", ROUTE_URGENT },
  { ON_OPERATOR,             HTTP_POST,   "/api/v1/rollouts/{id}/abort",      WHO_OPERATOR,   64 KIB,  JSON,         KIND_WRITE, rollout_abort_call,    "stop it for good", ROUTE_URGENT },
  { ON_OPERATOR,             HTTP_POST,   "/api/v1/rollouts/{id}/advance",    WHO_OPERATOR,   64 KIB,  JSON,         KIND_WRITE, rollout_advance_call,  "approve a manual gate", 0 },

  { ON_OPERATOR,             HTTP_POST,   PRODUCT "/holds",                   WHO_OPERATOR,   64 KIB,  JSON,         KIND_WRITE, hold_add_call,         "no offers to devices that match", 0 },
  { ON_OPERATOR,             HTTP_GET,    PRODUCT "/holds",                   WHO_VIEWER,     0,       NULL,         KIND_READ,  hold_list_call,        "list holds", 0 },
  { ON_OPERATOR,             HTTP_DELETE, "/api/v1/holds/{id}",               WHO_OPERATOR,   0,       NULL,         KIND_WRITE, hold_remove_call,      "take a hold away", 0 },

  { ON_OPERATOR,             HTTP_GET,    "/api/v1/status",                   WHO_VIEWER,     0,       NULL,         KIND_READ,  status_call,           "what a person asks first", 0 },
  { ON_OPERATOR,             HTTP_GET,    "/api/v1/audit",                    WHO_ADMIN,      0,       NULL,         KIND_READ,  audit_call,            "every change", ROUTE_ALL_PRODUCTS },
  { ON_OPERATOR,             HTTP_GET,    "/api/v1/site",                     WHO_VIEWER,     0,       NULL,         KIND_READ,  site_call,             "the public pages as data", ROUTE_ALL_PRODUCTS },
  { ON_OPERATOR,             HTTP_GET,    "/api/v1/channel",                  WHO_VIEWER,     0,       NULL,         KIND_READ,  channel_call,          "what devices fetch, as files", ROUTE_ALL_PRODUCTS },
  { ON_OPERATOR,             HTTP_GET,    "/api/v1/online-key",               WHO_VIEWER,     0,       NULL,         KIND_READ,  online_key_call,       "who signs statements", 0 },
  { ON_OPERATOR,             HTTP_GET,    PRODUCT "/statement",               WHO_VIEWER,     0,       NULL,         KIND_READ,  statement_call,        "the freshness statement", 0 },
  { ON_OPERATOR,             HTTP_GET,    "/healthz",                         WHO_NOBODY,     0,       NULL,         KIND_READ,  health_call,           "does the process answer", 0 },
  { ON_OPERATOR,             HTTP_GET,    "/readyz",                          WHO_NOBODY,     0,       NULL,         KIND_READ,  ready_call,            "does the store work", 0 },
  { ON_OPERATOR,             HTTP_GET,    "/metrics",                         WHO_VIEWER,     0,       NULL,         KIND_READ,  metrics_call,          "numbers for Prometheus", ROUTE_ALL_PRODUCTS },

  { ON_PUBLIC | ON_OPERATOR, HTTP_GET,    "/support",                         WHO_NOBODY,     0,       NULL,         KIND_READ,  support_list_call,     "the models", 0 },
  { ON_PUBLIC | ON_OPERATOR, HTTP_GET,    "/support/{model}",                 WHO_NOBODY,     0,       NULL,         KIND_READ,  support_call,          "support period of a model", 0 },
  { ON_PUBLIC | ON_OPERATOR, HTTP_GET,    "/.well-known/security.txt",        WHO_NOBODY,     0,       NULL,         KIND_READ,  security_txt_call,     "whom to tell of a weakness", 0 },
};
/* clang-format on */

const size_t ROUTES_N = sizeof ROUTES / sizeof *ROUTES;
