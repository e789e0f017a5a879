#include "cache/housekeeping.hpp"

#include <algorithm>
#include <exception>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace archway::cache {
namespace {

// From <linux/ioprio.h>, which not every libc brings.
constexpr int of_a_thread = 1;
constexpr int idle_class = 3 << 13;

// After a chore that ran out of memory: somebody else may have given some back by then.
constexpr std::chrono::seconds pause_without_memory{10};

}  // namespace

void become_idle() {
  // Best effort, both: a thread that is not idle does its work all the same. On Linux a priority
  // belongs to a thread, whatever the call's name says.
  [[maybe_unused]] const long disk = ::syscall(SYS_ioprio_set, of_a_thread, 0, idle_class);
  [[maybe_unused]] const int processor = ::setpriority(PRIO_PROCESS, 0, 19);
}

Housekeeping::Housekeeping(std::vector<Chore> chores) {
  for (auto& chore : chores) plan_.push_back({.chore = std::move(chore), .due = Clock::now()});
  if (!plan_.empty()) thread_ = std::thread([this] { run(); });
}

Housekeeping::~Housekeeping() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Housekeeping::run() {
  become_idle();
  for (;;) {
    const auto next = std::min_element(
        plan_.begin(), plan_.end(),
        [](const Planned& one, const Planned& other) { return one.due < other.due; });
    {
      std::unique_lock lock(mutex_);
      if (changed_.wait_until(lock, next->due, [this] { return ending_; })) return;
    }
    next->due = Clock::now() + pause_without_memory;
    try {
      const auto pause = next->chore();
      next->due = Clock::now() + pause;
    } catch (const std::exception&) {  // No memory: a thread that throws would end the process.
    }
  }
}

}  // namespace archway::cache
