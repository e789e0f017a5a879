#pragma once

#include "cache/blob_file.hpp"
#include "cache/hasher.hpp"
#include "resolver/model/digest.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace archway::cache {

/// Reads a blob's file again, piece by piece, to see whether it is still what its name says.
///
/// Threads: one at a time; blocks on the disk.
class BlobCheck {
 public:
  enum class State : std::uint8_t {
    under_way,
    right,
    wrong,    ///< other bytes, fewer, or bytes that the disk cannot read
    unknown,  ///< the hash could not be taken, which says nothing about the file
  };

  BlobCheck(const Digest& digest, BlobFile blob);

  /// Reads at most as much as fits into the buffer. Not to be called once it is no longer under
  /// way.
  State step(std::span<std::uint8_t> buffer);

  const Digest& digest() const { return digest_; }
  const BlobFile& blob() const { return blob_; }
  /// Bytes read so far.
  std::uint64_t done() const { return done_; }
  /// What is wrong.
  const std::string& why() const { return why_; }
  /// The disk refused to read it, which may be the disk's fault.
  bool unreadable() const { return unreadable_; }

 private:
  State finish();

  Digest digest_;
  BlobFile blob_;
  std::optional<Hasher> hasher_;
  std::uint64_t done_ = 0;
  std::string why_;
  bool unreadable_ = false;
};

}  // namespace archway::cache
