#pragma once

#include "metrics/log.hpp"
#include "proxy/access/keyed_hash.hpp"
#include "proxy/config/htpasswd.hpp"
#include "resolver/model/result.hpp"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace archway::proxy {

/// An htpasswd file and who was right by it. What is read again and cannot be used leaves what was
/// read before in force, and is logged. Threads: any.
class Passwords {
 public:
  static constexpr std::size_t remembered_max = 4096;

  /// Errors: Errc::configuration_invalid.
  static Result<std::shared_ptr<Passwords>> open(const std::filesystem::path& file,
                                                 metrics::Log* log);

  /// True when these were found right since the file was read. Quick.
  bool known(const std::string& username, const std::string& password) const;
  /// Slow by design (bcrypt): not on a loop. As slow for a name that is not in the file.
  bool check(const std::string& username, const std::string& password);
  /// Reads the file again when it is another than before. Blocks on the disk.
  void look();

 private:
  /// One reading of the file.
  struct Table {
    Htpasswd users;
    std::set<std::string> right;  // keyed hashes of what was right
  };
  Passwords(std::filesystem::path file, metrics::Log* log);
  Result<void> read();
  std::string key(const std::string& username, const std::string& password) const;

  const std::filesystem::path file_;
  metrics::Log* log_;
  KeyedHash hash_;
  mutable std::mutex mutex_;
  std::shared_ptr<Table> table_;  // replaced as a whole; `right` is guarded by mutex_
  std::string version_;           // of the file that was read: where it is, its size and times
};

}  // namespace archway::proxy
