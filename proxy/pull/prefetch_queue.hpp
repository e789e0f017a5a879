#pragma once

#include "proxy/pull/parts.hpp"
#include "proxy/pull/spared.hpp"
#include "proxy/wakeup.hpp"

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace archway::proxy {

inline constexpr std::size_t prefetch_blobs_max =
    20'000;  ///< queued; what is beyond is not fetched

/// What is fetched ahead of one manifest.
struct PrefetchBatch {
  ImageName image;            ///< where the blobs come from
  std::string name;           ///< for the log: `docker.io/library/golang:1.22`
  std::string platform = {};  ///< for the log; "" when unknown
  Digest manifest;
  std::optional<Digest> config = {};  ///< which of the blobs is no layer
  std::vector<Digest> blobs;
  /// Called once, on the loop that fetches, with whether all of them are here now; may be empty.
  std::function<void(bool whole)> done = {};
};

/// The config and the layers of a manifest that are not in the cache, each once. Layers that live
/// elsewhere (foreign ones) are nobody's to fetch.
std::vector<Digest> missing_parts(const cache::Index& index, const resolver::Manifest& manifest);

/// Why nothing is fetched ahead from an upstream that may not be asked much more.
inline constexpr const char* little_left = "little is left of its rate limit";

/// The blobs that are fetched ahead, in the order they were asked for; work() is done as often at
/// once as transfers are allowed. Waits while clients' own transfers are more than half of
/// fills_max, and drops what belongs to an upstream that is spared.
///
/// Threads: push() any; work() one loop.
class PrefetchQueue {
 public:
  PrefetchQueue(Spared* spared, metrics::Log* log) : spared_(spared), log_(log) {}

  /// A batch of a manifest that is queued already joins it. False: the queue is full, and `done` is
  /// not called.
  bool push(PrefetchBatch batch);

  /// The upstream fails, or asked to be left alone so long: nothing of it is fetched ahead for a
  /// while.
  void spare(const std::string& upstream, std::chrono::seconds retry_after, const std::string& why);

  /// Fetches one blob after the other and waits for each. Ends when its loop does.
  boost::asio::awaitable<void> work(PullParts* parts);

 private:
  struct Running {
    PrefetchBatch batch;
    std::vector<std::function<void(bool)>> done = {};  // Guarded by mutex_; the rest is the loop's.
    std::size_t left = 0;
    std::size_t fetched = 0;
    std::size_t layers = 0;  // Of those that were fetched.
    std::uint64_t bytes = 0;
    bool failed = false;
  };
  struct Job {
    std::shared_ptr<Running> running;
    Digest blob;
  };
  /// The bytes that it brought; none when it was here or somebody else's transfer brought it.
  using Fetched = std::optional<std::uint64_t>;

  std::optional<Job> take(const std::shared_ptr<Wakeup>& wakeup);
  boost::asio::awaitable<void> wait_for_clients(PullParts* parts);
  boost::asio::awaitable<Result<Fetched>> fetch(PullParts* parts, ImageName image, Digest blob);
  boost::asio::awaitable<Result<Fetched>> fetch_or_explain(PullParts* parts, ImageName image,
                                                           Digest blob);
  void account(Running& running, const Digest& blob, const Result<Fetched>& fetched);
  void end(PullParts* parts, Running& running);
  std::vector<std::function<void(bool)>> leave(const Running& running);

  Spared* spared_;
  metrics::Log* log_;
  std::size_t fetching_ = 0;  // The loop's.
  std::mutex mutex_;
  std::deque<Job> jobs_;  // Guarded by mutex_, as are the next two.
  std::map<std::string, std::shared_ptr<Running>> running_;  // By image and manifest.
  std::vector<std::shared_ptr<Wakeup>> idle_;
};

}  // namespace archway::proxy
