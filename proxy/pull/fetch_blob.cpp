#include "proxy/pull/fetch_blob.hpp"

#include "proxy/pull/retry_pause.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/this_coro.hpp>
#include <utility>
#include <vector>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

constexpr std::size_t piece_bytes = 256 * 1024;

using Writer = std::shared_ptr<cache::FillWriter>;
using Bytes = std::shared_ptr<char[]>;

/// The disk's half of a transfer: one piece is written and hashed while the next one is read.
class Appending {
 public:
  Appending(PullParts* parts, net::any_io_executor executor, Writer writer)
      : parts_(parts), executor_(std::move(executor)), writer_(std::move(writer)) {}

  /// Waits for the piece before, then begins this one. The bytes must not change until the next
  /// call has returned.
  net::awaitable<Result<void>> append(Bytes bytes, std::size_t begin, std::size_t end) {
    const auto settled = co_await settle();
    if (!settled) co_return settled.error();
    const std::function<Result<void>()> work = [writer = writer_, bytes, begin, end] {
      return writer->append(
          {reinterpret_cast<const std::uint8_t*>(bytes.get() + begin), end - begin});
    };
    pending_ = parts_->shared->disk->start(executor_, work);
    co_return Result<void>();
  }

  /// Waits for what is under way.
  net::awaitable<Result<void>> settle() {
    if (!pending_) co_return Result<void>();
    const auto pending = std::exchange(pending_, nullptr);
    co_return co_await DiskPool::wait(pending);
  }

 private:
  PullParts* parts_;
  net::any_io_executor executor_;
  Writer writer_;
  std::shared_ptr<DiskPool::Pending<Result<void>>> pending_;
};

Error conflicting_size(const ImageName& image) {
  return {.code = Errc::upstream_failed,
          .origin = Origin::upstream,
          .message = image.upstream + " changed its mind about the size of a blob while sending it",
          .context = "the total size differs between a transfer and its continuation"};
}

Error cut_short() {
  return {.code = Errc::upstream_failed,
          .origin = Origin::upstream,
          .message = "the upstream ended a blob before its end",
          .context = "an answer was whole, but shorter than the blob",
          .retryable = true};
}

net::awaitable<Result<void>> begin(PullParts* parts, Writer writer,
                                   std::optional<std::uint64_t> size) {
  const std::function<Result<void>()> work = [writer, size] { return writer->begin(size); };
  co_return co_await parts->shared->disk->run(work);
}

/// Reads a stream to its end into the fill. `skip` bytes at its beginning are there already (an
/// upstream that ignores ranges starts again).
net::awaitable<Result<void>> pour(PullParts* parts, std::shared_ptr<BlobStream> stream,
                                  Writer writer, std::uint64_t skip) {
  const auto executor = co_await net::this_coro::executor;
  Appending appending(parts, executor, writer);
  std::array<Bytes, 2> buffers{Bytes(new char[piece_bytes]), Bytes(new char[piece_bytes])};
  for (std::size_t turn = 0;; ++turn) {
    const auto buffer = buffers[turn % 2];
    const auto got = co_await stream->read(buffer.get(), piece_bytes);
    if (!got || *got == 0) {
      const auto settled = co_await appending.settle();
      if (!got) co_return got.error();
      co_return settled;
    }
    const auto begin = static_cast<std::size_t>(std::min<std::uint64_t>(skip, *got));
    skip -= begin;
    if (begin == *got) continue;
    const auto kept = co_await appending.append(buffer, begin, *got);
    if (!kept) co_return kept.error();
  }
}

/// One connection's worth: opens at where the fill stands and pours. A failure that is retryable
/// may be tried again.
net::awaitable<Result<void>> transfer(PullParts* parts, ImageName image, Digest digest,
                                      Writer writer, bool* begun,
                                      std::shared_ptr<Untaken> untaken) {
  const auto offset = writer->appended();
  auto opened = co_await parts->registry(image)->open_blob(image.repository, digest, offset);
  if (!opened) {
    // Nothing is behind what is here: only the end was lost. The digest decides.
    const bool at_the_end = offset > 0 && opened.error().code == Errc::range_unsatisfiable;
    if (!at_the_end) co_return opened.error();
    if (!*begun) grant_soon(*parts->shared, image, digest);
    co_return Result<void>();
  }
  const std::shared_ptr<BlobStream> stream = *std::move(opened);
  if (!*begun) {
    // Before anybody can see the file: the name it came by must have it from the first moment on.
    grant_soon(*parts->shared, image, digest);
    // Before the fill can fail: its followers hear of that first.
    if (stream->offset() == 0) untaken->stream = stream;
    const auto started = co_await begin(parts, writer, stream->size());
    if (!started) co_return started.error();
    untaken->stream = nullptr;
    *begun = true;
  }
  const auto announced = writer->fill()->state().size;
  if (announced && stream->size() && *announced != *stream->size()) {
    co_return conflicting_size(image);
  }
  const auto skip = stream->offset() < offset ? offset - stream->offset() : 0;
  const auto poured = co_await pour(parts, stream, writer, skip);
  if (!poured) co_return poured.error();
  if (announced && writer->appended() < *announced) co_return cut_short();
  co_return Result<void>();
}

