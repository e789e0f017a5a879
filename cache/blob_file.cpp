#include "cache/blob_file.hpp"

#include <unistd.h>

namespace archway::cache {

FileHandle::~FileHandle() {
  // An error here loses nothing: what must be durable was synced before.
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace archway::cache
