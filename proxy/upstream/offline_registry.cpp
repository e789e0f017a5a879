#include "proxy/upstream/offline_registry.hpp"

#include <utility>

namespace archway::proxy {
namespace {

namespace net = boost::asio;

class OfflineRegistry final : public Registry {
 public:
  explicit OfflineRegistry(std::string upstream) : upstream_(std::move(upstream)) {}

  net::awaitable<Result<void>> ping() override { return no<void>(); }
  net::awaitable<Result<Head>> head_manifest(Repository, Reference) override { return no<Head>(); }
  net::awaitable<Result<Document>> get_manifest(Repository, Reference) override {
    return no<Document>();
  }
  net::awaitable<Result<Head>> head_blob(Repository, Digest) override { return no<Head>(); }
  net::awaitable<Result<std::unique_ptr<BlobStream>>> open_blob(Repository, Digest,
                                                                std::uint64_t) override {
    return no<std::unique_ptr<BlobStream>>();
  }
  net::awaitable<Result<std::unique_ptr<BlobStream>>> open_part(Repository, Digest, std::uint64_t,
                                                                std::uint64_t) override {
    return no<std::unique_ptr<BlobStream>>();
  }
  net::awaitable<Result<Document>> get_tags(Repository, std::string) override {
    return no<Document>();
  }
  net::awaitable<Result<Document>> get_referrers(Repository, Digest, std::string) override {
    return no<Document>();
  }

 private:
  template <class T>
  net::awaitable<Result<T>> no() const {
    co_return Error{.code = Errc::upstream_unreachable,
                    .origin = Origin::configuration,
                    .message = "this is not in archway's cache, and " + upstream_ +
                               " is not asked: archway is offline (offline: true)",
                    .context = "offline: true"};
  }

  std::string upstream_;
};

}  // namespace

std::unique_ptr<Registry> make_offline_registry(std::string upstream) {
  return std::make_unique<OfflineRegistry>(std::move(upstream));
}

}  // namespace archway::proxy
