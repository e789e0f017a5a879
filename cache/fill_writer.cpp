#include "cache/fill_writer.hpp"

#include "cache/commit.hpp"
#include "cache/file_error.hpp"
#include "cache/paths.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace archway::cache {
namespace {

/// Of a part that is taken over, at once.
constexpr std::size_t hashed_bytes = 512 * 1024;

Error upstream_error(std::string message, std::string context = {}) {
  return {.code = Errc::upstream_failed,
          .origin = Origin::upstream,
          .message = std::move(message),
          .context = std::move(context)};
}

Error given_up() {
  auto error = upstream_error("The transfer from the upstream ended before the object was whole.",
                              "the fill was dropped by its writer");
  error.retryable = true;
  return error;
}

Error wrong_length(std::uint64_t announced, std::uint64_t came) {
  return upstream_error(
      "The upstream sent an object of another length than it announced.",
      "announced " + std::to_string(announced) + " bytes, sent " + std::to_string(came));
}

/// Whoever asks again gets a fill that begins with nothing.
Error damaged_part(std::string context) {
  return {.code = Errc::storage_failed,
          .origin = Origin::storage,
          .message =
              "What archway had kept of an interrupted transfer was damaged; the object is fetched "
              "anew when it is next asked for.",
          .context = std::move(context),
          .retryable = true};
}

}  // namespace

BlobFillWriter::BlobFillWriter(std::shared_ptr<GrowingFill> fill, BlobStore* store, Index* index,
                               Space* space, Leave leave)
    : fill_(std::move(fill)),
      followed_(fill_),
      store_(store),
      index_(index),
      space_(space),
      leave_(std::move(leave)),
      hasher_(fill_->digest().algorithm()),
      why_ended_(given_up()) {}

BlobFillWriter::~BlobFillWriter() {
  fail(given_up());
}

Result<void> BlobFillWriter::begin(std::optional<std::uint64_t> size) {
  if (ended_) return why_ended_;
  if (file_ != nullptr) {
    // Again, for the rest after a cut: it must be the same object.
    if (size_ && size && *size_ != *size) return failed(wrong_length(*size_, *size));
    return {};
  }
  // Before anything makes room for it.
  if (!store_->in_service()) {
    return failed(store_->refused("create " + paths::part(fill_->digest()), EIO));
  }
  auto room = space_->reserve(std::max(size.value_or(0), appended_));
  if (!room) return failed(room.error());
  auto file = open_file(size);
  if (!file) return failed(file.error());
  room_.emplace(*std::move(room));
  // Followers may read it long after it was published: it must not be evicted meanwhile.
  file_ = space_->lend_part(fill_->digest(), *std::move(file));
  size_ = size;
  count_allocated();
  fill_->begin(file_, size);
  return resumed_ ? hash_again() : Result<void>{};
}

std::uint64_t BlobFillWriter::resume() {
  if (ended_ || resumed_ || file_ != nullptr) return appended_;
  resumed_ = store_->open_part(fill_->digest());
  if (resumed_ && resumed_->size < resumed_bytes_min) {
    resumed_.reset();
    store_->remove_part(fill_->digest());
  }
  if (resumed_) appended_ = resumed_->size;
  return appended_;
}

/// The limits may allow what the disk does not have: then something goes, and it is tried once
/// more.
Result<std::shared_ptr<const FileHandle>> BlobFillWriter::create_part(
    std::optional<std::uint64_t> size) {
  auto file = store_->create_part(fill_->digest(), size);
  if (file || !says_full(file.error()) || !space_->free_up(size.value_or(0))) return file;
  return store_->create_part(fill_->digest(), size);
}

Result<std::shared_ptr<const FileHandle>> BlobFillWriter::open_file(
    std::optional<std::uint64_t> size) {
  if (!resumed_) return create_part(size);
  if (size && appended_ > *size) {
    store_->remove_part(fill_->digest());
    return damaged_part("the kept part is longer than the object");
  }
  if (auto room = store_->reserve_part(fill_->digest(), *resumed_, size); !room) {
    store_->remove_part(fill_->digest());
    return room.error();
  }
  return resumed_->file;
}

