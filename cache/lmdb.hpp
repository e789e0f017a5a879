#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>

struct MDB_env;
struct MDB_txn;

/// LMDB in the few shapes that the index needs; lmdb*.cpp alone include <lmdb.h>. A `code` is 0, an
/// errno, or one of LMDB's own numbers.
namespace archway::cache::lmdb {

enum class Table : std::uint8_t { meta, tags, manifests, blobs, grants, seen, images, pins };
inline constexpr std::size_t table_count = 8;

/// What the code means, for a log line.
std::string text(int code);
/// The file is not what LMDB (or the index) wrote: it should be set aside, not tried again.
bool is_damage(int code);
/// The map has no room left: Environment::grow() helps.
bool is_full(int code);
/// The code for a file whose content makes no sense, for checks beside LMDB's own.
int damage();

/// No map grows past this: on 32-bit machines the address space is scarce.
inline constexpr std::uint64_t map_bytes_max =
    sizeof(void*) == 8 ? std::uint64_t{1} << 40 : std::uint64_t{1} << 30;

/// One open data file with its lock file; one a process and file.
///
/// Threads: any; a transaction belongs to one thread at a time.
class Environment {
 public:
  struct Opened {
    std::unique_ptr<Environment> environment;  ///< set when code is 0
    int code = 0;
  };
  /// Opens or makes `directory`/data.mdb. A file shorter than its own count of pages is damage:
  /// reading it would end the process.
  static Opened open(const std::filesystem::path& directory, std::uint64_t map_bytes);

  /// Opens a data file, by whatever name, for reading alone and without a lock file: one that may
  /// be damaged, or that nobody can write to. Nobody else may change it meanwhile.
  static Opened open_read_only(const std::filesystem::path& file);

  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment();

  /// Nothing was ever committed.
  bool empty() const;

  /// Of what pages the file is made.
  struct Shape {
    std::size_t page_bytes = 0;
    std::uint64_t pages = 0;
  };
  Shape shape() const;

  /// Writes the whole as it is now to an open file, in the middle of whatever goes on.
  int copy_to(int fd) const;

  /// Makes the map twice as large: waits until no transaction is open, and lets none begin
  /// meanwhile. Not within one.
  int grow();

  /// Finds the tables; before any transaction on them.
  int find_tables();
  /// Makes the tables, and one first entry of `meta` with them: all or nothing.
  int make_tables(std::string_view first_key, std::string_view first_value);

 private:
  friend class ReadTxn;
  friend class WriteTxn;
  using Share = std::shared_lock<std::shared_mutex>;
  /// Nobody has a transaction while it lives.
  struct Alone {
    explicit Alone(const Environment& environment);
    ~Alone();
    const Environment& environment;
    std::unique_lock<std::mutex> gate;
    std::unique_lock<std::shared_mutex> map;
  };

  Environment() = default;

  /// Held by each transaction.
  Share share_map() const;
  int open_at(const std::filesystem::path& path, std::uint64_t map_bytes, unsigned flags) const;
  void mend() const;
  void reopen() const;
  Shape shape_now() const;
  std::uint64_t file_bytes() const;
  int check_length() const;
  int open_tables(MDB_txn* txn, unsigned flags) const;
  int look_for_tables() const;
  void keep_whole();

  // To its users it is the same one, also when its map was moved or its file opened again.
  mutable MDB_env* env_ = nullptr;  // Guarded by map_mutex_, as are the next two; null: it is lost.
  mutable std::array<unsigned, table_count> tables_{};
  mutable bool reads_only_ = false;         // Because the disk takes nothing.
  std::filesystem::path directory_;         // Empty: never to be written.
  std::atomic<std::uint64_t> commits_ = 0;  // Begun ever.
  mutable std::mutex gate_;
  mutable std::atomic<bool> gate_closed_ = false;
  mutable std::shared_mutex map_mutex_;
};

/// What a look-up gave; `value` points into the map and lives as long as its transaction.
struct Got {
  int code = 0;
  bool found = false;
  std::string_view value = {};
};

/// Takes one entry; false: no further one is wanted.
using Visit = std::function<bool(std::string_view key, std::string_view value)>;

/// A snapshot of all tables, of the last commit that was durable when it began; never older than
/// one that began before it. Short, within one function: it keeps old pages alive.
class ReadTxn {
 public:
  explicit ReadTxn(const Environment& environment);
  ReadTxn(const ReadTxn&) = delete;
  ReadTxn& operator=(const ReadTxn&) = delete;
  ~ReadTxn();

  Got get(Table table, std::string_view key) const;
  std::uint64_t entries(Table table) const;
  /// Visits the entries in the order of their keys.
  int each(Table table, const Visit& visit) const;
  /// The same, but from the first key behind `after`, which need not be there.
  int each_after(Table table, std::string_view after, const Visit& visit) const;
  /// As each() for LMDB's own two tables: the names of all tables, and lists of free pages.
  int each_name(const Visit& visit) const;
  int each_free_list(const Visit& visit) const;
  /// How many pages lead to the pages with entries, in all tables.
  std::uint64_t branch_pages() const;

 private:
  void begin();

  const Environment& environment_;
  std::shared_lock<std::shared_mutex> map_;
  MDB_txn* txn_ = nullptr;
  int code_ = 0;
};

/// Changes, all or nothing; without commit() they are dropped. After a code that is not 0 the rest
/// fails too.
class WriteTxn {
 public:
  explicit WriteTxn(Environment& environment);
  WriteTxn(const WriteTxn&) = delete;
  WriteTxn& operator=(const WriteTxn&) = delete;
  ~WriteTxn();

  Got get(Table table, std::string_view key) const;
  std::uint64_t entries(Table table) const;
  int put(Table table, std::string_view key, std::string_view value);
  /// Success when there was nothing to erase.
  int erase(Table table, std::string_view key);
  /// Visits the entries in the order of their keys.
  int each(Table table, const Visit& visit) const;
  /// Returns when the changes are durable.
  int commit();

 private:
  void begin();

  Environment& environment_;
  std::shared_lock<std::shared_mutex> map_;
  MDB_txn* txn_ = nullptr;
  int code_ = 0;
};

}  // namespace archway::cache::lmdb
