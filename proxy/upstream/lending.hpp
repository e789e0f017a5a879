#pragma once

#include "proxy/upstream/registry.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace archway::proxy {

/// An upstream that archway has no credentials for, asked with those of its clients: what is asked
/// about a repository goes by the loan that was made for it last, and anonymously where there is
/// none. Where the upstream denies something, the loan before is tried: credentials are refused,
/// for their owner alone, when another's get what they did not. A loan ends with its owner, and
/// nothing of the credentials stays.
///
/// Threads: one.
class Lending final : public Registry {
 public:
  /// What is lent, by whom.
  struct Offer {
    std::string who = {};                                  ///< the same for the same credentials
    std::function<std::shared_ptr<Registry>()> make = {};  ///< called at the first need
    std::function<void()> refused = {};                    ///< others get what they do not
  };

  /// `own`: what asks anonymously.
  explicit Lending(std::shared_ptr<Registry> own) : own_(std::move(own)) {}

  /// Until the result is dropped this repository is asked by what was offered.
  std::shared_ptr<void> lend(const std::string& repository, Offer offer);
  /// A share in the loan that counts now, nullptr without one: for work that outlives its owner.
  std::shared_ptr<void> loan_of(const std::string& repository) const;

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
  /// Of the places that all share, whoever asked.
  void disbelieve(const Digest& digest) override { own_->disbelieve(digest); }
  bool has_room() const override { return own_->has_room(); }

 private:
  struct Loan {
    Offer offer;
    std::shared_ptr<Registry> made = {};
    bool refused = false;
  };
  template <class T>
  using Question = std::function<boost::asio::awaitable<Result<T>>(Registry*)>;
  template <class T>
  boost::asio::awaitable<Result<T>> ask(Repository repository, Question<T> question);
  std::shared_ptr<Loan> newest(const std::string& repository,
                               const std::vector<std::shared_ptr<Loan>>& denied) const;
  std::shared_ptr<Registry> registry_of(const std::shared_ptr<Loan>& loan) const;
  void refuse(const std::string& repository, const Loan& loan);

  std::shared_ptr<Registry> own_;
  std::map<std::string, std::vector<std::weak_ptr<Loan>>> loans_;
};

}  // namespace archway::proxy
