/*
 * Preloaded into a program under test: writes and syncs fail when they are told to. A control file in the folder
 * FAULTY_DISK holds a piece of a path: `full` lets writes to such files fail with ENOSPC, `no-sync` their syncs
 * with EIO; `no-sync-once` lets one sync take a while and fail. Without a control file everything is passed on.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static int struck(const char *control, int fd) {
  const char *folder = getenv("FAULTY_DISK");
  if (!folder) return 0;
  int kept = errno;
  char name[512], piece[512], link[64], path[4096];
  snprintf(name, sizeof name, "%s/%s", folder, control);
  int file = open(name, O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    errno = kept;
    return 0;
  }
  ssize_t length = read(file, piece, sizeof piece - 1);
  close(file);
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t end = readlink(link, path, sizeof path - 1);
  errno = kept;
  if (length <= 0 || end <= 0) return 0;
  piece[length] = 0;
  path[end] = 0;
  return strstr(path, piece) != NULL;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define UNLESS(control, error, call) \
  if (struck(control, fd)) {         \
    errno = error;                   \
    return -1;                       \
  }                                  \
  return call

ssize_t write(int fd, const void *bytes, size_t count) {
  UNLESS("full", ENOSPC, REAL(write)(fd, bytes, count));
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
  UNLESS("full", ENOSPC, REAL(pwrite)(fd, bytes, count, at));
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  UNLESS("full", ENOSPC, REAL(pwrite64)(fd, bytes, count, at));
}
ssize_t writev(int fd, const struct iovec *pieces, int count) {
  UNLESS("full", ENOSPC, REAL(writev)(fd, pieces, count));
}
ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t at) {
  UNLESS("full", ENOSPC, REAL(pwritev)(fd, pieces, count, at));
}
ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off64_t at) {
  UNLESS("full", ENOSPC, REAL(pwritev64)(fd, pieces, count, at));
}
static int failsOnce(int fd) {
  char name[512];
  if (!struck("no-sync-once", fd)) return 0;
  usleep(700 * 1000);
  snprintf(name, sizeof name, "%s/no-sync-once", getenv("FAULTY_DISK"));
  return unlink(name) == 0;
}

int fsync(int fd) { UNLESS("no-sync", EIO, REAL(fsync)(fd)); }
int fdatasync(int fd) {
  if (failsOnce(fd)) {
    errno = EIO;
    return -1;
  }
  UNLESS("no-sync", EIO, REAL(fdatasync)(fd));
}
