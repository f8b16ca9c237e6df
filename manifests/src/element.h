/*
 * Inside the codec: the elements of a manifest that this build takes, for the capability report.
 */
#ifndef LSUIT_SRC_ELEMENT_H
#define LSUIT_SRC_ELEMENT_H

#include <stdbool.h>
#include <stdint.h>

/* Is an element with this key taken? severable_out: it may stand in the envelope too. */
bool lsuit_element_taken(int32_t key, bool *severable_out);

#endif
