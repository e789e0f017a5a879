#include "proxy/child_process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace archway::proxy {
namespace {

using Clock = std::chrono::steady_clock;

Error failed(const std::filesystem::path& program, const std::string& why) {
  return {.code = Errc::configuration_invalid,
          .origin = Origin::configuration,
          .message = program.string() + " " + why};
}

Error failed_by_system(const std::filesystem::path& program, int error) {
  return failed(program, "cannot be run: " + std::generic_category().message(error));
}

/// Closes what it holds.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }

  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

/// The input as a file in memory: nobody has to wait until the program has read it.
bool fill(const Descriptor& file, const std::string& input) {
  std::size_t done = 0;
  while (done < input.size()) {
    const auto written = ::write(file.get(), input.data() + done, input.size() - done);
    if (written <= 0) return false;
    done += static_cast<std::size_t>(written);
  }
  return ::lseek(file.get(), 0, SEEK_SET) == 0;
}

/// Starts it; 0 or an errno.
int spawn(const std::filesystem::path& program, const std::vector<std::string>& arguments, int in,
          int out, ErrorStream errors, pid_t& child) {
  std::vector<std::string> texts = {program.string()};
  texts.insert(texts.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& text : texts) argv.push_back(text.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  if (errors == ErrorStream::nowhere) {
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  }
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);  // Clients' sockets, too.
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);  // Ignored here, and that would be inherited.
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  sigset_t blocked;
  sigemptyset(&blocked);  // A server's threads block the signals that end a program.
  posix_spawnattr_setsigmask(&attributes, &blocked);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  const int error =
      posix_spawn(&child, program.c_str(), &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

/// A child that was started; killed when nobody waits for its end any more.
class Child {
 public:
  // Not glibc's pidfd_open(): in Debian 12 its header gives it C++ linkage, and nothing links.
  explicit Child(pid_t pid)
      : pid_(pid), ended_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    wait();
  }

  /// Readable once it has ended.
  int descriptor() const { return ended_.get(); }

  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_;
  Descriptor ended_;
};

/// What can be read without waiting; false at the end of it.
bool drain(int fd, std::string& output, std::size_t bytes_max) {
  std::array<char, 4096> buffer{};
  while (output.size() <= bytes_max) {
    const auto got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return false;
    output.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return true;
}

/// Collects the output until the program has ended (something that it started may go on and keep
/// its output open). None when it does so in time and within the bound, else what it did instead.
std::optional<std::string> watch(const Child& child, Descriptor& out, ChildResult& result,
                                 std::chrono::milliseconds time, std::size_t bytes_max) {
  const auto end = Clock::now() + time;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    if (left.count() <= 0) {
      return "did not end within " + std::to_string(time.count() / 1000) + " s";
    }
    std::array<pollfd, 2> waits = {
        {{.fd = child.descriptor(), .events = POLLIN, .revents = 0},
         {.fd = out.get(), .events = POLLIN, .revents = 0}}};  // -1 once closed: not looked at
    const int ready = ::poll(waits.data(), waits.size(), static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR) return "cannot be waited for";
    const bool ended = ready > 0 && waits[0].revents != 0;
    if (out.open() && !drain(out.get(), result.output, bytes_max)) out.close();
    if (result.output.size() > bytes_max) {
      return "said more than " + std::to_string(bytes_max) + " bytes";
    }
    if (ended) return std::nullopt;
  }
}

}  // namespace

Result<ChildResult> run_child(const std::filesystem::path& program,
                              const std::vector<std::string>& arguments, const std::string& input,
                              std::chrono::milliseconds time, std::size_t output_bytes_max,
                              ErrorStream errors) {
  const Descriptor in(::memfd_create("archway-input", MFD_CLOEXEC));
  if (!in.open() || !fill(in, input)) return failed_by_system(program, errno);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return failed_by_system(program, errno);
  Descriptor out(ends[0]);
  Descriptor write_end(ends[1]);
  ::fcntl(out.get(), F_SETFL, O_NONBLOCK);

  pid_t pid = -1;
  const int error = spawn(program, arguments, in.get(), write_end.get(), errors, pid);
  if (error != 0) return failed_by_system(program, error);
  write_end.close();
  Child child(pid);
  if (child.descriptor() < 0) return failed_by_system(program, errno);
  ChildResult result;
  if (const auto wrong = watch(child, out, result, time, output_bytes_max)) {
    return failed(program, *wrong);
  }
  result.status = child.wait();
  return result;
}

}  // namespace archway::proxy
