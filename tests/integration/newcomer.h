/* The tables of newcomer_port.c, and its boot loader. */
#ifndef NEWCOMER_H
#define NEWCOMER_H

#include "lapel.h"

extern const struct lapel_net newcomer_net;
extern const struct lapel_slots newcomer_slots;
extern const struct lapel_boot newcomer_boot;
extern const struct lapel_nv newcomer_nv;
extern const struct lapel_sys newcomer_sys;

/* What the boot loader does at a start; in the folder that is the board. */
void newcomer_start(void);

#endif
