#pragma once

#include "cache/blob_file.hpp"
#include "resolver/model/digest.hpp"
#include "resolver/model/result.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace archway::cache {

/// One blob on its way from an upstream into the cache, followed by any number of clients, each at
/// its own offset and pace. Owned by the cache and its writer; a client that leaves changes
/// nothing.
///
/// What may be read is `released` bytes of `file()`: all that has arrived but the last
/// `withheld_bytes`, which come free only when the digest of the whole is right. So a reader can
/// never complete a wrong blob.
///
/// Threads: any.
class Fill {
 public:
  static constexpr std::uint64_t withheld_bytes = 64 * 1024;

  struct State {
    std::uint64_t version = 0;               ///< grows with every change
    bool begun = false;                      ///< the upstream's headers are in
    std::optional<std::uint64_t> size = {};  ///< of the whole, bytes; what the upstream announced,
                                             ///< or the truth once verified
    std::uint64_t released = 0;              ///< bytes that may be read
    bool verified = false;                   ///< released == size and the digest is right
    std::optional<Error> failed = {};  ///< ended without success; nothing more will be released
  };

  virtual ~Fill() = default;

  virtual const Digest& digest() const = 0;
  /// Under which image name it was begun: its failure is an answer about that name only. Empty when
  /// nobody brings it: the blob is here, and the cache hashes it again before it trusts it.
  virtual const std::string& begun_by() const = 0;
  virtual State state() const = 0;

  /// Calls `wake` once, from whatever thread makes the change, when the version passes `seen`;
  /// at once (on this thread) if it has already.
  virtual void when_past(std::uint64_t seen, std::function<void()> wake) = 0;

  /// Open for reading as long as anybody holds it, also after the blob was published; null until
  /// State::begun.
  virtual std::shared_ptr<const FileHandle> file() const = 0;
};

/// The one who brings the bytes. Dropping it before finish() fails the fill, in a way that another
/// one can go on with.
///
/// Threads: one at a time. append() and finish() block on the disk: call them on a pool thread.
class FillWriter {
 public:
  virtual ~FillWriter() = default;

  virtual const std::shared_ptr<Fill>& fill() const = 0;

  /// Before begin(): takes over what an earlier transfer of this object left, and says how many
  /// bytes that is; appended() counts them from then on, so the transfer goes on behind them.
  /// begin() hashes them again and releases them as it does. Should the whole be wrong, they may be
  /// what is: the fill fails with Errc::storage_failed, retryable, and the next one begins with
  /// nothing.
  virtual std::uint64_t resume() { return 0; }

  /// The upstream has answered; followers may send their headers. `size` when it announced one.
  /// Called again for the rest of a cut transfer it checks that the size is the same. Any error of
  /// begin(), append() or finish() ends the fill as fail() does.
  /// Errors: Errc::storage_failed (no room for that size…), Errc::upstream_failed (another size).
  virtual Result<void> begin(std::optional<std::uint64_t> size) = 0;

  /// Writes the next bytes, hashes them and releases what may be released.
  /// Errors: Errc::upstream_failed when more comes than was announced; Errc::storage_failed.
  virtual Result<void> append(std::span<const std::uint8_t> bytes) = 0;

  /// Bytes appended so far: where a resumed transfer goes on.
  virtual std::uint64_t appended() const = 0;

  /// All bytes are in. Checks length and digest, releases the rest to the followers, then publishes
  /// (fdatasync, rename, fsync of the directory, index commit); returns when the
  /// blob is a durable hit.
  /// Errors: Errc::upstream_failed (wrong length or digest; nothing is published), storage_failed
  /// (the followers got their bytes; nothing is published, or, when only the index failed, the file
  /// is there without a record, which its next use puts right).
  virtual Result<void> finish() = 0;

  /// Ends without success; the followers get `error`. When that is retryable, or the fill had not
  /// begun, what has arrived stays for resume().
  virtual void fail(Error error) = 0;
};

}  // namespace archway::cache
