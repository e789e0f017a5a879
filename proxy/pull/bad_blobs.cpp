#include "proxy/pull/bad_blobs.hpp"

namespace archway::proxy {

namespace {

std::string key_of(const ImageName& image, const Digest& digest) {
  return image.str() + "@" + digest.str();
}

std::string seconds(std::chrono::seconds time) {
  return std::to_string(time.count()) + (time.count() == 1 ? " second" : " seconds");
}

}  // namespace

void BadBlobs::remember(const ImageName& image, const Digest& digest) {
  const std::lock_guard lock(mutex_);
  const auto now = now_();
  if (since_.size() >= remembered_max) forget_old(now);
  if (since_.size() < remembered_max) since_[key_of(image, digest)] = now;
}

std::optional<Error> BadBlobs::find(const ImageName& image, const Digest& digest) {
  const std::lock_guard lock(mutex_);
  if (since_.empty()) return std::nullopt;
  const auto found = since_.find(key_of(image, digest));
  if (found == since_.end()) return std::nullopt;
  const auto passed = std::chrono::floor<std::chrono::seconds>(now_() - found->second);
  if (passed >= remembered_for) {
    since_.erase(found);
    return std::nullopt;
  }
  const auto left = remembered_for - passed;
  return Error{.code = Errc::upstream_failed,
               .origin = Origin::upstream,
               .message = image.upstream + " sent other bytes than those of " + digest.str() +
                          ", " + seconds(passed) + " ago; it is asked again in " + seconds(left),
               .context = "a digest mismatch is remembered",
               .retryable = true,
               .retry_after_s = static_cast<std::uint32_t>(left.count())};
}

void BadBlobs::forget_old(Clock::time_point now) {
  std::erase_if(since_, [now](const auto& one) { return one.second + remembered_for <= now; });
}

}  // namespace archway::proxy
