#pragma once

#include "proxy/upstream/registry.hpp"
#include "proxy/upstream/suspects.hpp"

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace archway::proxy {

/// One upstream that is reached at several places: they are asked in their order, the next one when
/// one cannot be reached, fails or is busy. What a place says about the image (404, 401, 403) is
/// the answer. A blob that one place cut short is opened at another: whoever reads it asks again
/// from where it stopped.
///
/// A place that failed comes last for ten seconds, and one whose bytes were not those of a digest
/// comes last for that digest for an hour.
///
/// Threads: one.
class Several final : public Registry {
 public:
  static constexpr std::chrono::seconds rest_time{10};

  struct Place {
    std::string origin;  ///< for messages: `https://registry-2.lan`
    std::unique_ptr<Registry> registry;
  };

  /// `suspects` is shared by the threads.
  Several(std::string upstream, std::vector<Place> places, std::shared_ptr<Suspects> suspects);

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
  void disbelieve(const Digest& digest) override { suspects_->disbelieve(digest); }
  /// The same of all places: they share their bounds.
  bool has_room() const override { return places_.front().registry->has_room(); }

 private:
  using Clock = std::chrono::steady_clock;
  using Rests = std::vector<Clock::time_point>;  // until when a place comes last
  template <class T>
  using Question = std::function<boost::asio::awaitable<Result<T>>(Registry*)>;

  std::vector<std::size_t> order(const std::optional<Digest>& digest) const;
  /// `who`: set to the place that answered.
  template <class T>
  boost::asio::awaitable<Result<T>> ask(Question<T> question, std::optional<Digest> digest,
                                        std::size_t* who);
  boost::asio::awaitable<Result<std::unique_ptr<BlobStream>>> open(
      Question<std::unique_ptr<BlobStream>> question, Digest digest);

  std::string upstream_;
  std::vector<Place> places_;
  std::shared_ptr<Suspects> suspects_;
  std::shared_ptr<Rests> rests_;  // a stream that is cut says so, and may outlive this
};

/// True for a failure that another place of the same registry may not have.
bool another_may_help(const Error& error);

}  // namespace archway::proxy
