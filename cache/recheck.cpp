#include "cache/recheck.hpp"

#include "cache/blob_check.hpp"

#include <atomic>
#include <exception>
#include <fcntl.h>
#include <utility>
#include <vector>

namespace archway::cache {
namespace {

constexpr std::size_t piece_bytes = 512 * 1024;

Error gone(std::string context) {
  return {.code = Errc::storage_failed,
          .origin = Origin::storage,
          .message =
              "What archway had of this object was damaged; it is fetched anew when it is "
              "next asked for.",
          .context = std::move(context),
          .retryable = true};
}

Error not_checked(std::string context) {
  return {.code = Errc::storage_failed,
          .origin = Origin::storage,
          .message = "archway could not make sure that what it has of this object is right.",
          .context = std::move(context),
          .retryable = true};
}

BlobCheck::State read_to_the_end(BlobCheck& check, GrowingFill& fill,
                                 const std::atomic<bool>& ending) {
  const auto& blob = check.blob();
  const bool seen = blob.size > Recheck::unseen_bytes_max;
  if (seen) fill.begin(blob.file, blob.size);
  ::posix_fadvise(blob.file->get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  std::vector<std::uint8_t> buffer(piece_bytes);
  auto state = BlobCheck::State::under_way;
  while (state == BlobCheck::State::under_way && !ending) {
    state = check.step(buffer);
    if (seen && state == BlobCheck::State::under_way) fill.arrive(check.done());
  }
  if (!seen && state == BlobCheck::State::right) fill.begin(blob.file, blob.size);
  return state;
}

}  // namespace

void Recheck::start(std::shared_ptr<GrowingFill> fill, BlobKeeper::Seen seen) {
  pool_.submit([this, fill = std::move(fill), seen = std::move(seen)](const auto& ending) {
    try {
      run(*fill, seen, ending);
    } catch (const std::exception& error) {  // No memory: nobody may be left waiting for it.
      leave_(*fill);
      fill->fail(not_checked(error.what()));
    }
  });
}

void Recheck::run(GrowingFill& fill, const BlobKeeper::Seen& seen,
                  const std::atomic<bool>& ending) {
  const auto& digest = fill.digest();
  BlobCheck check(digest, *seen.blob);
  const auto state = read_to_the_end(check, fill, ending);
  // Who asks next must not find this fill again: each ends after what was found is known.
  if (state == BlobCheck::State::right) {
    keeper_->passed({{.digest = digest, .size = check.done(), .arrived_at = seen.arrived_at}});
    leave_(fill);
    fill.verify(check.done());
    return;
  }
  if (state == BlobCheck::State::wrong) {
    keeper_->condemn(check, FoundBy::recheck);
  }
  leave_(fill);
  if (state == BlobCheck::State::wrong) fill.fail(gone(digest.str() + ": " + check.why()));
  if (state == BlobCheck::State::unknown) fill.fail(not_checked(check.why()));
  if (state == BlobCheck::State::under_way) fill.fail(not_checked("archway is stopping"));
}

}  // namespace archway::cache
