#include "tests/cache/disk_calls.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <dlfcn.h>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <string_view>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

// These take the place of the C library's for the whole test program, LMDB's calls included.

namespace archway::cache::testing {
namespace {

std::atomic<bool> watching = false;
std::mutex mutex;
std::string watched;                 // Guarded by mutex, as is the rest; empty: nothing is.
std::vector<std::string> calls;      // Those seen.
std::map<std::string, int> failing;  // The errno by call.

std::string path_of(int fd) {
  std::array<char, 4096> path{};
  const auto link = "/proc/self/fd/" + std::to_string(fd);
  const auto size = ::readlink(link.c_str(), path.data(), path.size());
  return size < 0 ? std::string() : std::string(path.data(), static_cast<std::size_t>(size));
}

/// Takes the call down; the errno it shall fail with, or 0.
int note(const std::string& what, const std::string& path) {
  const std::lock_guard lock(mutex);
  if (watched.empty() || !path.starts_with(watched)) return 0;
  auto call = what + " " + path.substr(watched.size());
  const auto found = failing.find(call);
  const int error = found == failing.end() ? 0 : found->second;
  calls.push_back(std::move(call));
  return error;
}

}  // namespace

DiskCalls::DiskCalls(const std::filesystem::path& directory) {
  const std::lock_guard lock(mutex);
  watched = std::filesystem::canonical(directory).string() + "/";
  calls.clear();
  watching = true;
}

DiskCalls::~DiskCalls() {
  const std::lock_guard lock(mutex);
  watching = false;
  watched.clear();
  failing.clear();
}

std::vector<std::string> DiskCalls::seen() const {
  const std::lock_guard lock(mutex);
  return calls;
}

void DiskCalls::fail(std::string call, int error) {
  const std::lock_guard lock(mutex);
  failing[std::move(call)] = error;
}

namespace {

int synced(long number, int fd) {
  const int error = note("sync", path_of(fd));
  if (error == 0) return static_cast<int>(::syscall(number, fd));
  errno = error;
  return -1;
}

}  // namespace
}  // namespace archway::cache::testing

extern "C" int fsync(int fd) {
  return archway::cache::testing::synced(SYS_fsync, fd);
}

extern "C" int fdatasync(int fd) {
  return archway::cache::testing::synced(SYS_fdatasync, fd);
}

// By the name that LMDB calls, whatever the size of off_t is here.
extern "C" ssize_t written_at(int fd, const void* bytes, std::size_t size, off_t offset) noexcept
    __asm__("pwrite");
extern "C" ssize_t written_at(int fd, const void* bytes, std::size_t size, off_t offset) noexcept {
  constexpr off_t head_bytes = 8192;
  const std::string what = offset < head_bytes ? "write head of" : "write";
  const int error = archway::cache::testing::note(what, archway::cache::testing::path_of(fd));
  if (error == 0) return ::syscall(SYS_pwrite64, fd, bytes, size, offset);
  errno = error;
  return -1;
}

// By the name that a program with a large off_t calls. Reading is frequent: nobody pays for it who
// does not watch.
extern "C" ssize_t read_at(int fd, void* bytes, std::size_t size, off_t offset) noexcept
    __asm__("pread64");
extern "C" ssize_t read_at(int fd, void* bytes, std::size_t size, off_t offset) noexcept {
  using namespace archway::cache::testing;
  const int error = watching ? note("read", path_of(fd)) : 0;
  if (error == 0) return ::syscall(SYS_pread64, fd, bytes, size, offset);
  errno = error;
  return -1;
}

// By the name that a program with a large off_t calls, too.
extern "C" int space_of(const char* path, struct statvfs* disk) noexcept __asm__("statvfs64");
extern "C" int space_of(const char* path, struct statvfs* disk) noexcept {
  using namespace archway::cache::testing;
  const int error = watching ? note("space of", path) : 0;
  if (error != 0 && error != ENOSPC) {
    errno = error;
    return -1;
  }
  static const auto real = reinterpret_cast<decltype(&space_of)>(::dlsym(RTLD_NEXT, "statvfs64"));
  const int result = real(path, disk);
  if (error == ENOSPC) disk->f_bavail = 0;
  return result;
}

extern "C" int syncfs(int fd) noexcept {
  const auto path = archway::cache::testing::path_of(fd) + "/.";
  const int error = archway::cache::testing::note("sync all of", path);
  if (error == 0) return static_cast<int>(::syscall(SYS_syncfs, fd));
  errno = error;
  return -1;
}

extern "C" int renameat2(int from_directory, const char* from, int to_directory, const char* to,
                         unsigned flags) noexcept {
  const auto path = archway::cache::testing::path_of(from_directory) + "/" + from;
  if (const int error = archway::cache::testing::note("rename", path); error != 0) {
    errno = error;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_renameat2, from_directory, from, to_directory, to, flags));
}
