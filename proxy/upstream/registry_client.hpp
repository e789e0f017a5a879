#pragma once

#include "metrics/metrics.hpp"
#include "proxy/upstream/health.hpp"
#include "proxy/upstream/registry.hpp"
#include "proxy/upstream/request_flow.hpp"
#include "proxy/upstream/status.hpp"

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>

namespace archway::proxy {

/// A Registry over HTTP. Threads: one.
class RegistryClient final : public Registry {
 public:
  /// `metrics` may be nullptr; it outlives this and the blob streams. `health`, when given, is told
  /// what the upstream says about its rate limit.
  RegistryClient(std::shared_ptr<RequestFlow> flow, metrics::Metrics* metrics,
                 std::shared_ptr<Health> health = {});

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

  void close() { flow_->close(); }

 private:
  /// `what` is behind the repository in the path: `manifests/1.22`.
  RequestFlow::Wish wish(Verb verb, const Repository& repository, const std::string& what,
                         std::string_view accept) const;
  boost::asio::awaitable<Result<Answer>> ask(RequestFlow::Wish wish, Wanted wanted);
  boost::asio::awaitable<Result<Head>> head(RequestFlow::Wish wish, Wanted wanted);
  boost::asio::awaitable<Result<Document>> document(RequestFlow::Wish wish, Wanted wanted,
                                                    bool digest_decides);
  Error named(Error error) const { return naming(std::move(error), flow_->upstream().name); }

  std::shared_ptr<RequestFlow> flow_;
  metrics::Metrics* metrics_;
  std::shared_ptr<Health> health_;
};

}  // namespace archway::proxy
