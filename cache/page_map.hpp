#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace archway::cache {

/// What each page of an LMDB file is used for, learnt from where its entries and free lists lie in
/// the map. It sees what reading alone does not: a page used twice, a list that calls a page free
/// which is not, room in a page that is taken already. All of that would only show, and spoil more,
/// when something is next written.
///
/// Source: LMDB 0.9, mdb.c, "struct MDB_page" and "struct MDB_node".
class PageMap {
 public:
  /// `page_bytes` divides the address where the file is mapped.
  PageMap(std::size_t page_bytes, std::uint64_t pages);

  /// The next entry of a table, in the order of its keys; both views point into the map.
  void entry(std::string_view key, std::string_view value);
  /// There is no further entry in this table.
  void table_ends();
  /// A list of free pages, as it is stored: how many, then their numbers.
  void free_list(std::string_view list);

  /// Nothing contradicts anything so far.
  bool fits() const { return fits_; }
  /// All entries and lists are known: there are at least so many sound pages that lead to them.
  bool whole(std::uint64_t branches);

 private:
  void claim(std::uint64_t page, std::uint64_t count);
  void begin_leaf(const char* page);
  void end_leaf();
  void overflow(std::string_view value);
  bool is_sound_branch(const char* page) const;

  std::size_t page_bytes_;
  std::vector<bool> used_;  // By page number.
  bool fits_ = true;
  const char* base_ = nullptr;  // Where page 0 is, known from the first entry on.
  const char* leaf_ = nullptr;  // The page of the last entry.
  std::size_t leaf_entries_ = 0;
  std::size_t leaf_lowest_ = 0;  // Where in the page its lowest entry begins.
};

}  // namespace archway::cache
