#pragma once

#include "proxy/pull/decide.hpp"
#include "proxy/pull/prefetch_queue.hpp"
#include "proxy/pull/seen.hpp"
#include "proxy/pull/spared.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace archway::proxy {

/// Looks at every tag that is pulled as soon as it is no longer fresh, the way a client would ask
/// for it; where it stands for something else than before, the new manifests are fetched for each
/// platform that pulls it, and their configs and layers queued. The tags of one upstream are looked
/// at one after the other, upstreams beside each other.
///
/// A look that comes to nothing is repeated when the tag would no longer be fresh if it had come to
/// something; none is repeated within a second.
///
/// Threads: one loop.
class TagWatch {
 public:
  static constexpr std::chrono::milliseconds pause_min{250};
  static constexpr std::chrono::seconds pause_max{30};
  static constexpr std::chrono::seconds interval_min{1};
  /// What could not be fetched is tried again after that, if the tag is not looked at before.
  static constexpr std::chrono::seconds retry_after{60};

  TagWatch(const Settings& settings, Seen* seen, PrefetchQueue* queue, Spared* spared,
           metrics::Log* log);

  /// Ends when its loop does.
  boost::asio::awaitable<void> run(PullParts* parts);

 private:
  using Clock = std::chrono::steady_clock;

  /// What there is for the clients of one platform.
  struct Child {
    std::optional<Digest> whole_for = {};   // What the tag stood for when nothing was missing.
    std::optional<Digest> prefetched = {};  // The manifest whose parts were fetched last,
    std::optional<Digest> under_way = {};   // and the one whose parts are being fetched.
  };
  struct Watched {
    ImageName image;
    Tag tag;
    std::vector<Platform> platforms = {};
    std::map<std::string, Child> children = {};  // By platform.
    Clock::time_point due = {};
    bool looking = false;
  };
  using WatchedPtr = std::shared_ptr<Watched>;
  class Round;

  void refresh(const PullParts& parts);
  void meet(const PullParts& parts, Seen::Entry entry);
  void begin_rounds(PullParts* parts, const boost::asio::any_io_executor& executor);
  Clock::duration until_next_look() const;

  boost::asio::awaitable<void> run_round(PullParts* parts, std::shared_ptr<Round> round);
  boost::asio::awaitable<void> look(PullParts* parts, WatchedPtr watched);
  bool ends_look(const PullParts& parts, const Watched& watched, const Error& error);
  boost::asio::awaitable<void> fetch_child(PullParts* parts, WatchedPtr watched, Platform platform,
                                           Decided decided);

  static PrefetchBatch batch_of(const PullParts& parts, const Watched& watched,
                                const Platform& platform, const Decided& chosen);
  static void try_again(Watched& watched);

  std::chrono::seconds interval(const Watched& watched) const;
  std::optional<cache::TagRecord> record_of(const PullParts& parts, const Watched& watched) const;
  std::optional<Digest> fresh_digest(const PullParts& parts, const Watched& watched) const;
  Clock::time_point due_by(const Watched& watched, const cache::TagRecord& record) const;
  static Child* find_child(Watched& watched, const Platform& platform);
  static bool is_whole(Watched& watched, const Platform& platform, const Digest& stands_for);

  const Settings* settings_;
  Seen* seen_;
  PrefetchQueue* queue_;
  Spared* spared_;
  metrics::Log* log_;
  std::chrono::seconds refresh_pause_;
  Clock::time_point refresh_at_ = {};
  Clock::time_point forget_at_ = {};
  std::map<std::pair<ImageName, Tag>, WatchedPtr> watched_;
  std::set<std::string> rounds_;  // The upstreams that are being asked.
};

}  // namespace archway::proxy
