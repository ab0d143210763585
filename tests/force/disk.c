/* A disk between a process and the kernel, to be preloaded: it writes down what
   is written, synced, renamed and removed under one folder, and can fail.

   NEWSFOLD_DISK_UNDER  the folder
   NEWSFOLD_DISK_LOG    where to write down (absent: nowhere)
   NEWSFOLD_DISK_FAIL   "k:errno:n": the k-th operation fails, and those after it, n in all; "ever": all later ones

   A record: one letter, two 64-bit numbers, a 32-bit length, that many bytes. What goes to
   descriptor 1 is written down too: that is when a mark is shown. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static char under[PATH_MAX];
static size_t under_len;
static int log_fd = -1;
static long fail_at, fail_errno, fail_until, counted;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ({ static __typeof__(&name) f; if (!f) f = dlsym(RTLD_NEXT, #name); f; })

__attribute__((constructor)) static void begin(void) {
    const char *u = getenv("NEWSFOLD_DISK_UNDER"), *l = getenv("NEWSFOLD_DISK_LOG"), *f = getenv("NEWSFOLD_DISK_FAIL");
    if (u) { snprintf(under, sizeof under, "%s", u); under_len = strlen(under); }
    if (l) log_fd = syscall(SYS_openat, AT_FDCWD, l, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (f) {
        char word[16] = "";
        sscanf(f, "%ld:%ld:%15s", &fail_at, &fail_errno, word);
        fail_until = strcmp(word, "ever") ? fail_at + atol(word) : LONG_MAX;
    }
}

static void record(char op, uint64_t a, uint64_t b, const void *data, uint32_t len) {
    if (log_fd < 0) return;
    struct iovec parts[5] = {{&op, 1}, {&a, 8}, {&b, 8}, {&len, 4}, {(void *)data, len}};
    syscall(SYS_writev, log_fd, parts, 5);
}

/* Under the folder, and no shared memory: that is no part of the disk. */
static int ours(const char *path) {
    if (!under_len || strncmp(path, under, under_len)) return 0;
    size_t len = strlen(path);
    return len < 4 || strcmp(path + len - 4, "-shm");
}

static int ours_fd(int fd, uint64_t *inode) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len <= 0) return 0;
    path[len] = 0;
    struct stat st;
    if (!ours(path) || fstat(fd, &st)) return 0;
    *inode = st.st_ino;
    return 1;
}

static int fails(void) {
    pthread_mutex_lock(&lock);
    counted++;
    int now = fail_at && counted >= fail_at && counted < fail_until;
    pthread_mutex_unlock(&lock);
    if (now) errno = (int)fail_errno;
    return now;
}

/* The number of operations is said at the end, for who wants to fail each. */
__attribute__((destructor)) static void end(void) { record('n', (uint64_t)counted, 0, "", 0); }

static int opened(int (*real)(const char *, int, ...), const char *path, int flags, mode_t mode) {
    if (!ours(path) || !(flags & (O_CREAT | O_TRUNC))) return real(path, flags, mode);
    struct stat st;
    int there = !stat(path, &st);
    if (!there && fails()) return -1;
    int fd = real(path, flags, mode);
    if (fd >= 0 && !fstat(fd, &st)) {
        if (!there) record('c', st.st_ino, 0, path, strlen(path));
        else if (flags & O_TRUNC) record('t', st.st_ino, 0, "", 0);
    }
    return fd;
}

#define OPEN(name)                                                                     \
    int name(const char *path, int flags, ...) {                                       \
        va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, mode_t); va_end(rest); \
        return opened((int (*)(const char *, int, ...))REAL(name), path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

ssize_t write(int fd, const void *data, size_t len) {
    uint64_t inode;
    if (fd == 1) { record('a', 0, 0, data, len); return REAL(write)(fd, data, len); }
    if (!ours_fd(fd, &inode)) return REAL(write)(fd, data, len);
    if (fails()) return -1;
    ssize_t done = REAL(write)(fd, data, len);
    if (done > 0) record('w', inode, (uint64_t)lseek(fd, 0, SEEK_CUR) - done, data, done);
    return done;
}

#define PWRITE(name, off)                                              \
    ssize_t name(int fd, const void *data, size_t len, off at) {       \
        uint64_t inode;                                                \
        if (!ours_fd(fd, &inode)) return REAL(name)(fd, data, len, at); \
        if (fails()) return -1;                                        \
        ssize_t done = REAL(name)(fd, data, len, at);                  \
        if (done > 0) record('w', inode, at, data, done);              \
        return done;                                                   \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define TRUNCATE(name, off)                                     \
    int name(int fd, off len) {                                 \
        uint64_t inode;                                         \
        if (!ours_fd(fd, &inode)) return REAL(name)(fd, len);   \
        if (fails()) return -1;                                 \
        int done = REAL(name)(fd, len);                         \
        if (!done) record('t', inode, len, "", 0);              \
        return done;                                            \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define SYNC(name)                                          \
    int name(int fd) {                                      \
        uint64_t inode;                                     \
        if (!ours_fd(fd, &inode)) return REAL(name)(fd);    \
        if (fails()) return -1;                             \
        int done = REAL(name)(fd);                          \
        if (!done) record('s', inode, 0, "", 0);            \
        return done;                                        \
    }
SYNC(fsync)
SYNC(fdatasync)

static void two(char op, const char *from, const char *to) {
    char both[2 * PATH_MAX];
    size_t a = strlen(from) + 1, b = strlen(to);
    memcpy(both, from, a);
    memcpy(both + a, to, b);
    record(op, 0, 0, both, a + b);
}

int rename(const char *from, const char *to) {
    if (!ours(from)) return REAL(rename)(from, to);
    if (fails()) return -1;
    int done = REAL(rename)(from, to);
    if (!done) two('r', from, to);
    return done;
}

int link(const char *from, const char *to) {
    if (!ours(from)) return REAL(link)(from, to);
    if (fails()) return -1;
    int done = REAL(link)(from, to);
    if (!done) two('l', from, to);
    return done;
}

int linkat(int a, const char *from, int b, const char *to, int flags) {
    if (!ours(from)) return REAL(linkat)(a, from, b, to, flags);
    if (fails()) return -1;
    int done = REAL(linkat)(a, from, b, to, flags);
    if (!done) two('l', from, to);
    return done;
}

int unlink(const char *path) {
    if (!ours(path)) return REAL(unlink)(path);
    if (fails()) return -1;
    int done = REAL(unlink)(path);
    if (!done) record('u', 0, 0, path, strlen(path));
    return done;
}
