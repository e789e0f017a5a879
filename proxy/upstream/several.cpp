#include "proxy/upstream/several.hpp"

#include <algorithm>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

/// What one place said, without the upstream's name, which the whole message begins with.
std::string said_by(const std::string& upstream, const std::string& message) {
  for (const auto& prefix : {upstream + ": ", upstream + " "}) {
    if (message.starts_with(prefix)) return message.substr(prefix.size());
  }
  return message;
}

/// The failures of all places as one.
class Failures {
 public:
  explicit Failures(const std::string& upstream) : upstream_(upstream) {}

  void add(const std::string& origin, const Error& error) {
    message_ += (count_ == 0 ? "" : "; ") + origin + ": " + said_by(upstream_, error.message);
    context_ += (count_ == 0 ? "" : "; ") + origin + ": " + error.context;
    if (count_ == 0 || weight(error.code) > weight(code_)) code_ = error.code;
    retryable_ = retryable_ || error.retryable;
    const auto after = error.retry_after_s;
    if (after > 0 && (retry_after_s_ == 0 || after < retry_after_s_)) retry_after_s_ = after;
    ++count_;
  }

  Error error() const {
    return {.code = code_,
            .origin = Origin::upstream,
            .message = upstream_ + " fails at all of its " + std::to_string(count_) +
                       " places: " + message_,
            .context = context_,
            .retryable = retryable_,
            .retry_after_s = code_ == Errc::upstream_busy ? retry_after_s_ : 0};
  }

 private:
  /// A busy place will have it later; one that answered nonsense was at least there.
  static int weight(Errc code) {
    if (code == Errc::upstream_busy) return 2;
    return code == Errc::upstream_failed ? 1 : 0;
  }

  const std::string& upstream_;
  std::string message_;
  std::string context_;
  Errc code_ = Errc::upstream_unreachable;
  bool retryable_ = false;
  std::uint32_t retry_after_s_ = 0;
  std::size_t count_ = 0;
};

/// A blob's stream that tells when it breaks off.
class WatchedStream final : public BlobStream {
 public:
  WatchedStream(std::unique_ptr<BlobStream> inner, std::function<void()> broke)
      : inner_(std::move(inner)), broke_(std::move(broke)) {}

  std::optional<std::uint64_t> size() const override { return inner_->size(); }
  std::uint64_t offset() const override { return inner_->offset(); }

  net::awaitable<Result<std::size_t>> read(char* buffer, std::size_t size) override {
    auto got = co_await inner_->read(buffer, size);
    if (!got) broke_();
    co_return got;
  }

 private:
  std::unique_ptr<BlobStream> inner_;
  std::function<void()> broke_;
};

}  // namespace

bool another_may_help(const Error& error) {
  return error.code == Errc::upstream_unreachable || error.code == Errc::upstream_failed ||
         error.code == Errc::upstream_busy;
}

Several::Several(std::string upstream, std::vector<Place> places,
                 std::shared_ptr<Suspects> suspects)
    : upstream_(std::move(upstream)),
      places_(std::move(places)),
      suspects_(std::move(suspects)),
      rests_(std::make_shared<Rests>(places_.size())) {}

std::vector<std::size_t> Several::order(const std::optional<Digest>& digest) const {
  const auto now = Clock::now();
  // The sound ones, those that rest, then those whose bytes were wrong, the longest ago first.
  struct Turn {
    std::size_t at = 0;
    std::optional<Suspects::Clock::time_point> caught = {};
    bool rests = false;
  };
  std::vector<Turn> turns;
  for (std::size_t at = 0; at < places_.size(); ++at) {
    Turn turn{.at = at, .rests = (*rests_)[at] > now};
    if (digest) turn.caught = suspects_->caught_at(*digest, at);
    turns.push_back(turn);
  }
  std::stable_sort(turns.begin(), turns.end(), [](const Turn& a, const Turn& b) {
    if (a.caught != b.caught) return a.caught < b.caught;  // None is the least.
    return !a.rests && b.rests;
  });
  std::vector<std::size_t> order;
  for (const auto& turn : turns) order.push_back(turn.at);
  return order;
}

