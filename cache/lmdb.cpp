#include "cache/lmdb.hpp"

#include <algorithm>
#include <lmdb.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace archway::cache::lmdb {
namespace {

// A reader's slot is held for one look-up, so this is a bound on threads, not on clients.
constexpr unsigned readers_max = 254;

// LMDB's own tables have no names, but these numbers in all versions.
constexpr MDB_dbi free_lists = 0;
constexpr MDB_dbi names = 1;

constexpr std::array<const char*, table_count> table_names{"meta",   "tags", "manifests", "blobs",
                                                           "grants", "seen", "images",    "pins"};

// LMDB's interface has no const; it only reads what a key or a value to be put points at.
MDB_val to_val(std::string_view bytes) {
  return {.mv_size = bytes.size(), .mv_data = const_cast<char*>(bytes.data())};
}

std::string_view from_val(const MDB_val& val) {
  return {static_cast<const char*>(val.mv_data), val.mv_size};
}

std::size_t number(Table table) {
  return static_cast<std::size_t>(table);
}

Got get_in(MDB_txn* txn, unsigned table, std::string_view key) {
  auto key_val = to_val(key);
  MDB_val value{};
  const int code = mdb_get(txn, table, &key_val, &value);
  if (code == MDB_NOTFOUND) return {};
  if (code != MDB_SUCCESS) return {.code = code};
  return {.found = true, .value = from_val(value)};
}

std::uint64_t entries_in(MDB_txn* txn, unsigned table) {
  MDB_stat stat{};
  return mdb_stat(txn, table, &stat) == MDB_SUCCESS ? stat.ms_entries : 0;
}

/// From the first key behind `after`; an empty one, which no entry has, is before all of them.
int each_in(MDB_txn* txn, unsigned table, const Visit& visit, std::string_view after = {}) {
  MDB_cursor* cursor = nullptr;
  int code = mdb_cursor_open(txn, table, &cursor);
  if (code != MDB_SUCCESS) return code;
  MDB_val key = to_val(after);
  MDB_val value{};
  code = mdb_cursor_get(cursor, &key, &value, after.empty() ? MDB_FIRST : MDB_SET_RANGE);
  if (code == MDB_SUCCESS && from_val(key) == after) {
    code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
  }
  while (code == MDB_SUCCESS && visit(from_val(key), from_val(value))) {
    code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
  }
  mdb_cursor_close(cursor);
  return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

}  // namespace

std::string text(int code) {
  return mdb_strerror(code);
}

bool is_damage(int code) {
  constexpr std::array codes{MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_PANIC,   MDB_VERSION_MISMATCH,
                             MDB_INVALID,   MDB_INCOMPATIBLE,  MDB_BAD_DBI, MDB_NOTFOUND};
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

bool is_full(int code) {
  return code == MDB_MAP_FULL;
}

int damage() {
  return MDB_CORRUPTED;
}

Environment::Opened Environment::open(const std::filesystem::path& directory,
                                      std::uint64_t map_bytes) {
  MDB_env* env = nullptr;
  if (const int code = mdb_env_create(&env); code != MDB_SUCCESS) return {.code = code};
  std::unique_ptr<Environment> environment(new Environment(env));
  // Default durability. NOTLS: a reader's slot belongs to a transaction, not to a thread.
  // NORDAHEAD: look-ups are scattered, and the file may outgrow the memory.
  int code = mdb_env_set_mapsize(env, static_cast<std::size_t>(map_bytes));
  if (code == MDB_SUCCESS) code = mdb_env_set_maxdbs(env, table_count);
  if (code == MDB_SUCCESS) code = mdb_env_set_maxreaders(env, readers_max);
  if (code == MDB_SUCCESS) {
    code = mdb_env_open(env, directory.c_str(), MDB_NOTLS | MDB_NORDAHEAD, 0600);
  }
  if (code == MDB_SUCCESS) code = environment->check_length();
  if (code != MDB_SUCCESS) return {.code = code};
  return {.environment = std::move(environment)};
}

Environment::Opened Environment::open_read_only(const std::filesystem::path& file) {
  MDB_env* env = nullptr;
  if (const int code = mdb_env_create(&env); code != MDB_SUCCESS) return {.code = code};
  std::unique_ptr<Environment> environment(new Environment(env));
  constexpr unsigned flags = MDB_NOTLS | MDB_RDONLY | MDB_NOLOCK | MDB_NOSUBDIR;
  int code = mdb_env_set_maxdbs(env, table_count);
  if (code == MDB_SUCCESS) code = mdb_env_open(env, file.c_str(), flags, 0600);
  if (code == MDB_SUCCESS) code = environment->check_length();
  if (code != MDB_SUCCESS) return {.code = code};
  return {.environment = std::move(environment)};
}

Environment::~Environment() {
  mdb_env_close(env_);
}

bool Environment::empty() const {
  MDB_envinfo info{};
  return mdb_env_info(env_, &info) == MDB_SUCCESS && info.me_last_txnid == 0;
}

Environment::Shape Environment::shape() const {
  MDB_envinfo info{};
  MDB_stat stat{};
  if (mdb_env_info(env_, &info) != MDB_SUCCESS || mdb_env_stat(env_, &stat) != MDB_SUCCESS) {
    return {};
  }
  return {.page_bytes = stat.ms_psize, .pages = std::uint64_t{info.me_last_pgno} + 1};
}

int Environment::check_length() const {
  const auto [page_bytes, pages] = shape();
  const bool whole = empty() || (page_bytes > 0 && file_bytes() / page_bytes >= pages);
  return whole ? MDB_SUCCESS : damage();
}

int Environment::copy_to(int fd) const {
  return mdb_env_copyfd2(env_, fd, 0);
}

std::uint64_t Environment::file_bytes() const {
  mdb_filehandle_t fd = -1;
  struct stat facts {};
  if (mdb_env_get_fd(env_, &fd) != MDB_SUCCESS || ::fstat(fd, &facts) != 0) return 0;
  return static_cast<std::uint64_t>(facts.st_size);
}

// LMDB never writes pages that one transaction took from the end and gave back, so a sound file can
// be shorter than its count of pages says. Made longer here, shorter means truncated in open().
void Environment::keep_whole() {
  const auto [page_bytes, pages] = shape();
  const auto whole = pages * page_bytes;
  mdb_filehandle_t fd = -1;
  if (file_bytes() >= whole || mdb_env_get_fd(env_, &fd) != MDB_SUCCESS) return;
  [[maybe_unused]] const int extended = ::ftruncate(fd, static_cast<off_t>(whole));
}

int Environment::open_tables(MDB_txn* txn, unsigned flags) {
  int code = MDB_SUCCESS;
  for (std::size_t i = 0; i < table_count && code == MDB_SUCCESS; ++i) {
    code = mdb_dbi_open(txn, table_names.at(i), flags, &tables_.at(i));
    unsigned kind = 0;  // Another kind of table than the plain one is not of our making.
    if (code == MDB_SUCCESS) code = mdb_dbi_flags(txn, tables_.at(i), &kind);
    if (code == MDB_SUCCESS && kind != 0) code = damage();
  }
  return code;
}

int Environment::find_tables() {
  MDB_txn* txn = nullptr;
  int code = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
  if (code != MDB_SUCCESS) return code;
  code = open_tables(txn, 0);
  if (code == MDB_SUCCESS) return mdb_txn_commit(txn);  // Also a reader's: it keeps the handles.
  mdb_txn_abort(txn);
  return code;
}

int Environment::make_tables(std::string_view first_key, std::string_view first_value) {
  MDB_txn* txn = nullptr;
  int code = mdb_txn_begin(env_, nullptr, 0, &txn);
  if (code != MDB_SUCCESS) return code;
  code = open_tables(txn, MDB_CREATE);
  if (code == MDB_SUCCESS) {
    auto key = to_val(first_key);
    auto value = to_val(first_value);
    code = mdb_put(txn, tables_.at(number(Table::meta)), &key, &value, 0);
  }
  if (code != MDB_SUCCESS) {
    mdb_txn_abort(txn);
    return code;
  }
  code = mdb_txn_commit(txn);
  if (code == MDB_SUCCESS) keep_whole();
  return code;
}

// LMDB reads the number of the last commit, then the roots of the tables from the slot that this
// number has; every other commit writes to that slot. A reader that is held up between the two for
// more than one commit finds the roots of one that is still on its way to the disk. So one during
// whose beginning a commit began starts over; commits are much further apart than that takes.
ReadTxn::ReadTxn(const Environment& environment) : environment_(environment) {
  while (true) {
    const auto commits = environment.commits_.load();
    code_ = mdb_txn_begin(environment.env_, nullptr, MDB_RDONLY, &txn_);
    if (code_ != MDB_SUCCESS || environment.commits_.load() == commits) return;
    mdb_txn_abort(txn_);
  }
}

ReadTxn::~ReadTxn() {
  if (code_ == MDB_SUCCESS) mdb_txn_abort(txn_);
}

Got ReadTxn::get(Table table, std::string_view key) const {
  if (code_ != MDB_SUCCESS) return {.code = code_};
  return get_in(txn_, environment_.tables_.at(number(table)), key);
}

std::uint64_t ReadTxn::entries(Table table) const {
  return code_ == MDB_SUCCESS ? entries_in(txn_, environment_.tables_.at(number(table))) : 0;
}

int ReadTxn::each(Table table, const Visit& visit) const {
  if (code_ != MDB_SUCCESS) return code_;
  return each_in(txn_, environment_.tables_.at(number(table)), visit);
}

int ReadTxn::each_after(Table table, std::string_view after, const Visit& visit) const {
  if (code_ != MDB_SUCCESS) return code_;
  return each_in(txn_, environment_.tables_.at(number(table)), visit, after);
}

std::uint64_t ReadTxn::branch_pages() const {
  std::vector<MDB_dbi> all(environment_.tables_.begin(), environment_.tables_.end());
  all.insert(all.end(), {free_lists, names});
  std::uint64_t sum = 0;
  for (const auto table : all) {
    MDB_stat stat{};
    if (code_ == MDB_SUCCESS && mdb_stat(txn_, table, &stat) == MDB_SUCCESS) {
      sum += stat.ms_branch_pages;
    }
  }
  return sum;
}

int ReadTxn::each_name(const Visit& visit) const {
  return code_ == MDB_SUCCESS ? each_in(txn_, names, visit) : code_;
}

int ReadTxn::each_free_list(const Visit& visit) const {
  return code_ == MDB_SUCCESS ? each_in(txn_, free_lists, visit) : code_;
}

WriteTxn::WriteTxn(Environment& environment)
    : environment_(environment), code_(mdb_txn_begin(environment.env_, nullptr, 0, &txn_)) {
  if (code_ != MDB_SUCCESS) txn_ = nullptr;
}

WriteTxn::~WriteTxn() {
  if (txn_ != nullptr) mdb_txn_abort(txn_);
}

Got WriteTxn::get(Table table, std::string_view key) const {
  if (code_ != MDB_SUCCESS) return {.code = code_};
  return get_in(txn_, environment_.tables_.at(number(table)), key);
}

std::uint64_t WriteTxn::entries(Table table) const {
  return code_ == MDB_SUCCESS ? entries_in(txn_, environment_.tables_.at(number(table))) : 0;
}

int WriteTxn::put(Table table, std::string_view key, std::string_view value) {
  if (code_ != MDB_SUCCESS) return code_;
  auto key_val = to_val(key);
  auto value_val = to_val(value);
  code_ = mdb_put(txn_, environment_.tables_.at(number(table)), &key_val, &value_val, 0);
  return code_;
}

int WriteTxn::erase(Table table, std::string_view key) {
  if (code_ != MDB_SUCCESS) return code_;
  auto key_val = to_val(key);
  code_ = mdb_del(txn_, environment_.tables_.at(number(table)), &key_val, nullptr);
  if (code_ == MDB_NOTFOUND) code_ = MDB_SUCCESS;
  return code_;
}

int WriteTxn::each(Table table, const Visit& visit) const {
  if (code_ != MDB_SUCCESS) return code_;
  return each_in(txn_, environment_.tables_.at(number(table)), visit);
}

int WriteTxn::commit() {
  if (code_ != MDB_SUCCESS) return code_;
  ++environment_.commits_;
  code_ = mdb_txn_commit(txn_);
  txn_ = nullptr;  // Gone in either case.
  if (code_ == MDB_SUCCESS) environment_.keep_whole();
  return code_;
}

}  // namespace archway::cache::lmdb
