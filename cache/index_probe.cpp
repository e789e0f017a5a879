#include "cache/index_probe.hpp"

#include "cache/blob_file.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace archway::cache {
namespace {

using std::chrono::milliseconds;

/// A start after an orderly end waits so long for a look at the index, at most.
constexpr milliseconds clean_time{40};
constexpr milliseconds least_time{500};
constexpr std::uintmax_t bytes_a_millisecond = 50 * 1024;
constexpr int clock_factor = 8;

/// What tells the child's findings from a sanitizer's or a shell's exit codes.
constexpr int first_exit_code = 40;

milliseconds time_for(const std::filesystem::path& file) {
  std::error_code unknown;
  const auto bytes = std::filesystem::file_size(file, unknown);
  if (unknown) return least_time;
  return least_time + milliseconds(bytes / bytes_a_millisecond);
}

void end_after(milliseconds time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  itimerval timer{};
  timer.it_value.tv_sec = seconds.count();
  timer.it_value.tv_usec = std::chrono::microseconds(time - seconds).count();
  ::setitimer(ITIMER_PROF, &timer, nullptr);
}

/// Whatever happens in this process, it ends it quietly: no core, no handler of the parent's, no
/// assertion's text on the parent's output. Signals for the parent's group are not for it.
void become_expendable(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);
  ::prctl(PR_SET_DUMPABLE, 0);
  const rlimit no_core{};
  ::setrlimit(RLIMIT_CORE, &no_core);
  sigset_t others{};
  sigfillset(&others);
  for (const int fatal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGPROF}) {
    std::signal(fatal, SIG_DFL);
    sigdelset(&others, fatal);
  }
  ::sigprocmask(SIG_SETMASK, &others, nullptr);
  const FileHandle nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  ::dup2(nowhere.get(), STDERR_FILENO);
}

[[noreturn]] void look(const std::filesystem::path& file, pid_t parent, milliseconds time) {
  become_expendable(parent);
  end_after(time);
  auto finding = Finding::damaged;
  try {
    finding = check_index(file, clean_time);
  } catch (const std::exception&) {
    // Such as a length that no memory could hold.
  }
  ::_exit(first_exit_code + static_cast<int>(finding));
}

/// Waits until the child has closed its end of the pipe, by ending; false when it does not.
bool ends_in(int pipe, milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  pollfd end{.fd = pipe, .events = 0, .revents = 0};
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    const int ready = ::poll(&end, 1, static_cast<int>(left.count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return true;  // waitpid() waits as well, if without a limit.
  }
}

Probe read_status(int status) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    // SIGKILL is not of the file's making: the system is short of memory, or we lost patience.
    return {.too_slow = signal == SIGPROF || signal == SIGKILL,
            .how_it_ended = std::string("reading it ends a process: ") + ::strsignal(signal)};
  }
  const int code = WEXITSTATUS(status) - first_exit_code;
  if (code >= 0 && code <= static_cast<int>(Finding::unreadable)) {
    return {.finding = static_cast<Finding>(code)};
  }
  return {.how_it_ended = "reading it ends a process"};
}

}  // namespace

Probe probe_index(const std::filesystem::path& file) {
  const auto time = time_for(file);
  const pid_t self = ::getpid();
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return {.finding = Finding::unreadable};
  const FileHandle reading(pipe[0]);
  auto writing = std::make_unique<const FileHandle>(pipe[1]);
  const pid_t child = ::fork();
  if (child == 0) look(file, self, time);
  if (child < 0) return {.finding = Finding::unreadable};
  writing.reset();
  if (!ends_in(reading.get(), time * clock_factor)) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return {.finding = Finding::unreadable};
  }
  return read_status(status);
}

}  // namespace archway::cache
