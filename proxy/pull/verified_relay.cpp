#include "proxy/pull/verified_relay.hpp"

#include "cache/fill.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <span>
#include <unistd.h>
#include <utility>
#include <vector>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

constexpr std::size_t piece_bytes = 64 * 1024;
constexpr std::size_t file_piece_bytes = 256 * 1024;

using HasherPtr = std::shared_ptr<cache::Hasher>;

std::span<const std::uint8_t> as_bytes(const char* data, std::size_t size) {
  return {reinterpret_cast<const std::uint8_t*>(data), size};
}

/// The hash of a file's first `length` bytes, to go on with; null when it cannot be read.
HasherPtr hash_front(const cache::FileHandle& file, std::uint64_t length,
                     Digest::Algorithm algorithm) {
  auto hasher = std::make_shared<cache::Hasher>(algorithm);
  std::vector<char> buffer(file_piece_bytes);
  std::uint64_t done = 0;
  while (done < length) {
    const auto want =
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), length - done));
    const auto got = ::pread(file.get(), buffer.data(), want, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return nullptr;
    hasher->update(as_bytes(buffer.data(), static_cast<std::size_t>(got)));
    done += static_cast<std::uint64_t>(got);
  }
  return hasher;
}

Error wrong_bytes(const ImageName& image, std::string context) {
  return {.code = Errc::upstream_failed,
          .origin = Origin::upstream,
          .message = image.upstream + " sent bytes that do not match the digest asked for",
          .context = std::move(context)};
}

}  // namespace

void tell_relay_ended(metrics::Log& log, const ImageName& image, const Error& why) {
  log.warn("a blob could not be passed on to its end",
           {{"image", image.str()}, {"why", why.message}, {"context", why.context}});
}

VerifiedRelay::VerifiedRelay(PullParts* parts, RelaySlot slot,
                             std::unique_ptr<ResumingStream> stream, Digest digest)
    : parts_(parts),
      slot_(std::move(slot)),
      image_(stream->image()),
      digest_(digest),
      stream_(std::move(stream)),
      hasher_(std::make_shared<cache::Hasher>(digest.algorithm())) {}

VerifiedRelay::VerifiedRelay(PullParts* parts, RelaySlot slot, ImageName image, Digest digest,
                             std::optional<std::uint64_t> size, Sent sent)
    : parts_(parts),
      slot_(std::move(slot)),
      image_(std::move(image)),
      digest_(digest),
      size_(size),
      sent_(std::move(sent)) {}

/// Catches up with what the client has.
net::awaitable<void> VerifiedRelay::begin() {
  if (sent_.bytes > 0 && sent_.file) {
    const std::function<HasherPtr()> work = [sent = sent_, algorithm = digest_.algorithm()] {
      return hash_front(*sent.file, sent.bytes, algorithm);
    };
    hasher_ = co_await parts_->shared->disk->run(work);
    sent_.file.reset();  // Its room on the disk is wanted.
  }
  if (hasher_) hashed_ = sent_.bytes;
  if (!hasher_) hasher_ = std::make_shared<cache::Hasher>(digest_.algorithm());
  ResumingStream::Wanted wanted{.image = image_, .digest = digest_, .from = hashed_, .size = size_};
  stream_ = std::make_unique<ResumingStream>(parts_, std::move(wanted));
}

net::awaitable<Result<void>> VerifiedRelay::take_more() {
  held_.erase(0, std::exchange(given_, 0));
  const auto had = held_.size();
  held_.resize(had + piece_bytes);
  const auto got = co_await stream_->read(held_.data() + had, piece_bytes);
  held_.resize(had + (got ? *got : 0));
  if (!got) co_return got.error();
  if (*got == 0) co_return check();
  hasher_->update(as_bytes(held_.data() + had, *got));
  // Fetched again for the hash alone.
  const auto known = sent_.bytes > hashed_ ? sent_.bytes - hashed_ : 0;
  held_.erase(had, static_cast<std::size_t>(std::min<std::uint64_t>(known, *got)));
  hashed_ += *got;
  co_return Result<void>();
}

Result<void> VerifiedRelay::check() {
  const auto size = stream_->size();
  if (size && *size != hashed_) {
    return wrong_bytes(image_, "another length than was announced");
  }
  const auto digest = hasher_->finish();
  if (!digest) return digest.error();
  if (*digest != digest_) {
    parts_->shared->metrics->digest_mismatch(image_.upstream);
    remember_lie(*parts_->shared, image_, digest_);
    parts_->registry(image_)->disbelieve(digest_);
    return wrong_bytes(image_, "expected " + digest_.str() + ", got " + digest->str());
  }
  right_ = true;
  return {};
}

net::awaitable<Result<std::size_t>> VerifiedRelay::read(char* buffer, std::size_t size) {
  if (!stream_) co_await begin();
  while (!right_ && held_.size() - given_ <= cache::Fill::withheld_bytes) {
    const auto more = co_await take_more();
    if (!more) {
      tell_relay_ended(*parts_->shared->log, image_, more.error());
      co_return more.error();
    }
  }
  const auto kept = right_ ? 0 : std::size_t{cache::Fill::withheld_bytes};
  const auto gives = std::min<std::size_t>(size, held_.size() - given_ - kept);
  std::memcpy(buffer, held_.data() + given_, gives);
  given_ += gives;
  co_return gives;
}

}  // namespace archway::proxy
