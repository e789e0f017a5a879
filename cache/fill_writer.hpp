#pragma once

#include "cache/blob_store.hpp"
#include "cache/growing_fill.hpp"
#include "cache/hasher.hpp"
#include "cache/index.hpp"
#include "cache/space.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

namespace archway::cache {

/// The writer of a blob's fill: bytes to the partial file, to the hash, to the followers; then the
/// blob to its place and into the index.
///
/// Lifetime: `store`, `index` and `space` outlive it.
class BlobFillWriter final : public FillWriter {
 public:
  /// Takes the fill off the list of running ones: called once, when the blob's file has its name
  /// (or never will have it) and before followers hear of a failure, so that whoever asks next
  /// finds either the file or a free place.
  using Leave = std::function<void()>;

  BlobFillWriter(std::shared_ptr<GrowingFill> fill, BlobStore* store, Index* index, Space* space,
                 Leave leave);
  BlobFillWriter(const BlobFillWriter&) = delete;
  BlobFillWriter& operator=(const BlobFillWriter&) = delete;
  ~BlobFillWriter() override;

  /// A part smaller than this is fetched again rather than taken over.
  static constexpr std::uint64_t resumed_bytes_min = 256 * 1024;

  const std::shared_ptr<Fill>& fill() const override { return followed_; }
  std::uint64_t resume() override;
  Result<void> begin(std::optional<std::uint64_t> size) override;
  Result<void> append(std::span<const std::uint8_t> bytes) override;
  std::uint64_t appended() const override { return appended_; }
  Result<void> finish() override;
  void fail(Error error) override;

 private:
  struct End;
  Error failed(Error error);
  void end(Error error, bool keeps_part);
  Result<std::shared_ptr<const FileHandle>> open_file(std::optional<std::uint64_t> size);
  Result<void> hash_again();
  Result<void> check();
  Result<std::shared_ptr<const FileHandle>> create_part(std::optional<std::uint64_t> size);
  void count_allocated();
  Result<void> write_all(std::span<const std::uint8_t> bytes);
  Result<void> publish();
  Result<void> record();

  std::shared_ptr<GrowingFill> fill_;
  std::shared_ptr<Fill> followed_;  // The same, as fill() gives it.
  BlobStore* store_;
  Index* index_;
  Space* space_;
  Leave leave_;
  Hasher hasher_;
  std::optional<BlobStore::Part> resumed_;        // Set by resume().
  std::shared_ptr<const FileHandle> file_;        // Set by begin().
  std::optional<SpaceKeeper::Reservation> room_;  // Set with it.
  std::optional<std::uint64_t> size_;
  std::uint64_t allocated_ = 0;  // Bytes that the file has on the disk since begin().
  std::uint64_t appended_ = 0;
  bool ended_ = false;
  Error why_ended_;
};

}  // namespace archway::cache
