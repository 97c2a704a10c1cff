/* For SRCU_ORDER_HEADER: a labelled order is relaxed, and a labelled fence is none, if its label is that of --drop-order. */
#ifndef SRCU_TESTS_ENGINE_DROP_ORDER_H
#define SRCU_TESTS_ENGINE_DROP_ORDER_H

#ifdef __cplusplus
extern "C" {
#endif

int srcu_ordered_by_name(const char *label, int order);
int srcu_ordered_by_number(int label, int order); /* as srcu::Ord has them */

#ifdef __cplusplus
}
#endif

#define SRCU_ORDERED(label, order) srcu_ordered_by_name(#label, order)

#endif /* SRCU_TESTS_ENGINE_DROP_ORDER_H */
