#pragma once

#include "proxy/upstream/registry.hpp"

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace archway::proxy {

/// A registry that fails as the test says, and else has everything. Threads: one.
struct FakeRegistry final : Registry {
  std::optional<Error> fails = {};       ///< what every question is answered by
  std::optional<Error> ping_fails = {};  ///< what a ping is answered by
  std::optional<Error> breaks = {};      ///< what a transfer ends with, instead of its end
  std::string blob = "hello";
  int asked = 0;  ///< without pings
  int pinged = 0;

  class Stream final : public BlobStream {
   public:
    Stream(std::string bytes, std::optional<Error> breaks)
        : bytes_(std::move(bytes)), breaks_(std::move(breaks)) {}
    std::optional<std::uint64_t> size() const override { return std::nullopt; }
    std::uint64_t offset() const override { return 0; }
    boost::asio::awaitable<Result<std::size_t>> read(char* buffer, std::size_t size) override {
      if (bytes_.empty() && breaks_) co_return *breaks_;
      const auto part = std::min(size, bytes_.size());
      std::memcpy(buffer, bytes_.data(), part);
      bytes_.erase(0, part);
      co_return part;
    }

   private:
    std::string bytes_;
    std::optional<Error> breaks_;
  };

  boost::asio::awaitable<Result<void>> ping() override {
    ++pinged;
    if (ping_fails) co_return *ping_fails;
    co_return Result<void>();
  }
  boost::asio::awaitable<Result<Head>> head_manifest(Repository, Reference) override {
    return answer(Head());
  }
  boost::asio::awaitable<Result<Document>> get_manifest(Repository, Reference) override {
    return answer(Document());
  }
  boost::asio::awaitable<Result<Head>> head_blob(Repository, Digest) override {
    return answer(Head());
  }
  boost::asio::awaitable<Result<std::unique_ptr<BlobStream>>> open_blob(Repository, Digest,
                                                                        std::uint64_t) override {
    ++asked;
    if (fails) co_return *fails;
    co_return std::make_unique<Stream>(blob, breaks);
  }
  boost::asio::awaitable<Result<std::unique_ptr<BlobStream>>> open_part(Repository repository,
                                                                        Digest digest,
                                                                        std::uint64_t offset,
                                                                        std::uint64_t) override {
    return open_blob(std::move(repository), digest, offset);
  }
  boost::asio::awaitable<Result<Document>> get_tags(Repository, std::string) override {
    return answer(Document());
  }
  boost::asio::awaitable<Result<Document>> get_referrers(Repository, Digest, std::string) override {
    return answer(Document());
  }

 private:
  template <class T>
  boost::asio::awaitable<Result<T>> answer(T value) {
    ++asked;
    if (fails) co_return *fails;
    co_return value;
  }
};

}  // namespace archway::proxy
