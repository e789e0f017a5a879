#include "cache/write_errors.hpp"

#include "cache/file_error.hpp"

#include <cerrno>
#include <string>

namespace archway::cache {
namespace {

Refusal refusal_of(int error) {
  switch (error) {
    case ENOSPC: return Refusal::enospc;
    case EDQUOT: return Refusal::edquot;
    case EIO: return Refusal::eio;
    case EROFS: return Refusal::erofs;
    default: return Refusal::other;
  }
}

}  // namespace

void WriteErrors::note(int error, std::string_view doing) {
  const auto refusal = refusal_of(error);
  ++counts_.at(static_cast<std::size_t>(refusal));
  if (log_ == nullptr) return;
  const auto reason = std::string(name(refusal));
  log_->write_seldom(
      "disk " + reason, metrics::Level::error, "the disk does not take what should be cached",
      {{"reason", reason}, {"doing", std::string(doing)}, {"why", errno_text(error)}});
}

RefusalCounts WriteErrors::counts() const {
  RefusalCounts counts{};
  for (std::size_t i = 0; i < counts.size(); ++i) counts.at(i) = counts_.at(i);
  return counts;
}

}  // namespace archway::cache
