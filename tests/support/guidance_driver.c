/* Fly a guidance from standard input to standard output, for builds with sanitizers. Compile with
   BW_KIND as the kind's name and BW_HEADER as its header, quoted.

   In: waypoints, steps and outputs a step, as int32; the constants; the route; then outputs and
   senses of each step. Out: the answers. */
#include BW_HEADER

#include <stdio.h>
#include <stdlib.h>

#define JOIN(kind, part) bw_##kind##_##part
#define NAME(kind, part) JOIN(kind, part)

static void read_all(void *into, size_t bytes) {
    if (fread(into, 1, bytes, stdin) != bytes) {
        exit(2);
    }
}

int main(void) {
    NAME(BW_KIND, state_t) *state = malloc(sizeof *state);
    NAME(BW_KIND, config_t) config;
    NAME(BW_KIND, answer_t) answer;
    bw_senses_t senses;
    int32_t counts[3];
    read_all(counts, sizeof counts);
    read_all(&config, sizeof config);
    /* Exactly as large as they are, so that a read beyond them is seen. */
    float (*route)[5] = malloc(sizeof(float[5]) * (size_t)counts[0] + 1);
    float *outputs = malloc(sizeof(float) * (size_t)counts[2]);
    read_all(route, sizeof(float[5]) * (size_t)counts[0]);
    NAME(BW_KIND, reset)(state, &config, (const float (*)[5])route, counts[0]);
    for (int32_t i = 0; i < counts[1]; i++) {
        read_all(outputs, sizeof(float) * (size_t)counts[2]);
        read_all(&senses, sizeof senses);
        NAME(BW_KIND, step)(state, &config, outputs, &senses, &answer);
        fwrite(&answer, sizeof answer, 1, stdout);
    }
    free(state);
    free(route);
    free(outputs);
    return 0;
}
