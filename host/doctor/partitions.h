/*
 * Partition maps: pm_static.yml, partitions.yml, pm.config, and fixed-partitions of a devicetree.
 *
 * YAML is read as libyaml's events, never as a document: aliases are not followed, so a file that
 * multiplies itself by anchors costs what it has bytes. Depth, partitions and events are limited.
 */
#ifndef HOST_DOCTOR_PARTITIONS_H
#define HOST_DOCTOR_PARTITIONS_H

#include "host/doctor/source.h"
#include "host/lib/devicetree/devicetree.h"

struct partition {
    struct partition *next;
    const char *name; /* "mcuboot_primary"; of a devicetree: the label, "slot0_partition" */
    uint64_t address, end, size;
    bool has_address, has_end, has_size, negative; /* negative: a size below zero */
    int64_t signed_size;
    const char *region; /* NULL: flash_primary, or of a devicetree the label of its chip */
    const char *device;
    bool container; /* has a span: its room is that of its parts */
    const char *span[16];
    int spans;
    bool aligned; /* placement says align */
    struct place at, at_address, at_size;
    const struct dt_node *node; /* of a devicetree */
};

struct map {
    struct partition *first, **end;
    int count;
    const struct source *file;
};

void map_init(struct map *l);

/* False if the text is no map of maps; f->trouble says what, with the line. */
bool map_read_yaml(struct map *l, struct sources *s, struct source *f);

/* PM_NAME_ADDRESS=0x..., PM_NAME_SIZE=..., PM_NAME_DEV_NAME of a build's pm.config. */
bool map_read_config(struct map *l, struct sources *s, struct source *f);

const struct partition *map_find(const struct map *l, const char *name);

/* The size, from its own entry or address and end. False if it is not given. */
bool partition_size(const struct partition *p, uint64_t *size);
bool partition_in(const struct partition *p, const char *region);

#endif
