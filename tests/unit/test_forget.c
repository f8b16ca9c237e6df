/* The server is asked to forget a device: lapel_erase. In memory: tests/harness/device.h. */
#include "check.h"
#include "device.h"

static struct signer key, online_key, other_key;
static struct release v1;
static struct device d;

static const uint8_t NONCE[16] = "0123456789abcdef";

static struct lsuit_bytes text(const char *s)
{
    return (struct lsuit_bytes){ (const uint8_t *)s, strlen(s) };
}

static void fresh(const char *name)
{
    check_case(name);
    device_init(&d, &key, &v1, 8, 0xff);
    device_online(&d, &online_key);
    d.server.erase_nonce = (struct lsuit_bytes){ NONCE, sizeof NONCE };
    d.server.receipt = (struct lsuit_receipt){ .product = text("lamp"),
                                               .device_id = text("device-0001"),
                                               .what = { 1, 2, 3 },
                                               .what_n = 3,
                                               .when_s = 1,
                                               .backups_s = 2,
                                               .nonce = { NONCE, sizeof NONCE } };
    device_boot(&d);
}

static enum lapel_erase_state state(void)
{
    struct lapel_status s;

    lapel_status(&d.lapel, &s);
    return s.erase;
}

static bool is_told(struct device *x)
{
    return x->told[LAPEL_EVENT_ERASED] > 0;
}

static bool was_tried(struct device *x)
{
    return x->server.erases > 0 && x->lapel.exchange == 0;
}

static int checkins;
static bool more_checkins(struct device *x)
{
    return x->server.checkins >= checkins && x->lapel.exchange == 0;
}

static void test_whole(void)
{
    struct lsuit_bytes payload = { NULL, 0 }, none = { NULL, 0 };

    fresh("nothing is asked unless somebody at the device did");
    checkins = 3;
    CHECK(device_live(&d, more_checkins, 100000));
    CHECK(!d.server.erase_asked);
    CHECK_INT(d.server.erases, 0);

    check_case("asked for: a check-in at once, the nonce back, the receipt kept");
    CHECK_INT(lapel_erase(&d.lapel), LAPEL_OK);
    uint64_t now = d.now;
    CHECK(device_live(&d, is_told, 1000));
    CHECK(d.now - now < 60000);
    CHECK_STR(d.server.last_erase, "30313233343536373839616263646566");
    CHECK_STR(d.server.last_auth, "Bearer " DEVICE_TOKEN);
    CHECK_INT(state(), LAPEL_ERASE_DONE);
    CHECK_INT(d.last_error, LSUIT_CLASS_NONE);
    CHECK_INT(lsuit_doc_verify(LSUIT_DOC_RECEIPT, none,
                               (struct lsuit_bytes){ d.receipt, d.receipt_n }, &lsuit_crypto_psa,
                               &online_key.key, 1, NULL, &payload),
              LSUIT_OK);
    check_case("once");
    checkins = d.server.checkins + 3;
    CHECK(device_live(&d, more_checkins, 100000));
    CHECK_INT(d.server.erases, 1);
    CHECK(!d.server.erase_asked);

    fresh("a server without an online key answers 204: done, without a receipt");
    d.server.erase_status = 204;
    CHECK_INT(lapel_erase(&d.lapel), LAPEL_OK);
    CHECK(device_live(&d, is_told, 1000));
    CHECK_INT(state(), LAPEL_ERASE_DONE);
    CHECK_UINT(d.receipt_n, 0);

    fresh("one that is busy is asked again");
    d.server.erase_status = 503;
    d.server.retry_after = 10;
    CHECK_INT(lapel_erase(&d.lapel), LAPEL_OK);
    CHECK(device_live(&d, was_tried, 1000));
    CHECK_INT(state(), LAPEL_ERASE_BEGUN);
    d.server.erase_status = 0;
    CHECK(device_live(&d, is_told, 10000));
    CHECK_INT(state(), LAPEL_ERASE_DONE);

    fresh("a restart forgets that it was asked");
    CHECK_INT(lapel_erase(&d.lapel), LAPEL_OK);
    device_boot(&d);
    checkins = d.server.checkins + 2;
    CHECK(device_live(&d, more_checkins, 100000));
    CHECK_INT(d.server.erases, 0);
}

static void test_refused(void)
{
    static const struct {
        const char *name;
        int status;
        bool no_nonce, stranger;
        const char *device;
        enum lsuit_doc sign_as;
        uint8_t class_;
    } ROWS[] = {
        { "a server that doesn't know of it", 0, true, false, NULL, 0, LSUIT_CLASS_UNSUPPORTED },
        { "refused", 400, false, false, NULL, 0, LSUIT_CLASS_SERVER_REFUSED },
        { "not known", 401, false, false, NULL, 0, LSUIT_CLASS_UNAUTHORISED },
        { "a receipt by a stranger", 0, false, true, NULL, 0, LSUIT_CLASS_UNAUTHORISED },
        { "a statement in its place", 0, false, false, NULL, LSUIT_DOC_STATEMENT,
          LSUIT_CLASS_UNAUTHORISED },
        { "a receipt for another device", 0, false, false, "device-0002", 0,
          LSUIT_CLASS_WRONG_DEVICE },
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        fresh(ROWS[i].name);
        d.server.erase_status = ROWS[i].status;
        if (ROWS[i].no_nonce)
            d.server.erase_nonce = (struct lsuit_bytes){ NULL, 0 };
        if (ROWS[i].stranger)
            d.server.signer = &other_key;
        if (ROWS[i].device != NULL)
            d.server.receipt.device_id = text(ROWS[i].device);
        d.server.sign_as = ROWS[i].sign_as;
        CHECK_INT(lapel_erase(&d.lapel), LAPEL_OK);
        CHECK(device_live(&d, is_told, 1000));
        CHECK_INT(state(), LAPEL_ERASE_FAILED);
        CHECK_INT(d.last_error, ROWS[i].class_);
        CHECK_UINT(d.receipt_n, 0);
    }
    fresh("a receipt for another request");
    d.server.receipt.nonce = (struct lsuit_bytes){ (const uint8_t *)"another nonce..", 16 };
    CHECK_INT(lapel_erase(&d.lapel), LAPEL_OK);
    CHECK(device_live(&d, is_told, 1000));
    CHECK_INT(d.last_error, LSUIT_CLASS_WRONG_DEVICE);

    fresh("a check-in that gets a 401 ends it");
    d.server.checkin_status = 401;
    CHECK_INT(lapel_erase(&d.lapel), LAPEL_OK);
    CHECK(device_live(&d, is_told, 1000));
    CHECK_INT(d.last_error, LSUIT_CLASS_UNAUTHORISED);

    fresh("who has no name or token has nothing to erase");
    d.config.token = NULL;
    device_boot(&d);
    CHECK_INT(lapel_erase(&d.lapel), LAPEL_ERR_STATE);
}

int main(void)
{
    struct release_how none = { 0 };

    signer_init(&key);
    signer_init(&online_key);
    signer_init(&other_key);
    release_make(&v1, 16, 4000, &key, &none);
    test_whole();
    test_refused();
    return check_done();
}
