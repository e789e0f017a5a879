#include "proxy/command/transfer.hpp"

#include "cache/hasher.hpp"
#include "proxy/wakeup.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

constexpr std::size_t piece_bytes = 256 * 1024;
constexpr int tries_max = 3;
constexpr std::chrono::milliseconds pause{300};

Error other_bytes(const Transfer& transfer, const std::string& what) {
  return {.code = Errc::upstream_failed,
          .origin = Origin::upstream,
          .message = transfer.where.str() + "@" + transfer.blob.digest.str() + ": " + what};
}

/// One blob on its way: what outlasts a connection.
struct Bringing {
  Bringing(const Transfers* all, Transfer* one)
      : transfers(all), transfer(one), hasher(one->blob.digest.algorithm()) {}

  const Transfers* transfers;
  Transfer* transfer;
  cache::Hasher hasher;
  std::unique_ptr<BlobTaker> taker = {};

  Result<void> take(const char* data, std::size_t size) {
    const std::span bytes(reinterpret_cast<const std::uint8_t*>(data), size);
    if (transfer->brought + size > transfer->blob.size) {
      return other_bytes(*transfer, "more comes than the " + std::to_string(transfer->blob.size) +
                                        " bytes that its manifest says");
    }
    hasher.update(bytes);
    transfer->brought += size;
    if (taker) {
      const auto taken = taker->take(bytes);
      if (!taken) return taken;
    }
    if (transfers->moved) transfers->moved();
    return {};
  }

  Result<void> finish() {
    if (transfer->brought != transfer->blob.size) {
      return other_bytes(*transfer, std::to_string(transfer->brought) + " bytes came, not the " +
                                        std::to_string(transfer->blob.size) +
                                        " that its manifest says");
    }
    const auto digest = hasher.finish();
    if (!digest) return digest.error();
    if (*digest != transfer->blob.digest) {
      return other_bytes(*transfer, "other bytes came, their digest is " + digest->str());
    }
    return taker ? taker->finish() : Result<void>();
  }
};

/// From where it stands to its end, or to the end of one connection.
net::awaitable<Result<void>> go_on(Bringing* bringing) {
  auto& transfer = *bringing->transfer;
  auto stream = co_await bringing->transfers->registry->open_blob(
      transfer.where, transfer.blob.digest, transfer.brought);
  if (!stream) co_return stream.error();
  auto skip = transfer.brought - std::min(transfer.brought, (*stream)->offset());
  std::vector<char> buffer(piece_bytes);
  for (;;) {
    const auto size = co_await (*stream)->read(buffer.data(), buffer.size());
    if (!size) co_return size.error();
    if (*size == 0) co_return Result<void>{};
    const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(skip, *size));
    skip -= skipped;
    if (skipped == *size) continue;
    const auto taken = bringing->take(buffer.data() + skipped, *size - skipped);
    if (!taken) co_return taken.error();
  }
}

net::awaitable<Result<void>> bring(Bringing* bringing) {
  auto& transfer = *bringing->transfer;
  int tries = 0;
  for (;;) {
    const auto before = transfer.brought;
    const auto gone = co_await go_on(bringing);
    if (gone) break;
    tries = transfer.brought > before ? 1 : tries + 1;
    const bool again = gone.error().retryable && tries < tries_max;
    if (!again && transfer.elsewhere.empty()) co_return gone.error();
    if (!again) {
      transfer.where = std::move(transfer.elsewhere.back());
      transfer.elsewhere.pop_back();
      tries = 0;
      continue;
    }
    const auto executor = co_await net::this_coro::executor;
    net::steady_timer timer(executor, pause);
    co_await timer.async_wait(net::use_awaitable);
  }
  co_return bringing->finish();
}

net::awaitable<void> bring_one(const Transfers* transfers, Transfer* transfer) {
  Bringing bringing(transfers, transfer);
  if (transfers->make) {
    auto taker = transfers->make(transfer->blob);
    if (!taker) {
      transfer->error = taker.error();
      co_return;
    }
    bringing.taker = *std::move(taker);
  }
  const auto brought = co_await bring(&bringing);
  transfer->done = brought.has_value();
  if (!brought) transfer->error = brought.error();
}

struct Queue {
  std::vector<Work> works;
  std::size_t next = 0;
  std::size_t workers = 0;
  std::exception_ptr escaped = {};
  std::shared_ptr<Wakeup> ended = {};
};

net::awaitable<void> work_off(Queue* queue) {
  while (queue->next < queue->works.size()) {
    const auto& work = queue->works[queue->next++];
    co_await work();
  }
}

}  // namespace

net::awaitable<Result<void>> run_some_at_a_time(std::vector<Work> works, std::size_t at_once) {
  const auto executor = co_await net::this_coro::executor;
  Queue queue{.works = std::move(works)};
  queue.workers = std::min(std::max<std::size_t>(at_once, 1), queue.works.size());
  queue.ended = Wakeup::make(executor);
  if (queue.works.empty()) co_return Result<void>{};
  for (std::size_t i = queue.workers; i > 0; --i) {
    net::co_spawn(executor, work_off(&queue), [&queue](const std::exception_ptr& escaped) {
      if (escaped) queue.escaped = escaped;
      if (--queue.workers == 0) queue.ended->fire();
    });
  }
  while (!queue.ended->fired()) co_await queue.ended->wait(std::chrono::hours(1));
  if (queue.escaped) std::rethrow_exception(queue.escaped);
  co_return Result<void>{};
}

net::awaitable<Result<void>> bring_all(const Transfers* transfers) {
  std::vector<Work> works;
  for (auto& transfer : *transfers->all) {
    works.emplace_back([transfers, one = &transfer] { return bring_one(transfers, one); });
  }
  co_return co_await run_some_at_a_time(std::move(works), transfers->at_once);
}

}  // namespace archway::proxy
