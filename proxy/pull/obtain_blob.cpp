#include "proxy/pull/obtain_blob.hpp"

#include "proxy/pull/fetch_blob.hpp"
#include "proxy/pull/relay.hpp"

#include <boost/asio/co_spawn.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <unistd.h>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

using FillPtr = std::shared_ptr<cache::Fill>;

// Only a guard: a fill moves or fails by the upstream client's own bounds.
constexpr std::chrono::minutes move_wait_max{5};

// Fills begun under other names, or by others' credentials, that one request sits through before it
// gives up.
constexpr int joins_max = 8;

Error busy() {
  return {.code = Errc::overloaded,
          .origin = Origin::upstream,
          .message = "archway is fetching as much as it can; try again in a moment",
          .context = "fills_max",
          .retryable = true};
}

/// What is here or on its way already costs nothing more.
bool costs_something(cache::Cache& cache, const Digest& digest) {
  return !cache.find_fill(digest) && !cache.open_blob(digest);
}

bool too_many_fills(cache::Cache& cache, const Digest& digest) {
  return cache.stats().fills_in_progress >= fills_max && costs_something(cache, digest);
}

/// Bytes that another name has brought, or is bringing, say nothing about this one.
std::optional<Error> known_to_be_bad(PullParts* parts, const ImageName& image,
                                     const Digest& digest) {
  auto bad = parts->shared->bad_blobs.find(image, digest);
  if (bad && !costs_something(*parts->shared->cache, digest)) bad.reset();
  return bad;
}

Error silent(const ImageName& image) {
  return {.code = Errc::upstream_unreachable,
          .origin = Origin::upstream,
          .message = image.upstream + " does not answer",
          .retryable = true};
}

/// The fill's state once it has moved past `seen`; none when it does not.
net::awaitable<std::optional<cache::Fill::State>> moved_past(FillPtr fill, std::uint64_t seen) {
  const auto executor = co_await net::this_coro::executor;
  const auto wakeup = Wakeup::make(executor);
  fill->when_past(seen, [wakeup] { wakeup->fire(); });
  const bool moved = co_await wakeup->wait(move_wait_max);
  if (!moved) co_return std::nullopt;
  co_return fill->state();
}

/// An empty body is over with its headers, so they wait until it is known to be right.
bool answerable(const cache::Fill::State& state) {
  return state.begun && (state.size != std::uint64_t{0} || state.verified);
}

net::awaitable<Result<void>> await_headers(FillPtr fill, ImageName image) {
  auto state = fill->state();
  while (!answerable(state) && !state.failed) {
    const auto next = co_await moved_past(fill, state.version);
    if (!next) co_return silent(image);
    state = *next;
  }
  if (state.failed) co_return *state.failed;
  co_return Result<void>();
}

void spawn_fetch(PullParts* parts, const net::any_io_executor& executor, const ImageName& image,
                 const Digest& digest, std::unique_ptr<cache::FillWriter> writer,
                 std::shared_ptr<Untaken> untaken) {
  std::shared_ptr<cache::FillWriter> shared_writer = std::move(writer);
  // Goes on when the client that it goes by has left.
  if (!untaken) untaken = std::make_shared<Untaken>();
  net::co_spawn(executor,
                fetch_blob(parts, image, digest, std::move(shared_writer), std::move(untaken)),
                [log = parts->shared->log,
                 loan = parts->upstreams->loan_of(image)](std::exception_ptr escaped) {
                  if (escaped) log->error("a fetch ended by an exception");
                });
}

