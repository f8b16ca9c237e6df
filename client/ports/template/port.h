/* The tables of a port; copy this folder, and fill in port.c. */
#ifndef TEMPLATE_PORT_H
#define TEMPLATE_PORT_H

#include "lapel.h"

extern const struct lapel_net template_net;
extern const struct lapel_slots template_slots;
extern const struct lapel_boot template_boot;
extern const struct lapel_nv template_nv;
extern const struct lapel_sys template_sys;

#endif
