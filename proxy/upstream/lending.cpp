#include "proxy/upstream/lending.hpp"

#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

std::shared_ptr<void> Lending::lend(const std::string& repository, Make make) {
  // Loans that ended are cleared away as new ones are made.
  for (auto& [name, loans] : loans_) {
    std::erase_if(loans, [](const auto& loan) { return loan.expired(); });
  }
  std::erase_if(loans_, [](const auto& one) { return one.second.empty(); });
  auto loan = std::make_shared<Loan>(Loan{.make = std::move(make)});
  loans_[repository].push_back(loan);
  return loan;
}

std::shared_ptr<Lending::Loan> Lending::newest(const std::string& repository) const {
  const auto found = loans_.find(repository);
  if (found == loans_.end()) return nullptr;
  for (auto loan = found->second.rbegin(); loan != found->second.rend(); ++loan) {
    if (auto alive = loan->lock()) return alive;
  }
  return nullptr;
}

std::shared_ptr<void> Lending::loan_of(const std::string& repository) const {
  return newest(repository);
}

std::shared_ptr<Registry> Lending::pick(const Repository& repository) {
  const auto loan = newest(repository.str());
  if (!loan) return own_;
  if (!loan->made) loan->made = loan->make();
  return loan->made;
}

// Each holds the registry that it asks until the answer is there: its loan may end before.

net::awaitable<Result<void>> Lending::ping() {
  const auto registry = own_;
  co_return co_await registry->ping();
}

net::awaitable<Result<Registry::Head>> Lending::head_manifest(Repository repository,
                                                              Reference reference) {
  const auto registry = pick(repository);
  co_return co_await registry->head_manifest(repository, reference);
}

net::awaitable<Result<Registry::Document>> Lending::get_manifest(Repository repository,
                                                                 Reference reference) {
  const auto registry = pick(repository);
  co_return co_await registry->get_manifest(repository, reference);
}

net::awaitable<Result<Registry::Head>> Lending::head_blob(Repository repository, Digest digest) {
  const auto registry = pick(repository);
  co_return co_await registry->head_blob(repository, digest);
}

net::awaitable<Result<std::unique_ptr<BlobStream>>> Lending::open_blob(Repository repository,
                                                                       Digest digest,
                                                                       std::uint64_t offset) {
  const auto registry = pick(repository);
  co_return co_await registry->open_blob(repository, digest, offset);
}

net::awaitable<Result<std::unique_ptr<BlobStream>>> Lending::open_part(Repository repository,
                                                                       Digest digest,
                                                                       std::uint64_t offset,
                                                                       std::uint64_t length) {
  const auto registry = pick(repository);
  co_return co_await registry->open_part(repository, digest, offset, length);
}

net::awaitable<Result<Registry::Document>> Lending::get_tags(Repository repository,
                                                             std::string query) {
  const auto registry = pick(repository);
  co_return co_await registry->get_tags(repository, std::move(query));
}

net::awaitable<Result<Registry::Document>> Lending::get_referrers(Repository repository,
                                                                  Digest digest,
                                                                  std::string query) {
  const auto registry = pick(repository);
  co_return co_await registry->get_referrers(repository, digest, std::move(query));
}

}  // namespace archway::proxy
