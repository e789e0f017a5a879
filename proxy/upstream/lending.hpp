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
/// none. A loan ends with its owner, and nothing of the credentials stays.
///
/// Threads: one.
class Lending final : public Registry {
 public:
  using Make = std::function<std::shared_ptr<Registry>()>;

  /// `own`: what asks anonymously.
  explicit Lending(std::shared_ptr<Registry> own) : own_(std::move(own)) {}

  /// Until the result is dropped this repository is asked by what `make` gives; it is called at the
  /// first need.
  std::shared_ptr<void> lend(const std::string& repository, Make make);
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

 private:
  struct Loan {
    Make make;
    std::shared_ptr<Registry> made = {};
  };
  std::shared_ptr<Loan> newest(const std::string& repository) const;
  std::shared_ptr<Registry> pick(const Repository& repository);

  std::shared_ptr<Registry> own_;
  std::map<std::string, std::vector<std::weak_ptr<Loan>>> loans_;
};

}  // namespace archway::proxy
