#pragma once

#include "proxy/upstream/health.hpp"
#include "proxy/upstream/registry.hpp"
#include "proxy/upstream/throttle.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

namespace archway::proxy {

/// One URL of an upstream, asked only while that makes sense: not before the time it asked to be
/// left alone for is over, and not while it is known not to answer; then everybody is told so at
/// once, and a probe (ping) in the background finds out when it is back.
///
/// And not more of it at once than the operator allows: who comes later waits in line, a transfer
/// until it has ended, and takes the time that its bytes are worth.
///
/// A transfer that breaks counts against the upstream like a question that is not answered.
/// Threads: one; `health` is shared by all.
class GuardedRegistry final : public Registry {
 public:
  /// Probes run on the executor; they hold what they need.
  GuardedRegistry(std::shared_ptr<Registry> inner, std::shared_ptr<Health> health,
                  boost::asio::any_io_executor executor, Throttle throttle = {});
  /// The same URL, asked in another way; it is `own` that probes, for as long as that takes, and
  /// not with whatever this one asks with.
  GuardedRegistry(std::shared_ptr<Registry> inner, const GuardedRegistry& own);

  /// Asks also while it is known not to answer: somebody wants to know.
  boost::asio::awaitable<Result<void>> ping() override;
  boost::asio::awaitable<Result<Head>> head_manifest(Repository repository,
                                                     Reference reference) override;
  boost::asio::awaitable<Result<Document>> get_manifest(Repository repository,
                                                        Reference reference) override;
  boost::asio::awaitable<Result<Head>> head_blob(Repository repository, Digest digest) override;
  boost::asio::awaitable<Result<std::unique_ptr<BlobStream>>> open_blob(
      Repository repository, Digest digest, std::uint64_t offset) override;
  boost::asio::awaitable<Result<std::unique_ptr<BlobStream>>> open_part(
      Repository repository, Digest digest, std::uint64_t offset, std::uint64_t length) override;
  boost::asio::awaitable<Result<Document>> get_tags(Repository repository,
                                                    std::string query) override;
  boost::asio::awaitable<Result<Document>> get_referrers(Repository repository, Digest digest,
                                                         std::string query) override;

  bool has_room() const override;

  /// What its questions, transfers and probes hold.
  struct Core {
    std::shared_ptr<Registry> inner;
    std::shared_ptr<Health> health;
    boost::asio::any_io_executor executor;
    Throttle throttle;
    std::shared_ptr<const Core> prober = {};  ///< nullptr: itself
  };

 private:
  std::shared_ptr<const Core> core_;
};

}  // namespace archway::proxy
