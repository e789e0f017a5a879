#include "proxy/access/passwords.hpp"

#include "proxy/config/small_file.hpp"

#include <crypt.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <utility>

namespace archway::proxy {
namespace {

constexpr std::size_t password_bytes_max = 1024;

std::string version_of(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return {};
  std::string version;
  for (const auto number :
       {static_cast<long long>(status.st_dev), static_cast<long long>(status.st_ino),
        static_cast<long long>(status.st_size), static_cast<long long>(status.st_mtim.tv_sec),
        static_cast<long long>(status.st_mtim.tv_nsec),
        static_cast<long long>(status.st_ctim.tv_sec),
        static_cast<long long>(status.st_ctim.tv_nsec)}) {
    version += std::to_string(number) + " ";
  }
  return version;
}

bool matches(const std::string& password, const std::string& hash) {
  const auto data = std::make_unique<crypt_data>();  // 32 KiB: not for a stack.
  const char* made = ::crypt_r(password.c_str(), hash.c_str(), data.get());
  return made != nullptr && std::string_view(made).size() == hash.size() &&
         CRYPTO_memcmp(made, hash.data(), hash.size()) == 0;
}

}  // namespace

Passwords::Passwords(std::filesystem::path file, metrics::Log* log)
    : file_(std::move(file)), log_(log), table_(std::make_shared<Table>()) {}

Result<std::shared_ptr<Passwords>> Passwords::open(const std::filesystem::path& file,
                                                   metrics::Log* log) {
  std::shared_ptr<Passwords> passwords(new Passwords(file, log));
  const auto read = passwords->read();
  if (!read) return read.error();
  return passwords;
}

Result<void> Passwords::read() {
  // Before the bytes: a change meanwhile is seen next time.
  const auto version = version_of(file_);
  const auto file = read_small_file(file_, htpasswd_bytes_max);
  if (!file) return file.error();
  auto users = read_htpasswd(file->text);
  if (!users) {
    Error error = users.error();
    error.message = file_.string() + ": " + error.message;
    return error;
  }
  auto table = std::make_shared<Table>(Table{.users = *std::move(users), .right = {}});
  const std::lock_guard lock(mutex_);
  table_ = std::move(table);
  version_ = version;
  return {};
}

std::string Passwords::key(const std::string& username, const std::string& password) const {
  return hash_.of({username, password});
}

bool Passwords::known(const std::string& username, const std::string& password) const {
  const auto hash = key(username, password);
  const std::lock_guard lock(mutex_);
  return table_->right.contains(hash);
}

bool Passwords::check(const std::string& username, const std::string& password) {
  std::shared_ptr<Table> table;
  {
    const std::lock_guard lock(mutex_);
    table = table_;
  }
  const auto& users = table->users;
  const bool sayable =
      password.size() <= password_bytes_max && password.find('\0') == std::string::npos;
  if (users.empty() || !sayable) return false;
  const auto found = users.find(username);
  // A name that is not there takes as long: else one could ask which are.
  const auto& hash = found == users.end() ? users.begin()->second : found->second;
  const bool right = matches(password, hash) && found != users.end();
  if (!right) return false;
  const auto remembered = key(username, password);
  const std::lock_guard lock(mutex_);
  if (table->right.size() >= remembered_max) table->right.clear();
  table->right.insert(remembered);
  return true;
}

void Passwords::look() {
  const auto version = version_of(file_);
  {
    const std::lock_guard lock(mutex_);
    if (version == version_) return;
  }
  const auto again = read();
  if (again) {
    log_->info("names and passwords read again", {{"file", file_.string()}});
  } else {
    // It is tried again: a file that cannot be read in this moment may be in the next.
    log_->write_seldom("htpasswd " + file_.string(), metrics::Level::error,
                       "the new names and passwords cannot be used; the old ones stay",
                       {{"why", again.error().message}});
  }
}

}  // namespace archway::proxy