/// What an earlier transfer left is not fetched again.
net::awaitable<void> resume(PullParts* parts, ImageName image, Digest digest, Writer writer) {
  const std::function<std::uint64_t()> work = [writer] { return writer->resume(); };
  const auto kept = co_await parts->shared->disk->run(work);
  if (kept == 0) co_return;
  parts->shared->log->info("an interrupted transfer goes on",
                           {{"image", image.str()}, {"digest", digest.str()}, {"at", kept}});
}

/// All tries together, until the bytes are in or it is hopeless. Before the first headers there is
/// one try: clients wait, and have other mirrors to ask.
net::awaitable<Result<void>> bring(PullParts* parts, ImageName image, Digest digest, Writer writer,
                                   std::shared_ptr<Untaken> untaken) {
  co_await resume(parts, image, digest, writer);
  bool begun = false;
  Retries retries(parts->shared->settings->timeouts);
  for (;;) {
    const auto before = writer->appended();
    const auto moved = co_await transfer(parts, image, digest, writer, &begun, untaken);
    if (moved) co_return Result<void>();
    const auto& error = moved.error();
    const auto now = Retries::Clock::now();
    retries.ended(writer->appended() > before, now);
    if (!begun || !error.retryable || retries.hopeless(now)) co_return error;
    parts->shared->log->warn("a transfer was cut; going on where it stopped",
                             {{"image", image.str()},
                              {"digest", digest.str()},
                              {"at", writer->appended()},
                              {"why", error.context}});
    co_await retries.pause();
  }
}

/// A disk that is full says so with every blob: once a minute is enough.
void tell_not_kept(metrics::Log& log, const ImageName& image, const Digest& digest,
                   const Error& why) {
  const std::vector<metrics::Field> fields{{"image", image.str()},
                                           {"digest", digest.str()},
                                           {"why", why.message},
                                           {"context", why.context}};
  if (why.origin == Origin::storage) {
    log.write_seldom("not cached", metrics::Level::warn,
                     "the cache could not take a blob; it goes past it", fields);
  } else {
    log.warn("a blob could not be fetched", fields);
  }
}

}  // namespace

net::awaitable<void> fetch_blob(PullParts* parts, ImageName image, Digest digest, Writer writer,
                                std::shared_ptr<Untaken> untaken) {
  const auto& shared = *parts->shared;
  const auto brought = co_await bring(parts, image, digest, writer, untaken);
  untaken.reset();  // Nobody may want it: then its connection goes now.
  if (!brought) {
    shared.metrics->fill_ended(name(brought.error().code));
    tell_not_kept(*shared.log, image, digest, brought.error());
    // On the pool: removing a large file takes its time.
    const std::function<bool()> end = [writer, error = brought.error()] {
      writer->fail(error);
      return true;
    };
    co_await shared.disk->run(end);
    co_return;
  }
  const std::function<Result<void>()> work = [writer] { return writer->finish(); };
  const auto finished = co_await shared.publish->run(work);
  if (finished) {
    shared.metrics->fill_ended("published");
    co_return;
  }
  shared.metrics->fill_ended(name(finished.error().code));
  if (finished.error().origin == Origin::upstream) {
    shared.metrics->digest_mismatch(image.upstream);
    remember_lie(*parts->shared, image, digest);
    parts->registry(image)->disbelieve(digest);
  }
  shared.log->error("a blob was not published", {{"image", image.str()},
                                                 {"digest", digest.str()},
                                                 {"why", finished.error().message},
                                                 {"context", finished.error().context}});
}

}  // namespace archway::proxy
