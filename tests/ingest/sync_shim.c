/* Stands before the C library: while the file named by SYNC_FAILS exists, every sync fails as a dying disk does. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int next(const char *name, int fd) {
    const char *fails = getenv("SYNC_FAILS");
    if (fails && access(fails, F_OK) == 0) {
        errno = EIO;
        return -1;
    }
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    return real(fd);
}

int fsync(int fd) { return next("fsync", fd); }
int fdatasync(int fd) { return next("fdatasync", fd); }