template <class T>
net::awaitable<Result<T>> Several::ask(Question<T> question, std::optional<Digest> digest,
                                       std::size_t* who) {
  Failures failures(upstream_);
  const auto turns = order(digest);
  for (const auto at : turns) {
    auto& place = places_[at];
    auto answer = co_await question(place.registry.get());
    if (answer || !another_may_help(answer.error())) {
      if (answer) (*rests_)[at] = {};
      *who = at;
      co_return answer;
    }
    (*rests_)[at] = Clock::now() + rest_time;
    failures.add(place.origin, answer.error());
  }
  co_return failures.error();
}

net::awaitable<Result<std::unique_ptr<BlobStream>>> Several::open(
    Question<std::unique_ptr<BlobStream>> question, Digest digest) {
  std::size_t who = 0;
  auto stream = co_await ask<std::unique_ptr<BlobStream>>(std::move(question), digest, &who);
  if (!stream) co_return stream;
  suspects_->came_from(digest, who);
  std::function<void()> broke = [rests = rests_, who] { (*rests)[who] = Clock::now() + rest_time; };
  co_return std::make_unique<WatchedStream>(*std::move(stream), std::move(broke));
}

net::awaitable<Result<void>> Several::ping() {
  Question<void> question = [](Registry* registry) { return registry->ping(); };
  std::size_t who = 0;
  co_return co_await ask<void>(std::move(question), std::nullopt, &who);
}

net::awaitable<Result<Registry::Head>> Several::head_manifest(Repository repository,
                                                              Reference reference) {
  Question<Head> question = [repository, reference](Registry* registry) {
    return registry->head_manifest(repository, reference);
  };
  std::size_t who = 0;
  co_return co_await ask<Head>(std::move(question), std::nullopt, &who);
}

net::awaitable<Result<Registry::Document>> Several::get_manifest(Repository repository,
                                                                 Reference reference) {
  std::optional<Digest> digest;
  if (const auto* const by_digest = std::get_if<Digest>(&reference)) digest = *by_digest;
  Question<Document> question = [repository, reference](Registry* registry) {
    return registry->get_manifest(repository, reference);
  };
  std::size_t who = 0;
  auto document = co_await ask<Document>(std::move(question), digest, &who);
  if (document && digest) suspects_->came_from(*digest, who);
  co_return document;
}

net::awaitable<Result<Registry::Head>> Several::head_blob(Repository repository, Digest digest) {
  Question<Head> question = [repository, digest](Registry* registry) {
    return registry->head_blob(repository, digest);
  };
  std::size_t who = 0;
  co_return co_await ask<Head>(std::move(question), digest, &who);
}

net::awaitable<Result<std::unique_ptr<BlobStream>>> Several::open_blob(Repository repository,
                                                                       Digest digest,
                                                                       std::uint64_t offset) {
  Question<std::unique_ptr<BlobStream>> question = [repository, digest,
                                                    offset](Registry* registry) {
    return registry->open_blob(repository, digest, offset);
  };
  co_return co_await open(std::move(question), digest);
}

net::awaitable<Result<std::unique_ptr<BlobStream>>> Several::open_part(Repository repository,
                                                                       Digest digest,
                                                                       std::uint64_t offset,
                                                                       std::uint64_t length) {
  Question<std::unique_ptr<BlobStream>> question = [repository, digest, offset,
                                                    length](Registry* registry) {
    return registry->open_part(repository, digest, offset, length);
  };
  co_return co_await open(std::move(question), digest);
}

net::awaitable<Result<Registry::Document>> Several::get_tags(Repository repository,
                                                             std::string query) {
  Question<Document> question = [repository, query](Registry* registry) {
    return registry->get_tags(repository, query);
  };
  std::size_t who = 0;
  co_return co_await ask<Document>(std::move(question), std::nullopt, &who);
}

net::awaitable<Result<Registry::Document>> Several::get_referrers(Repository repository,
                                                                  Digest digest,
                                                                  std::string query) {
  Question<Document> question = [repository, digest, query](Registry* registry) {
    return registry->get_referrers(repository, digest, query);
  };
  std::size_t who = 0;
  co_return co_await ask<Document>(std::move(question), std::nullopt, &who);
}

}  // namespace archway::proxy
