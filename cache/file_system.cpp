#include "cache/file_system.hpp"

#include <array>
#include <linux/magic.h>
#include <sys/vfs.h>

namespace archway::cache {
namespace {

struct Known {
  unsigned long magic;
  FileSystemTraits traits;
};

// Those that linux/magic.h of Debian 12 does not name are by their kernel sources.
constexpr unsigned long cifs_magic = 0xFF534D42;
constexpr unsigned long smb2_magic = 0xFE534D42;
constexpr unsigned long exfat_magic = 0x2011BAB0;

constexpr std::array known{
    Known{NFS_SUPER_MAGIC, {.name = "NFS", .shared = true}},
    Known{SMB_SUPER_MAGIC, {.name = "SMB", .shared = true}},
    Known{cifs_magic, {.name = "CIFS", .shared = true}},
    Known{smb2_magic, {.name = "SMB", .shared = true}},
    Known{AFS_SUPER_MAGIC, {.name = "AFS", .shared = true}},
    Known{MSDOS_SUPER_MAGIC, {.name = "FAT", .keeps_no_order = true}},
    Known{exfat_magic, {.name = "exFAT", .keeps_no_order = true}},
};

}  // namespace

std::optional<unsigned long> file_system_magic(const FileHandle& file) {
  struct statfs facts {};
  if (::fstatfs(file.get(), &facts) != 0) return std::nullopt;
  // Signed on some machines: the upper half would be all ones.
  return static_cast<unsigned long>(facts.f_type) & 0xFFFFFFFFUL;
}

FileSystemTraits traits_of(unsigned long magic) {
  for (const auto& one : known) {
    if (one.magic == magic) return one.traits;
  }
  return {};
}

}  // namespace archway::cache
