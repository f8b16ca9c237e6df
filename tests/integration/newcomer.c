/*
 * A device made of newcomer_port.c: lives until it runs a release, or restarts with exit code 75.
 *
 *     newcomer URL TOKEN RELEASE_KEY SEQUENCE
 *
 * RELEASE_KEY is the 65 bytes of a P-256 point in hex. Exit 0 once SEQUENCE is confirmed.
 */
#include <poll.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lapel_context.h"
#include "lsuit/uuid.h"
#include "newcomer.h"

static uint8_t envelope[4096], io[2048], point[65];
static struct lapel_work work;
static struct lapel lapel;
static struct lsuit_key keys[1] = { { .type = LSUIT_KEY_P256, .material = { point, 65 } } };
static struct lapel_config config = { .product = "lamp",
                                      .model = "EL-100",
                                      .device_id = "newcomer",
                                      .release_keys = keys,
                                      .release_keys_n = 1,
                                      .clear_credentials = true, /* a test on loopback */
                                      .allow_clear = true,
                                      .first_check_ms = 1,
                                      .period_ms = 30000 };

static struct lsuit_bytes text(const char *s)
{
    return (struct lsuit_bytes){ (const uint8_t *)s, strlen(s) };
}

static bool configure(char **argv)
{
    config.base_url[0] = argv[1];
    config.token = argv[2];
    for (size_t i = 0; i < sizeof point && strlen(argv[3]) == 2 * sizeof point; i++)
        point[i] = (uint8_t)strtoul((char[3]){ argv[3][2 * i], argv[3][2 * i + 1], 0 }, NULL, 16);
    return psa_crypto_init() == PSA_SUCCESS &&
           lsuit_uuid_vendor(text("example.com"), config.vendor_id) == LSUIT_OK &&
           lsuit_uuid_class(config.vendor_id, text("EL-100"), config.class_id) == LSUIT_OK;
}

int main(int argc, char **argv)
{
    const struct lapel_ports ports = { .net = &newcomer_net,
                                       .slots = &newcomer_slots,
                                       .boot = &newcomer_boot,
                                       .nv = &newcomer_nv,
                                       .sys = &newcomer_sys,
                                       .crypto = &lsuit_crypto_psa };
    const struct lapel_memory memory = { .envelope = envelope,
                                         .envelope_size = sizeof envelope,
                                         .io = io,
                                         .io_size = sizeof io,
                                         .work = &work };
    struct lapel_status s;
    uint32_t wait_ms = 0;

    if (argc != 5 || !configure(argv))
        return 2;
    newcomer_start();
    if (lapel_init(&lapel, &config, &ports, &memory) != LAPEL_OK) {
        fprintf(stderr, "%s\n", lapel_init_why(&lapel));
        return 1;
    }
    do {
        (void)lapel_step(&lapel, &wait_ms);
        (void)poll(NULL, 0, (int)(wait_ms < 200 ? wait_ms : 200));
        if (wait_ms > 200)
            lapel_kick(&lapel);
        lapel_status(&lapel, &s);
    } while (s.state != LAPEL_READY || s.accepted_sequence != strtoull(argv[4], NULL, 10));
    return 0;
}
