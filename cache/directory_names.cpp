#include "cache/directory_names.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <string_view>
#include <unistd.h>

namespace archway::cache {

void each_name(const FileHandle& root, const std::string& path,
               const std::function<bool(int directory, const char* name)>& visit) {
  constexpr int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
  const int fd = ::openat(root.get(), path.c_str(), flags);
  if (fd < 0) return;
  struct Close {
    void operator()(DIR* directory) const { ::closedir(directory); }
  };
  const std::unique_ptr<DIR, Close> directory(::fdopendir(fd));
  if (!directory) {
    ::close(fd);
    return;
  }
  while (const dirent* const entry = ::readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (!visit(fd, entry->d_name)) return;
  }
}

}  // namespace archway::cache