Result<std::string> read_whole(const cache::BlobFile& blob) {
  std::string bytes(static_cast<std::size_t>(blob.size), '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto got = ::pread(blob.file->get(), bytes.data() + done, bytes.size() - done,
                             static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      return Error{.code = Errc::storage_failed,
                   .origin = Origin::storage,
                   .message = "a cached config cannot be read",
                   .context = got == 0 ? "it is shorter than it was" : std::strerror(errno)};
    }
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

Error too_long(std::uint64_t bytes_max) {
  return {.code = Errc::manifest_invalid,
          .origin = Origin::upstream,
          .message = "the image's config is longer than " + std::to_string(bytes_max) + " bytes"};
}

/// A small blob that the cache cannot take.
net::awaitable<Result<std::string>> read_past(PullParts* parts, ImageName image, Digest digest,
                                              std::uint64_t bytes_max,
                                              std::shared_ptr<Untaken> untaken) {
  constexpr std::size_t piece_bytes = 64 * 1024;
  const auto relay = co_await relay_whole(parts, image, digest, untaken->stream);
  if (!relay) co_return relay.error();
  std::string bytes;
  for (;;) {
    const auto had = bytes.size();
    bytes.resize(had + piece_bytes);
    const auto got = co_await relay->source->read(bytes.data() + had, piece_bytes);
    if (!got) co_return got.error();
    bytes.resize(had + *got);
    if (*got == 0) co_return bytes;
    if (bytes.size() > bytes_max) co_return too_long(bytes_max);
  }
}

}  // namespace

bool ObtainedBlob::brought_for(const ImageName& image) const {
  return fill && fill->begun_by() == image.str();
}

bool cannot_be_cached(const Error& error) {
  return error.origin == Origin::storage && error.code == Errc::storage_failed && !error.retryable;
}

net::awaitable<Result<cache::BlobFile>> await_whole(FillPtr fill, ImageName image) {
  auto state = fill->state();
  while (!state.verified && !state.failed) {
    const auto next = co_await moved_past(fill, state.version);
    if (!next) co_return silent(image);
    state = *next;
  }
  if (state.failed) co_return *state.failed;
  co_return cache::BlobFile{.file = fill->file(), .size = state.released};
}

net::awaitable<Result<ObtainedBlob>> obtain_blob(PullParts* parts, ImageName image, Digest digest,
                                                 std::shared_ptr<Untaken> untaken) {
  const auto& shared = *parts->shared;
  const auto name = image.str();
  if (auto bad = known_to_be_bad(parts, image, digest)) co_return *std::move(bad);
  const auto executor = co_await net::this_coro::executor;
  for (int joins = 1;; ++joins) {
    if (too_many_fills(*shared.cache, digest)) co_return busy();
    auto access = shared.cache->open_or_join(digest, name);
    if (access.blob) co_return ObtainedBlob{.file = std::move(access.blob)};
    ObtainedBlob obtained{.fill = access.fill, .outcome = metrics::Outcome::joined};
    if (access.writer) {
      obtained.outcome = metrics::Outcome::miss;
      spawn_fetch(parts, executor, image, digest, std::move(access.writer), untaken);
    } else {
      shared.metrics->fill_joined();
    }
    const auto headers = co_await await_headers(access.fill, image);
    if (headers) co_return obtained;
    const auto& error = headers.error();
    const bool decides = obtained.brought_for(image) && !another_lends(*parts, image, error);
    if (decides || cannot_be_cached(error) || joins == joins_max) co_return error;
  }
}

net::awaitable<Result<std::string>> read_small_blob(PullParts* parts, ImageName image,
                                                    Digest digest, std::uint64_t bytes_max) {
  const auto untaken = std::make_shared<Untaken>();
  auto obtained = co_await obtain_blob(parts, image, digest, untaken);
  if (!obtained && cannot_be_cached(obtained.error())) {
    co_return co_await read_past(parts, image, digest, bytes_max, untaken);
  }
  if (!obtained) co_return obtained.error();
  if (!obtained->file) {
    const auto whole = co_await await_whole(obtained->fill, image);
    if (!whole && cannot_be_cached(whole.error())) {
      co_return co_await read_past(parts, image, digest, bytes_max, untaken);
    }
    if (!whole) co_return whole.error();
    obtained->file = *whole;
  }
  if (obtained->file->size > bytes_max) co_return too_long(bytes_max);
  const auto file = *obtained->file;
  const std::function<Result<std::string>()> work = [file] { return read_whole(file); };
  co_return co_await parts->shared->disk->run(work);
}

}  // namespace archway::proxy
