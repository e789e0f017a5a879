#include "proxy/upstream/guarded_registry.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

using CorePtr = std::shared_ptr<const GuardedRegistry::Core>;
using StreamPtr = std::unique_ptr<BlobStream>;

Health::Time now() {
  return std::chrono::steady_clock::now();
}

/// The one probing of a Health; over when its coroutine's frame goes, however that happens.
class Probing {
 public:
  explicit Probing(std::shared_ptr<Health> health) : health_(std::move(health)) {}
  Probing(Probing&&) noexcept = default;
  Probing& operator=(Probing&&) = delete;
  ~Probing() {
    if (health_) health_->end_probing();
  }

 private:
  std::shared_ptr<Health> health_;
};

net::awaitable<void> probe(CorePtr core, [[maybe_unused]] Probing probing) {
  net::steady_timer timer(core->executor);
  while (core->health->is_open()) {
    timer.expires_after(core->health->next_pause());
    boost::system::error_code ignored;
    co_await timer.async_wait(net::redirect_error(net::use_awaitable, ignored));
    const auto pinged = co_await core->inner->ping();
    core->health->probed(pinged, now());
  }
}

void watch(const CorePtr& core) {
  if (!core->health->begin_probing()) return;
  // An exception (no memory) ends the probing; the next question begins it again.
  const auto& prober = core->prober ? core->prober : core;
  net::co_spawn(core->executor, probe(prober, Probing(core->health)), [](std::exception_ptr) {});
}

/// What was asked in a client's name tells of the upstream no more than whether anybody is there:
/// that this client has asked too often, or made its token service stumble, holds up no one else.
void note(const CorePtr& core, const Error& error) {
  if (core->prober && error.code != Errc::upstream_unreachable) return;
  core->health->failed(error, now());
  watch(core);
}

/// Waiting in line is not the upstream's silence, but whoever waits does not know.
constexpr std::chrono::seconds line_max{20};

net::awaitable<Result<Slots::Slot>> take(std::shared_ptr<Slots> slots) {
  if (!slots) co_return Slots::Slot();
  co_return co_await slots->take(line_max);
}

template <class T>
net::awaitable<Result<T>> ask(CorePtr core, net::awaitable<Result<T>> question) {
  const auto refused = core->health->refusal(now());
  if (refused) {
    watch(core);
    co_return *refused;
  }
  const auto slot = co_await take(core->throttle.requests);
  if (!slot) co_return slot.error();
  auto answer = co_await std::move(question);
  if (answer) {
    core->health->answered();
  } else {
    note(core, answer.error());
  }
  co_return answer;
}

/// What a transfer holds until its end.
struct Held {
  Slots::Slot transfer;
  Slots::Slot request;
};

/// A transfer that tells when it breaks, and keeps to its pace.
class GuardedStream final : public BlobStream {
 public:
  GuardedStream(StreamPtr inner, CorePtr core, Held held)
      : inner_(std::move(inner)), core_(std::move(core)), held_(std::move(held)) {}

  std::optional<std::uint64_t> size() const override { return inner_->size(); }
  std::uint64_t offset() const override { return inner_->offset(); }
  net::awaitable<Result<std::size_t>> read(char* buffer, std::size_t size) override {
    const auto pacer = core_->throttle.bandwidth;
    if (pacer) size = std::min(size, pacer->piece());
    auto got = co_await inner_->read(buffer, size);
    if (!got) note(core_, got.error());
    if (!got || *got == 0) held_ = Held();
    if (got && pacer) co_await wait(pacer->spend(*got, now()));
    co_return got;
  }

 private:
  net::awaitable<void> wait(std::chrono::steady_clock::duration time) const {
    if (time.count() == 0) co_return;
    net::steady_timer timer(core_->executor);
    timer.expires_after(time);
    boost::system::error_code ignored;
    co_await timer.async_wait(net::redirect_error(net::use_awaitable, ignored));
  }

  StreamPtr inner_;
  CorePtr core_;
  Held held_;
};

net::awaitable<Result<StreamPtr>> open(CorePtr core, net::awaitable<Result<StreamPtr>> question) {
  const auto refused = core->health->refusal(now());
  if (refused) {
    watch(core);
    co_return *refused;
  }
  Held held;
  auto transfer = co_await take(core->throttle.transfers);
  if (!transfer) co_return transfer.error();
  held.transfer = *std::move(transfer);
  auto request = co_await take(core->throttle.requests);
  if (!request) co_return request.error();
  held.request = *std::move(request);
  auto opened = co_await std::move(question);
  if (!opened) {
    note(core, opened.error());
    co_return opened.error();
  }
  core->health->answered();
  co_return std::make_unique<GuardedStream>(*std::move(opened), core, std::move(held));
}

}  // namespace

GuardedRegistry::GuardedRegistry(std::shared_ptr<Registry> inner, std::shared_ptr<Health> health,
                                 net::any_io_executor executor, Throttle throttle)
    : core_(std::make_shared<const Core>(
          Core{std::move(inner), std::move(health), std::move(executor), std::move(throttle)})) {}

GuardedRegistry::GuardedRegistry(std::shared_ptr<Registry> inner, const GuardedRegistry& own)
    : core_(std::make_shared<const Core>(Core{std::move(inner), own.core_->health,
                                              own.core_->executor, own.core_->throttle,
                                              own.core_})) {}

bool GuardedRegistry::has_room() const {
  const auto& transfers = core_->throttle.transfers;
  const auto& requests = core_->throttle.requests;
  return (!transfers || transfers->has_free()) && (!requests || requests->has_free());
}

net::awaitable<Result<void>> GuardedRegistry::ping() {
  const auto core = core_;
  const auto held = core->health->held(now());
  if (held) co_return *held;
  const auto pinged = co_await core->inner->ping();
  core->health->probed(pinged, now());
  watch(core);
  co_return pinged;
}

net::awaitable<Result<Registry::Head>> GuardedRegistry::head_manifest(Repository repository,
                                                                      Reference reference) {
  return ask(core_, core_->inner->head_manifest(std::move(repository), std::move(reference)));
}

net::awaitable<Result<Registry::Document>> GuardedRegistry::get_manifest(Repository repository,
                                                                         Reference reference) {
  return ask(core_, core_->inner->get_manifest(std::move(repository), std::move(reference)));
}

net::awaitable<Result<Registry::Head>> GuardedRegistry::head_blob(Repository repository,
                                                                  Digest digest) {
  return ask(core_, core_->inner->head_blob(std::move(repository), digest));
}

net::awaitable<Result<StreamPtr>> GuardedRegistry::open_blob(Repository repository, Digest digest,
                                                             std::uint64_t offset) {
  return open(core_, core_->inner->open_blob(std::move(repository), digest, offset));
}

net::awaitable<Result<StreamPtr>> GuardedRegistry::open_part(Repository repository, Digest digest,
                                                             std::uint64_t offset,
                                                             std::uint64_t length) {
  return open(core_, core_->inner->open_part(std::move(repository), digest, offset, length));
}

net::awaitable<Result<Registry::Document>> GuardedRegistry::get_tags(Repository repository,
                                                                     std::string query) {
  return ask(core_, core_->inner->get_tags(std::move(repository), std::move(query)));
}

net::awaitable<Result<Registry::Document>> GuardedRegistry::get_referrers(Repository repository,
                                                                          Digest digest,
                                                                          std::string query) {
  return ask(core_, core_->inner->get_referrers(std::move(repository), digest, std::move(query)));
}

}  // namespace archway::proxy
