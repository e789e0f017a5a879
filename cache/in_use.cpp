#include "cache/in_use.hpp"

#include <mutex>
#include <unordered_map>
#include <utility>

namespace archway::cache {

class InUse::Table {
 public:
  void begin(const Digest& digest) {
    const std::lock_guard lock(mutex_);
    ++readers_[digest];
  }
  void end(const Digest& digest) {
    const std::lock_guard lock(mutex_);
    const auto it = readers_.find(digest);
    if (--it->second == 0) readers_.erase(it);
  }
  bool holds(const Digest& digest) const {
    const std::lock_guard lock(mutex_);
    return readers_.contains(digest);
  }
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return readers_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<Digest, std::size_t> readers_;
};

/// Lives as long as anybody has the file from here.
struct InUse::Loan {
  Loan(std::shared_ptr<Table> of, const Digest& what, std::shared_ptr<const FileHandle> lent)
      : table(std::move(of)), digest(what), file(std::move(lent)) {
    table->begin(digest);
  }
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;
  ~Loan() {
    file.reset();  // Closed first, should it be the last: then its room can come free.
    table->end(digest);
  }

  std::shared_ptr<Table> table;
  Digest digest;
  std::shared_ptr<const FileHandle> file;
};

InUse::InUse() : table_(std::make_shared<Table>()) {}

std::shared_ptr<const FileHandle> InUse::lend(const Digest& digest,
                                              std::shared_ptr<const FileHandle> file) {
  const auto* const handle = file.get();
  return {std::make_shared<const Loan>(table_, digest, std::move(file)), handle};
}

bool InUse::holds(const Digest& digest) const {
  return table_->holds(digest);
}

std::size_t InUse::count() const {
  return table_->count();
}

}  // namespace archway::cache
