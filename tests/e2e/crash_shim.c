/* Loaded into the unchanged binary (LD_PRELOAD): counts its durable steps and strikes at a chosen one.
 *
 *   CC_STRIKE_AT=N     the N-th step (1 = first)
 *   CC_STRIKE_ARMED=F  count only while the file F exists, so that a test can start the count at the ceremony
 *   CC_STRIKE=kill     the process dies before that step (SIGKILL); after: right behind it
 *   CC_STRIKE=full     that step and all later ones fail with ENOSPC while F exists
 *   CC_STRIKE_COUNT=F2 the number of steps is written there, so that a test knows when it has seen them all
 *
 * A step is a write, pwrite, fsync, fdatasync, ftruncate, rename or unlink on a regular file.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_long steps;

static int armed(void) {
  const char* flag = getenv("CC_STRIKE_ARMED");
  return flag == NULL || access(flag, F_OK) == 0;
}

static int regular(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 && (S_ISREG(info.st_mode) || S_ISDIR(info.st_mode));
}

static void publish(long count) {
  const char* path = getenv("CC_STRIKE_COUNT");
  char text[32];
  int fd, length;
  if (path == NULL) return;
  fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  length = snprintf(text, sizeof text, "%ld", count);
  if (fd >= 0) {
    syscall(SYS_write, fd, text, (size_t)length);
    syscall(SYS_close, fd);
  }
}

/* Returns 1 when the step must fail with ENOSPC; does not return when the process must die before it. */
static int before(void) {
  const char* at = getenv("CC_STRIKE_AT");
  const char* how = getenv("CC_STRIKE");
  long now, wanted;
  if (!armed()) return 0;
  now = atomic_fetch_add(&steps, 1) + 1;
  publish(now);
  wanted = at == NULL ? 0 : atol(at);
  if (wanted == 0 || how == NULL) return 0;
  if (now == wanted && strcmp(how, "kill") == 0) kill(getpid(), SIGKILL);
  return now >= wanted && strcmp(how, "full") == 0;
}

static void behind(void) {
  const char* at = getenv("CC_STRIKE_AT");
  const char* how = getenv("CC_STRIKE");
  if (armed() && at != NULL && how != NULL && strcmp(how, "after") == 0 && atomic_load(&steps) == atol(at)) kill(getpid(), SIGKILL);
}

#define REAL(type, name) static type (*real)() = NULL; if (real == NULL) real = (type (*)())dlsym(RTLD_NEXT, #name)
#define STEP(type, fd_or_one, call)                  \
  do {                                               \
    if (fd_or_one) {                                 \
      type result;                                   \
      if (before()) { errno = ENOSPC; return -1; }   \
      result = call;                                 \
      behind();                                      \
      return result;                                 \
    }                                                \
    return call;                                     \
  } while (0)

ssize_t write(int fd, const void* data, size_t size) { REAL(ssize_t, write); STEP(ssize_t, fd > 2 && regular(fd), real(fd, data, size)); }
ssize_t pwrite(int fd, const void* data, size_t size, off_t at) { REAL(ssize_t, pwrite); STEP(ssize_t, regular(fd), real(fd, data, size, at)); }
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) { REAL(ssize_t, pwrite64); STEP(ssize_t, regular(fd), real(fd, data, size, at)); }
int fsync(int fd) { REAL(int, fsync); STEP(int, regular(fd), real(fd)); }
int fdatasync(int fd) { REAL(int, fdatasync); STEP(int, regular(fd), real(fd)); }
int ftruncate(int fd, off_t size) { REAL(int, ftruncate); STEP(int, regular(fd), real(fd, size)); }
int ftruncate64(int fd, off64_t size) { REAL(int, ftruncate64); STEP(int, regular(fd), real(fd, size)); }
int rename(const char* from, const char* to) { REAL(int, rename); STEP(int, 1, real(from, to)); }
int unlink(const char* path) { REAL(int, unlink); STEP(int, 1, real(path)); }
