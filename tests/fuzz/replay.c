/*
 * The main of a fuzz target where there is no fuzzing compiler: gives it each file of its corpus.
 *
 *     fuzz_cbor          the files of tests/fuzz/corpus/cbor
 *     fuzz_cbor FILE...  these
 *
 * A file that makes the target crash ends the program, after its name was printed.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of exactly the right size, so that ASan sees one byte too many. */
static int replay(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = NULL;
    long size = -1;
    int ok = 0;

    if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0)
        goto out;
    rewind(f);
    data = malloc((size_t)size + (size == 0));
    if (data == NULL || fread(data, 1, (size_t)size, f) != (size_t)size)
        goto out;
    fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput(data, (size_t)size);
    ok = 1;
out:
    if (!ok)
        printf("FAIL %s: %s\n", path, strerror(errno));
    free(data);
    if (f != NULL)
        fclose(f);
    return ok;
}

/* Replay each file of tests/fuzz/corpus/<noun>; counts into passed and failed. */
static void replay_folder(const char *noun, int *passed, int *failed)
{
    char folder[256], path[1024];
    struct dirent *entry;
    DIR *d;

    snprintf(folder, sizeof folder, "tests/fuzz/corpus/%s", noun);
    d = opendir(folder);
    while (d != NULL && (entry = readdir(d)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (replay(path))
            ++*passed;
        else
            ++*failed;
    }
    if (d != NULL)
        closedir(d);
    if (*passed + *failed == 0) {
        printf("FAIL %s: no file in it\n", folder);
        ++*failed;
    }
}

int main(int argc, char **argv)
{
    const char *noun = strstr(argv[0], "fuzz_");
    int passed = 0, failed = 0;

    for (const char *p = noun; p != NULL; p = strstr(p + 1, "fuzz_"))
        noun = p;
    for (int i = 1; i < argc; i++) {
        if (replay(argv[i]))
            passed++;
        else
            failed++;
    }
    if (argc == 1 && noun != NULL)
        replay_folder(noun + strlen("fuzz_"), &passed, &failed);
    printf("%d passed, %d failed\n", passed, failed);
    return passed > 0 && failed == 0 ? 0 : 1;
}
