// Loaded into archway by LD_PRELOAD: counts the calls that touch files below one directory, and at
// a chosen one ends the process or lets the calls fail.
//
//   CRASH_FAULTS_BELOW   the directory, absolute and without links
//   CRASH_FAULTS_AT      the number of the call, from 1 on; 0: only count
//   CRASH_FAULTS_DO      kill, once or always (that call and every one after it)
//   CRASH_FAULTS_ERRNO   what once and always fail with
//   CRASH_FAULTS_COUNT   a file of 64 bytes: the count so far as a 64-bit number, and the name of
//                        the call where it happened; shared with children
//
// A call whose result the error cannot be (ENOSPC from a read) goes on as ever, and the next that
// fits is taken.

#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <new>
#include <string_view>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

enum class Deed { count, kill, once, always };
enum class Kind { read, change, room };

struct Shared {
  std::atomic<std::uint64_t> calls;
  std::atomic<std::uint64_t> done;
  char where[48];
};

struct Plan {
  std::string_view below;
  std::uint64_t at = 0;
  Deed deed = Deed::count;
  int error = 0;
  pid_t process = 0;
  Shared* shared = nullptr;
};

Plan plan;

std::string_view setting(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

__attribute__((constructor)) void read_plan() {
  plan.below = setting("CRASH_FAULTS_BELOW");
  if (plan.below.empty()) return;
  plan.at = std::strtoull(setting("CRASH_FAULTS_AT").data(), nullptr, 10);
  plan.error = std::atoi(setting("CRASH_FAULTS_ERRNO").data());
  plan.process = ::getpid();
  const auto deed = setting("CRASH_FAULTS_DO");
  if (deed == "kill") plan.deed = Deed::kill;
  if (deed == "once") plan.deed = Deed::once;
  if (deed == "always") plan.deed = Deed::always;
  const int file = ::open(setting("CRASH_FAULTS_COUNT").data(), O_RDWR | O_CLOEXEC);
  void* const memory =
      file < 0 ? MAP_FAILED
               : ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory == MAP_FAILED) std::abort();
  plan.shared = static_cast<Shared*>(memory);
}

bool is_below(std::string_view path) {
  return !plan.below.empty() && path.starts_with(plan.below) &&
         (path.size() == plan.below.size() || path[plan.below.size()] == '/');
}

bool is_below(int fd) {
  if (plan.below.empty() || fd < 0) return false;
  char link[32];
  char path[PATH_MAX];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const auto size = ::readlink(link, path, sizeof path);
  return size > 0 && is_below(std::string_view(path, static_cast<std::size_t>(size)));
}

bool is_below(int directory, const char* path) {
  if (path == nullptr) return false;
  return path[0] == '/' || directory == AT_FDCWD ? is_below(std::string_view(path))
                                                 : is_below(directory);
}

/// EIO can come from anything; EROFS only from what would change the disk, and a full disk fails
/// only what needs room.
bool can_fail(Kind kind) {
  if (plan.error == EIO || kind == Kind::room) return true;
  return kind == Kind::change && plan.error == EROFS;
}

/// True when this call must fail, with errno set.
bool fails(const char* name, Kind kind) {
  const auto number = plan.shared->calls.fetch_add(1) + 1;
  if (plan.at == 0 || number < plan.at || plan.deed == Deed::count) return false;
  if (plan.deed == Deed::kill) {
    if (number == plan.at) std::strncpy(plan.shared->where, name, sizeof plan.shared->where - 1);
    ::kill(plan.process, SIGKILL);
    ::kill(::getpid(), SIGKILL);
  }
  if (!can_fail(kind)) return false;
  if (plan.shared->done.fetch_add(1) == 0) {
    std::strncpy(plan.shared->where, name, sizeof plan.shared->where - 1);
  } else if (plan.deed == Deed::once) {
    return false;
  }
  errno = plan.error;
  return true;
}

