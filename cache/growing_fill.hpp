#pragma once

#include "cache/fill.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace archway::cache {

/// How many of `appended` bytes may be read while the digest is not known to be right: all but the
/// last Fill::withheld_bytes of the whole, or of what is there when nobody announced a size.
std::uint64_t releasable(std::uint64_t appended, std::optional<std::uint64_t> size) noexcept;

/// The Fill that a writer moves on.
///
/// Threads: any; one writer.
class GrowingFill final : public Fill {
 public:
  GrowingFill(const Digest& digest, std::string begun_by)
      : digest_(digest), begun_by_(std::move(begun_by)) {}

  const Digest& digest() const override { return digest_; }
  const std::string& begun_by() const override { return begun_by_; }
  State state() const override;
  void when_past(std::uint64_t seen, std::function<void()> wake) override;
  std::shared_ptr<const FileHandle> file() const override;

  /// The upstream's headers are in, and `file` is there to take its bytes.
  void begin(std::shared_ptr<const FileHandle> file, std::optional<std::uint64_t> size);
  /// So many bytes are in the file now.
  void arrive(std::uint64_t appended);
  /// All `size` bytes are there and have the digest.
  void verify(std::uint64_t size);
  void fail(Error error);

 private:
  struct Waiter {
    std::uint64_t seen;
    std::function<void()> wake;
  };

  /// Changes the state, then wakes those who wait for it, outside the lock: a waiter may come back.
  template <class Change>
  void change(Change&& apply);

  const Digest digest_;
  const std::string begun_by_;
  mutable std::mutex mutex_;
  State state_;  // Guarded by mutex_, as is the rest.
  std::shared_ptr<const FileHandle> file_;
  std::vector<Waiter> waiters_;
};

}  // namespace archway::cache
