#include "encrypt.h"

enum lsuit_err encrypt_fresh(struct lsuit_encrypt *e)
{
    return lsuit_encrypt_fresh(e);
}
