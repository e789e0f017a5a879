#include "proxy/admin/chore.hpp"

#include <exception>
#include <utility>

namespace archway::proxy {

Chore::~Chore() {
  stop();
  if (thread_.joinable()) thread_.join();
}

std::optional<std::uint64_t> Chore::start(std::string name, Run run) {
  const std::lock_guard lock(mutex_);
  if (running_) return std::nullopt;
  if (thread_.joinable()) thread_.join();  // It has let go of the lock for the last time.
  ++number_;
  name_ = std::move(name);
  running_ = true;
  stopping_ = false;
  done_ = 0;
  total_ = 0;
  outcome_.reset();
  thread_ = std::thread([this, run = std::move(run)] { work(run); });
  return number_;
}

void Chore::work(const Run& run) {
  const Progress progress = [this](std::uint64_t done, std::uint64_t total) {
    const std::lock_guard lock(mutex_);
    done_ = done;
    total_ = total;
    return !stopping_;
  };
  Result<boost::json::object> outcome = Error{
      .code = Errc::storage_failed, .origin = Origin::storage, .message = "it ended unexpectedly"};
  try {
    outcome = run(progress);
  } catch (const std::exception& error) {
    // No memory. A thread that throws would end the process.
    outcome =
        Error{.code = Errc::storage_failed, .origin = Origin::storage, .message = error.what()};
  }
  const std::lock_guard lock(mutex_);
  outcome_ = std::move(outcome);
  running_ = false;
}

bool Chore::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  return running_;
}

boost::json::object Chore::state() const {
  const std::lock_guard lock(mutex_);
  boost::json::object document{{"number", number_}, {"name", name_},   {"running", running_},
                               {"done", done_},     {"total", total_}, {"result", nullptr},
                               {"error", nullptr}};
  if (!outcome_) return document;
  if (*outcome_) {
    document["result"] = **outcome_;
  } else {
    document["error"] = outcome_->error().message;
  }
  return document;
}

}  // namespace archway::proxy
