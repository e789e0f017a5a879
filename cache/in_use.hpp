#pragma once

#include "cache/blob_file.hpp"
#include "resolver/model/digest.hpp"

#include <cstddef>
#include <memory>

namespace archway::cache {

/// Which blobs are being read by somebody: their room would not come free by evicting them.
///
/// Threads: any. What it lent may outlive it.
class InUse {
 public:
  InUse();

  /// The same file; the blob is in use until the last copy of what is returned is gone.
  std::shared_ptr<const FileHandle> lend(const Digest& digest,
                                         std::shared_ptr<const FileHandle> file);

  bool holds(const Digest& digest) const;
  /// How many blobs are in use.
  std::size_t count() const;

 private:
  class Table;
  struct Loan;

  std::shared_ptr<Table> table_;
};

}  // namespace archway::cache
