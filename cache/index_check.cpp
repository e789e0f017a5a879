#include "cache/index_check.hpp"

#include "cache/lmdb.hpp"
#include "cache/page_map.hpp"
#include "cache/record_codec.hpp"

#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <string_view>
#include <unistd.h>

namespace archway::cache {
namespace {

using lmdb::Table;
using Clock = std::chrono::steady_clock;

constexpr std::array tables{Table::meta,   Table::tags, Table::manifests, Table::blobs,
                            Table::grants, Table::seen, Table::images,    Table::pins};
static_assert(tables.size() == lmdb::table_count);

/// How many entries are read between two looks at the clock.
constexpr std::uint64_t entries_a_look = 256;

/// The system said no for a reason that is not in the file.
bool is_about_access(int code) {
  return code == EACCES || code == EPERM || code == ENOENT || code == EMFILE || code == ENFILE;
}

class Check {
 public:
  Check(const lmdb::Environment& environment, std::optional<Clock::time_point> until)
      : shape_(environment.shape()), txn_(environment), until_(until) {
    const auto [page_bytes, pages] = shape_;
    // A file from a machine with larger pages lies at no address that tells them apart.
    const auto aligned = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    if (page_bytes > 0 && aligned % page_bytes == 0) pages_.emplace(page_bytes, pages);
  }

  /// False once something is wrong.
  bool whole() {
    std::uint64_t names = 0;
    for (const auto table : tables) {
      if (!table_is_whole(table)) return false;
      if (timed_out_) return true;
    }
    const int named = txn_.each_name([&](std::string_view key, std::string_view value) {
      ++names;
      return note(key, value);
    });
    if (named != 0 || names != tables.size() || !end_table()) return false;
    const int listed = txn_.each_free_list([&](std::string_view key, std::string_view value) {
      if (pages_) pages_->free_list(value);
      return note(key, value);
    });
    return listed == 0 && end_table() && (!pages_ || pages_->whole(txn_.branch_pages()));
  }

 private:
  bool note(std::string_view key, std::string_view value) {
    if (pages_) pages_->entry(key, value);
    return !pages_ || pages_->fits();
  }

  bool end_table() {
    if (pages_) pages_->table_ends();
    return !pages_ || pages_->fits();
  }

  /// The entry can be looked up, too: what leads to it is right.
  bool is_found(Table table, std::string_view key, std::string_view value) const {
    const auto got = txn_.get(table, key);
    return got.found && got.value.data() == value.data();
  }

  bool table_is_whole(Table table) {
    const auto wanted = txn_.entries(table);
    std::uint64_t count = 0;
    bool right = true;
    std::string_view before;
    const int code = txn_.each(table, [&](std::string_view key, std::string_view value) {
      ++count;
      right = right && count <= wanted && before < key && codec::is_sealed(key, value) &&
              note(key, value) && is_found(table, key, value);
      before = key;
      timed_out_ = until_ && count % entries_a_look == 0 && Clock::now() > *until_;
      return right && !timed_out_;
    });
    return code == 0 && right && (timed_out_ || (count == wanted && end_table()));
  }

  lmdb::Environment::Shape shape_;  // Asked for before the transaction begins.
  lmdb::ReadTxn txn_;
  std::optional<Clock::time_point> until_;
  std::optional<PageMap> pages_;
  bool timed_out_ = false;
};

struct Said {
  std::optional<codec::Header> header = {};
  std::optional<std::uint32_t> format = {};
};

Said header_of(const lmdb::Environment& environment) {
  const lmdb::ReadTxn txn(environment);
  const auto key = codec::header_key();
  const auto got = txn.get(Table::meta, key);
  if (!got.found) return {};
  return {.header = codec::read_header(key, got.value), .format = codec::format_of(key, got.value)};
}

}  // namespace

Finding check_index(const std::filesystem::path& file, std::chrono::milliseconds clean_time) {
  const auto started = Clock::now();
  const auto opened = lmdb::Environment::open_read_only(file);
  if (is_about_access(opened.code)) return Finding::unreadable;
  if (opened.code != 0) return Finding::damaged;
  if (opened.environment->empty()) return Finding::sound;  // Its maker came no further.
  if (opened.environment->find_tables() != 0) return Finding::foreign;
  const auto [header, format] = header_of(*opened.environment);
  if (format && *format > codec::index_format) return Finding::newer;
  if (!header) return Finding::foreign;
  std::optional<Clock::time_point> until;
  if (header->clean) until = started + clean_time;
  if (!Check(*opened.environment, until).whole()) return Finding::damaged;
  return header->clean ? Finding::sound_and_clean : Finding::sound;
}

}  // namespace archway::cache
