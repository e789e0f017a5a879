#pragma once

#include "proxy/upstream/registry.hpp"
#include "proxy/upstream/request_body.hpp"

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

namespace archway::proxy {

/// Bytes that do not repeat soon.
inline std::string pattern_of(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>('a' + i * 31 % 23);
  return bytes;
}

/// A text in pieces of `piece` bytes; an error where `fails_at` says so.
class TextSource final : public BodySource {
 public:
  explicit TextSource(std::string text, std::size_t piece = 1000000)
      : text_(std::move(text)), piece_(piece) {}

  boost::asio::awaitable<Result<std::size_t>> read(char* buffer, std::size_t size) override {
    if (fails_at && taken >= *fails_at) {
      co_return Error{Errc::storage_failed, Origin::storage, "the source broke"};
    }
    const auto got = std::min({size, piece_, text_.size() - taken});
    std::memcpy(buffer, text_.data() + taken, got);
    taken += got;
    co_return got;
  }

  std::optional<std::size_t> fails_at = {};
  std::size_t taken = 0;

 private:
  std::string text_;
  std::size_t piece_;
};

/// A text as a registry gives it.
class TextStream final : public BlobStream {
 public:
  explicit TextStream(std::string text, std::size_t piece = 1000000)
      : size_(text.size()), source_(std::move(text), piece) {}

  std::optional<std::uint64_t> size() const override { return size_; }
  std::uint64_t offset() const override { return offset_; }
  boost::asio::awaitable<Result<std::size_t>> read(char* buffer, std::size_t size) override {
    return source_.read(buffer, size);
  }

  TextStream& unsized() {
    size_.reset();
    return *this;
  }
  TextStream& from(std::uint64_t offset) {
    offset_ = offset;
    return *this;
  }
  TextSource& source() { return source_; }

 private:
  std::optional<std::uint64_t> size_;
  std::uint64_t offset_ = 0;
  TextSource source_;
};

}  // namespace archway::proxy