/// What was taken over is known from here on as if it had just arrived.
Result<void> BlobFillWriter::hash_again() {
  std::vector<std::uint8_t> buffer(hashed_bytes);
  for (std::uint64_t done = 0; done < appended_;) {
    const auto wanted = std::min<std::uint64_t>(buffer.size(), appended_ - done);
    const auto got = ::pread(file_->get(), buffer.data(), wanted, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return failed(damaged_part("the kept part cannot be read to its end"));
    hasher_.update(std::span(buffer).first(static_cast<std::size_t>(got)));
    done += static_cast<std::uint64_t>(got);
    fill_->arrive(done);
  }
  return {};
}

void BlobFillWriter::count_allocated() {
  constexpr std::uint64_t block_bytes = 512;  // st_blocks counts these, whatever the disk's are.
  struct stat facts {};
  if (::fstat(file_->get(), &facts) != 0) return;
  allocated_ = static_cast<std::uint64_t>(facts.st_blocks) * block_bytes;
  room_->on_disk(allocated_);
}

Result<void> BlobFillWriter::append(std::span<const std::uint8_t> bytes) {
  if (ended_) return why_ended_;
  if (file_ == nullptr) {
    if (auto begun = begin(std::nullopt); !begun) return begun;
  }
  if (size_ && bytes.size() > *size_ - appended_) {
    return failed(wrong_length(*size_, appended_ + bytes.size()));
  }
  if (auto grown = room_->grow_to(appended_ + bytes.size()); !grown) return failed(grown.error());
  if (auto written = write_all(bytes); !written) return failed(written.error());
  hasher_.update(bytes);
  appended_ += bytes.size();
  room_->on_disk(std::max(allocated_, appended_));
  fill_->arrive(appended_);
  return {};
}

Result<void> BlobFillWriter::write_all(std::span<const std::uint8_t> bytes) {
  std::size_t done = 0;
  bool freed = false;
  while (done < bytes.size()) {
    const auto offset = static_cast<off_t>(appended_ + done);
    const auto count = ::pwrite(file_->get(), bytes.data() + done, bytes.size() - done, offset);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      auto error =
          store_->refused("write " + paths::part(fill_->digest()), count < 0 ? errno : ENOSPC);
      if (freed || !says_full(error) || !space_->free_up(bytes.size() - done)) return error;
      freed = true;
      continue;
    }
    done += static_cast<std::size_t>(count);
  }
  return {};
}

/// Is this the object, whole?
Result<void> BlobFillWriter::check() {
  if (size_ && appended_ != *size_) return wrong_length(*size_, appended_);
  const auto got = hasher_.finish();
  if (!got) return got.error();
  if (*got == fill_->digest()) return {};
  if (resumed_) return damaged_part("a resumed transfer gave " + got->str());
  return upstream_error("The upstream's bytes do not match the digest that was asked for.",
                        "expected " + fill_->digest().str() + ", got " + got->str() + " of " +
                            std::to_string(appended_) + " bytes");
}

Result<void> BlobFillWriter::record() {
  Changes changes;
  changes.blobs.emplace_back(fill_->digest(), BlobRecord{.size = appended_,
                                                         .arrived_at = std::time(nullptr),
                                                         .checked_at = index_->checking_time()});
  auto recorded = commit_and_wait(*index_, changes);
  if (recorded || !says_full(recorded.error()) || !space_->free_up(0)) return recorded;
  return commit_and_wait(*index_, std::move(changes));
}

/// Whoever asks next finds the file or a free place, also when memory ran out on the way.
struct BlobFillWriter::End {
  BlobFillWriter* writer;
  ~End() {
    writer->store_->leave_part(writer->fill_->digest());
    writer->leave_();
  }
};

Result<void> BlobFillWriter::finish() {
  if (ended_) return why_ended_;
  if (file_ == nullptr) {
    if (auto begun = begin(std::nullopt); !begun) return begun;
  }
  if (auto right = check(); !right) return failed(right.error());
  // Before the disk is waited for: these bytes are right whatever becomes of the file.
  fill_->verify(appended_);
  ended_ = true;
  const End end{this};
  return publish();
}

Result<void> BlobFillWriter::publish() {
  const auto& digest = fill_->digest();
  const auto rank = space_->rank_of(digest, fill_->begun_by());
  space_->wait_until_gone(digest);
  auto published = store_->publish(digest, *file_, appended_);
  if (!published) {
    why_ended_ = published.error();
    store_->remove_part(digest);
    room_.reset();
    return published;
  }
  auto recorded = record();
  room_->publish({.digest = digest, .size = appended_, .rank = rank});
  return recorded;
}

void BlobFillWriter::fail(Error error) {
  const bool keeps_part = error.retryable || file_ == nullptr;
  end(std::move(error), keeps_part);
}

void BlobFillWriter::end(Error error, bool keeps_part) {
  if (ended_) return;
  ended_ = true;
  why_ended_ = error;
  if (file_ != nullptr && (!keeps_part || appended_ < resumed_bytes_min)) {
    store_->remove_part(fill_->digest());
  } else {
    store_->leave_part(fill_->digest());
  }
  room_.reset();
  leave_();
  fill_->fail(std::move(error));
}

/// Its own doing: the part is wrong, or it cannot be gone on with.
Error BlobFillWriter::failed(Error error) {
  end(error, false);
  return error;
}

}  // namespace archway::cache
