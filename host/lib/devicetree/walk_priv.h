/* Inside the devicetree reader: what the walk over tree-sitter's tree shares. */
#ifndef HOST_LIB_DEVICETREE_WALK_PRIV_H
#define HOST_LIB_DEVICETREE_WALK_PRIV_H

#include <tree_sitter/api.h>

#include "host/lib/devicetree/dt_priv.h"

struct walk {
    struct dt_tree *t;
    const char *file; /* of the tree's memory */
    const char *text; /* the source; positions of tree-sitter index it */
    int depth;
};

typedef void (*walk_fn)(struct walk *w, struct dt_node *at, TSNode n);

void walk_each(struct walk *w, struct dt_node *at, TSNode parent, walk_fn fn);
bool walk_is(TSNode n, const char *type);
const char *walk_text(const struct walk *w, TSNode n, size_t *len);
char *walk_copy(const struct walk *w, TSNode n);
char *walk_reference(const struct walk *w, TSNode n);
struct dt_loc walk_loc(const struct walk *w, TSNode n);

/* A property and its value, into node `at` (values.c). */
void walk_property(struct walk *w, struct dt_node *at, TSNode n);

#endif
