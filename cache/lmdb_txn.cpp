// The transactions of an Environment.

#include "cache/lmdb.hpp"
#include "cache/lmdb_values.hpp"

#include <cerrno>
#include <lmdb.h>
#include <vector>

namespace archway::cache::lmdb {
namespace {

// LMDB's own tables have no names, but these numbers in all versions.
constexpr MDB_dbi free_lists = 0;
constexpr MDB_dbi names = 1;

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

// LMDB reads the number of the last commit, then the roots of the tables from the slot that this
// number has; every other commit writes to that slot. A reader that is held up between the two for
// more than one commit finds the roots of one that is still on its way to the disk. So one during
// whose beginning a commit began starts over; commits are much further apart than that takes.
ReadTxn::ReadTxn(const Environment& environment) : environment_(environment) {
  begin();
  if (code_ != MDB_PANIC) return;
  map_.unlock();
  environment.mend();
  begin();
}

void ReadTxn::begin() {
  map_ = environment_.share_map();
  code_ = EIO;
  if (environment_.env_ == nullptr) return;
  while (true) {
    const auto commits = environment_.commits_.load();
    code_ = mdb_txn_begin(environment_.env_, nullptr, MDB_RDONLY, &txn_);
    if (code_ != MDB_SUCCESS || environment_.commits_.load() == commits) return;
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

WriteTxn::WriteTxn(Environment& environment) : environment_(environment) {
  begin();
  if (code_ != MDB_PANIC && !environment.reads_only_) return;
  map_.unlock();
  environment.mend();
  begin();
}

void WriteTxn::begin() {
  map_ = environment_.share_map();
  code_ = environment_.env_ == nullptr ? EIO : mdb_txn_begin(environment_.env_, nullptr, 0, &txn_);
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
