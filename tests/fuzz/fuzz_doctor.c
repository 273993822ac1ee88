/*
 * A whole project: the input is cut at bytes 0x1e, each piece becomes one of the files below. All rules
 * run over it and all reporters print. The folder is made once, in memory if there is /dev/shm.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/doctor/doctor.h"

static const char *const files[] = { "prj.conf", "app.overlay", "sysbuild.conf", "sysbuild/mcuboot.conf",
    "sysbuild/mcuboot.overlay", "boards/b/b_nrf52840.dts", "pm_static.yml", "Kconfig.sysbuild", "CMakeLists.txt",
    "child_image/mcuboot.conf", "app.log", "build/partitions.yml", "build/app/zephyr/.config", "src/main.c",
    ".slipway-doctor", "west.yml" };
enum { FILES = sizeof files / sizeof files[0] };

static char root[64];
static FILE *null;

static void clean(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", root);
    if (system(command) != 0)
        fprintf(stderr, "%s is left behind\n", root);
}

static void make_root(void)
{
    static const char *const folders[] = { "", "/sysbuild", "/child_image", "/boards", "/boards/b", "/build",
        "/build/app", "/build/app/zephyr", "/src" };

    snprintf(
        root, sizeof root, "%s/slipway-fuzz-%ld", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (long)getpid());
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s%s", root, folders[i]);
        if (mkdir(path, 0700) != 0)
            abort();
    }
    atexit(clean);
    null = fopen("/dev/null", "w");
    if (!null)
        abort();
}

static void put_file(const char *name, const uint8_t *data, size_t len)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", root, name);
    if (len == 0) {
        unlink(path);
        return;
    }
    FILE *f = fopen(path, "w");
    if (!f || fwrite(data, 1, len, f) != len || fclose(f) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct doctor d;
    const struct doctor_options o = { .dir = root, .flow = -1 };
    const char *why = NULL;

    if (!null)
        make_root();
    for (size_t i = 0; i < FILES; i++) {
        const uint8_t *cut = size ? memchr(data, 0x1e, size) : NULL;
        size_t len = cut ? (size_t)(cut - data) : size;
        put_file(files[i], data, len);
        data += len;
        size -= len;
        if (cut) {
            data++;
            size--;
        }
    }
    if (doctor_run(&d, &o, &why)) {
        report_text(&d, null, true);
        report_json(&d, null);
        report_sarif(&d, null);
        report_html(&d, null);
    }
    doctor_free(&d);
    return 0;
}
