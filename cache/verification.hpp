#pragma once

#include "cache/blob_keeper.hpp"
#include "cache/blob_store.hpp"
#include "cache/index.hpp"
#include "cache/verified.hpp"

#include <cstdint>
#include <functional>
#include <vector>

namespace archway::cache {

/// One look at everything there is: every blob is hashed, files and index are compared both ways,
/// every record of the index is read. What is wrong is put right as it is found. The cache goes on
/// meanwhile: what arrives or goes while it runs is not held against anybody.
///
/// Threads: one; blocks on the disk.
class Verification {
 public:
  using IsFilling = std::function<bool(const Digest&)>;

  /// All outlive it. `is_filling`: somebody brings this blob, so its file may be without a record.
  Verification(BlobStore* store, BlobKeeper* keeper, Index* index, IsFilling is_filling)
      : store_(store), keeper_(keeper), index_(index), is_filling_(std::move(is_filling)) {}

  /// Once.
  Verified run(const VerifyProgress& progress);

 private:
  void check_files(Digest::Algorithm algorithm);
  void check_file(const Digest& digest);
  void take_down(const Digest& digest, const BlobStore::Found& found);
  void flush();
  void settle();
  void check_records();
  bool is_missing(const Digest& digest) const;
  void go_on();

  BlobStore* store_;
  BlobKeeper* keeper_;
  Index* index_;
  IsFilling is_filling_;
  const VerifyProgress* progress_ = nullptr;
  std::uint64_t read_ = 0;
  std::vector<std::uint8_t> buffer_;
  std::vector<BlobKeeper::Passed> passed_;
  Verified found_;
};

}  // namespace archway::cache
