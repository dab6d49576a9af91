/* What a power cut may take away.
 *
 * Loaded into a process (LD_PRELOAD), this writes down every change of a regular file that was not yet forced to the disk: what stood
 * there and what is written, each name that is made, moved or removed, and each fsync, from its begin to its end. A reader of the log (power_cut.py) can then take away
 * what the process had not synced when it was killed. Nothing is forced to the disk meanwhile.
 *
 * POWER_LOG names the log, POWER_KEPT a directory beside the data for the files whose names were removed.
 * Calls that go past the C library (rustix) are not seen; what they do is taken to last.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SYNC_MICROSECONDS 1500
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static uint64_t kept, syncs;

struct record {
    uint64_t kind, inode, offset, size_before, before_len, after_len;
};

static void fail(const char *what) {
    perror(what);
    abort();
}

static void put(const void *bytes, size_t len) {
    for (const char *at = bytes; len > 0;) {
        ssize_t done = REAL(write)(log_fd, at, len);
        if (done <= 0) fail("power log");
        at += done;
        len -= (size_t)done;
    }
}

/* One record in one write: a process may be killed between two. */
static void note(char kind, uint64_t inode, uint64_t offset, uint64_t size, const void *before, size_t before_len,
                 const void *after, size_t after_len) {
    struct record head = {(uint64_t)kind, inode, offset, size, before_len, after_len};
    size_t len = sizeof head + before_len + after_len;
    char *all = malloc(len);
    if (!all) fail("power log");
    memcpy(all, &head, sizeof head);
    if (before_len) memcpy(all + sizeof head, before, before_len);
    if (after_len) memcpy(all + sizeof head + before_len, after, after_len);
    put(all, len);
    free(all);
}

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("POWER_LOG");
    if (!path) return;
    int opened = REAL(open64)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (opened < 0) fail(path);
    log_fd = fcntl(opened, F_DUPFD_CLOEXEC, 900);
    if (log_fd < 0) log_fd = opened; else close(opened);
}

/* Whether what is written there is on record, and how the file is. */
static int is_seen(int fd, struct stat64 *found) {
    return log_fd >= 0 && fd > 2 && fd != log_fd && fstat64(fd, found) == 0 && S_ISREG(found->st_mode);
}

static void note_write(int fd, const struct stat64 *found, uint64_t offset, const void *bytes, size_t len) {
    uint64_t size = (uint64_t)found->st_size;
    size_t before_len = offset >= size ? 0 : (size - offset < len ? size - offset : len);
    char *before = malloc(before_len + 1);
    if (!before) fail("power log");
    /* A file that is open for writing alone is read by another descriptor. */
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (before_len) {
        int reader = REAL(open64)(path, O_RDONLY | O_CLOEXEC);
        if (reader < 0 || pread64(reader, before, before_len, (off64_t)offset) != (ssize_t)before_len) fail("power read");
        close(reader);
    }
    note('W', found->st_ino, offset, size, before, before_len, bytes, len);
    free(before);
}

static uint64_t position(int fd, const struct stat64 *found) {
    if (fcntl(fd, F_GETFL) & O_APPEND) return (uint64_t)found->st_size;
    return (uint64_t)lseek64(fd, 0, SEEK_CUR);
}

ssize_t write(int fd, const void *bytes, size_t len) {
    struct stat64 found;
    if (!is_seen(fd, &found)) return REAL(write)(fd, bytes, len);
    pthread_mutex_lock(&lock);
    fstat64(fd, &found);
    note_write(fd, &found, position(fd, &found), bytes, len);
    ssize_t done = REAL(write)(fd, bytes, len);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t offset) {
    struct stat64 found;
    if (!is_seen(fd, &found)) return REAL(pwrite64)(fd, bytes, len, offset);
    pthread_mutex_lock(&lock);
    fstat64(fd, &found);
    note_write(fd, &found, (uint64_t)offset, bytes, len);
    ssize_t done = REAL(pwrite64)(fd, bytes, len, offset);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset) { return pwrite64(fd, bytes, len, offset); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
    struct stat64 found;
    if (!is_seen(fd, &found)) return REAL(writev)(fd, parts, count);
    size_t len = 0;
    for (int part = 0; part < count; part++) len += parts[part].iov_len;
    char *bytes = malloc(len + 1);
    if (!bytes) fail("power log");
    size_t at = 0;
    for (int part = 0; part < count; at += parts[part].iov_len, part++) memcpy(bytes + at, parts[part].iov_base, parts[part].iov_len);
    ssize_t done = write(fd, bytes, len);
    free(bytes);
    return done;
}

