#include "cache/blob_check.hpp"

#include "cache/file_error.hpp"

#include <algorithm>
#include <cerrno>
#include <unistd.h>
#include <utility>

namespace archway::cache {

BlobCheck::BlobCheck(const Digest& digest, BlobFile blob)
    : digest_(digest), blob_(std::move(blob)) {
  hasher_.emplace(digest.algorithm());
}

BlobCheck::State BlobCheck::step(std::span<std::uint8_t> buffer) {
  const auto wanted =
      static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), blob_.size - done_));
  ssize_t got = 0;
  do {
    got = ::pread(blob_.file->get(), buffer.data(), wanted, static_cast<off_t>(done_));
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    why_ = "it cannot be read: " + errno_text(errno);
    unreadable_ = true;
    return State::wrong;
  }
  if (got == 0 && wanted > 0) {
    why_ = "it ends after " + std::to_string(done_) + " bytes";
    return State::wrong;
  }
  hasher_->update(buffer.first(static_cast<std::size_t>(got)));
  done_ += static_cast<std::uint64_t>(got);
  return done_ < blob_.size ? State::under_way : finish();
}

BlobCheck::State BlobCheck::finish() {
  const auto hash = hasher_->finish();
  if (!hash) {
    why_ = hash.error().context;
    return State::unknown;
  }
  if (*hash == digest_) return State::right;
  why_ = "its bytes have the digest " + hash->str();
  return State::wrong;
}

}  // namespace archway::cache
