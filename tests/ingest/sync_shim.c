/* Stands before the C library: while the file named by SYNC_FAILS exists, every sync fails as a dying disk does;
   while the one named by SYNC_WAITS exists, every sync takes 0.3 s; each that is done adds a byte to SYNC_COUNTS. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int next(const char *name, int fd) {
    const char *fails = getenv("SYNC_FAILS");
    if (fails && access(fails, F_OK) == 0) {
        errno = EIO;
        return -1;
    }
    const char *waits = getenv("SYNC_WAITS");
    if (waits && access(waits, F_OK) == 0)
        usleep(300000);
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    int done = real(fd);
    const char *counts = getenv("SYNC_COUNTS");
    int book = counts && done == 0 ? open(counts, O_WRONLY | O_APPEND) : -1;
    if (book >= 0) {
        if (write(book, ".", 1) != 1)
            done = -1;
        close(book);
    }
    return done;
}

int fsync(int fd) { return next("fsync", fd); }
int fdatasync(int fd) { return next("fdatasync", fd); }
