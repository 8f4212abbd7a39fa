/* Sizes for a caller on this computer that holds a guidance's structs as bytes. Compile with
   BW_KIND as the kind's name and BW_HEADER as its header, quoted. */
#include BW_HEADER

#define JOIN(kind, part) bw_##kind##_##part##_t
#define TYPE(kind, part) JOIN(kind, part)

extern const int32_t bw_struct_bytes[4];

const int32_t bw_struct_bytes[4] = {
    (int32_t)sizeof(TYPE(BW_KIND, state)),
    (int32_t)sizeof(TYPE(BW_KIND, config)),
    (int32_t)sizeof(bw_senses_t),
    (int32_t)sizeof(TYPE(BW_KIND, answer)),
};
