/*
 * replay_main.c - runs a fuzz target over its corpus, without a fuzzer.
 *
 * Usage: fuzz_x CORPUS...  Each argument is a file or a folder of files.
 * A corpus without a single input is a failure: it would test nothing.
 */
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_BYTES_MAX = 16 << 20, OPEN_FOLDERS_MAX = 16 };

static unsigned long inputs;

static int replay_file(const char *path, const struct stat *st, int type,
                       struct FTW *where)
{
    (void)where;
    if (type != FTW_F)
        return type == FTW_D ? 0 : -1;
    if (st->st_size > INPUT_BYTES_MAX) {
        fprintf(stderr, "%s: larger than any input should be\n", path);
        return -1;
    }
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        perror(path);
        return -1;
    }
    /* Exactly sized, so that a sanitizer sees the first byte too many. */
    size_t size = (size_t)st->st_size;
    uint8_t *data = malloc(size > 0 ? size : 1);
    int failed = data == NULL || fread(data, 1, size, file) != size;
    if (failed)
        fprintf(stderr, "%s: cannot be read\n", path);
    else
        LLVMFuzzerTestOneInput(data, size);
    free(data);
    (void)fclose(file);
    inputs++;
    return failed ? -1 : 0;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (nftw(argv[i], replay_file, OPEN_FOLDERS_MAX, FTW_PHYS) != 0) {
            fprintf(stderr, "%s: not replayed\n", argv[i]);
            return EXIT_FAILURE;
        }
    }
    printf("%lu inputs replayed\n", inputs);
    return inputs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
