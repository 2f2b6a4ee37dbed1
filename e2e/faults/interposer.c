/*
 * Stands between a process and libc (LD_PRELOAD), and makes a disk or a clock misbehave while the process runs. What to
 * do is read from a small shared file, see interposer.ts: the two must agree on the layout of struct control.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct control {
  int64_t clock_offset_ms;
  uint32_t sync_delay_ms;
  uint32_t sync_errno;   /* fsync and fdatasync fail */
  uint32_t write_errno;  /* writes stop half-way and then fail; files can't be made */
  uint32_t access_errno; /* everything fails */
  char path[1000];       /* below which disk faults happen */
};

static const volatile struct control *control;

__attribute__((constructor)) static void attach(void) {
  const char *path = getenv("INTERPOSER_CONTROL");
  int fd = path ? open(path, O_RDONLY) : -1;
  if (fd < 0) return;
  void *map = mmap(NULL, sizeof(struct control), PROT_READ, MAP_SHARED, fd, 0);
  if (map != MAP_FAILED) control = map;
  close(fd);
}

#define REAL(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))
#define NEXT(name)                      \
  static typeof(&name) next;            \
  if (!next) next = REAL(name)

static int is_below(const char *path) {
  size_t length = control ? strlen((const char *)control->path) : 0;
  return length > 0 && strncmp(path, (const char *)control->path, length) == 0;
}

static int fd_is_below(int fd) {
  char link[32], path[2048];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return is_below(path);
}

/* The error that a write to fd meets, 0 for none. */
static int write_fault(int fd) {
  if (!control || (!control->write_errno && !control->access_errno) || !fd_is_below(fd)) return 0;
  return control->access_errno ? control->access_errno : control->write_errno;
}

static int read_fault(int fd) {
  return control && control->access_errno && fd_is_below(fd) ? control->access_errno : 0;
}

static int path_fault(const char *path, int makes) {
  if (!control || !is_below(path)) return 0;
  if (control->access_errno) return control->access_errno;
  return makes && control->write_errno && access(path, F_OK) != 0 ? control->write_errno : 0;
}

#define FAIL_IF(fault)   \
  do {                   \
    int error = (fault); \
    if (error) {         \
      errno = error;     \
      return -1;         \
    }                    \
  } while (0)

/* A full disk takes a part first. */
static size_t part_of(size_t size) {
  static unsigned calls;
  return calls++ % 2 == 0 && size > 1 ? size / 2 : 0;
}

#define WRITE(name, offset_type)                                              \
  ssize_t name(int fd, const void *data, size_t size, offset_type offset) {   \
    NEXT(name);                                                               \
    int error = write_fault(fd);                                              \
    if (!error) return next(fd, data, size, offset);                          \
    size_t part = part_of(size);                                              \
    if (part > 0) return next(fd, data, part, offset);                        \
    errno = error;                                                            \
    return -1;                                                                \
  }
WRITE(pwrite, off_t)
WRITE(pwrite64, off64_t)

ssize_t write(int fd, const void *data, size_t size) {
  NEXT(write);
  int error = write_fault(fd);
  if (!error) return next(fd, data, size);
  size_t part = part_of(size);
  if (part > 0) return next(fd, data, part);
  errno = error;
  return -1;
}

#define WRITE_VECTOR(name, offset_type)                                                 \
  ssize_t name(int fd, const struct iovec *parts, int count, offset_type offset) {      \
    NEXT(name);                                                                         \
    int error = write_fault(fd);                                                        \
    if (!error) return next(fd, parts, count, offset);                                  \
    struct iovec first = parts[0];                                                      \
    first.iov_len = part_of(first.iov_len);                                             \
    if (first.iov_len > 0) return next(fd, &first, 1, offset);                          \
    errno = error;                                                                      \
    return -1;                                                                          \
  }
WRITE_VECTOR(pwritev, off_t)
WRITE_VECTOR(pwritev64, off64_t)

ssize_t writev(int fd, const struct iovec *parts, int count) {
  NEXT(writev);
  FAIL_IF(write_fault(fd));
  return next(fd, parts, count);
}

#define READ(name, offset_type)                                       \
  ssize_t name(int fd, void *data, size_t size, offset_type offset) { \
    NEXT(name);                                                       \
    FAIL_IF(read_fault(fd));                                          \
    return next(fd, data, size, offset);                              \
  }
READ(pread, off_t)
READ(pread64, off64_t)

ssize_t read(int fd, void *data, size_t size) {
  NEXT(read);
  FAIL_IF(read_fault(fd));
  return next(fd, data, size);
}

static int sync_fault(int fd) {
  if (!control || (!control->sync_delay_ms && !control->sync_errno && !control->access_errno)) return 0;
  if (!fd_is_below(fd)) return 0;
  if (control->sync_delay_ms) usleep(control->sync_delay_ms * 1000);
  return control->access_errno ? control->access_errno : control->sync_errno;
}

int fsync(int fd) {
  NEXT(fsync);
  FAIL_IF(sync_fault(fd));
  return next(fd);
}

int fdatasync(int fd) {
  NEXT(fdatasync);
  FAIL_IF(sync_fault(fd));
  return next(fd);
}

#define OPEN(name)                                       \
  int name(const char *path, int flags, ...) {           \
    NEXT(name);                                          \
    va_list arguments;                                   \
    va_start(arguments, flags);                          \
    mode_t mode = va_arg(arguments, mode_t);             \
    va_end(arguments);                                   \
    FAIL_IF(path_fault(path, flags & O_CREAT));          \
    return next(path, flags, mode);                      \
  }
OPEN(open)
OPEN(open64)

int mkdir(const char *path, mode_t mode) {
  NEXT(mkdir);
  FAIL_IF(path_fault(path, 1));
  return next(path, mode);
}

int rename(const char *from, const char *to) {
  NEXT(rename);
  FAIL_IF(path_fault(to, 1));
  return next(from, to);
}

int unlink(const char *path) {
  NEXT(unlink);
  FAIL_IF(path_fault(path, 0));
  return next(path);
}

static int64_t clock_offset_ms(void) { return control ? control->clock_offset_ms : 0; }

int clock_gettime(clockid_t clock, struct timespec *at) {
  NEXT(clock_gettime);
  int result = next(clock, at);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    at->tv_sec += clock_offset_ms() / 1000;
  }
  return result;
}

int gettimeofday(struct timeval *at, void *zone) {
  static int (*next)(struct timeval *, void *);
  if (!next) next = (int (*)(struct timeval *, void *))dlsym(RTLD_NEXT, "gettimeofday");
  int result = next(at, zone);
  if (result == 0) at->tv_sec += clock_offset_ms() / 1000;
  return result;
}

time_t time(time_t *at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at) *at = now.tv_sec;
  return now.tv_sec;
}
