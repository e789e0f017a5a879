#pragma once

#include "metrics/metrics.hpp"
#include "proxy/access/attempts.hpp"
#include "proxy/access/passwords.hpp"
#include "proxy/config/settings.hpp"
#include "proxy/disk_pool.hpp"
#include "proxy/http/connection.hpp"

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>

namespace archway::proxy {

/// Who comes in by one listener, on all loops. Threads: any; outlives their coroutines.
class Door {
 public:
  static constexpr std::size_t waiting_max = 64;  ///< passwords to be looked at
  static constexpr std::chrono::seconds look_every{1};

  /// Reads the passwords. Errors: Errc::configuration_invalid.
  static Result<std::unique_ptr<Door>> open(Settings::Door rules, metrics::Log* log);

  /// The request of somebody who may come in, without what it was let in by: that was archway's own
  /// affair, and nobody behind the door is to see it.
  ///
  /// Errors: Errc::denied (address, certificate), Errc::unauthorized (name and password),
  /// Errc::overloaded (too many wrong ones), Errc::request_invalid.
  boost::asio::awaitable<Result<std::shared_ptr<const Request>>> admit(
      std::shared_ptr<const Request> request);

 private:
  Door(Settings::Door rules, std::shared_ptr<Passwords> passwords);
  boost::asio::awaitable<void> look_again();
  boost::asio::awaitable<Result<void>> check(std::shared_ptr<const Request> request);

  const Settings::Door rules_;
  std::shared_ptr<Passwords> passwords_;  // nullptr: none are asked for
  Attempts attempts_;
  std::atomic<std::int64_t> looked_ = 0;  // steady clock, seconds
  std::atomic<std::size_t> waiting_ = 0;
  // Apart, so that guesses hold nobody up whose password is known.
  std::unique_ptr<DiskPool> hashing_;
  std::unique_ptr<DiskPool> reading_;
};

/// A handler behind a door. Threads: one loop; each has its own.
class Guarded : public Handler {
 public:
  Guarded(Door* door, Handler* inside, metrics::Log* log, metrics::Metrics* metrics)
      : door_(door), inside_(inside), log_(log), metrics_(metrics) {}

  boost::asio::awaitable<Response> handle(std::shared_ptr<const Request> request) override;
  Response refuse(std::uint16_t status, std::string why) override;
  std::size_t target_max() const override { return inside_->target_max(); }
  void lost(std::string_view reason) override { inside_->lost(reason); }

 private:
  Door* door_;
  Handler* inside_;
  metrics::Log* log_;
  metrics::Metrics* metrics_;
};

}  // namespace archway::proxy
