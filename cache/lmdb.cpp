#include "cache/lmdb.hpp"

#include "cache/lmdb_values.hpp"

#include <algorithm>
#include <cerrno>
#include <lmdb.h>
#include <sys/stat.h>
#include <unistd.h>

namespace archway::cache::lmdb {
namespace {

// A reader's slot is held for one look-up, so this is a bound on threads, not on clients.
constexpr unsigned readers_max = 254;

// Default durability. NOTLS: a reader's slot belongs to a transaction, not to a thread. NORDAHEAD:
// look-ups are scattered, and the file may outgrow the memory.
constexpr unsigned flags_to_write = MDB_NOTLS | MDB_NORDAHEAD;
constexpr unsigned flags_to_read = flags_to_write | MDB_RDONLY | MDB_NOLOCK;

constexpr std::array<const char*, table_count> table_names{"meta",   "tags", "manifests", "blobs",
                                                           "grants", "seen", "images",    "pins"};

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

int Environment::open_at(const std::filesystem::path& path, std::uint64_t map_bytes,
                         unsigned flags) const {
  int code = mdb_env_create(&env_);
  if (code != MDB_SUCCESS) {
    env_ = nullptr;
    return code;
  }
  if (map_bytes > 0) code = mdb_env_set_mapsize(env_, static_cast<std::size_t>(map_bytes));
  if (code == MDB_SUCCESS) code = mdb_env_set_maxdbs(env_, table_count);
  if (code == MDB_SUCCESS) code = mdb_env_set_maxreaders(env_, readers_max);
  if (code == MDB_SUCCESS) code = mdb_env_open(env_, path.c_str(), flags, 0600);
  return code == MDB_SUCCESS ? check_length() : code;
}

Environment::Opened Environment::open(const std::filesystem::path& directory,
                                      std::uint64_t map_bytes) {
  std::unique_ptr<Environment> environment(new Environment());
  environment->directory_ = directory;
  const int code = environment->open_at(directory, map_bytes, flags_to_write);
  if (code != MDB_SUCCESS) return {.code = code};
  return {.environment = std::move(environment)};
}

Environment::Opened Environment::open_read_only(const std::filesystem::path& file) {
  std::unique_ptr<Environment> environment(new Environment());
  const int code = environment->open_at(file, 0, flags_to_read | MDB_NOSUBDIR);
  if (code != MDB_SUCCESS) return {.code = code};
  return {.environment = std::move(environment)};
}

Environment::~Environment() {
  if (env_ != nullptr) mdb_env_close(env_);
}

Environment::Share Environment::share_map() const {
  // A lock that readers share lets them pass a waiting writer: together they could keep it out.
  if (gate_closed_) const std::lock_guard wait(gate_);
  return Share(map_mutex_);
}

Environment::Alone::Alone(const Environment& all)
    : environment(all), gate(all.gate_), map(all.map_mutex_, std::defer_lock) {
  environment.gate_closed_ = true;
  map.lock();
}

Environment::Alone::~Alone() {
  environment.gate_closed_ = false;
}

int Environment::grow() {
  const Alone alone(*this);
  MDB_envinfo info{};
  if (env_ == nullptr || mdb_env_info(env_, &info) != MDB_SUCCESS) return EIO;
  if (info.me_mapsize > map_bytes_max / 2) return MDB_MAP_FULL;
  const int code = mdb_env_set_mapsize(env_, info.me_mapsize * 2);
  // The map before is gone by then.
  if (code != MDB_SUCCESS && mdb_env_set_mapsize(env_, info.me_mapsize) != MDB_SUCCESS) reopen();
  return code;
}

/// After a write of its first pages that failed LMDB refuses everything, also to read.
void Environment::mend() const {
  if (directory_.empty()) return;
  const Alone alone(*this);
  MDB_txn* txn = nullptr;
  int code = MDB_PANIC;
  if (env_ != nullptr && !reads_only_) code = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
  if (code == MDB_SUCCESS) mdb_txn_abort(txn);
  if (code == MDB_PANIC) reopen();
}

void Environment::reopen() const {
  MDB_envinfo info{};
  if (env_ != nullptr) {
    mdb_env_info(env_, &info);
    mdb_env_close(env_);
  }
  const std::uint64_t map_bytes = info.me_mapsize;
  reads_only_ = false;
  int code = open_at(directory_, map_bytes, flags_to_write);
  if (code != MDB_SUCCESS) {
    if (env_ != nullptr) mdb_env_close(env_);
    reads_only_ = true;
    code = open_at(directory_, map_bytes, flags_to_read);
  }
  if (code == MDB_SUCCESS) code = look_for_tables();
  if (code == MDB_SUCCESS) return;
  if (env_ != nullptr) mdb_env_close(env_);
  env_ = nullptr;
}

bool Environment::empty() const {
  MDB_envinfo info{};
  return mdb_env_info(env_, &info) == MDB_SUCCESS && info.me_last_txnid == 0;
}

Environment::Shape Environment::shape() const {
  const auto share = share_map();
  return shape_now();
}

Environment::Shape Environment::shape_now() const {
  if (env_ == nullptr) return {};
  MDB_envinfo info{};
  MDB_stat stat{};
  if (mdb_env_info(env_, &info) != MDB_SUCCESS || mdb_env_stat(env_, &stat) != MDB_SUCCESS) {
    return {};
  }
  return {.page_bytes = stat.ms_psize, .pages = std::uint64_t{info.me_last_pgno} + 1};
}

int Environment::check_length() const {
  const auto [page_bytes, pages] = shape_now();
  const bool whole = empty() || (page_bytes > 0 && file_bytes() / page_bytes >= pages);
  return whole ? MDB_SUCCESS : damage();
}

int Environment::copy_to(int fd) const {
  const auto share = share_map();
  if (env_ == nullptr) return EIO;
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
  const auto [page_bytes, pages] = shape_now();
  const auto whole = pages * page_bytes;
  mdb_filehandle_t fd = -1;
  if (file_bytes() >= whole || mdb_env_get_fd(env_, &fd) != MDB_SUCCESS) return;
  [[maybe_unused]] const int extended = ::ftruncate(fd, static_cast<off_t>(whole));
}

int Environment::open_tables(MDB_txn* txn, unsigned flags) const {
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
  return look_for_tables();
}

int Environment::look_for_tables() const {
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

}  // namespace archway::cache::lmdb