template <typename Function>
Function real(Function, const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

bool is_there(int directory, const char* path) {
  struct stat facts {};
  return ::fstatat(directory, path, &facts, AT_SYMLINK_NOFOLLOW) == 0;
}

Kind kind_of_open(int directory, const char* path, int flags) {
  if ((flags & O_CREAT) != 0 && !is_there(directory, path)) return Kind::room;
  return (flags & O_ACCMODE) != O_RDONLY ? Kind::change : Kind::read;
}

mode_t mode_from(int flags, std::va_list arguments) {
  return (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

}  // namespace

// The real function once, found when it is first called.
#define REAL(name) static const auto real_##name = real(&::name, #name)

extern "C" {

#define OPEN(name)                                                                                \
  int name(const char* path, int flags, ...) {                                                    \
    REAL(name);                                                                                   \
    std::va_list arguments;                                                                       \
    va_start(arguments, flags);                                                                   \
    const auto mode = mode_from(flags, arguments);                                                \
    va_end(arguments);                                                                            \
    if (is_below(AT_FDCWD, path) && fails(#name, kind_of_open(AT_FDCWD, path, flags))) return -1; \
    return real_##name(path, flags, mode);                                                        \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                     \
  int name(int directory, const char* path, int flags, ...) {                            \
    REAL(name);                                                                          \
    std::va_list arguments;                                                              \
    va_start(arguments, flags);                                                          \
    const auto mode = mode_from(flags, arguments);                                       \
    va_end(arguments);                                                                   \
    if (is_below(directory, path) && fails(#name, kind_of_open(directory, path, flags))) \
      return -1;                                                                         \
    return real_##name(directory, path, flags, mode);                                    \
  }
OPENAT(openat)
OPENAT(openat64)

#define ON_FILE(kind, result, name, parameters, arguments, fd) \
  result name parameters {                                     \
    REAL(name);                                                \
    if (is_below(fd) && fails(#name, kind)) return -1;         \
    return real_##name arguments;                              \
  }
ON_FILE(Kind::room, ssize_t, write, (int fd, const void* data, size_t size), (fd, data, size), fd)
ON_FILE(Kind::room, ssize_t, pwrite, (int fd, const void* data, size_t size, off_t at),
        (fd, data, size, at), fd)
ON_FILE(Kind::room, ssize_t, pwrite64, (int fd, const void* data, size_t size, off64_t at),
        (fd, data, size, at), fd)
ON_FILE(Kind::room, ssize_t, writev, (int fd, const iovec* parts, int count), (fd, parts, count),
        fd)
ON_FILE(Kind::room, int, fsync, (int fd), (fd), fd)
ON_FILE(Kind::room, int, fdatasync, (int fd), (fd), fd)
ON_FILE(Kind::change, int, ftruncate, (int fd, off_t size) noexcept, (fd, size), fd)
ON_FILE(Kind::change, int, ftruncate64, (int fd, off64_t size) noexcept, (fd, size), fd)
ON_FILE(Kind::room, int, fallocate, (int fd, int mode, off_t at, off_t size), (fd, mode, at, size),
        fd)
ON_FILE(Kind::room, int, fallocate64, (int fd, int mode, off64_t at, off64_t size),
        (fd, mode, at, size), fd)
ON_FILE(Kind::read, ssize_t, pread, (int fd, void* data, size_t size, off_t at),
        (fd, data, size, at), fd)
ON_FILE(Kind::read, ssize_t, pread64, (int fd, void* data, size_t size, off64_t at),
        (fd, data, size, at), fd)
ON_FILE(Kind::read, ssize_t, sendfile, (int to, int from, off_t* at, size_t size) noexcept,
        (to, from, at, size), from)
ON_FILE(Kind::read, ssize_t, sendfile64, (int to, int from, off64_t* at, size_t size) noexcept,
        (to, from, at, size), from)

#define ON_NAME(kind, name, parameters, arguments, directory, path) \
  int name parameters noexcept {                                    \
    REAL(name);                                                     \
    if (is_below(directory, path) && fails(#name, kind)) return -1; \
    return real_##name arguments;                                   \
  }
ON_NAME(Kind::room, rename, (const char* from, const char* to), (from, to), AT_FDCWD, to)
ON_NAME(Kind::room, renameat, (int old, const char* from, int fresh, const char* to),
        (old, from, fresh, to), fresh, to)
ON_NAME(Kind::room, renameat2,
        (int old, const char* from, int fresh, const char* to, unsigned flags),
        (old, from, fresh, to, flags), fresh, to)
ON_NAME(Kind::room, link, (const char* from, const char* to), (from, to), AT_FDCWD, to)
ON_NAME(Kind::room, linkat, (int old, const char* from, int fresh, const char* to, int flags),
        (old, from, fresh, to, flags), fresh, to)
ON_NAME(Kind::change, unlink, (const char* path), (path), AT_FDCWD, path)
ON_NAME(Kind::change, unlinkat, (int directory, const char* path, int flags),
        (directory, path, flags), directory, path)
ON_NAME(kind_of_open(AT_FDCWD, path, O_CREAT), mkdir, (const char* path, mode_t mode), (path, mode),
        AT_FDCWD, path)
ON_NAME(kind_of_open(directory, path, O_CREAT), mkdirat,
        (int directory, const char* path, mode_t mode), (directory, path, mode), directory, path)

}  // extern "C"
