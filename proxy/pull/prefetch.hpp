#pragma once

#include "proxy/pull/decide.hpp"
#include "proxy/pull/parts.hpp"
#include "proxy/pull/seen.hpp"

#include <boost/asio/awaitable.hpp>
#include <memory>

namespace archway::proxy {

/// Fetches before anyone asks, at low priority: never more than `prefetch.transfers` at once, none
/// while clients' own transfers are more than half of fills_max, none from an upstream that has
/// said it is busy for as long as it asked (at least a minute).
///
/// Threads: handed_out() on any loop; watch() runs on one, and everything is fetched there.
class Prefetch {
 public:
  /// `settings`, `seen` and `log` must outlive it, and it the loops.
  Prefetch(const Settings& settings, Seen* seen, metrics::Log* log);
  ~Prefetch();
  Prefetch(const Prefetch&) = delete;
  Prefetch& operator=(const Prefetch&) = delete;

  /// A client was given a manifest by tag (`tag` set) or by digest. With `prefetch.seen` the tag
  /// and platform are remembered; with `prefetch.layers`, and `body` (not for a HEAD), its config
  /// and layers begin to be fetched from `image`, if it is a manifest. Returns at once.
  void handed_out(PullParts* parts, ImageName image, std::optional<Tag> tag,
                  std::optional<Platform> platform, const StoredManifest& manifest, bool body);

  /// Of that, what `prefetch.seen` remembers: the tag was pulled for the platform.
  void pulled(const ImageName& image, const Tag& tag, const Platform& platform, std::int64_t now);

  /// A client's request found the upstream failing or busy; other errors say nothing. For errors
  /// that the client does not see, because what is cached was served.
  void spare(const std::string& upstream, const Error& error);

  /// Does the fetching; without it nothing is. With `prefetch.seen`: looks at every tag that was
  /// pulled lately as soon as it is no longer fresh (one HEAD, as for a client), and where it has
  /// moved fetches the new manifests, configs and layers for the platforms that pull it; ends when
  /// its loop does.
  boost::asio::awaitable<void> watch(PullParts* parts);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace archway::proxy
