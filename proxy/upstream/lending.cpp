#include "proxy/upstream/lending.hpp"

#include <algorithm>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

std::shared_ptr<void> Lending::lend(const std::string& repository, Offer offer) {
  // Loans that ended are cleared away as new ones are made.
  for (auto& [name, loans] : loans_) {
    std::erase_if(loans, [](const auto& loan) { return loan.expired(); });
  }
  std::erase_if(loans_, [](const auto& one) { return one.second.empty(); });
  auto loan = std::make_shared<Loan>(Loan{.offer = std::move(offer)});
  loans_[repository].push_back(loan);
  return loan;
}

std::shared_ptr<Lending::Loan> Lending::newest(
    const std::string& repository, const std::vector<std::shared_ptr<Loan>>& denied) const {
  const auto was_denied = [&](const Loan& loan) {
    return std::any_of(denied.begin(), denied.end(),
                       [&](const auto& one) { return one->offer.who == loan.offer.who; });
  };
  const auto found = loans_.find(repository);
  if (found == loans_.end()) return nullptr;
  for (auto loan = found->second.rbegin(); loan != found->second.rend(); ++loan) {
    auto alive = loan->lock();
    if (alive && !alive->refused && !was_denied(*alive)) return alive;
  }
  return nullptr;
}

std::shared_ptr<void> Lending::loan_of(const std::string& repository) const {
  return newest(repository, {});
}

std::shared_ptr<Registry> Lending::registry_of(const std::shared_ptr<Loan>& loan) const {
  if (!loan) return own_;
  if (!loan->made) loan->made = loan->offer.make();
  return loan->made;
}

/// All that was lent with these credentials, and what their owner is told.
void Lending::refuse(const std::string& repository, const Loan& loan) {
  const auto found = loans_.find(repository);
  if (found != loans_.end()) {
    for (const auto& one : found->second) {
      const auto alive = one.lock();
      if (alive && alive->offer.who == loan.offer.who) alive->refused = true;
    }
  }
  loan.offer.refused();
}

template <class T>
net::awaitable<Result<T>> Lending::ask(Repository repository, Question<T> question) {
  std::vector<std::shared_ptr<Loan>> denied_to;
  auto loan = newest(repository.str(), denied_to);
  for (;;) {
    // Held until the answer is there: its owner may leave before.
    const auto registry = registry_of(loan);
    auto answer = co_await question(registry.get());
    const bool denied = !answer && answer.error().code == Errc::denied;
    if (answer) {
      for (const auto& one : denied_to) refuse(repository.str(), *one);
    }
    if (!denied || !loan) co_return answer;
    // Of one object that nobody gets, no credentials are to blame: a CDN and a scanner say 403,
    // too.
    denied_to.push_back(loan);
    loan = newest(repository.str(), denied_to);
    if (!loan) co_return answer;
  }
}

net::awaitable<Result<void>> Lending::ping() {
  const auto registry = own_;
  co_return co_await registry->ping();
}

net::awaitable<Result<Registry::Head>> Lending::head_manifest(Repository repository,
                                                              Reference reference) {
  Question<Head> question = [repository, reference](Registry* registry) {
    return registry->head_manifest(repository, reference);
  };
  return ask<Head>(std::move(repository), std::move(question));
}

net::awaitable<Result<Registry::Document>> Lending::get_manifest(Repository repository,
                                                                 Reference reference) {
  Question<Document> question = [repository, reference](Registry* registry) {
    return registry->get_manifest(repository, reference);
  };
  return ask<Document>(std::move(repository), std::move(question));
}

net::awaitable<Result<Registry::Head>> Lending::head_blob(Repository repository, Digest digest) {
  Question<Head> question = [repository, digest](Registry* registry) {
    return registry->head_blob(repository, digest);
  };
  return ask<Head>(std::move(repository), std::move(question));
}

net::awaitable<Result<std::unique_ptr<BlobStream>>> Lending::open_blob(Repository repository,
                                                                       Digest digest,
                                                                       std::uint64_t offset) {
  Question<std::unique_ptr<BlobStream>> question = [repository, digest,
                                                    offset](Registry* registry) {
    return registry->open_blob(repository, digest, offset);
  };
  return ask<std::unique_ptr<BlobStream>>(std::move(repository), std::move(question));
}

net::awaitable<Result<std::unique_ptr<BlobStream>>> Lending::open_part(Repository repository,
                                                                       Digest digest,
                                                                       std::uint64_t offset,
                                                                       std::uint64_t length) {
  Question<std::unique_ptr<BlobStream>> question = [repository, digest, offset,
                                                    length](Registry* registry) {
    return registry->open_part(repository, digest, offset, length);
  };
  return ask<std::unique_ptr<BlobStream>>(std::move(repository), std::move(question));
}

net::awaitable<Result<Registry::Document>> Lending::get_tags(Repository repository,
                                                             std::string query) {
  Question<Document> question = [repository, query](Registry* registry) {
    return registry->get_tags(repository, query);
  };
  return ask<Document>(std::move(repository), std::move(question));
}

net::awaitable<Result<Registry::Document>> Lending::get_referrers(Repository repository,
                                                                  Digest digest,
                                                                  std::string query) {
  Question<Document> question = [repository, digest, query](Registry* registry) {
    return registry->get_referrers(repository, digest, query);
  };
  return ask<Document>(std::move(repository), std::move(question));
}

}  // namespace archway::proxy
