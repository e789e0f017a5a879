#pragma once

#include "resolver/model/result.hpp"

#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace archway::proxy {

/// Long work that an operator asks for, one at a time, on a thread of its own; who asked for it
/// asks again how far it is. What the last one gave is kept until the next begins.
///
/// Threads: any.
class Chore {
 public:
  /// Told how far the work is, in whatever it counts; false: stop, and give back what there is.
  using Progress = std::function<bool(std::uint64_t done, std::uint64_t total)>;
  using Run = std::function<Result<boost::json::object>(const Progress&)>;

  Chore() = default;
  Chore(const Chore&) = delete;
  Chore& operator=(const Chore&) = delete;
  /// Stops what is under way and waits for it.
  ~Chore();

  /// Its number, by which whoever began it knows it again; none while another is under way.
  std::optional<std::uint64_t> start(std::string name, Run run);
  /// Asks the one under way to stop; false when there is none.
  bool stop();

  /// `{"number","name","running","done","total","result","error"}`; number 0 and name "" before
  /// the first.
  boost::json::object state() const;

 private:
  void work(const Run& run);

  mutable std::mutex mutex_;
  std::uint64_t number_ = 0;  // All are guarded by mutex_, but the thread.
  std::string name_;
  bool running_ = false;
  bool stopping_ = false;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
  std::optional<Result<boost::json::object>> outcome_;
  std::thread thread_;
};

}  // namespace archway::proxy
