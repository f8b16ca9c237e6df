/*
 * What lapel_init refuses: each table of another size, each required member that is missing; what
 * it takes: each optional member that is. And what it believes of a hardware counter.
 */
#include <stddef.h>

#include "check.h"
#include "device.h"

static struct signer key;
static struct release v1, v2;
static struct device d;

/* A table, its members in order, and how many of them must be there. */
#define MEMBERS_MAX 10
struct table {
    const char *name;
    const void *table;
    size_t size, at; /* of the table; of its pointer in struct lapel_ports */
    unsigned required;
    const char *member[MEMBERS_MAX];
};

/* clang-format off */
static const struct table TABLES[] = {
    { "net", &DEV_NET, sizeof DEV_NET, offsetof(struct lapel_ports, net), 4,
      { "connect", "send", "recv", "close", "up" } },
    { "slots", &DEV_SLOTS, sizeof DEV_SLOTS, offsetof(struct lapel_ports, slots), 7,
      { "find", "info", "erase", "write", "read", "manifest_write", "manifest_read", "set_length" } },
    { "boot", &DEV_BOOT, sizeof DEV_BOOT, offsetof(struct lapel_ports, boot), 6,
      { "state", "stage", "unstage", "confirm", "reject", "reboot", "counter", "power_on" } },
    { "nv", &DEV_NV, sizeof DEV_NV, offsetof(struct lapel_ports, nv), 2,
      { "read", "write", "counter_get", "counter_raise", "seal" } },
    { "sys", &DEV_SYS, sizeof DEV_SYS, offsetof(struct lapel_ports, sys), 2,
      { "now_ms", "random", "epoch_s" } },
    { "policy", &DEV_POLICY, sizeof DEV_POLICY, offsetof(struct lapel_ports, policy), 0,
      { "gate", "event", "health" } },
};
/* clang-format on */

typedef void (*member)(void);
_Static_assert(sizeof(struct lapel_boot) <= 128, "a table fits its copy");

static enum lapel_err init_with(const struct table *t, const void *table)
{
    struct lapel_ports ports = d.ports;

    memcpy((uint8_t *)&ports + t->at, &table, sizeof table);
    return lapel_init(&d.lapel, &d.config, &ports, &d.memory);
}

static void test_table(const struct table *t)
{
    _Alignas(16) uint8_t copy[128];
    char name[80];
    size_t size = t->size - 1;

    snprintf(name, sizeof name, "%s: of another size, or not there", t->name);
    check_case(name);
    memcpy(copy, t->table, t->size);
    CHECK_INT(init_with(t, copy), LAPEL_OK);
    memcpy(copy, &size, sizeof size);
    CHECK_INT(init_with(t, copy), LAPEL_ERR_PORT);
    CHECK(strncmp(lapel_init_why(&d.lapel), t->name, strlen(t->name)) == 0);
    size = t->size + 1;
    memcpy(copy, &size, sizeof size);
    CHECK_INT(init_with(t, copy), LAPEL_ERR_PORT);
    CHECK_INT(init_with(t, NULL), t->required > 0 ? LAPEL_ERR_PORT : LAPEL_OK);

    for (unsigned i = 0; i < MEMBERS_MAX && t->member[i] != NULL; i++) {
        bool needed = i < t->required;

        snprintf(name, sizeof name, "%s.%s is %s", t->name, t->member[i],
                 needed ? "required" : "optional");
        check_case(name);
        memcpy(copy, t->table, t->size);
        memset(copy + sizeof(size_t) + i * sizeof(member), 0, sizeof(member));
        CHECK_INT(init_with(t, copy), needed ? LAPEL_ERR_PORT : LAPEL_OK);
    }
}

static void test_crypto(void)
{
    struct lsuit_crypto c = lsuit_crypto_psa;

    check_case("crypto: each member that is needed");
    d.ports.crypto = &c;
    CHECK_INT(lapel_init(&d.lapel, &d.config, &d.ports, &d.memory), LAPEL_OK);
#define WITHOUT(m)        \
    c = lsuit_crypto_psa; \
    c.m = 0;              \
    CHECK_INT(lapel_init(&d.lapel, &d.config, &d.ports, &d.memory), LAPEL_ERR_PORT)
    WITHOUT(size);
    WITHOUT(hash_start);
    WITHOUT(hash_update);
    WITHOUT(hash_finish);
    WITHOUT(hash_abort);
    WITHOUT(verify);
    d.ports.crypto = &lsuit_crypto_psa;
}

static int counter_get(void *p, uint64_t *value_out)
{
    (void)p;
    *value_out = 9;
    return 1;
}

static bool refused(struct device *x)
{
    return x->told[LAPEL_EVENT_FAILED] > 0;
}

static void test_counter(void)
{
    struct lapel_nv nv = DEV_NV;

    check_case("a hardware counter holds when the records are lost");
    nv.counter_get = counter_get;
    device_init(&d, &key, &v1, 8, 0xff);
    d.image[d.images++] = &v2;
    d.server.release = &v2;
    d.ports.nv = &nv;
    d.has_counter = true;
    d.counter[0] = 9;
    d.counter[1] = 8;
    device_boot(&d);
    CHECK_UINT(d.lapel.rec.counter, 9);
    CHECK(device_live(&d, refused, 20000));
    CHECK_INT(d.last_error, LSUIT_CLASS_ROLLBACK);
    CHECK_INT(d.running, 0);
}

int main(void)
{
    signer_init(&key);
    release_make(&v1, 16, 900, &key, &(struct release_how){ 0 });
    release_make(&v2, 32, 2000, &key, &(struct release_how){ 0 });
    device_init(&d, &key, &v1, 8, 0xff);
    device_boot(&d);
    for (size_t i = 0; i < sizeof TABLES / sizeof *TABLES; i++)
        test_table(&TABLES[i]);
    test_crypto();
    test_counter();
    return check_done();
}
