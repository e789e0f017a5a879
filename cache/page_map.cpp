#include "cache/page_map.hpp"

#include <algorithm>
#include <cstring>

namespace archway::cache {
namespace {

// A page: its number, two bytes unused here, two of flags, then where the room between its list of
// entries and the entries themselves begins and ends; of an overflow page how many follow as one.
constexpr std::size_t flags_at = sizeof(std::size_t) + 2;
constexpr std::size_t bounds_at = flags_at + 2;
constexpr std::size_t head_bytes = bounds_at + 4;
constexpr std::size_t entry_head_bytes = 8;
constexpr std::uint16_t branch_flag = 1;
constexpr std::uint16_t leaf_flag = 2;
constexpr std::uint16_t overflow_flag = 4;
constexpr std::uint64_t meta_pages = 2;

template <class Number>
Number at(const char* bytes, std::size_t offset) {
  Number number{};
  std::memcpy(&number, bytes + offset, sizeof number);
  return number;
}

struct Room {
  std::size_t lower;
  std::size_t upper;
};

Room room_of(const char* page) {
  return {.lower = at<std::uint16_t>(page, bounds_at),
          .upper = at<std::uint16_t>(page, bounds_at + 2)};
}

}  // namespace

PageMap::PageMap(std::size_t page_bytes, std::uint64_t pages)
    : page_bytes_(page_bytes), used_(static_cast<std::size_t>(pages)) {
  claim(0, meta_pages);
}

void PageMap::claim(std::uint64_t page, std::uint64_t count) {
  fits_ = fits_ && count <= used_.size() && page <= used_.size() - count;
  for (std::uint64_t i = page; fits_ && i < page + count; ++i) {
    fits_ = !used_[static_cast<std::size_t>(i)];
    used_[static_cast<std::size_t>(i)] = true;
  }
}

void PageMap::begin_leaf(const char* page) {
  leaf_ = page;
  leaf_entries_ = 0;
  leaf_lowest_ = page_bytes_;
  const auto number = at<std::size_t>(page, 0);
  if (base_ == nullptr && number < used_.size()) base_ = page - number * page_bytes_;
  fits_ = fits_ && base_ != nullptr && page == base_ + number * page_bytes_ &&
          at<std::uint16_t>(page, flags_at) == leaf_flag;
  claim(number, 1);
}

void PageMap::end_leaf() {
  if (leaf_ == nullptr) return;
  const auto [lower, upper] = room_of(leaf_);
  fits_ =
      fits_ && lower == head_bytes + 2 * leaf_entries_ && lower <= upper && upper <= leaf_lowest_;
  leaf_ = nullptr;
}

/// A value that is too long for its leaf has pages of its own.
void PageMap::overflow(std::string_view value) {
  const auto offset = reinterpret_cast<std::uintptr_t>(value.data()) % page_bytes_;
  const char* const page = value.data() - offset;
  const auto number = at<std::size_t>(page, 0);
  const auto count = (head_bytes - 1 + value.size()) / page_bytes_ + 1;
  fits_ = fits_ && offset == head_bytes && number < used_.size() &&
          page == base_ + number * page_bytes_ &&
          at<std::uint16_t>(page, flags_at) == overflow_flag &&
          at<std::uint32_t>(page, bounds_at) == count;
  claim(number, count);
}

void PageMap::entry(std::string_view key, std::string_view value) {
  if (!fits_) return;
  const auto offset = reinterpret_cast<std::uintptr_t>(key.data()) % page_bytes_;
  if (key.data() - offset != leaf_) {
    end_leaf();
    begin_leaf(key.data() - offset);
  }
  ++leaf_entries_;
  fits_ = fits_ && offset >= head_bytes + entry_head_bytes;
  leaf_lowest_ = std::min(leaf_lowest_, offset - entry_head_bytes);
  const bool inside = value.data() >= leaf_ && value.data() + value.size() <= leaf_ + page_bytes_;
  if (fits_ && !inside) overflow(value);
}

void PageMap::table_ends() {
  if (fits_) end_leaf();
  leaf_ = nullptr;
}

void PageMap::free_list(std::string_view list) {
  const auto numbers = list.size() / sizeof(std::size_t);
  fits_ = fits_ && numbers > 0 && at<std::size_t>(list.data(), 0) < numbers;
  if (!fits_) return;
  auto before = used_.size();  // They are listed from the last to the first.
  const auto count = at<std::size_t>(list.data(), 0);
  for (std::size_t i = 1; i <= count && fits_; ++i) {
    const auto page = at<std::size_t>(list.data(), i * sizeof(std::size_t));
    fits_ = page < before;
    before = page;
    claim(page, 1);
  }
}

bool PageMap::is_sound_branch(const char* page) const {
  const auto [lower, upper] = room_of(page);
  if (lower < head_bytes || lower > upper || upper > page_bytes_) return false;
  for (std::size_t at_entry = head_bytes; at_entry < lower; at_entry += 2) {
    const std::size_t begins = at<std::uint16_t>(page, at_entry);
    if (begins < upper || begins + entry_head_bytes > page_bytes_) return false;
  }
  return true;
}

/// What is left over are the pages that lead to the leaves (and what LMDB once lost track of).
bool PageMap::whole(std::uint64_t branches) {
  std::uint64_t sound = 0;
  for (std::size_t i = 0; fits_ && base_ != nullptr && i < used_.size(); ++i) {
    const char* const page = base_ + i * page_bytes_;
    const bool branch = !used_[i] && at<std::size_t>(page, 0) == i &&
                        at<std::uint16_t>(page, flags_at) == branch_flag;
    if (!branch) continue;
    ++sound;
    fits_ = is_sound_branch(page);
  }
  return fits_ && sound >= branches;
}

}  // namespace archway::cache
