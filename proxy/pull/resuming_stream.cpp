#include "proxy/pull/resuming_stream.hpp"

#include "proxy/pull/retry_pause.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

Error conflicting_size(const ImageName& image) {
  return {.code = Errc::upstream_failed,
          .origin = Origin::upstream,
          .message = image.upstream + " changed its mind about the size of a blob while sending it",
          .context = "the total size is another one than before"};
}

Error cut_short(const ImageName& image) {
  return {.code = Errc::upstream_failed,
          .origin = Origin::upstream,
          .message = image.upstream + " ended a blob before its end",
          .context = "an answer was whole, but shorter than it should be",
          .retryable = true};
}

}  // namespace

ResumingStream::ResumingStream(PullParts* parts, Wanted wanted)
    : parts_(parts),
      wanted_(std::move(wanted)),
      position_(wanted_.from),
      retries_(parts->shared->settings->timeouts) {}

bool ResumingStream::at_the_end() const {
  if (wanted_.to) return position_ >= *wanted_.to;
  return ended_;
}

net::awaitable<Result<std::unique_ptr<BlobStream>>> ResumingStream::ask() {
  auto* const registry = parts_->registry(wanted_.image);
  if (!wanted_.to) {
    co_return co_await registry->open_blob(wanted_.image.repository, wanted_.digest, position_);
  }
  co_return co_await registry->open_part(wanted_.image.repository, wanted_.digest, position_,
                                         *wanted_.to - position_);
}

net::awaitable<Result<void>> ResumingStream::open() {
  tried_at_ = position_;
  auto asked = co_await ask();
  if (!asked) {
    // Nothing is behind what came: only the end was lost. Whoever has a digest knows whether so.
    const bool ended =
        !wanted_.to && position_ > 0 && asked.error().code == Errc::range_unsatisfiable;
    if (!ended) co_return asked.error();
    ended_ = true;
    co_return Result<void>();
  }
  co_return take(*std::move(asked));
}

Result<void> ResumingStream::take(std::shared_ptr<BlobStream> answer) {
  const auto size = answer->size();
  if (size && wanted_.size && *size != *wanted_.size) return conflicting_size(wanted_.image);
  if (size) wanted_.size = size;
  stream_ = std::move(answer);
  at_ = stream_->offset();
  return {};
}

/// After a cut: a moment later, and once more while that is worth it.
net::awaitable<Result<void>> ResumingStream::open_again() {
  for (;;) {
    co_await retries_.pause();
    const auto opened = co_await open();
    if (opened) co_return opened;
    const auto now = Retries::Clock::now();
    retries_.ended(false, now);
    if (!opened.error().retryable || retries_.hopeless(now)) co_return opened;
  }
}

/// Drops from the buffer's front what lies before the wanted bytes; how many are left.
std::size_t ResumingStream::keep_wanted(char* buffer, std::size_t got) {
  const auto early = position_ > at_ ? position_ - at_ : 0;
  at_ += got;
  const auto dropped = static_cast<std::size_t>(std::min<std::uint64_t>(early, got));
  const auto kept = got - dropped;
  if (dropped > 0 && kept > 0) std::memmove(buffer, buffer + dropped, kept);
  position_ += kept;
  return kept;
}

/// One read of the transfer under way; 0 at its end, wherever that is.
net::awaitable<Result<std::size_t>> ResumingStream::step(char* buffer, std::size_t size) {
  for (;;) {
    auto most = size;
    if (wanted_.to) {
      most = static_cast<std::size_t>(std::min<std::uint64_t>(most, *wanted_.to - at_));
    }
    const auto got = co_await stream_->read(buffer, most);
    if (!got || *got == 0) co_return got;
    const auto kept = keep_wanted(buffer, *got);
    if (kept > 0) co_return kept;
  }
}

net::awaitable<Result<std::size_t>> ResumingStream::read(char* buffer, std::size_t size) {
  if (!stream_ && !at_the_end()) {
    auto opened = co_await open();
    // Whoever reads has begun to answer: there is no other mirror for its client any more.
    if (!opened && opened.error().retryable) {
      retries_.ended(false, Retries::Clock::now());
      opened = co_await open_again();
    }
    if (!opened) co_return opened.error();
  }
  while (!at_the_end()) {
    auto got = co_await step(buffer, size);
    if (got && *got > 0) co_return got;
    if (got && !wanted_.to && (!wanted_.size || position_ >= *wanted_.size)) break;
    const Error why = got ? cut_short(wanted_.image) : got.error();
    stream_.reset();
    const auto now = Retries::Clock::now();
    retries_.ended(position_ > tried_at_, now);
    if (!why.retryable || retries_.hopeless(now)) co_return why;
    const auto opened = co_await open_again();
    if (!opened) co_return opened.error();
  }
  ended_ = true;
  co_return std::size_t{0};
}

}  // namespace archway::proxy