static int set_size(int fd, off64_t size) {
    struct stat64 found;
    if (!is_seen(fd, &found)) return REAL(ftruncate64)(fd, size);
    pthread_mutex_lock(&lock);
    fstat64(fd, &found);
    size_t lost = found.st_size > size ? (size_t)(found.st_size - size) : 0;
    char *before = malloc(lost + 1), path[64];
    if (!before) fail("power log");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (lost) {
        int reader = REAL(open64)(path, O_RDONLY | O_CLOEXEC);
        if (reader < 0 || pread64(reader, before, lost, size) != (ssize_t)lost) fail("power read");
        close(reader);
    }
    note('T', found.st_ino, (uint64_t)size, (uint64_t)found.st_size, before, lost, NULL, 0);
    free(before);
    int done = REAL(ftruncate64)(fd, size);
    pthread_mutex_unlock(&lock);
    return done;
}

int ftruncate64(int fd, off64_t size) { return set_size(fd, size); }
int ftruncate(int fd, off_t size) { return set_size(fd, size); }

static int sync_of(int fd, int (*real)(int)) {
    struct stat64 found;
    if (log_fd < 0 || fstat64(fd, &found) != 0 || !(S_ISREG(found.st_mode) || S_ISDIR(found.st_mode))) return real(fd);
    /* What was written before it began is safe once it returns; a disk takes its time. */
    pthread_mutex_lock(&lock);
    uint64_t number = ++syncs;
    note('B', found.st_ino, number, 0, NULL, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    usleep(SYNC_MICROSECONDS);
    pthread_mutex_lock(&lock);
    note('S', found.st_ino, number, 0, NULL, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return 0;
}

int fsync(int fd) { return sync_of(fd, REAL(fsync)); }
int fdatasync(int fd) { return sync_of(fd, REAL(fdatasync)); }

/* A copy goes through reads and writes, which are seen. */
ssize_t copy_file_range(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t len, unsigned flags) {
    if (log_fd < 0) return REAL(copy_file_range)(from, from_offset, to, to_offset, len, flags);
    errno = ENOSYS;
    return -1;
}

static uint64_t parent_of(const char *path) {
    char parent[4096];
    snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    if (!slash) strcpy(parent, "."); else if (slash == parent) slash[1] = 0; else *slash = 0;
    struct stat64 found;
    return stat64(parent, &found) == 0 ? found.st_ino : 0;
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(more, mode_t) : 0;
    va_end(more);
    struct stat64 found;
    if (log_fd < 0 || (flags & O_TMPFILE) == O_TMPFILE || strncmp(path, "/proc/", 6) == 0) return REAL(open64)(path, flags, mode);
    pthread_mutex_lock(&lock);
    int is_new = (flags & O_CREAT) && lstat64(path, &found) != 0;
    int fd = REAL(open64)(path, flags & ~O_TRUNC, mode);
    int failed = errno;
    if (fd >= 0 && is_new) note('C', parent_of(path), 0, 0, path, strlen(path), NULL, 0);
    pthread_mutex_unlock(&lock);
    if (fd >= 0 && (flags & O_TRUNC)) set_size(fd, 0);
    errno = failed;
    return fd;
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return open64(path, flags, mode);
}

/* Keeps what `path` names under another name; 0 where there is nothing. */
static uint64_t keep(const char *path) {
    struct stat64 found;
    const char *directory = getenv("POWER_KEPT");
    if (!directory || lstat64(path, &found) != 0 || !S_ISREG(found.st_mode)) return 0;
    char other[4096];
    do {
        snprintf(other, sizeof other, "%s/%llu", directory, (unsigned long long)++kept);
        if (REAL(link)(path, other) == 0) return kept;
    } while (errno == EEXIST);
    fail("power keep");
    return 0;
}

int rename(const char *from, const char *to) {
    if (log_fd < 0) return REAL(rename)(from, to);
    pthread_mutex_lock(&lock);
    uint64_t replaced = keep(to);
    /* Both directories: they are the same one here but for the outbox. */
    note('R', parent_of(to), replaced, parent_of(from), from, strlen(from), to, strlen(to));
    int done = REAL(rename)(from, to);
    if (done != 0) note('!', 0, 0, 0, NULL, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return done;
}

int unlink(const char *path) {
    if (log_fd < 0) return REAL(unlink)(path);
    pthread_mutex_lock(&lock);
    note('U', parent_of(path), keep(path), 0, path, strlen(path), NULL, 0);
    int done = REAL(unlink)(path);
    if (done != 0) note('!', 0, 0, 0, NULL, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return done;
}

int mkdir(const char *path, mode_t mode) {
    if (log_fd < 0) return REAL(mkdir)(path, mode);
    pthread_mutex_lock(&lock);
    int done = REAL(mkdir)(path, mode);
    int failed = errno;
    if (done == 0) note('M', parent_of(path), 0, 0, path, strlen(path), NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = failed;
    return done;
}
